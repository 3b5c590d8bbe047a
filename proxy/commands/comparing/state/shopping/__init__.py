"""Shoppers: what they want, how each style lets them have it, and an account of what became of it."""
