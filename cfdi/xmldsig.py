"""XML signatures of the one kind that SAT's cancellation services take: enveloped, RSA with SHA-1.

https://www.w3.org/TR/xmldsig-core1/ and https://www.w3.org/TR/2001/REC-xml-c14n-20010315. SHA-1 is
SAT's choice: a request signed otherwise is answered "Firma mal formada o inválida".
"""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
import re
from typing import Any, Final, cast

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1
from lxml import etree

from cfdi.csd import Certificate, Csd, CsdRefused
from cfdi.der import name_of_issuer

DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
SIGNATURE: Final = f"{{{DSIG}}}Signature"
C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
RSA_SHA1: Final = f"{DSIG}rsa-sha1"
DIGEST_SHA1: Final = f"{DSIG}sha1"
ENVELOPED: Final = f"{DSIG}enveloped-signature"

#: lxml takes None for the default namespace; its types do not say so.
_NSMAP: Final[dict[Any, str]] = {None: DSIG}
#: How OpenSSL writes these attributes; SAT's own examples do too.
_LABELS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.45": "x500UniqueIdentifier",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
}


class SignatureUnsound(ValueError):
    """No good signature of this kind. The message never repeats the document."""


def sign(root: etree._Element, csd: Csd) -> None:
    """Put the signature of `root` as it is into it, as its last child."""
    signature = etree.Element(SIGNATURE, nsmap=_NSMAP)
    signed_info = _add(signature, "SignedInfo")
    _add(signed_info, "CanonicalizationMethod", Algorithm=C14N)
    _add(signed_info, "SignatureMethod", Algorithm=RSA_SHA1)
    reference = _add(signed_info, "Reference", URI="")
    _add(_add(reference, "Transforms"), "Transform", Algorithm=ENVELOPED)
    _add(reference, "DigestMethod", Algorithm=DIGEST_SHA1)
    _add(reference, "DigestValue").text = _digest(root)
    root.append(signature)
    signed = csd.key.sign(_canonical(signed_info), PKCS1v15(), SHA1())  # noqa: S303 - SAT's choice
    _add(signature, "SignatureValue").text = _base64(signed)
    _key_info(signature, csd.certificate)


def verify(root: etree._Element) -> Certificate:
    """The certificate whose key signed the document. Raises `SignatureUnsound`.

    One signature, a child of the root, over the whole document: what is signed elsewhere or in
    parts is not looked at. Who issued the certificate, and until when, is for the caller.
    """
    signatures = [node for node in root.iter() if node.tag == SIGNATURE]
    if len(signatures) != 1 or signatures[0].getparent() is not root:
        raise SignatureUnsound("there must be one signature, right under the root")
    signature = signatures[0]
    _check_algorithms(signature)
    try:
        certificate = Certificate.read(_bytes_of(signature, "KeyInfo/X509Data/X509Certificate"))
        signed_info = _one(signature, "SignedInfo")
        certificate.public_key().verify(
            _bytes_of(signature, "SignatureValue"),
            _canonical(signed_info),
            PKCS1v15(),
            SHA1(),  # noqa: S303 - SAT's choice
        )
    except (CsdRefused, InvalidSignature):
        raise SignatureUnsound("the signature is not of the certificate inside") from None
    stated = base64.b64encode(_bytes_of(signed_info, "Reference/DigestValue")).decode("ascii")
    _take_out(signature)
    if stated != _digest(root):
        raise SignatureUnsound("the document is not the one that was signed")
    return certificate


def _check_algorithms(signature: etree._Element) -> None:
    expected = {
        "SignedInfo/CanonicalizationMethod": C14N,
        "SignedInfo/SignatureMethod": RSA_SHA1,
        "SignedInfo/Reference/Transforms/Transform": ENVELOPED,
        "SignedInfo/Reference/DigestMethod": DIGEST_SHA1,
    }
    if any(_one(signature, path).get("Algorithm") != name for path, name in expected.items()):
        raise SignatureUnsound("signed in another way than SAT's")
    if _one(signature, "SignedInfo/Reference").get("URI") != "":
        raise SignatureUnsound("the signature is of a part of the document")


def _key_info(signature: etree._Element, certificate: Certificate) -> None:
    key_info = _add(signature, "KeyInfo")
    data = _add(key_info, "X509Data")
    serial = _add(data, "X509IssuerSerial")
    _add(serial, "X509IssuerName").text = issuer_name(certificate)
    _add(serial, "X509SerialNumber").text = certificate.no_certificado
    _add(data, "X509Certificate").text = _base64(certificate.der)
    numbers = certificate.public_key().public_numbers()
    value = _add(_add(key_info, "KeyValue"), "RSAKeyValue")
    _add(value, "Modulus").text = _base64(_unsigned(numbers.n))
    _add(value, "Exponent").text = _base64(_unsigned(numbers.e))


def issuer_name(certificate: Certificate) -> str:
    """``CN=AC UAT,O=…`` in the certificate's own order, special characters as in RFC 2253 §2.4."""
    parsed = x509.load_der_x509_certificate(certificate.der)
    names = name_of_issuer(parsed.tbs_certificate_bytes)
    return ",".join(f"{_LABELS.get(oid, oid)}={_escaped(text)}" for oid, text in names.items())


def _escaped(text: str) -> str:
    return re.sub(r'[,+"\\<>;]', lambda found: f"\\{ord(found.group()):02x}", text)


def _digest(root: etree._Element) -> str:
    return _base64(hashlib.sha1(_canonical(root), usedforsecurity=True).digest())  # noqa: S324 - SAT's choice


def _canonical(node: etree._Element) -> bytes:
    """C14N without comments. The namespaces in scope count, where they were declared or not."""
    attributes = {str(name): str(value) for name, value in node.attrib.items()}
    alone = etree.Element(node.tag, attributes, nsmap=cast("dict[Any, str]", node.nsmap))
    alone.text = node.text
    for child in node:
        alone.append(copy.deepcopy(child))
    return etree.tostring(alone, method="c14n", exclusive=False, with_comments=False)


def _take_out(signature: etree._Element) -> None:
    """Remove it alone: lxml would take the text behind it too, which was signed."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail or ""
    if parent is None:
        return
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    parent.remove(signature)


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{DSIG}}}{name}", attributes)


def _one(node: etree._Element, path: str) -> etree._Element:
    found = node.findall("/".join(f"{{{DSIG}}}{name}" for name in path.split("/")))
    if len(found) != 1:
        raise SignatureUnsound(f"there must be one {path}")
    return found[0]


def _bytes_of(node: etree._Element, path: str) -> bytes:
    text = "".join((_one(node, path).text or "").split())
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureUnsound(f"{path} is not base64") from None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unsigned(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
