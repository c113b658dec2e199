"""The key-encryption keys: who holds them can read everything the database has sealed."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.store.errors import KeyringInvalid

KEY_BYTES = 32
KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}")


@dataclass(frozen=True, slots=True)
class Keyring:
    """Key-encryption keys by id, in order: the first encrypts, all decrypt."""

    _keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read `id:base64,id2:base64`, each of 32 bytes. Errors name the place, never the key."""
        keys: dict[str, bytes] = {}
        for place, entry in enumerate(text.strip().split(","), start=1):
            key_id, key = _parse_entry(entry.strip(), place)
            if key_id in keys:
                raise KeyringInvalid(f"key {place}: the id {key_id!r} stands there twice")
            keys[key_id] = key
        return cls(tuple(keys.items()))

    @classmethod
    def generate(cls, key_id: str) -> Keyring:
        """One new key of the system's randomness."""
        if not KEY_ID.fullmatch(key_id):
            raise KeyringInvalid("a key id is 1 to 40 letters, digits, _ . or -")
        return cls(((key_id, AESGCM.generate_key(KEY_BYTES * 8)),))

    def dump(self) -> str:
        """The text `parse` reads. It is the secret itself."""
        return ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in self._keys)

    @property
    def first_id(self) -> str:
        return self._keys[0][0]

    def __iter__(self) -> Iterator[str]:
        return (key_id for key_id, _ in self._keys)

    def get(self, key_id: str) -> bytes | None:
        return dict(self._keys).get(key_id)


def _parse_entry(entry: str, place: int) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon:
        raise KeyringInvalid(f"key {place}: expected id:base64, found no colon")
    if not KEY_ID.fullmatch(key_id):
        raise KeyringInvalid(f"key {place}: an id is 1 to 40 letters, digits, _ . or -")
    try:
        key = base64.b64decode(encoded, altchars=None, validate=True)
    except (binascii.Error, ValueError):
        raise KeyringInvalid(f"key {place} ({key_id}): not base64") from None
    if len(key) != KEY_BYTES:
        raise KeyringInvalid(f"key {place} ({key_id}): {len(key)} bytes instead of {KEY_BYTES}")
    return key_id, key
