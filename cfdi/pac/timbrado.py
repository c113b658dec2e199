"""A sealed document and its TFD put together, as a provider does it."""

from __future__ import annotations

from lxml import etree

from cfdi.xml import CFDI, COMPLEMENTO, COMPROBANTE, TIMBRE, parse, serialize

ADDENDA = f"{{{CFDI}}}Addenda"


def with_timbre(sealed: bytes, timbre: bytes) -> bytes:
    """The document with the TFD in its Complemento and nothing else changed.

    Raises ValueError if either is not what it says. Whether the TFD belongs to the document is for
    the caller to check.
    """
    document, stamp = parse(sealed), parse(timbre)
    if document.tag != COMPROBANTE or stamp.tag != TIMBRE:
        raise ValueError("not a CFDI and its TimbreFiscalDigital")
    complemento = document.find(COMPLEMENTO)
    if complemento is None:
        complemento = etree.Element(COMPLEMENTO)
        addenda = document.find(ADDENDA)
        at = len(document) if addenda is None else document.index(addenda)
        document.insert(at, complemento)
    complemento.append(stamp)
    return serialize(document)
