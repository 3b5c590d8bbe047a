"""The tests of pellucid; a package of its own, as some distributions install one of this name too."""
