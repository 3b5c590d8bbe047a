"""What the traffic as a whole shows: endpoints, what answers depend on, what hides it, what would help."""
