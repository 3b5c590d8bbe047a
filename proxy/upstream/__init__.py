"""How to reach the servers behind the proxy."""
