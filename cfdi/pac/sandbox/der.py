"""The few DER structures (ITU-T X.690, RFC 5280 §4.1) of a certificate of SAT's shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

COMMON_NAME: Final = "2.5.4.3"
ORGANIZATION: Final = "2.5.4.10"
ORGANIZATIONAL_UNIT: Final = "2.5.4.11"
NAME: Final = "2.5.4.41"
UNIQUE_IDENTIFIER: Final = "2.5.4.45"

_SHA256_WITH_RSA: Final = bytes.fromhex("300d06092a864886f70d01010b0500")
_VERSION_3: Final = bytes.fromhex("a003020102")
#: basicConstraints, critical, no authority.
_NO_AUTHORITY: Final = bytes.fromhex("300c0603551d130101ff04023000")
#: keyUsage: digitalSignature and nonRepudiation; a FIEL also enciphers data and agrees on keys.
_MAY_SIGN: Final = bytes.fromhex("300b0603551d0f0404030206c0")
_MAY_SIGN_AND_ENCIPHER: Final = bytes.fromhex("300b0603551d0f0404030203d8")


def tbs_certificate(
    *,
    serial: int,
    issuer: bytes,
    not_before: datetime,
    not_after: datetime,
    subject: bytes,
    public_key: bytes,
    is_fiel: bool,
) -> bytes:
    """The part of a certificate that is signed."""
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    usage = _MAY_SIGN_AND_ENCIPHER if is_fiel else _MAY_SIGN
    return _sequence(
        _VERSION_3,
        _tagged(0x02, number),
        _SHA256_WITH_RSA,
        issuer,
        _sequence(_utc_time(not_before), _utc_time(not_after)),
        subject,
        public_key,
        _tagged(0xA3, _sequence(_NO_AUTHORITY, usage)),
    )


def certificate(tbs: bytes, signature: bytes) -> bytes:
    return _sequence(tbs, _SHA256_WITH_RSA, _tagged(0x03, b"\0" + signature))


def name(attributes: Sequence[tuple[str, str]]) -> bytes:
    return _sequence(
        *(
            _tagged(0x31, _sequence(_oid(oid), _tagged(0x0C, value.encode())))
            for oid, value in attributes
        )
    )


def _utc_time(instant: datetime) -> bytes:
    return _tagged(0x17, instant.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return _tagged(0x06, bytes([40 * first + second, *rest]))  # all below 128


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content
