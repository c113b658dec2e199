"""What can be promised in the outbox, and what becomes of a promise that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

#: In order of priority: a buyer waits for a stamp, a letter can wait for the buyer, a platform
#: for everybody.
QUEUES: Final = ("stamp", "mail", "ingest")

#: So many times is a promise tried before it is buried: kept, never run, shown to the operator.
TRIES: Final = 20

FIRST_PAUSE: Final = timedelta(seconds=5)
LONGEST_PAUSE: Final = timedelta(minutes=15)
SHORTEST_PAUSE: Final = timedelta(seconds=1)

#: Whoever asks to be run later waits at least so long, so that no step can keep a worker spinning.
SOONEST: Final = timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True)
class Job:
    """A step by its name in the outbox. `run` may be repeated at any time, from the rows alone.

    A worker that is not done after `seconds` is taken for dead and the promise is given to another:
    more than all time limits of the step together.
    """

    name: str
    queue: str
    run: Callable[[str, str], None]  # merchant id, subject
    seconds: int


Jobs = Mapping[str, Job]


def pause(tries: int, seed: str) -> timedelta:
    """How long to wait after the failure number `tries`: exponential with full jitter.

    The jitter is drawn from `seed`, so that equal failures spread out and a test can foretell it.
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = min(FIRST_PAUSE * float(2 ** min(tries - 1, 16)), LONGEST_PAUSE)
    digest = sha256(f"{seed}:{tries}".encode()).digest()
    return max(ceiling * (int.from_bytes(digest[:4], "big") / 2**32), SHORTEST_PAUSE)
