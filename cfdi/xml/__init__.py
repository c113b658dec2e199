"""Documents as XML in the order of Anexo 20, and foreign XML read without trusting it."""

from cfdi.xml.names import (
    ADDENDA,
    CFDI,
    COMPLEMENTO,
    COMPROBANTE,
    PAGO20,
    PAGOS,
    SCHEMA_LOCATION,
    TFD,
    TIMBRE,
    XSI,
)
from cfdi.xml.parsing import MAX_BYTES, XmlRefused, parse, serialize
from cfdi.xml.writing import add_addenda, build

__all__ = [
    "ADDENDA",
    "CFDI",
    "COMPLEMENTO",
    "COMPROBANTE",
    "MAX_BYTES",
    "PAGO20",
    "PAGOS",
    "SCHEMA_LOCATION",
    "TFD",
    "TIMBRE",
    "XSI",
    "XmlRefused",
    "add_addenda",
    "build",
    "parse",
    "serialize",
]
