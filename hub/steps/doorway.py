"""Who may deliver where: a connection and its secrets, known for a moment without asking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.steps.context import Context
from hub.store.records import Connection

#: A secret that was replaced is taken for so much longer.
LASTING_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Doorway:
    """A connection and its secrets as they stood a moment ago (the contract's `Credentials`)."""

    connection: Connection
    secrets: Mapping[str, str] = field(repr=False)

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
        connections = tx.tenant(connection.merchant_id).connections
        return Doorway(connection, connections.credentials(connection_id).current())


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
