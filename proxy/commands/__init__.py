"""One file per command of the `pellucid` program."""
