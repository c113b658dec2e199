"""A certification authority made on the spot, which issues certificates shaped like SAT's.

SAT's shape: the serial number's bytes are 20 ASCII digits, the RFC stands in 2.5.4.45, a CSD has
an OU and an e.firma (FIEL) has none.
"""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import NameOID

from cfdi.csd import Certificate
from cfdi.pac.sandbox import der

#: SAT's fictitious provider of certification: its RFC stands in the TFD of every test document.
PAC_RFC: Final = "SPR190613I52"
PAC_NAME: Final = "SAT PRUEBAS"

_NAME = "AC DE PRUEBAS SIN VALIDEZ FISCAL"
_LIFE = timedelta(days=4 * 365)
_FILES = ("ca.cer", "ca.key", "pac.cer", "pac.key")


@dataclass(frozen=True, slots=True)
class IssuedCsd:
    """What a merchant would get from SAT: `.cer`, encrypted `.key` and its password."""

    cer_der: bytes
    key_der: bytes
    password: str


class Authority:
    """The sandbox's own authority. Whoever reads its folder may issue certificates."""

    def __init__(
        self, root_der: bytes, key: rsa.RSAPrivateKey, pac_der: bytes, pac_key: rsa.RSAPrivateKey
    ) -> None:
        self.root_der = root_der
        self.pac = Certificate.read(pac_der)
        self._key = key
        self._pac_key = pac_key

    @classmethod
    def create(cls, directory: Path, *, now: datetime) -> Authority:
        """Make one and keep it in a new folder. If another was first, that one is returned."""
        key, pac_key = _new_key(), _new_key()
        root = _self_signed(key, now)
        pac = _issue(root, key, pac_key, PAC_RFC, PAC_NAME, unit="Sucursal 1", now=now)
        made = dict(zip(_FILES, (root, _plain(key), pac, _plain(pac_key)), strict=True))
        draft = directory.with_name(f".{directory.name}.{secrets.token_hex(8)}")
        draft.mkdir(mode=0o700, parents=True)
        for name, content in made.items():
            _write(draft / name, content)
        try:
            draft.rename(directory)  # all of it or nothing, and only once
        except OSError:
            for name in made:
                (draft / name).unlink()
            draft.rmdir()
        return cls.load(directory)

    @classmethod
    def load(cls, directory: Path) -> Authority:
        """Raises OSError or ValueError if the folder does not hold one."""
        root, key, pac, pac_key = ((directory / name).read_bytes() for name in _FILES)
        return cls(root, _read_key(key), pac, _read_key(pac_key))

    @classmethod
    def open(cls, directory: Path, *, now: datetime) -> Authority:
        """The one in this folder, made now if there is none."""
        if (directory / _FILES[-1]).exists():
            return cls.load(directory)
        return cls.create(directory, now=now)

    def issue_csd(
        self,
        rfc: str,
        nombre: str,
        *,
        now: datetime,
        password: str | None = None,
        unit: str | None = "Sucursal 1",
        life: timedelta = _LIFE,
    ) -> IssuedCsd:
        """A new certificate with a new key. Without a `unit` it is a FIEL, which seals nothing."""
        key = _new_key()
        cer = _issue(self.root_der, self._key, key, rfc, nombre, unit=unit, now=now, life=life)
        chosen = password if password is not None else secrets.token_urlsafe(12)
        encrypted = key.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(chosen.encode()),
        )
        return IssuedCsd(cer, encrypted, chosen)

    def sign(self, cadena: str) -> str:
        """SelloSAT of a TFD's cadena original."""
        signature = self._pac_key.sign(cadena.encode(), PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode("ascii")


def _issue(
    root_der: bytes,
    root_key: rsa.RSAPrivateKey,
    key: rsa.RSAPrivateKey,
    rfc: str,
    nombre: str,
    *,
    unit: str | None,
    now: datetime,
    life: timedelta = _LIFE,
) -> bytes:
    # Written by hand: `cryptography` refuses to write 2.5.4.45 as the string that SAT makes of it.
    subject = [
        (der.COMMON_NAME, nombre),
        (der.NAME, nombre),
        (der.ORGANIZATION, nombre),
        (der.UNIQUE_IDENTIFIER, rfc),
        *([(der.ORGANIZATIONAL_UNIT, unit)] if unit else []),
    ]
    tbs = der.tbs_certificate(
        serial=int.from_bytes(f"300010000009{secrets.randbelow(10**8):08d}".encode(), "big"),
        issuer=x509.load_der_x509_certificate(root_der).subject.public_bytes(),
        # A document may be dated 72 hours back.
        not_before=now.astimezone(UTC) - timedelta(days=4),
        not_after=now.astimezone(UTC) + life,
        subject=der.name(subject),
        public_key=key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        is_fiel=unit is None,
    )
    return der.certificate(tbs, root_key.sign(tbs, PKCS1v15(), hashes.SHA256()))


def _self_signed(key: rsa.RSAPrivateKey, now: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + timedelta(days=20 * 365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _plain(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _read_key(data: bytes) -> rsa.RSAPrivateKey:
    key = serialization.load_der_private_key(data, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the authority's key is not RSA")  # noqa: TRY004 - a damaged file, no bug
    return key


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
