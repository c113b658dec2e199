"""Who may deliver where: connections and their secrets, known for a moment without asking again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from connectors.contract import Credentials
from connectors.held import Held
from hub.steps.context import Context
from hub.store.apps import among_others
from hub.store.database import Transaction
from hub.store.records import Connection

K = TypeVar("K")
V = TypeVar("V")

#: A secret that was replaced is taken for so much longer.
LASTING_SECONDS: Final = 2.0
#: `last_delivery_at` is for people.
FRESH: Final = timedelta(minutes=1)
#: What is known of shops that anybody may name is bounded.
MOST_KNOWN: Final = 10_000


@dataclass(slots=True)
class Doorway:
    """A connection and its secrets as they stood a moment ago (the contract's `Credentials`)."""

    connection: Connection
    secrets: Mapping[str, str] = field(repr=False)
    #: When the connection was last noted to have delivered.
    noted_at: datetime | None
    #: It ended: of what its platform still says, only a request for privacy is taken.
    closed: bool = False

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

    @contextmanager
    def alone(self, seconds: float) -> Iterator[bool]:  # noqa: ARG002 - the contract's
        """Nothing that is for one alone is done from here."""
        yield False


def doorway(ctx: Context, connection_id: str) -> Doorway | None:
    """None if there is no such connection, or it ended."""
    with ctx.store.reading() as tx:
        connection = tx.doors.connection(connection_id)
        if connection is None:
            return None
        bond = tx.tenant(connection.merchant_id).bonds.get(connection_id)
        if bond is not None and bond.state == "closed":
            return None
        return _doorway(tx, connection)


def _doorway(tx: Transaction, connection: Connection, *, closed: bool = False) -> Doorway:
    connections = tx.tenant(connection.merchant_id).connections
    secrets = connections.credentials(connection.id).current()
    return Doorway(connection, secrets, connection.last_delivery_at, closed)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where the deliveries of one account go: to one open connection at most."""

    open: Doorway | None
    closed: Sequence[Doorway]


def doors_of(ctx: Context, platform: str, account: str) -> Doors:
    with ctx.store.reading() as tx:
        found = tx.doors.open_of_shop(platform, account)
        ended = [
            _doorway(tx, connection, closed=True)
            for connection, state in tx.doors.of_shop(platform, account)
            if state == "closed"
        ]
        return Doors(None if found is None else _doorway(tx, found), ended)


def app_credentials(ctx: Context, platform: str) -> Sequence[Credentials]:
    """Of each app of the platform, what a connection that came by it has of it."""
    with ctx.store.reading() as tx:
        return [Held(among_others(row.keys)) for row in tx.apps.list(platform)]


class Doorways:
    """Each is looked up at most once in `LASTING_SECONDS` and process.

    A burst of deliveries then asks the database only to file them.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._known: Known[str, Doorway] = Known(ctx.clock.monotonic)
        self._shops: Known[tuple[str, str], Doors] = Known(ctx.clock.monotonic)
        self._apps: Known[str, Sequence[Credentials]] = Known(ctx.clock.monotonic)

    def find(self, connection_id: str) -> Doorway | None:
        return self._known.find(connection_id, lambda: doorway(self._ctx, connection_id))

    def of_account(self, platform: str, account: str) -> Doors:
        """For a platform that sends the deliveries of all shops to one address."""
        return self._shops.get((platform, account), lambda: doors_of(self._ctx, platform, account))

    def apps(self, platform: str) -> Sequence[Credentials]:
        return self._apps.get(platform, lambda: app_credentials(self._ctx, platform))


class Known(Generic[K, V]):
    """What was looked up lately. What was not found is not kept."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until: dict[K, tuple[float, V]] = {}

    def find(self, key: K, look: Callable[[], V | None]) -> V | None:
        now = self._monotonic()
        known = self._until.get(key)
        if known is not None and now < known[0]:
            return known[1]
        found = look()
        if found is None:
            self._until.pop(key, None)
            return None
        if len(self._until) >= MOST_KNOWN:
            self._until.clear()
        self._until[key] = (now + LASTING_SECONDS, found)
        return found

    def get(self, key: K, look: Callable[[], V]) -> V:
        found = self.find(key, look)
        return look() if found is None else found
