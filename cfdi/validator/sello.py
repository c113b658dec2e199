"""The issuer's seal: 302 and CFDI40102.

SAT's list for providers calls a seal "mal formado o inválido" (302), its matrix one whose digest is
not that of the cadena original (CFDI40102). So 302 is what no key of the certificate can have made
(no base64, not the key's length), CFDI40102 is a seal of another document or by another key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from cfdi.cadena import cadena_original
from cfdi.seal import signed
from cfdi.validator.certificado import certificate
from cfdi.validator.document import Document, path_of, text
from cfdi.validator.rule import rule


@rule("302", unless=("CFDI40106",))
def a_seal(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is not None and _length(text(doc.root, "Sello")) != found.public_key().key_size // 8:
        yield path_of(doc.root, "Sello")


@rule("CFDI40102", unless=("302", "CFDI40106"))
def of_this_document(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is not None and not signed(found, text(doc.root, "Sello"), cadena_original(doc.root)):
        yield path_of(doc.root, "Sello")


def _length(sello: str) -> int | None:
    """In bytes, None if it is no base64."""
    try:
        return len(base64.b64decode(sello, validate=True))
    except (binascii.Error, ValueError):  # ValueError: a letter beyond ASCII
        return None
