"""Benchmarks that anyone can rerun: what `pellucid compare` measures, and how it says it."""
