"""The memory tier: stored responses in this process."""
