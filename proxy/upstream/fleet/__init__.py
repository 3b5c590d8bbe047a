"""Several servers behind: which one answers, which is well, and whether another may be asked in its place."""
