"""Certificado de Sello Digital: read it, check it with its key, keep it ready for sealing.

`cryptography` refuses the names of certificates with an Ñ (SAT writes Latin-1 into a
TeletexString), so names are read from the DER here. Requirements of a CSD:
http://omawww.sat.gob.mx/tramitesyservicios/Paginas/certificado_sello_digital.htm
"""

from __future__ import annotations

import unicodedata
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from cfdi.der import DerInvalid, is_encrypted_pkcs8, name_of_issuer, name_of_subject
from cfdi.rfc import tidy

_COMMON_NAME = "2.5.4.3"
_ORGANIZATION = "2.5.4.10"
_ORGANIZATIONAL_UNIT = "2.5.4.11"
_UNIQUE_IDENTIFIER = "2.5.4.45"
_PEM = b"-----BEGIN"
_SAT = "SERVICIO DE ADMINISTRACION TRIBUTARIA"
_SAT_TEST_AUTHORITY = "AC UAT"
#: A certificate or a key of SAT's has some 2 KB.
LARGEST = 64 * 1024
#: SAT gives a new CSD within a day or two; a month leaves time to notice.
_EXPIRES_SOON = timedelta(days=30)
#: What the library raises for bytes that are not what they should be.
_UNREADABLE = (ValueError, TypeError, OverflowError, x509.InvalidVersion, UnsupportedAlgorithm)


class CsdRefused(ValueError):
    """Why a certificate or key cannot be used. `code` is stable; nothing secret is repeated."""

    code: ClassVar[str] = "csd_refused"


class NotACertificate(CsdRefused):
    code = "not_a_certificate"


class NotIssuedBySat(CsdRefused):
    code = "not_issued_by_sat"


class FilesSwapped(CsdRefused):
    code = "files_swapped"


class CertificateIsFiel(CsdRefused):
    code = "certificate_is_fiel"


class CertificateOfAnotherRfc(CsdRefused):
    code = "certificate_of_another_rfc"


class CertificateExpired(CsdRefused):
    code = "certificate_expired"


class CertificateNotYetValid(CsdRefused):
    code = "certificate_not_yet_valid"


class NotAPrivateKey(CsdRefused):
    code = "not_a_private_key"


class NotRsa(CsdRefused):
    code = "not_rsa"


class PasswordWrong(CsdRefused):
    code = "password_wrong"


class KeyOfAnotherCertificate(CsdRefused):
    code = "key_of_another_certificate"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What SAT says of a taxpayer's certificate. The instants are aware, in UTC.

    `rfc_representante` is that of a company's legal representative, "" for a person's certificate.
    """

    rfc: str
    nombre: str
    no_certificado: str
    not_before: datetime
    not_after: datetime
    is_fiel: bool
    der: bytes
    rfc_representante: str = ""

    @classmethod
    def read(cls, data: bytes) -> Certificate:
        """From DER (SAT's `.cer`), PEM or bare base64.

        Raises `NotACertificate`, `NotIssuedBySat` or `NotRsa`.
        """
        parsed = _parse(data)
        try:
            return cls._of(parsed, name_of_subject(parsed.tbs_certificate_bytes))
        except CsdRefused:
            raise
        except _UNREADABLE:  # the library reads the fields when they are asked for
            raise NotACertificate("The certificate is damaged and cannot be read.") from None

    @classmethod
    def _of(cls, parsed: x509.Certificate, subject: Mapping[str, str]) -> Certificate:
        # "RFC / RFC of the representative"; a person's has the first alone.
        holder, _, others = subject.get(_UNIQUE_IDENTIFIER, "").partition("/")
        return cls(
            rfc=holder.strip(),
            rfc_representante=others.split("/")[0].strip(),
            nombre=subject.get(_COMMON_NAME, ""),
            no_certificado=_no_certificado(parsed.serial_number),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
            is_fiel=_is_fiel(parsed, subject),
            der=parsed.public_bytes(serialization.Encoding.DER),
        )

    def expires_soon(self, now: datetime) -> bool:
        """Whether it is valid at `now` (aware) for thirty days more at the most."""
        return now <= self.not_after <= now + _EXPIRES_SOON

    def public_key(self) -> RSAPublicKey:
        return _rsa_of(x509.load_der_x509_certificate(self.der))


@dataclass(frozen=True, slots=True)
class Csd:
    """A certificate with its key, ready to seal."""

    certificate: Certificate
    key: RSAPrivateKey

    def key_der(self) -> bytes:
        """Unencrypted PKCS#8, for `load_key`. A secret: it is stored encrypted only."""
        return self.key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def open_key(data: bytes, password: str) -> RSAPrivateKey:
    """The key in SAT's `.key` (encrypted PKCS#8, DER), in PEM or bare base64, fully checked.

    A password copied with blanks around it is taken without them. Raises `PasswordWrong`,
    `NotAPrivateKey` or `NotRsa`.
    """
    if len(data) > LARGEST:
        raise NotAPrivateKey("This file is too large to be a private key: choose the .key file.")
    data = _unwrapped(data)
    for secret in _spellings(password):
        key = _key_with(data, secret)
        if key is not None:
            return _rsa_key(key)
    if b"ENCRYPTED" in data[:4096] or is_encrypted_pkcs8(data):
        raise PasswordWrong("The password does not open this private key.")
    raise NotAPrivateKey(
        "This is not a private key: choose the .key file that belongs to the .cer."
    )


def _spellings(password: str) -> Iterator[bytes | None]:
    for text in dict.fromkeys((password, password.strip())):
        yield text.encode("utf-8", "replace")
        if not text.isascii():  # SAT's older programs took the password in Latin-1
            yield text.encode("latin-1", "replace")
    yield None  # a key kept without a password


def load_key(der: bytes) -> RSAPrivateKey:
    """A key of `Csd.key_der`, without repeating the arithmetic check made when it was opened."""
    return _rsa_key(
        serialization.load_der_private_key(der, password=None, unsafe_skip_rsa_key_validation=True)
    )


def check_csd(cer: bytes, key: bytes, password: str, *, rfc: str, now: datetime) -> Csd:
    """A pair that may seal for `rfc` at `now` (aware). Raises the `CsdRefused` to mend."""
    certificate = _certificate(cer, key)
    if certificate.is_fiel:
        raise CertificateIsFiel(
            "This is the e.firma (FIEL), which cannot seal invoices: use the "
            "Certificado de Sello Digital (CSD) made with Certifica on SAT's site."
        )
    _check_holder(certificate, tidy(rfc))
    if now < certificate.not_before:
        raise CertificateNotYetValid(
            f"The certificate is valid from {certificate.not_before:%Y-%m-%d %H:%M} UTC only."
        )
    if now > certificate.not_after:
        raise CertificateExpired(
            f"The certificate expired on {certificate.not_after:%Y-%m-%d}: ask SAT for a new CSD."
        )
    opened = open_key(key, password)
    if opened.public_key().public_numbers() != certificate.public_key().public_numbers():
        raise KeyOfAnotherCertificate(
            "The private key belongs to another certificate: the .cer and .key must be one pair."
        )
    return Csd(certificate, opened)


def _certificate(cer: bytes, key: bytes) -> Certificate:
    try:
        return Certificate.read(cer)
    except NotACertificate:
        with suppress(NotACertificate):
            _parse(key)
            raise FilesSwapped(
                "The two files are swapped: the .cer is the certificate, the .key the private key."
            ) from None
        raise


def _check_holder(certificate: Certificate, rfc: str) -> None:
    if certificate.rfc == rfc:
        return
    if rfc and certificate.rfc_representante == rfc:
        raise CertificateOfAnotherRfc(
            "The certificate belongs to the company whose representative the merchant is: it seals "
            "for the company alone."
        )
    raise CertificateOfAnotherRfc("The certificate belongs to another RFC than the merchant.")


def authority(certificate: Certificate, extra_roots: Iterable[bytes] = ()) -> str:
    """Who issued it: "sandbox" if one of `extra_roots` signed it, "sat", "sat-test" or "unknown".

    SAT's authorities are known by name only: a PAC checks the chain (its code 308). "sat-test" is
    the authority of SAT's published test certificates, which live accounts must refuse.
    """
    parsed = x509.load_der_x509_certificate(certificate.der)
    if any(_signed_by(parsed, root) for root in extra_roots):
        return "sandbox"
    try:
        issuer = name_of_issuer(parsed.tbs_certificate_bytes)
    except DerInvalid:
        return "unknown"
    if issuer.get(_COMMON_NAME) == _SAT_TEST_AUTHORITY:
        return "sat-test"
    return "sat" if _without_accents(issuer.get(_ORGANIZATION, "")) == _SAT else "unknown"


def _parse(data: bytes) -> x509.Certificate:
    if len(data) > LARGEST:
        raise NotACertificate("This file is too large to be a certificate: choose the .cer file.")
    data = _unwrapped(data)
    load = x509.load_pem_x509_certificate if _PEM in data else x509.load_der_x509_certificate
    try:
        parsed = load(data)
        _rsa_of(parsed)
    except CsdRefused:
        raise
    except _UNREADABLE:
        raise NotACertificate(
            "This is not a certificate: choose the .cer file of the CSD."
        ) from None
    return parsed


def _unwrapped(data: bytes) -> bytes:
    """DER and PEM as they are; DER that was saved in base64 without the lines of PEM."""
    if data[:1] == b"\x30" or _PEM in data:
        return data
    try:
        return b64decode(b"".join(data.removeprefix(b"\xef\xbb\xbf").split()), validate=True)
    except ValueError:
        return data


def _rsa_of(parsed: x509.Certificate) -> RSAPublicKey:
    public = parsed.public_key()
    if not isinstance(public, RSAPublicKey):
        raise NotRsa("The key of the certificate is not RSA.")
    return public


def _rsa_key(key: PrivateKeyTypes) -> RSAPrivateKey:
    if not isinstance(key, RSAPrivateKey):
        raise NotRsa("The private key is not RSA.")
    return key


def _key_with(data: bytes, secret: bytes | None) -> PrivateKeyTypes | None:
    load = (
        serialization.load_pem_private_key if _PEM in data else serialization.load_der_private_key
    )
    try:
        return load(data, secret)
    # TypeError: a password for a key that has none, or none for a key that has one.
    except _UNREADABLE:
        return None


def _no_certificado(serial: int) -> str:
    """SAT's twenty digits: the bytes of the serial number are their ASCII characters."""
    digits = serial.to_bytes((serial.bit_length() + 7) // 8, "big")
    if len(digits) != 20 or not digits.isdigit():
        raise NotIssuedBySat("This certificate was not issued by SAT: its number is not SAT's.")
    return digits.decode("ascii")


def _is_fiel(parsed: x509.Certificate, subject: Mapping[str, str]) -> bool:
    """A CSD names a branch (OU) and may only sign; an e.firma names none and may also encipher."""
    try:
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        enciphers = usage.data_encipherment or usage.key_agreement
    except x509.ExtensionNotFound:
        enciphers = False
    return enciphers or not subject.get(_ORGANIZATIONAL_UNIT)


def _signed_by(parsed: x509.Certificate, root: bytes) -> bool:
    try:
        _rsa_of(_parse(root)).verify(
            parsed.signature,
            parsed.tbs_certificate_bytes,
            PKCS1v15(),
            parsed.signature_hash_algorithm or SHA256(),
        )
    except InvalidSignature:
        return False
    return True


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.upper())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
