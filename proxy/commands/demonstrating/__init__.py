"""A story in the terminal: who keeps the cart when a server is killed."""
