"""The certificate that a document was sealed with: CFDI40106, 303 to 306, 308.

304 and 308 are asked of whoever can know: the register, whose word on a certificate of LCO's is
final, and for 308 the authorities that were given. 304 is a certificate that was revoked or ran out
by LCO's word; one that had run out at Fecha by its own is 305.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from functools import lru_cache

from cfdi.csd import Certificate, authority
from cfdi.validator.document import Document, path_of, text
from cfdi.validator.register import CertificateState
from cfdi.validator.reloj import instants_of_fecha
from cfdi.validator.rule import Needs, rule


def certificate(doc: Document) -> Certificate | None:
    """That of the issuer, None if it cannot be read."""
    return _read(doc.root.get("Certificado", ""))


@lru_cache(maxsize=64)  # several rules ask for it, and one issuer sends many documents
def _read(certificado: str) -> Certificate | None:
    try:
        return Certificate.read(base64.b64decode(certificado.strip(), validate=True))
    except (binascii.Error, ValueError):  # CsdRefused is one
        return None


@rule("CFDI40106")
def a_certificate(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is None:
        yield path_of(doc.root, "Certificado")
    elif found.no_certificado != text(doc.root, "NoCertificado"):
        yield path_of(doc.root, "NoCertificado")


@rule("308", needs=Needs.AUTHORITIES)
def issued_by_an_authority(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is None or not doc.authorities or _state(doc, found) is not None:
        return
    if authority(found, doc.authorities) != "sandbox":  # signed by none that was given
        yield path_of(doc.root, "Certificado")


@rule("304", needs=Needs.REGISTER)
def not_revoked(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is not None and _state(doc, found) in {
        CertificateState.REVOCADO,
        CertificateState.CADUCO,
    }:
        yield path_of(doc.root, "NoCertificado")


@rule("306")
def a_csd(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is not None and found.is_fiel:
        yield path_of(doc.root, "Certificado")


@rule("303")
def of_the_issuer(doc: Document) -> Iterator[str]:
    found = certificate(doc)
    if found is not None and found.rfc != text(doc.emisor, "Rfc"):
        yield path_of(doc.emisor, "Rfc")


@rule("305")
def valid_at_fecha(doc: Document) -> Iterator[str]:
    found, instants = certificate(doc), instants_of_fecha(doc)
    if found is None or not instants:
        return
    if not any(found.not_before <= instant <= found.not_after for instant in instants):
        yield path_of(doc.root, "Fecha")


def _state(doc: Document, found: Certificate) -> CertificateState | None:
    return None if doc.register is None else doc.register.certificate(found.no_certificado)
