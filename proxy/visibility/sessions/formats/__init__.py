"""The formats in which frameworks write credentials: one function each, which knows a value or doesn't."""
