"""A comparison as text, as Markdown and as a page; as JSON it is what it is."""
