"""What `pellucid serve` does beyond starting one process: several of them, and taking its settings anew."""
