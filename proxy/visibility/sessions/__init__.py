"""What kind of state each credential carries: a key to state in a server, the state itself, or neither."""
