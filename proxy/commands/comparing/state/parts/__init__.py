"""The four measurements: visibility, reliability, scalability, and what it all costs."""
