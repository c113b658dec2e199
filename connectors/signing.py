"""Signatures of deliveries: HMAC-SHA256 over the raw bytes, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def hmac_sha256_base64(body: bytes, secret: str) -> str:
    return base64.b64encode(_digest(body, secret)).decode("ascii")


def signed_with_any(body: bytes, signature: str, secrets: Iterable[str]) -> bool:
    """Whether `signature` is the base64 HMAC-SHA256 of these very bytes under one of the secrets.

    Every secret is tried, whatever the first ones say. An empty secret signs nothing: anybody
    could. The header's value may be anything a stranger can send; it never raises.
    """
    # compare_digest refuses text that is not ASCII, so bytes are compared.
    given = signature.strip().encode("utf-8", "replace")
    good = False
    for secret in secrets:
        expected = base64.b64encode(_digest(body, secret))
        good |= hmac.compare_digest(expected, given) and bool(secret)
    return good


def _digest(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode("utf-8", "replace"), body, hashlib.sha256).digest()
