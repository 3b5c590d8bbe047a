"""The aiohttp shell: connections, limits, the admin address."""
