"""Performs what the rules ask for: look up, forward, store, freshen, invalidate, answer."""
