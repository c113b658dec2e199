"""The printed representation of a stamped document."""

from cfdi.pdf.printing import NotPrintable, render

__all__ = ["NotPrintable", "render"]
