"""The caching rules, one file per RFC section: pure, no clock, no I/O, no asyncio."""
