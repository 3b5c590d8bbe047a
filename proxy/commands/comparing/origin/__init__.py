"""The origin server of every comparison: a process of its own, which counts what it was asked for."""
