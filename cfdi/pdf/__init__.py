"""The printed representation of a stamped document."""

from cfdi.pdf.brand import Brand, ColorRefused, LogoRefused
from cfdi.pdf.printing import NotPrintable, render

__all__ = ["Brand", "ColorRefused", "LogoRefused", "NotPrintable", "render"]
