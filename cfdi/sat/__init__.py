"""SAT's own public services."""
