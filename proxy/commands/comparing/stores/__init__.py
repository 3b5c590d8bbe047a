"""`pellucid compare stores`: what several processes, a disk and a Valkey cost, and what they keep."""
