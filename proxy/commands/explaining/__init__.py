"""What explains a response: pure, but for the one file that fetches it."""
