"""Text -> verdict. Knows nothing of chat networks, tickets or storage."""
