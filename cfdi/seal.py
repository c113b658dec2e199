"""Seal a document: RSA PKCS#1 v1.5 with SHA-256 over its cadena original (Anexo 20, I.D)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from cfdi.cadena import cadena_original
from cfdi.comprobante import Comprobante
from cfdi.csd import Certificate, CertificateOfAnotherRfc, Csd, CsdRefused, NotACertificate
from cfdi.xml.writing import Seals, write


@dataclass(frozen=True, slots=True)
class Sealed:
    """`xml` is what is sent, byte for byte; `sha256` is its hash in hexadecimal."""

    xml: bytes
    sha256: str
    sello: str
    cadena: str


def seal(comprobante: Comprobante, csd: Csd) -> Sealed:
    """The document with NoCertificado, Certificado and Sello.

    Raises `CertificateOfAnotherRfc`, and what `cfdi.xml.build` raises.
    """
    if csd.certificate.rfc != comprobante.emisor.rfc:
        raise CertificateOfAnotherRfc("The certificate belongs to another RFC than the issuer.")
    text = write(
        comprobante,
        Seals(
            no_certificado=csd.certificate.no_certificado,
            certificado=base64.b64encode(csd.certificate.der).decode("ascii"),
            sello="-",  # holds its place: the seal is of all the rest
        ),
    )
    cadena = text.cadena if text.cadena is not None else cadena_original(text.tree())
    signature = csd.key.sign(cadena.encode(), PKCS1v15(), SHA256())
    sello = base64.b64encode(signature).decode("ascii")
    xml = text.xml(sello)
    return Sealed(xml, hashlib.sha256(xml).hexdigest(), sello, cadena)


def verify(root: etree._Element) -> bool:
    """Whether `Sello` is of this document and the certificate inside, and NoCertificado its number.

    Who issued the certificate, to whom and until when is not looked at.
    """
    try:
        certificate = certificate_of(root)
    except CsdRefused:
        return False
    if certificate.no_certificado != root.get("NoCertificado"):
        return False
    return signed(certificate, root.get("Sello", ""), cadena_original(root))


def certificate_of(root: etree._Element) -> Certificate:
    """The certificate inside. Raises `CsdRefused`."""
    try:
        return Certificate.read(_base64(root.get("Certificado", "")))
    except (binascii.Error, ValueError) as error:
        if isinstance(error, CsdRefused):
            raise
        raise NotACertificate("Certificado is not a certificate in base64.") from None


def signed(certificate: Certificate, sello: str, cadena: str) -> bool:
    """Whether `sello` (base64) is the seal of `cadena` by this certificate's key."""
    try:
        certificate.public_key().verify(_base64(sello), cadena.encode(), PKCS1v15(), SHA256())
    except (binascii.Error, InvalidSignature, ValueError):
        return False
    return True


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
