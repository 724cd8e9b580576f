"""What to do: the domain. Plain synchronous functions over a Context; they write replies, never send."""
