"""What `pellucid warm` asks for, how it asks, and what it prints."""
