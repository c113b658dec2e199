"""The states of an invoice and every move there is. The database enforces this same table."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    REQUESTED = "requested"
    SEALED = "sealed"
    SENDING = "sending"
    STAMPED = "stamped"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    REVIEW = "review"
    SUPERSEDED = "superseded"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


#: From → to. `requested → rejected` is a document that cannot be built (nothing was sealed);
#: `requested → review` one that a person must look at first; `sending → sealed` an attempt that
#: surely never arrived (the provider refused the connection).
MOVES: Final[frozenset[tuple[State, State]]] = frozenset(
    {
        (State.REQUESTED, State.SEALED),
        (State.REQUESTED, State.REJECTED),
        (State.REQUESTED, State.REVIEW),
        (State.SEALED, State.SENDING),
        (State.SEALED, State.REQUESTED),
        (State.SENDING, State.STAMPED),
        (State.SENDING, State.REJECTED),
        (State.SENDING, State.UNKNOWN),
        (State.SENDING, State.SEALED),
        (State.SENDING, State.REVIEW),
        (State.UNKNOWN, State.SENDING),
        (State.UNKNOWN, State.STAMPED),
        (State.UNKNOWN, State.REVIEW),
        (State.REVIEW, State.STAMPED),
        (State.REVIEW, State.SENDING),
        (State.REVIEW, State.REQUESTED),
        (State.REVIEW, State.REJECTED),
        (State.REJECTED, State.REQUESTED),
        (State.STAMPED, State.SUPERSEDED),
        (State.STAMPED, State.CANCELLING),
        (State.SUPERSEDED, State.CANCELLING),
        (State.CANCELLING, State.CANCELLED),
        (State.CANCELLING, State.STAMPED),
        (State.CANCELLING, State.SUPERSEDED),
    }
)
