"""What the bot remembers: tables, engine, queries by noun. Knows nothing of chat, rules or classifiers."""
