"""Pellucid: a caching reverse proxy that can say, for every message, what it understood and why it acted."""

__version__ = "0.4.0"
