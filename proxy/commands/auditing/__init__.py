"""What `pellucid audit` sends and prints."""
