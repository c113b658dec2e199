"""What WhatsApp tells of messages afterwards, read from the bytes that Meta signed.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/status
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any, Final

from hub.steps.reported import Fate, Report
from hub.work.channels.whatsapp import mended_by_people

#: "read" comes alone where a message was read as it was delivered.
_FATES: Final = {
    "sent": Fate.SENT,
    "delivered": Fate.ARRIVED,
    "read": Fate.ARRIVED,
    "failed": Fate.FAILED,
}
#: A Message-ID of ours, with room.
_LONGEST: Final = 512


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether `X-Hub-Signature-256` is of exactly these bytes.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started#event-notifications
    """
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={digest}".encode(), signature.encode("utf-8", "replace"))


def verify_token(secret: str) -> str:
    """What Meta repeats to show that it was told of this address; of the app secret, one way."""
    return hmac.new(secret.encode(), b"verify token of autofactura", hashlib.sha256).hexdigest()[
        :32
    ]


def read(body: bytes, phone_id: str) -> Iterator[Report]:
    """What is told of messages from that phone; nothing of what is not understood."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return
    for entry in _dicts(_dict(told).get("entry")):
        for change in _dicts(entry.get("changes")):
            value = _dict(change.get("value"))
            if str(_dict(value.get("metadata")).get("phone_number_id", "")) == phone_id:
                yield from _of_statuses(value.get("statuses"))


def _of_statuses(statuses: Any) -> Iterator[Report]:
    for status in _dicts(statuses):
        reference, word = status.get("biz_opaque_callback_data"), status.get("status")
        fate = _FATES.get(word) if isinstance(word, str) else None
        if fate is None or not isinstance(reference, str) or len(reference) > _LONGEST:
            continue
        if fate is not Fate.FAILED:
            yield Report(reference, fate)
            continue
        codes = [error.get("code") for error in _dicts(status.get("errors"))]
        code = next((one for one in codes if isinstance(one, int)), 0)
        reason = f"WhatsApp told later that it failed, code {code or 'none'}"
        yield Report(reference, fate, reason, mended_by_people(code))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
