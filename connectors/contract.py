"""What a sales platform has to be able to do. A connector is stateless and knows no database.

The webhook is a hint, the fetch is the fact, the sweep is the guarantee: `read` says which order
something happened to, `fetch` gets that order, `normalize` makes a `Sale` of its bytes, and
`changed_since` finds what no webhook told of. What only some platforms can do is in `abilities`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

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


class BelongsTo(ConnectorError):
    """What was asked for is part of another order of the same shop: a charge of a bill."""

    def __init__(self, order_id: str) -> None:
        super().__init__("this is part of another order")
        self.order_id = order_id


class NoSale(ConnectorError):
    """It exists and is no sale at all, nor part of one; the message says what it is."""


class PlatformUnreachable(ConnectorError):
    """No usable answer. Try again later; nothing is known about the order."""


class HubOutdated(PlatformUnreachable):
    """It answers by a version of its interface that this hub was not made for: update the hub."""


class Unfinished(PlatformUnreachable):
    """The time for a list was over before its end. What changed before `until` was told."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the list of changed orders is longer than there is time for")
        self.until = until


class CredentialsRefused(ConnectorError):
    """The platform answered that our keys are not good (enough). A person has to act."""


class OutOfSight(CredentialsRefused):
    """The keys are good, and show this one order no longer: what was told of it stands."""


class KeysTooFew(CredentialsRefused):
    """The keys are good, and not for all that is asked with them: the shop is there for us."""


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


@dataclass(frozen=True, slots=True)
class CustomerNotice:
    """What a delivery says: what the platform knows of this customer changed."""

    event: str
    event_key: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class ShopNotice:
    """What a delivery says of the shop itself."""

    event: str
    event_key: str
    #: "left": it removed us, and our keys with it. "changed": look at how the connection stands.
    kind: Literal["left", "changed"]
    #: When it happened, by the platform's word: a shop may have come back since.
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """What a delivery asks in the name of a person or of the shop, by law or contract."""

    event: str
    event_key: str
    #: "access": tell the merchant what is kept of this customer. "erase_customer", "erase_shop":
    #: erase what came from the platform; fiscal documents are kept by law.
    kind: Literal["access", "erase_customer", "erase_shop"]
    customer_id: str = ""
    order_ids: tuple[str, ...] = ()


#: All that `Connector.read` may make of a delivery.
Hint = Notice | CustomerNotice | ShopNotice | PrivacyNotice


class Credentials(Protocol):
    """The keys of one connection. Rotation is compare-and-swap: two workers never both win.

    Of a connection that came by an app of the platform, `current` holds the keys of that app too,
    under names that begin with "app."; `rotate` leaves those out on both sides.
    """

    def current(self) -> Mapping[str, str]: ...

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
        """Replace `expected` by `new`; False if they were changed by somebody else meanwhile."""
        ...

    def alone(self, seconds: float) -> AbstractContextManager[bool]:
        """Within: True while nobody else is within, of any process; False if somebody is.

        It ends by itself after `seconds`: a worker may die within. For what a platform lets be
        done once only, such as the renewal of a key.
        """
        ...


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """What a pure `normalize` may know of the connection. `account` is the shop, e.g. its URL."""

    id: str
    account: str
    settings: Mapping[str, Any]


class Connector(Protocol):
    platform: str
    #: Names of the credentials a merchant gives, with whether each is needed to ask the platform.
    credential_names: Mapping[str, bool]

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        """The account in its one spelling, and the credentials by this platform's names.

        `given` is what a merchant typed: "key", "secret" and "webhook_secret", the empty ones left
        out; of a paired shop the "webhook_secret" and "link_secret" that the hub made; and what
        the platform gave: any other name. When keys are renewed, those that stay are given again
        if the hub made them, else left out. Pure.
        Raises `ConnectionInvalid` with what is missing or wrong, never with a value.
        """
        ...

    def is_greeting(self, delivery: Delivery) -> bool:
        """An unsigned "are you there?" that must be answered 200 and changes nothing."""
        ...

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        """Raise `SignatureInvalid` unless these very bytes were signed. Constant time."""
        ...

    def read(self, delivery: Delivery) -> Hint | None:
        """What it says, or None if it is of no use to us. Raises `DeliveryUnreadable`."""
        ...

    def can_fetch(self, credentials: Credentials) -> bool:
        """Whether these credentials suffice to ask the platform."""
        ...

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        """Network: the order as it is now, with its refunds, as bytes that `normalize` reads.

        `order_id` may name any object that a notice named. Raises `OrderNotFound`, `BelongsTo`,
        `NoSale`, `PlatformUnreachable` or `CredentialsRefused`.
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
