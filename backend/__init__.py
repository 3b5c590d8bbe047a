"""The sample backend: one small shop in three styles of keeping state. Never imports the proxy."""
