"""What one HTTP message says of itself. Imports nothing else of the project."""
