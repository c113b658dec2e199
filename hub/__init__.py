"""The engine: receives sales, keeps them, and has each invoiced exactly once."""
