"""Who signed a delivery, and when: https://docs.stripe.com/webhooks#verify-manually

Around the SDK's own check, which takes one secret, believes a time in the future, and raises what
it meets (TypeError for a signature that is not ASCII, UnicodeDecodeError for such a body).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import stripe

from connectors.contract import Delivery, SignatureInvalid

HEADER: Final = "stripe-signature"
#: Of the time that was signed from ours, either way. Each retry is signed anew.
TOLERANCE_SECONDS: Final = 300
#: While a secret is rolled there are two signatures: https://docs.stripe.com/webhooks#roll-endpoint-secrets
MAX_HEADER: Final = 4096
_LONGEST_TIME: Final = 12
#: Before the id of an endpoint that the hub made itself, in the names of its secrets.
ENDPOINT: Final = "endpoint."


def secrets_of(keys: Mapping[str, str]) -> list[str]:
    """Of every endpoint that delivers to this connection, old ones too."""
    return [value for name, value in keys.items() if name.startswith((ENDPOINT, "webhook_secret"))]


def check(delivery: Delivery, secrets: Iterable[str]) -> None:
    """Raise `SignatureInvalid` unless one of the secrets signed these very bytes, lately."""
    header = delivery.headers.get(HEADER, "")
    # Every secret is tried, whatever the first ones say.
    signed = [_signed(delivery.body, header, secret) for secret in secrets]
    if not any(signed):
        raise SignatureInvalid("the delivery is not signed with this connection's secret")
    if abs(_signed_at(header) - delivery.received_at.timestamp()) > TOLERANCE_SECONDS:
        raise SignatureInvalid("the delivery was signed at another time: a replay, or a clock")


def _signed(body: bytes, header: str, secret: str) -> bool:
    if not (secret.strip() and secret.isascii() and header.isascii() and len(header) < MAX_HEADER):
        return False
    try:
        # Without a tolerance: its age is judged by the instant at which it came.
        stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None)
    except (stripe.SignatureVerificationError, ValueError):
        return False
    return True


def _signed_at(header: str) -> int:
    """As the SDK read it: the first "t"."""
    told = [part.partition("=")[2] for part in header.split(",") if part.startswith("t=")]
    # A number of thousands of digits is one, and no time.
    return int(told[0]) if len(told[0]) <= _LONGEST_TIME else 0
