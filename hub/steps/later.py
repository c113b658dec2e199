"""How a step says that it is not yet time for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

#: A mail server that takes nothing now, and a shop that does not answer, are tried again so soon.
MAIL_PAUSE: Final = timedelta(minutes=2)
SHOP_PAUSE: Final = timedelta(minutes=5)
#: The end of a hold comes with a change of the sale, which goes on at once (`ingest.go_on`).
HOLD_PAUSE: Final = timedelta(hours=6)
#: Only a person can renew the keys of a shop.
KEYS_PAUSE: Final = timedelta(minutes=30)


class RunLater(Exception):
    """Run this step again at `due_at`; it did not fail. `reason` stands in
    logs and `outbox list`: no personal data."""

    def __init__(self, due_at: datetime, reason: str = "") -> None:
        super().__init__(reason)
        self.due_at = due_at
        self.reason = reason


def paused(now: datetime, pause: timedelta, seed: str, reason: str) -> RunLater:
    """Run later, after about `pause`: up to a fifth more or less, drawn from `seed`.

    For an outage of others, however long: it must not use up the tries of a promise.
    """
    drawn = int.from_bytes(sha256(seed.encode()).digest()[:4], "big") / 2**32
    return RunLater(now + pause * (0.8 + 0.4 * drawn), reason)
