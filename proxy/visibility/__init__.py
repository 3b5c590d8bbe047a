"""What an intermediary can see in a message, and what is hidden from it."""
