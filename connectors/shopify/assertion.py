"""An app that proves itself with a key of its own instead of its secret.

The app's page in Shopify holds the public half. The request is that of RFC 7523 §2.2; which claims
Shopify asks for its documentation shows to developers only, so "assertion_audience",
"assertion_issuer" and "assertion_key_id" of the app replace what is assumed here.
https://shopify.dev/docs/apps/build/authentication-authorization/application-only-access-tokens
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connectors.contract import CredentialsRefused

#: A minute is enough, and little to steal.
LASTING_SECONDS: Final = 60
_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def request(keys: Mapping[str, str], url: str, now: datetime) -> Mapping[str, str]:
    """What the token address of the shop at `url` is sent. Raises `CredentialsRefused`."""
    return {
        "grant_type": "client_credentials",
        "client_id": keys.get("app.client_id", ""),
        "client_assertion_type": _TYPE,
        "client_assertion": _signed(keys, url, now),
    }


def _signed(keys: Mapping[str, str], url: str, now: datetime) -> str:
    client_id, issued = keys.get("app.client_id", ""), int(now.timestamp())
    claims = {
        "iss": keys.get("app.assertion_issuer") or client_id,
        "sub": client_id,
        "aud": keys.get("app.assertion_audience") or f"{url}/admin/oauth/access_token",
        "iat": issued,
        "exp": issued + LASTING_SECONDS,
        "jti": sha256(f"{client_id} {url} {now.isoformat()}".encode()).hexdigest(),
    }
    head = {"alg": "RS256", "typ": "JWT"}
    if key_id := keys.get("app.assertion_key_id", ""):
        head["kid"] = key_id
    told = f"{_part(head)}.{_part(claims)}"
    signature = _key(keys).sign(told.encode(), padding.PKCS1v15(), SHA256())
    return f"{told}.{_base64(signature)}"


def _key(keys: Mapping[str, str]) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(keys.get("app.private_key", "").encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise CredentialsRefused("the private key of the app is no RSA key in PEM")
    return key


def _part(told: Mapping[str, Any]) -> str:
    return _base64(json.dumps(told, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
