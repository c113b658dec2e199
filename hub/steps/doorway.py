"""Who may deliver where: a connection and its secrets, known for a moment without asking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hub.steps.context import Context
from hub.store.records import Connection

#: A secret that was replaced is taken for so much longer.
LASTING_SECONDS: Final = 2.0
#: `last_delivery_at` is for people.
FRESH: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Doorway:
    """A connection and its secrets as they stood a moment ago (the contract's `Credentials`)."""

    connection: Connection
    secrets: Mapping[str, str] = field(repr=False)
    #: When the connection was last noted to have delivered.
    noted_at: datetime | None

    def to_note(self, at: datetime) -> bool:
        """Whether this delivery is to be noted at the connection: not every one of a burst."""
        if self.noted_at is not None and at - self.noted_at < FRESH:
            return False
        self.noted_at = at
        return True

    def current(self) -> Mapping[str, str]:
        return self.secrets

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:  # noqa: ARG002 - the contract's
        """Nothing is changed from here: these secrets may be old."""
        return False


def doorway(ctx: Context, connection_id: str) -> Doorway | None:
    with ctx.store.reading() as tx:
        connection = tx.doors.connection(connection_id)
        if connection is None:
            return None
        tenant = tx.tenant(connection.merchant_id)
        bond = tenant.bonds.get(connection_id)
        if bond is not None and bond.state == "closed":
            return None
        secrets = tenant.connections.credentials(connection_id).current()
        return Doorway(connection, secrets, connection.last_delivery_at)


class Doorways:
    """Each connection is looked up at most once in `LASTING_SECONDS` and process.

    A burst of deliveries then asks the database only to file them.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: dict[str, tuple[float, Doorway]] = {}

    def find(self, connection_id: str) -> Doorway | None:
        now = self._ctx.clock.monotonic()
        known = self._known.get(connection_id)
        if known is not None and now < known[0]:
            return known[1]
        found = doorway(self._ctx, connection_id)
        if found is None:
            self._known.pop(connection_id, None)
        else:
            self._known[connection_id] = (now + LASTING_SECONDS, found)
        return found
