"""What `pellucid inspect` is made of, beyond the analysis: its options, its processes, its text."""
