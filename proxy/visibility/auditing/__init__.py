"""Replaying safe requests to find the state that they depend on: what to send, and what the answers show."""
