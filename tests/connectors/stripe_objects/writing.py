"""What stands in tests/connectors/payloads/stripe/: deliveries as Stripe signs them, and bundles.

Of Stripe no object in pesos is recorded anywhere; these are made, and say so in every id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.connectors.stripe_objects.render import NEWEST, VERSIONS, Json
from tests.connectors.stripe_objects.scenarios import AFTER, BILLS, INTENTS

FOLDER = Path(__file__).resolve().parents[1] / "payloads" / "stripe"
SECRET = "whsec_made_for_tests"
#: When the recorded deliveries of every platform are taken to have come.
SIGNED_AT = int(datetime(2026, 11, 20, 18, 4, 58, tzinfo=UTC).timestamp())
#: Delivered in every version; the others in one of them.
IN_ALL = ("on-top", "within", "coupons-within", "proration")


def files() -> dict[str, bytes]:
    """By path within the folder."""
    found = {
        f"orders/invoice-{name}.json": written(bill.bundle())
        for name, bill in (BILLS | AFTER).items()
    }
    found |= {f"orders/payment-{name}.json": written(one.bundle()) for name, one in INTENTS.items()}
    for number, (name, event) in enumerate(_events(), 1):
        body = written(event)
        found[f"{number:03}-{name}.body"] = body
        found[f"{number:03}-{name}.headers.json"] = written({"headers": headers(body)})
    return found


def _events() -> Iterator[tuple[str, Json]]:
    for name in IN_ALL:
        for version in VERSIONS:
            yield f"invoice.paid-{name}-{version}", BILLS[name].event(version)
    for number, name in enumerate(one for one in BILLS if one not in IN_ALL):
        version = VERSIONS[number % len(VERSIONS)]
        if BILLS[name].status == "paid":
            yield f"invoice.paid-{name}-{version}", BILLS[name].event(version)
    for number, (name, intent) in enumerate(INTENTS.items()):
        version = VERSIONS[number % len(VERSIONS)]
        if intent.status == "succeeded":
            yield f"payment_intent.succeeded-{name}-{version}", intent.event(version)
    yield f"payment_intent.succeeded-bare-{NEWEST}", INTENTS["bare"].event(NEWEST)


def headers(body: bytes) -> list[list[str]]:
    signed = f"{SIGNED_AT}.".encode() + body
    mac = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return [
        ["Content-Type", "application/json; charset=utf-8"],
        ["User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)"],
        ["Stripe-Signature", f"t={SIGNED_AT},v1={mac}"],
    ]


def written(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"
