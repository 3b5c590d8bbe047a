"""What statelessness buys, and what it costs, in figures: `pellucid compare state`."""
