"""Envelope encryption: a data key per merchant, wrapped by a key-encryption key.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D §8.2.2). The associated data binds each
value to its tenant, kind, row and data key, so that a ciphertext put anywhere else does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.store.errors import DecryptionFailed, WrongKeys
from hub.store.keys import KEY_BYTES, Keyring

NONCE_BYTES = 12
#: First byte of every sealed value; another layout would carry another number.
LAYOUT = b"\x01"


def bound(*parts: str | int) -> bytes:
    """Associated data that two different lists of parts never share."""
    texts = [str(part).encode() for part in parts]
    return b"".join(len(text).to_bytes(4, "big") + text for text in texts)


def _seal(cipher: AESGCM, plain: bytes, about: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, about)


def _open(cipher: AESGCM, sealed: bytes, about: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError):
        raise DecryptionFailed("a sealed value does not open where it stands") from None


@dataclass(frozen=True, slots=True)
class DataKey:
    """What one merchant's values are sealed with. `number` counts from 1."""

    merchant_id: str
    number: int
    _cipher: AESGCM = field(repr=False)
    _blinding: bytes = field(repr=False)

    def blind(self, kind: str, text: str) -> bytes:
        """The same for the same text, by which it is found again; without the key no guess can be
        tried, and no other merchant has the same one."""
        about = bound("autofactura", self.merchant_id, kind, text)
        return hmac.digest(self._blinding, about, hashlib.sha256)

    def seal(self, kind: str, row: str, plain: bytes) -> bytes:
        return LAYOUT + self._header() + _seal(self._cipher, plain, self._about(kind, row))

    def open(self, kind: str, row: str, sealed: bytes) -> bytes:
        """Raises `DecryptionFailed` for anything but what was sealed for this kind and row."""
        if sealed[:3] != LAYOUT + self._header():
            raise DecryptionFailed("a sealed value has an unknown layout or key number")
        return _open(self._cipher, sealed[3:], self._about(kind, row))

    def _header(self) -> bytes:
        return self.number.to_bytes(2, "big")

    def _about(self, kind: str, row: str) -> bytes:
        return bound("autofactura", self.merchant_id, kind, row, self.number)


@dataclass(frozen=True, slots=True)
class WrappedKey:
    kek_id: str
    wrapped: bytes


def new_data_key() -> bytes:
    return AESGCM.generate_key(KEY_BYTES * 8)


def wrap(keyring: Keyring, key: bytes, merchant_id: str, number: int) -> WrappedKey:
    """Wrap a data key under the first key-encryption key."""
    kek_id = keyring.first_id
    sealed = _seal(_kek(keyring, kek_id), key, _wrapping(merchant_id, number, kek_id))
    return WrappedKey(kek_id, sealed)


def unwrap(keyring: Keyring, wrapped: WrappedKey, merchant_id: str, number: int) -> bytes:
    """Raises `WrongKeys` if that key-encryption key is missing, or another of the same id."""
    about = _wrapping(merchant_id, number, wrapped.kek_id)
    try:
        return _open(_kek(keyring, wrapped.kek_id), wrapped.wrapped, about)
    except DecryptionFailed:
        raise WrongKeys(f"the key {wrapped.kek_id!r} is not the one used here") from None


def seal_of_hub(keyring: Keyring, kind: str, row: str, plain: bytes) -> WrappedKey:
    """Seal what is no merchant's, under the first key-encryption key itself."""
    kek_id = keyring.first_id
    return WrappedKey(kek_id, _seal(_kek(keyring, kek_id), plain, _of_hub(kind, row, kek_id)))


def open_of_hub(keyring: Keyring, kind: str, row: str, sealed: WrappedKey) -> bytes:
    """Raises `WrongKeys` without its key, `DecryptionFailed` for anything else than was sealed."""
    return _open(_kek(keyring, sealed.kek_id), sealed.wrapped, _of_hub(kind, row, sealed.kek_id))


def data_key(key: bytes, merchant_id: str, number: int) -> DataKey:
    blinding = hmac.digest(key, b"autofactura blinding key", hashlib.sha256)
    return DataKey(merchant_id, number, AESGCM(key), blinding)


def _kek(keyring: Keyring, kek_id: str) -> AESGCM:
    key = keyring.get(kek_id)
    if key is None:
        raise WrongKeys(f"the database needs the key {kek_id!r}, which is not among those given")
    return AESGCM(key)


def _wrapping(merchant_id: str, number: int, kek_id: str) -> bytes:
    return bound("autofactura data key", merchant_id, number, kek_id)


def _of_hub(kind: str, row: str, kek_id: str) -> bytes:
    return bound("autofactura hub", kind, row, kek_id)
