"""The pages: each module makes the text of one."""

NOTICE = "<!-- Made by `python -m docs.generate` (or `make docs`); changes belong in the code. -->"
"""What stands at the top of every page that is made whole."""
