"""Mexican fiscal documents (CFDI 4.0). Imports nothing of the rest of the project."""

from cfdi.validator import validate

__all__ = ["validate"]
