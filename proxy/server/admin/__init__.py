"""The admin address: figures, the last exchanges, metrics and the dashboard."""
