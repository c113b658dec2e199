"""The only place that touches the world's time, randomness and identity."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Final, Protocol


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
        """A new identifier, sortable by the time of its making. It is no secret.

        Those of one process ascend, however fast they are made.
        """
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


#: Held while an id is made, so that those of one process ascend.
_MAKING: Final = threading.Lock()
#: Milliseconds and the 80 bits of the last one.
_last = (0, 0)


def ascending_id(milliseconds: int) -> str:
    """An id of this instant that sorts after all that this process has made (RFC 9562 §6.2).

    Within one millisecond, and where the machine's clock was set back, it counts on from the last.
    """
    global _last  # noqa: PLW0603 - of the process, whoever makes ids in it
    with _MAKING:
        last, number = _last
        if milliseconds > last:
            # 62 bits stand below the variant's two; the first of them is room to count on.
            number = secrets.randbits(80) & ~(1 << 61)
        else:
            milliseconds, number = last, number + 1 + secrets.randbits(32)
        _last = milliseconds, number
    return time_ordered_id(milliseconds, number.to_bytes(10, "big"))


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def new_id(self) -> str:
        return ascending_id(time.time_ns() // 1_000_000)

    def new_token(self) -> str:
        return secrets.token_urlsafe(32)

    def new_code(self, length: int) -> str:
        return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))
