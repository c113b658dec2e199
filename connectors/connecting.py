"""How a shop comes to be connected: what a connector declares, and what the hub does for it.

A connector of a platform whose shops speak to the hub by themselves has `routes`; one whose
platform makes keys when its user agrees is a `HandsOver`. Both are optional.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from connectors.abilities import Subscription
from connectors.contract import ConnectorError


class ConnectingRefused(ConnectorError):
    """The request of a shop or of a merchant cannot be done. Told in both languages, by a code."""

    status = 400
    code = "malformed"
    message = "The request is not of the expected shape."
    message_es = "La petición no tiene la forma esperada."

    def __init__(self, message: str = "", message_es: str = "") -> None:
        super().__init__(message or self.message)
        self.message, self.message_es = message or self.message, message_es or self.message_es


class Malformed(ConnectingRefused):
    """What was sent is not what is taken here."""


class CodeRefused(ConnectingRefused):
    """Unknown, used or too old: which of them is not told."""

    status = 403
    code = "pairing_code_invalid"
    message = "This pairing code is wrong, used or too old. Ask for a new one."
    message_es = "Este código es incorrecto, ya se usó o venció. Pide uno nuevo."


class ConnectedElsewhere(ConnectingRefused):
    """Whose it is is not told."""

    status = 409
    code = "shop_connected_elsewhere"
    message = "This shop is connected already. Disconnect it there first."
    message_es = "Esta tienda ya está conectada. Primero desconéctala donde lo está."


class AddressUnusable(ConnectingRefused):
    """The hub may not or cannot go to that address."""

    status = 422
    code = "store_address_refused"
    message = "The address of the store cannot be used."
    message_es = (
        "No se puede usar la dirección de la tienda: debe empezar con https:// y ser pública."
    )


class TooManyTries(ConnectingRefused):
    """Too many wrong codes came of late."""

    status = 429
    code = "too_many_tries"
    message = "Too many tries. Wait some minutes."
    message_es = "Demasiados intentos. Espera unos minutos."


class RequestUnsigned(ConnectingRefused):
    """Not signed with the secret of this connection."""

    status = 401
    code = "signature_invalid"
    message = "The request is not signed with this connection's secret. Pair the shop again."
    message_es = "La petición no está firmada con el secreto de esta conexión. Vincula otra vez."


class ClockSkewed(RequestUnsigned):
    """Signed for another time: an old request, or a clock that is wrong."""

    code = "clock_skewed"
    message = "The clock of the shop's server is wrong by more than 5 minutes."
    message_es = "El reloj del servidor de la tienda difiere por más de 5 minutos."


class ConnectionUnknown(ConnectingRefused):
    """There is no such connection (any more)."""

    status = 404
    code = "connection_not_found"
    message = "There is no such connection. Pair the shop."
    message_es = "Esa conexión no existe. Vincula la tienda."


@dataclass(frozen=True, slots=True)
class Asked:
    """One HTTP request to a route of a connector, untouched. Header names are lower case."""

    method: str
    target: str  # path, and "?query" if there is one
    headers: Mapping[str, str]
    body: bytes
    #: What stands in the placeholders of the route.
    values: Mapping[str, str]
    address: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Paired:
    """What a shop is told when it was paired."""

    connection_id: str
    webhook_url: str
    webhook_secret: str
    link_secret: str
    merchant_name: str


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    message: str
    message_es: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a connection is. `state`: "checking", "connected", "trouble" or "closed"."""

    state: str
    merchant_name: str
    keys: str  # "unknown", "ok", "refused"
    subscriptions: Sequence[Subscription]
    last_delivery_at: datetime | None
    last_fetch_at: datetime | None
    problems: Sequence[Problem]
    #: How long a buyer has: the kind, and a sentence in both languages.
    window: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class OrderShown:
    """What became of an order. `estado` is the word of the buyer's page, or "desconocida"."""

    estado: str
    uuid: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class SaleShown:
    """A sale of the shop, for its own staff. `estado` is the word of the buyer's page."""

    number: str
    placed_at: datetime
    total: Decimal
    currency: str
    estado: str
    uuid: str | None
    #: Where the buyer gets the invoice; None where it can no longer be had.
    link: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something sold lately for which the merchant's rules name no ClaveProdServ of SAT."""

    description: str
    sku: str
    product: str
    sales: int


@dataclass(frozen=True, slots=True)
class App:
    """An app of the platform that this hub is the server of."""

    id: str
    #: "client_id", "client_secret", and what else the platform gave; "client_secret_before" while
    #: a secret is being replaced.
    keys: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """HTML for a browser, where a route is not answered in JSON."""

    html: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redirect:
    """The browser is sent on (303)."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Desk(Protocol):
    """What the hub does for the shops of one platform. Each may raise `ConnectingRefused`."""

    @property
    def public_url(self) -> str: ...

    @property
    def allow_private(self) -> bool: ...

    def expect(self, code: str, account: str, address: str | None) -> None:
        """Raises what `pair` would for this code and shop; nothing is used up.

        For a platform that ends the keys it gave before when it is asked for new ones.
        """
        ...

    def pair(
        self, code: str, account: str, given: Mapping[str, str], address: str | None
    ) -> Paired:
        """Connect the shop to the merchant of the code; its keys are tried after the answer.

        `given` may hold "app", the id of the `App` through which the shop came.
        """
        ...

    def apps(self) -> Sequence[App]:
        """Those of this platform, oldest first."""
        ...

    def connection_of(self, account: str, app: App) -> str | None:
        """The open connection of this shop, whoever's it is, if it came by this very app.

        Whoever owns an app can sign in its name for any shop: that opens no shop of another app.
        """
        ...

    def renew(self, connection_id: str, given: Mapping[str, str]) -> None:
        """The platform gave the connection new keys: they are in force, and tried afterwards.

        Credentials that are not in `given` stay as they are.
        """
        ...

    def sales(self, connection_id: str, limit: int) -> Sequence[SaleShown]:
        """The last ones, newest first."""
        ...

    def gaps(self, connection_id: str) -> Sequence[Gap]:
        """Of the last sales, what was sold most first."""
        ...

    def secrets(self, connection_id: str) -> Mapping[str, str]:
        """The credentials of an open connection. Raises `ConnectionUnknown`."""
        ...

    def standing(self, connection_id: str) -> Standing: ...

    def order(self, connection_id: str, order_id: str) -> OrderShown: ...

    def disconnect(self, connection_id: str, *, tidied: bool) -> None:
        """No delivery is taken from now on; the shop is tidied up after the answer, or was."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """One address under /connect/<platform>; `<name>` in its path is a placeholder."""

    method: str
    path: str
    answer: Callable[[Asked, Desk], Mapping[str, Any] | Page | Redirect]


@runtime_checkable
class Speaks(Protocol):
    """A connector whose shops speak to the hub by themselves."""

    @property
    def routes(self) -> Sequence[Route]: ...


@runtime_checkable
class HandsOver(Protocol):
    """A connector whose platform makes keys and hands them over when its user agrees."""

    #: What the platform is called, for people.
    title: str

    def consent_url(self, account: str, *, nonce: str, return_url: str, callback_url: str) -> str:
        """Where the user agrees. What comes back carries the nonce. Pure."""
        ...

    def handed(self, body: bytes) -> tuple[str, Mapping[str, str]]:
        """The nonce and the keys, named "key" and "secret". Raises `DeliveryUnreadable`. Pure."""
        ...

    def returned(self, query: Mapping[str, str]) -> tuple[str, bool]:
        """The nonce with which the browser came back, and whether the user agreed. Pure."""
        ...


@runtime_checkable
class Grants(Protocol):
    """A connector whose platform sends its user back with a code that is changed for keys.

    What a merchant types as the address of the shop becomes an account by `Subscribes.settle`,
    where the connector has that; else it is taken as it was typed.
    """

    #: What the platform is called, for people.
    title: str

    def grant_url(self, account: str, *, nonce: str, return_url: str, app: App) -> str:
        """Where the user agrees. What comes back carries the nonce. Pure."""
        ...

    def nonce_of(self, asked: Asked) -> str:
        """The nonce with which the browser came back; "" if there is none. Pure."""
        ...

    def granted(self, asked: Asked, account: str, app: App) -> Mapping[str, str]:
        """Network: what `Connector.configure` is given, for this very account and app.

        Raises `ConnectingRefused` if what came back is not signed, not fresh, about another
        account, or a refusal.
        """
        ...
