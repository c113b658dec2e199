"""Shopify: who signed a delivery, what it says, and how a shop is asked.

`account` is the permanent name of the shop, `tienda.myshopify.com`. A shop comes by an app, which
asks it by tokens; or by hand with the secret of its own notifications, and then nothing is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from connectors.abilities import Entry, News, Subscription
from connectors.connecting import App, Asked, Route
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Credentials,
    Delivery,
    Hint,
    HubOutdated,
    KeysTooFew,
    SignatureInvalid,
)
from connectors.reader import read_json
from connectors.shopify import announce, client, fetching, grant, links, tokens, verify, webhooks
from connectors.shopify.home.routes import Home
from connectors.shopify.orders import sale_of
from hub.clock import Clock, SystemClock
from hub.domain.sale import Sale

#: Without them no order can be seen whole. The link at the order needs write_orders, and says so
#: itself; without read_payment_terms nothing is known of credit, and an order waits for its money.
NEEDED: Final = frozenset({"read_orders", "read_products"})
#: Scopes that hold another: https://shopify.dev/docs/api/usage/access-scopes
_HELD_BY: Final = {"read_orders": "write_orders", "read_products": "write_products"}
_CREDENTIALS: Final = ("shop", "webhook_secret", "webhook_secret_before", *tokens.NAMES)
#: Of the app by which the shop came, see `contract.Credentials`.
_OF_APP: Final = ("client_id", "client_secret", "client_secret_before", "private_key")


class Shopify:
    """Stateless."""

    platform = "shopify"
    title = "Shopify"
    #: The buyer's link is written at the order, where Shopify's own pages show it.
    announces_unasked = True
    #: A guest checks out with the e-mail address of a customer without signing in:
    #: https://community.shopify.com/t/guest-checkout-behavior-for-returning-customers/580328
    merges_guests = True
    credential_names: Mapping[str, bool] = MappingProxyType(
        dict.fromkeys((*_CREDENTIALS, *(f"app.{name}" for name in _OF_APP)), False)
        | {"access_token": True}
    )

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.routes: Sequence[Route] = Home(self._clock).routes

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        """By hand: "webhook_secret", and "secret", the access token of an app made in the shop.
        Of a paired shop: what the app's page or the grant got, by `tokens.NAMES`."""
        shop = verify.account_of(account, allow_private=allow_private)
        if shop is None:
            raise ConnectionInvalid(
                "the shop (--url) is named as Shopify names it for ever: tienda.myshopify.com"
            )
        found = {name: given[name] for name in tokens.NAMES if given.get(name)}
        # Of a paired shop the hub made a secret, with which nobody signs: the app's own is used.
        if "link_secret" not in given and (given.get("webhook_secret") or not found):
            found |= _by_hand(given)
        return shop, {"shop": shop, **found}

    def is_greeting(self, delivery: Delivery) -> bool:  # noqa: ARG002 - the contract's
        """Shopify sends none."""
        return False

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        keys = credentials.current()
        if not verify.signed(delivery, keys):
            raise SignatureInvalid("the delivery is not signed with the secret of this app or shop")
        if not verify.is_of(delivery, keys.get("shop", "")):
            raise SignatureInvalid("the delivery is signed for another shop")

    def locate(self, delivery: Delivery) -> str:
        return verify.shop_told(delivery)

    def read(self, delivery: Delivery) -> Hint | None:
        return webhooks.read(delivery)

    def can_fetch(self, credentials: Credentials) -> bool:
        return tokens.can_ask(credentials.current())

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        return fetching.order(self._shop(connection, credentials, client.ORDER_SECONDS), order_id)

    def changed_since(
        self, instant: datetime, connection: ConnectionFacts, credentials: Credentials
    ) -> Iterator[str]:
        shop = self._shop(connection, credentials, client.SWEEP_SECONDS)
        return fetching.changed_since(shop, instant)

    def entries(
        self,
        since: datetime,
        until: datetime,
        connection: ConnectionFacts,
        credentials: Credentials,
    ) -> Iterator[Entry]:
        shop = self._shop(connection, credentials, client.SWEEP_SECONDS)
        presented = connection.settings.get("currency") != "shop"
        return fetching.entries(shop, since, until, presented=presented)

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        return sale_of(read_json(order), connection.settings)

    def settle(self, connection: ConnectionFacts) -> str:
        """The permanent name is the address; keys go to no other."""
        allowed = connection.settings.get("allow_private") is True
        account = verify.account_of(connection.account, allow_private=allowed)
        if account is None:
            raise ConnectionInvalid("the shop is named as Shopify names it: tienda.myshopify.com")
        return account

    def check_keys(self, connection: ConnectionFacts, credentials: Credentials) -> None:
        """Also that it is this very shop which takes them, and that they suffice."""
        shop = self._shop(connection, credentials, client.CHECK_SECONDS, tries=1)
        self._check(shop)

    def ensure(
        self,
        url: str,  # noqa: ARG002 - the contract's
        known: Sequence[Subscription],  # noqa: ARG002 - the contract's
        connection: ConnectionFacts,
        credentials: Credentials,
        *,
        repair: bool,  # noqa: ARG002 - the contract's
    ) -> tuple[Subscription, ...]:
        """None: the app's own file declares what Shopify tells us of, for all shops alike, and no
        question to a shop shows or changes it (app/shopify.app.toml)."""
        self._check(self._shop(connection, credentials, client.ORDER_SECONDS))
        return ()

    def retire(self, url: str, connection: ConnectionFacts, credentials: Credentials) -> str:  # noqa: ARG002 - the contract's
        """While the app is installed Shopify goes on telling of its orders; nothing is kept."""
        return "the app: uninstall it in the Shopify admin"

    def proof_of(self, order: bytes, credentials: Credentials) -> str | None:  # noqa: ARG002 - the contract's
        return links.proof_of(order)

    def announce(
        self, order_id: str, news: News, connection: ConnectionFacts, credentials: Credentials
    ) -> None:
        shop = self._shop(connection, credentials, client.ORDER_SECONDS)
        announce.announce(shop, order_id, news)

    def grant_url(self, account: str, *, nonce: str, return_url: str, app: App) -> str:
        return grant.grant_url(account, nonce=nonce, return_url=return_url, app=app)

    def nonce_of(self, asked: Asked) -> str:
        return grant.nonce_of(asked)

    def granted(self, asked: Asked, account: str, app: App) -> Mapping[str, str]:
        return grant.granted(asked, account, app, self._clock)

    def _shop(
        self,
        connection: ConnectionFacts,
        credentials: Credentials,
        total: float,
        tries: int = client.TRIES,
    ) -> client.Shop:
        return client.Shop.of(connection, credentials, self._clock, total=total, tries=tries)

    def _check(self, shop: client.Shop) -> None:
        granted = fetching.scopes(shop)
        missing = {one for one in NEEDED if one not in granted and _HELD_BY.get(one) not in granted}
        if missing:
            raise KeysTooFew(
                f"the app was not granted {', '.join(sorted(missing))}: open it in the Shopify "
                "admin and agree to what it asks for"
            )
        if shop.answered_as:
            raise HubOutdated(
                f"Shopify answers as API version {shop.answered_as}, this hub was made for "
                f"{client.API_VERSION}: update the hub"
            )


def _by_hand(given: Mapping[str, str]) -> dict[str, str]:
    if not given.get("webhook_secret"):
        raise ConnectionInvalid(
            "a webhook secret is needed: the one under Settings, Notifications, Webhooks in "
            "Shopify, or the API secret key of an app made in the shop"
        )
    if given.get("key"):
        raise ConnectionInvalid(
            "a shop of Shopify has no --key: give the access token of an app made in the shop as "
            "--secret, or connect the shop through an app (app add)"
        )
    found = {"webhook_secret": given["webhook_secret"]}
    return found | ({"access_token": given["secret"]} if given.get("secret") else {})
