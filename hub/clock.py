"""The only place that touches the world's time, randomness and identity."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time, ids and secrets as an argument, so that tests can hold them still."""

    def now(self) -> datetime:
        """The instant, aware, in UTC, with microseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never steps back; for leases and time limits."""
        ...

    def sleep(self, seconds: float) -> None: ...

    def new_id(self) -> str:
        """A new identifier, sortable by the time of its making. It is no secret."""
        ...

    def new_token(self) -> str:
        """256 random bits, url-safe (43 characters)."""
        ...

    def new_code(self, length: int) -> str:
        """Random letters and digits that nobody misreads: without 0 O 1 I L."""
        ...


#: Crockford's alphabet without 0 and 1 too: a code is read from a ticket and typed on a phone.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def time_ordered_id(milliseconds: int, randomness: bytes) -> str:
    """32 hexadecimal digits in the layout of UUID version 7 (RFC 9562 §5.7), without hyphens."""
    value = (milliseconds & (1 << 48) - 1) << 80 | int.from_bytes(randomness[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value).hex


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def new_id(self) -> str:
        return time_ordered_id(time.time_ns() // 1_000_000, secrets.token_bytes(10))

    def new_token(self) -> str:
        return secrets.token_urlsafe(32)

    def new_code(self, length: int) -> str:
        return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))
