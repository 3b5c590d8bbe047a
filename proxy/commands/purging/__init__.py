"""How `pellucid purge` asks proxies, and what it prints."""
