"""Where records go: the log file, and lines for a person who watches."""
