"""Stripe: the parts, put together as the contract asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from connectors.abilities import Alone, Entry, News, Subscription
from connectors.contract import (
    ConnectionFacts,
    Credentials,
    CredentialsRefused,
    Delivery,
    Hint,
    OrderNotFound,
    PlatformUnreachable,
)
from connectors.stripe import (
    alone,
    announce,
    books,
    client,
    connect,
    events,
    keys,
    links,
    resolve,
    sweep,
    verify,
    webhooks,
)
from connectors.stripe.buyer import buyer_of_customer, typed_rfc
from connectors.stripe.orders import sale_of
from connectors.stripe.rates import Rates
from hub.clock import Clock, SystemClock
from hub.domain.sale import Buyer, Sale

PLATFORM: Final = "stripe"
#: Checkouts of one customer that are looked through for what was typed there.
LATEST: Final = 10


class Stripe:
    """Keeps nothing but tax rates, for minutes. `account` is spelled as connect.py says."""

    platform = PLATFORM
    title = "Stripe"
    #: It writes into the merchant's own objects: only where the merchant asks for it.
    announces_unasked = False
    credential_names: Mapping[str, bool] = MappingProxyType({"key": True, "webhook_secret": False})

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._rates = Rates()

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        return connect.configure(account, given, allow_private=allow_private)

    def is_greeting(self, delivery: Delivery) -> bool:  # noqa: ARG002 - the contract's
        """Everything Stripe sends is signed."""
        return False

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        verify.check(delivery, verify.secrets_of(credentials.current()))

    def read(self, delivery: Delivery) -> Hint | None:
        return events.read(delivery)

    def alone(self, delivery: Delivery) -> Alone:
        return alone.alone(delivery)

    def can_fetch(self, credentials: Credentials) -> bool:
        return bool(credentials.current().get("key"))

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        return resolve.fetch(self._api(connection, credentials, client.ORDER_SECONDS), order_id)

    def changed_since(
        self, instant: datetime, connection: ConnectionFacts, credentials: Credentials
    ) -> Iterator[str]:
        api = self._api(connection, credentials, client.SWEEP_SECONDS)
        if not api.account.is_known and keys.account_of(api):
            # Perhaps the account is connected already: `connect` finds out and comes first.
            raise PlatformUnreachable("the account of this key is being looked up")
        return sweep.changed_since(api, instant, connection.settings, self._clock.now())

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        account = _named(connection)
        mode: dict[str, Any] = {"livemode": account.mode == "live"} if account.mode else {}
        return sale_of(order, {**connection.settings, **mode}, account.name)

    def account_of(self, connection: ConnectionFacts, credentials: Credentials) -> str:
        api = self._api(connection, credentials, client.ORDER_SECONDS)
        name = keys.account_of(api)
        if not name or name == api.account.name:
            return connection.account
        if api.account.is_known:
            raise CredentialsRefused(
                f"this key is of the account {name}, and the connection of {api.account.name}: "
                f"give it a key of its own account, or connect the other one besides"
            )
        return connect.Named(name, api.account.mode, api.account.base).spelled

    def settle(self, connection: ConnectionFacts) -> str:
        """There is one address of Stripe, and no other sees a key."""
        return connection.account

    def check_keys(self, connection: ConnectionFacts, credentials: Credentials) -> None:
        keys.check(self._api(connection, credentials, client.ORDER_SECONDS))

    def ensure(
        self,
        url: str,
        known: Sequence[Subscription],  # noqa: ARG002 - the contract's; here the secrets tell
        connection: ConnectionFacts,
        credentials: Credentials,
        *,
        repair: bool,  # noqa: ARG002 - the contract's; here the secrets tell
    ) -> tuple[Subscription, ...]:
        """An endpoint whose secret the merchant gave is the merchant's; any other is ours."""
        api = self._api(connection, credentials, client.WEBHOOKS_SECONDS)
        keys.check(api)
        return webhooks.ensure(api, url, events.wanted(connection.settings), credentials)

    def retire(self, url: str, connection: ConnectionFacts, credentials: Credentials) -> str:
        return webhooks.retire(self._api(connection, credentials, client.WEBHOOKS_SECONDS), url)

    def entries(
        self,
        since: datetime,
        until: datetime,
        connection: ConnectionFacts,
        credentials: Credentials,
    ) -> Iterator[Entry]:
        api = self._api(connection, credentials, client.SWEEP_SECONDS)
        return books.entries(api, since, until, connection.settings)

    def customer(
        self, customer_id: str, connection: ConnectionFacts, credentials: Credentials
    ) -> Buyer:
        if not events.is_customer(customer_id):
            raise OrderNotFound("this is no id of a customer of Stripe")
        api = self._api(connection, credentials, client.ORDER_SECONDS)
        found = api.get(f"/v1/customers/{customer_id}", expand=["tax_ids"])
        with client.understood():
            if found.flag("deleted", default=False):
                raise OrderNotFound("the customer was deleted at Stripe")
            buyer = buyer_of_customer(found)
        if buyer.rfc:
            return buyer
        # What was typed at a Checkout stands nowhere else: a customer who changes an address takes
        # it back as little as a renewal does. By itself it is no data to invoice with.
        page = api.get(
            "/v1/checkout/sessions", customer=customer_id, status="complete", limit=LATEST
        )
        with client.understood():
            rfc = typed_rfc(page.items("data"))
        return Buyer(key=buyer.key, email=buyer.email, rfc=rfc) if rfc else buyer

    def proof_of(self, order: bytes, credentials: Credentials) -> str | None:  # noqa: ARG002 - the contract's
        return links.proof_of(order)

    def announce(
        self, order_id: str, news: News, connection: ConnectionFacts, credentials: Credentials
    ) -> None:
        api = self._api(connection, credentials, client.ORDER_SECONDS)
        announce.announce(api, order_id, news, connection.settings)

    def _api(
        self, connection: ConnectionFacts, credentials: Credentials, seconds: float
    ) -> client.Api:
        return client.Api.of(
            connection, credentials, self._clock, seconds=seconds, rates=self._rates
        )


def _named(connection: ConnectionFacts) -> connect.Named:
    """As it was spelled when it was connected, whatever may be asked there now."""
    return connect.named(connection.account, allow_private=True) or connect.Named("", "")
