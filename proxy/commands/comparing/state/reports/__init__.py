"""The measurement as text and as a page; as JSON it is what it is."""
