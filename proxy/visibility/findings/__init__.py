"""What each message fails to say of itself: the three parts of self-description (Fielding 2000, §5.3.1)."""
