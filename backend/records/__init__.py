"""The shop's records: orders, the carts that are resources, and the keys that make a request happen once."""
