"""Several tiers and several processes as one store."""
