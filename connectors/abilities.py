"""What some connectors can do besides `contract.Connector`. The hub asks each by `isinstance`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol, runtime_checkable

from connectors.contract import ConnectionFacts, Credentials, Delivery
from hub.domain.sale import Buyer


@dataclass(frozen=True, slots=True)
class Subscription:
    """One thing that the platform tells us of, as the platform keeps it."""

    topic: str
    id: str
    status: str  # the platform's word; ACTIVE where it works


ACTIVE: Final = "active"


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
        to `url` is made anew. Without `repair` what people made is not changed, only told. Raises
        `CredentialsRefused` or `PlatformUnreachable`.
        """
        ...

    def retire(self, url: str, connection: ConnectionFacts, credentials: Credentials) -> str:
        """Network: take back what delivers to `url`; "" or what a person has to remove there.

        Raises `CredentialsRefused` or `PlatformUnreachable`.
        """
        ...


@runtime_checkable
class Identifies(Protocol):
    """A connector whose keys say whose they are, so that no account is connected twice."""

    def account_of(self, connection: ConnectionFacts, credentials: Credentials) -> str:
        """Network: the account of these keys in its one spelling; as it is if nobody says.

        Raises `CredentialsRefused` or `PlatformUnreachable`.
        """
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What became of the invoice of an order, for the people who look at the order in the shop."""

    #: "open" (it can be invoiced; told to an `AnnouncesLinks` alone), "stamped" or
    #: "cancelled".
    state: str
    uuid: str
    #: One sentence, in the language of the merchant's rules. No personal data.
    text: str
    #: Where the buyer gets the invoice; "" if not told.
    link: str = ""


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
class AnnouncesLinks(Protocol):
    """An `Announces` that is also told of orders that can be invoiced, with the buyer's link."""

    #: True where what is written is for programs and the buyer's own page alone, so that it is
    #: done unless the merchant says no; False where the merchant has to ask for it.
    announces_unasked: bool


@runtime_checkable
class Proves(Protocol):
    """A connector whose shop can write an address for the buyer of an order by itself."""

    def proof_of(self, order: bytes, credentials: Credentials) -> str | None:
        """What that address must carry for this order, fetched or delivered. Pure.

        None if the connection makes no such addresses, or the order cannot have one.
        """
        ...


@runtime_checkable
class Locates(Protocol):
    """A connector of a platform that sends the deliveries of all shops to one address.

    They are signed with the secret of the app that the shops installed, see `Credentials`.
    """

    def locate(self, delivery: Delivery) -> str:
        """The account that the delivery says it is of. Not verified, and pure.

        Raises `DeliveryUnreadable`.
        """
        ...


@runtime_checkable
class KnowsCustomers(Protocol):
    """A connector whose platform keeps the fiscal data of customers who come again."""

    def customer(
        self, customer_id: str, connection: ConnectionFacts, credentials: Credentials
    ) -> Buyer:
        """Network: who this is now, `Buyer.key` being `customer_id`.

        Raises `OrderNotFound` if there is none (any more), `PlatformUnreachable` or
        `CredentialsRefused`.
        """
        ...


#: At the end of an id of which a delivery says the beginning alone.
CUT: Final = "…"


@dataclass(frozen=True, slots=True)
class Alone:
    """What a delivery without an order says by itself."""

    #: Ids of what it is about, as `Notice.order_id`, as far as it names any.
    about: tuple[str, ...]
    #: What it changes at that sale, a sentence in Spanish for the merchant; "" if it says nothing
    #: that the sale's own delivery does not say.
    change: str = ""


@runtime_checkable
class SpeaksAlone(Protocol):
    """A connector that tells what deliveries without an order mean where nobody can ask."""

    def alone(self, delivery: Delivery) -> Alone:
        """Pure. Of a delivery that `read` makes a `Notice` of, without a snapshot.

        Raises `NoSale` if it is about no sale at all, or `DeliveryUnreadable`.
        """
        ...


@runtime_checkable
class MergesGuests(Protocol):
    """A connector whose customers need prove nothing: who types an e-mail address is that customer.

    What one of them gave or was told is then nothing to serve or show the next one with.
    """

    #: True, or it is as if it were not there.
    merges_guests: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the platform's own books: this was paid, or given back in part or whole."""

    order_id: str
    #: What is due for it now, charged less given back, in `currency`; None if the list is silent.
    due: Decimal | None
    currency: str
    paid_at: datetime | None


@runtime_checkable
class KeepsBooks(Protocol):
    """A connector that can list what was paid in a period, to hold it against the sales."""

    def entries(
        self,
        since: datetime,
        until: datetime,
        connection: ConnectionFacts,
        credentials: Credentials,
    ) -> Iterator[Entry]:
        """Network: every paid order of the period, each once, in no order.

        Raises `Unfinished`, `PlatformUnreachable` or `CredentialsRefused`.
        """
        ...
