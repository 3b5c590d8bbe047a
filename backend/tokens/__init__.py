"""State that a client keeps: written down, made safe from changes or from being read, and read again."""
