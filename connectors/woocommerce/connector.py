"""WooCommerce, the pure part: who signed a delivery, what it says, and what sale an order is."""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from connectors import net
from connectors.abilities import News, Subscription
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Credentials,
    Delivery,
    DeliveryUnreadable,
    Notice,
    SignatureInvalid,
)
from connectors.reader import Reader, glance, read_json
from connectors.signing import signed_with_any
from connectors.woocommerce import announce, client, connect, links, webhooks
from connectors.woocommerce.orders import sale_of
from hub.clock import Clock, SystemClock
from hub.domain.sale import Sale

#: https://github.com/woocommerce/woocommerce-rest-api-docs (webhooks). There is no "order.paid".
TOPICS: Final = frozenset(webhooks.TOPICS)
#: The plug-in's own: the order with its refunds as the REST API gives them, or {"id"} alone.
OWN_TOPIC: Final = "autofactura.order"
#: A cart that a page made before anybody ordered: https://github.com/woocommerce/woocommerce/issues/37958
DRAFTS: Final = frozenset({"checkout-draft", "auto-draft", "draft", "new"})
#: What WooCommerce calls what a merchant types.
_NAMES: Final = MappingProxyType(
    {
        "key": "consumer_key",
        "secret": "consumer_secret",
        "webhook_secret": "webhook_secret",
        "link_secret": "link_secret",
    }
)
#: A store waits 60 s for the hub while it hands keys over, and may have one process alone.
CALLBACK_SECONDS: Final = 8.0
_PING: Final = re.compile(rb"webhook_id=\d{1,20}")


class WooCommerce:
    """Stateless. `account` is the address of the store, with the folder it lives in if any."""

    platform = connect.PLATFORM
    title = "WooCommerce"
    routes = connect.ROUTES
    credential_names: Mapping[str, bool] = MappingProxyType(
        {
            "webhook_secret": False,
            "link_secret": False,
            "consumer_key": True,
            "consumer_secret": True,
        }
    )

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def configure(
        self, account: str, given: Mapping[str, str], *, allow_private: bool
    ) -> tuple[str, Mapping[str, str]]:
        try:
            url = net.shop_url(account, allow_private=allow_private)
        except net.AddressRefused as error:
            raise ConnectionInvalid(f"the address of the store (--url): {error}") from error
        if not given.get("webhook_secret"):
            raise ConnectionInvalid("a webhook secret is needed: the one typed in WooCommerce")
        if bool(given.get("key")) != bool(given.get("secret")):
            raise ConnectionInvalid("an API key needs its secret, and a secret its key")
        return url, {_NAMES[name]: value for name, value in given.items() if name in _NAMES}

    def is_greeting(self, delivery: Delivery) -> bool:
        """The form post, never signed, that a store sends when a webhook is saved.

        Anything but exactly 200 makes the store repeat it before every delivery:
        WC_Webhook::deliver_ping in includes/class-wc-webhook.php.
        """
        return (
            "x-wc-webhook-signature" not in delivery.headers
            and _PING.fullmatch(delivery.body) is not None
        )

    def authenticate(self, delivery: Delivery, credentials: Credentials) -> None:
        signature = delivery.headers.get("x-wc-webhook-signature", "")
        if not signed_with_any(delivery.body, signature, _secrets(credentials.current())):
            raise SignatureInvalid("the delivery is not signed with this connection's secret")

    def read(self, delivery: Delivery) -> Notice | None:
        topic = delivery.headers.get("x-wc-webhook-topic", "")
        if topic != OWN_TOPIC and topic not in TOPICS:
            return None
        order = glance(delivery.body)
        # The topic is a header and not signed: what the body is, only the body says.
        own = order.has("order")
        complete = own and isinstance(order.at("refunds").value, list)
        order = order.at("order") if own else order
        order_id = order_id_of(order)
        # A real "deleted" carries the id and nothing else,
        # so an old body replayed under another topic can never make an order disappear.
        whole = own or order.names() != {"id"}
        if whole and order.text("status", "") in DRAFTS:
            return None
        return Notice(
            event=topic,
            event_key=_event_key(topic, delivery, whole=whole),
            order_id=order_id,
            snapshot=delivery.body if whole else None,
            complete=complete,
            gone=topic == "order.deleted" and not whole,
        )

    def can_fetch(self, credentials: Credentials) -> bool:
        keys = credentials.current()
        return bool(keys.get("consumer_key") and keys.get("consumer_secret"))

    def fetch(self, order_id: str, connection: ConnectionFacts, credentials: Credentials) -> bytes:
        return self._shop(connection, credentials, client.ORDER_SECONDS).order(order_id)

    def changed_since(
        self, instant: datetime, connection: ConnectionFacts, credentials: Credentials
    ) -> Iterator[str]:
        return self._shop(connection, credentials, client.SWEEP_SECONDS).changed_since(instant)

    def normalize(self, order: bytes, connection: ConnectionFacts) -> Sale:
        return sale_of(read_json(order), connection.settings)

    def _shop(
        self, connection: ConnectionFacts, credentials: Credentials, total: float
    ) -> client.Shop:
        return client.Shop.of(connection, credentials, self._clock, total=total)

    def settle(self, connection: ConnectionFacts) -> str:
        return client.settled(connection)

    def check_keys(self, connection: ConnectionFacts, credentials: Credentials) -> None:
        shop = client.Shop.of(
            connection,
            credentials,
            self._clock,
            total=CALLBACK_SECONDS,
            tries=1,
            seconds=CALLBACK_SECONDS,
        )
        shop.first("webhooks")

    def ensure(
        self,
        url: str,
        known: Sequence[Subscription],
        connection: ConnectionFacts,
        credentials: Credentials,
        *,
        repair: bool,
    ) -> tuple[Subscription, ...]:
        shop = self._shop(connection, credentials, client.WEBHOOKS_SECONDS)
        secret = credentials.current().get("webhook_secret", "")
        return webhooks.ensure(shop, url, secret, known, repair=repair)

    def retire(self, url: str, connection: ConnectionFacts, credentials: Credentials) -> str:
        """WooCommerce lets nobody delete an API key by its REST API; the plug-in does it there."""
        left = webhooks.retire(self._shop(connection, credentials, client.WEBHOOKS_SECONDS), url)
        return f"webhooks that could not be removed: {', '.join(left)}" if left else ""

    def proof_of(self, order: bytes, credentials: Credentials) -> str | None:
        secret = credentials.current().get("link_secret", "")
        return links.proof_of(order, secret) if secret else None

    def announce(
        self, order_id: str, news: News, connection: ConnectionFacts, credentials: Credentials
    ) -> None:
        shop = self._shop(connection, credentials, client.ORDER_SECONDS)
        announce.announce(shop, order_id, news)

    def consent_url(self, account: str, *, nonce: str, return_url: str, callback_url: str) -> str:
        return connect.consent_url(
            account, nonce=nonce, return_url=return_url, callback_url=callback_url
        )

    def handed(self, body: bytes) -> tuple[str, Mapping[str, str]]:
        return connect.handed(body)

    def returned(self, query: Mapping[str, str]) -> tuple[str, bool]:
        return connect.returned(query)


def order_id_of(order: Reader) -> str:
    """The id, which is part of an address when we ask for the order: digits only."""
    order_id = order.text("id")
    if not client.is_id(order_id):
        raise DeliveryUnreadable("id is not the number of an order")
    return order_id


def _secrets(current: Mapping[str, str]) -> Iterator[str]:
    """Every webhook secret, old ones too, as given and as the store may have decoded it.

    WC_Webhook::generate_signature signs with wp_specialchars_decode(secret, ENT_QUOTES).
    """
    for name, secret in current.items():
        if name.startswith("webhook_secret") and secret:
            yield secret
            yield html.unescape(secret)


def _second(topic: str, delivery: Delivery) -> str:
    """The plug-in sends `{"id": N}` of an order that is too large, with each of its changes."""
    if topic == OWN_TOPIC:
        return str(int(delivery.received_at.timestamp()))
    return delivery.headers.get("x-wc-webhook-delivery-id", "")


def _event_key(topic: str, delivery: Delivery, *, whole: bool) -> str:
    """A whole order carries the second of its change, so its bytes alone name the fact.

    The delivery id names a second too (three orders have shared one) and no header is signed: a
    replay under other headers must make no new fact. Only `{"id": N}` needs the id, for an order
    is trashed, restored and trashed again with the very same bytes.
    """
    second = "" if whole else _second(topic, delivery)
    told = f"{topic}\n{second}\n".encode("utf-8", "replace")
    return hashlib.sha256(told + delivery.body).hexdigest()
