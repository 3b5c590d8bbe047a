"""The workloads: what is asked of each contender, and what is measured meanwhile."""
