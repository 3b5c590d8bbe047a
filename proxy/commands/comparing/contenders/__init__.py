"""Who is compared: a file for each, with its configuration, its command and how it is found."""
