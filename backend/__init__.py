"""The sample backend: one small shop in several styles of keeping state. Never imports the proxy."""
