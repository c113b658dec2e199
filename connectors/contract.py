"""What a sales platform has to be able to do. A connector is stateless and knows no database.

The webhook is a hint, the fetch is the fact, the sweep is the guarantee: `read` says which order
something happened to, `fetch` gets that order, `normalize` makes a `Sale` of its bytes, and
`changed_since` finds what no webhook told of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, runtime_checkable

from hub.domain.sale import Sale


class ConnectorError(Exception):
    """The message is for the merchant: what happened and what to do. It never holds a secret."""


class ConnectionInvalid(ConnectorError):
    """What was given makes no connection."""


class SignatureInvalid(ConnectorError):
    """The delivery was not signed with any secret of this connection."""


class DeliveryUnreadable(ConnectorError):
    """Signed, but not of a shape this platform is known to send."""


class OrderNotFound(ConnectorError):
    """The platform answered: there is no such order (any more)."""


class PlatformUnreachable(ConnectorError):
    """No usable answer. Try again later; nothing is known about the order."""


class Unfinished(PlatformUnreachable):
    """The time for a list was over before its end. What changed before `until` was told."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the list of changed orders is longer than there is time for")
        self.until = until


class CredentialsRefused(ConnectorError):
    """The platform answered that our keys are not good (enough). A person has to act."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request of a platform, untouched. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """What a delivery says: something happened to this order."""

    event: str  # the platform's word, e.g. "order.updated"
    #: Equal for the same fact however often it is delivered, different for different facts.
    event_key: str
    order_id: str
    #: The order as it was delivered, for when the platform cannot be asked. None if not included.
    snapshot: bytes | None = None
    #: The snapshot is all that `fetch` would bring, not a copy in fewer decimals or parts.
    complete: bool = False
    #: The delivery says that the order no longer exists.
    gone: bool = False


class Credentials(Protocol):
    """The keys of one connection. Rotation is compare-and-swap: two workers never both win."""

    def current(self) -> Mapping[str, str]: ...

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
        """Replace `expected` by `new`; False if they were changed by somebody else meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What a pure `normalize` may know of the connection. `account` is the shop, e.g. its URL."""

    id: str
    account: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One thing that the platform tells us of, as the platform keeps it."""

    topic: str
    id: str
    status: str  # the platform's word; ACTIVE where it works


ACTIVE: Final = "active"


class Connector(Protocol):
    platform: str
    #: Names of the credentials a merchant gives, with whether each is needed to ask the platform.
    credential_names: Mapping[str, bool]

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        """The account in its one spelling, and the credentials by this platform's names.

        `given` is what a merchant typed: "key", "secret" and "webhook_secret", the empty ones left
        out; and of a paired shop the "webhook_secret" and "link_secret" that the hub made. Pure.
        Raises `ConnectionInvalid` with what is missing or wrong, never with a value.
        """
        ...

    def is_greeting(self, delivery: Delivery) -> bool:
        """An unsigned "are you there?" that must be answered 200 and changes nothing."""
        ...

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        """Raise `SignatureInvalid` unless these very bytes were signed. Constant time."""
        ...

    def read(self, delivery: Delivery) -> Notice | None:
        """What it says, or None if it is of no use to us. Raises `DeliveryUnreadable`."""
        ...

    def can_fetch(self, credentials: Credentials) -> bool:
        """Whether these credentials suffice to ask the platform."""
        ...

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        """Network: the order as it is now, with its refunds, as bytes that `normalize` reads.

        Raises `OrderNotFound`, `PlatformUnreachable` or `CredentialsRefused`.
        """
        ...

    def changed_since(
        self, instant: datetime, connection: ConnectionFacts, credentials: Credentials
    ) -> Iterator[str]:
        """Network: ids of all orders changed at or after `instant`, oldest change first.

        Raises `Unfinished` where it could go on another time, `PlatformUnreachable` or
        `CredentialsRefused`.
        """
        ...

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        """Pure. The same bytes always make the same sale. Raises `DeliveryUnreadable`.

        What it cannot place goes into `Sale.doubts`; it never guesses and never adjusts.
        """
        ...


@runtime_checkable
class Subscribes(Protocol):
    """A connector that has its shop tell us of changes, and sees to it that it goes on."""

    def settle(self, connection: ConnectionFacts) -> str:
        """Network: the account under the address that the shop itself uses.

        Raises `ConnectionInvalid` if that is none we may go to, or `PlatformUnreachable`.
        """
        ...

    def check_keys(self, connection: ConnectionFacts, credentials: Credentials) -> None:
        """Network, within seconds: whether this very shop takes these keys.

        Raises `CredentialsRefused` if it said no, `PlatformUnreachable` if it said nothing.
        """
        ...

    def ensure(
        self,
        url: str,
        known: Sequence[Subscription],
        connection: ConnectionFacts,
        credentials: Credentials,
        *,
        repair: bool,
    ) -> tuple[Subscription, ...]:
        """Network, idempotent: exactly our subscriptions exist, work, and deliver to `url`.

        `known` are those that were made with the secret in force; every other one that delivers
        to `url` is made anew. Without `repair` nothing is changed, only told. Raises
        `CredentialsRefused` or `PlatformUnreachable`.
        """
        ...

    def retire(self, url: str, connection: ConnectionFacts, credentials: Credentials) -> str:
        """Network: take back what delivers to `url`; "" or what a person has to remove there.

        Raises `CredentialsRefused` or `PlatformUnreachable`.
        """
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What became of the invoice of an order, for the people who look at the order in the shop."""

    #: "stamped" or "cancelled".
    state: str
    uuid: str
    #: One sentence, in the language of the merchant's rules. No personal data.
    text: str


@runtime_checkable
class Announces(Protocol):
    """A connector that can write at the order, in the shop, what became of its invoice."""

    def announce(
        self,
        order_id: str,
        news: News,
        connection: ConnectionFacts,
        credentials: Credentials,
    ) -> None:
        """Network, idempotent: the order says so, once, to the merchant's people alone.

        Never a message to the buyer. Raises `OrderNotFound`, `PlatformUnreachable` or
        `CredentialsRefused`; after any of them it may be called again.
        """
        ...


@runtime_checkable
class Proves(Protocol):
    """A connector whose shop can write an address for the buyer of an order by itself."""

    def proof_of(self, order: bytes, credentials: Credentials) -> str | None:
        """What that address must carry for this order, fetched or delivered. Pure.

        None if the connection makes no such addresses, or the order cannot have one.
        """
        ...
