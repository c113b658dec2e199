"""Our webhooks at a store: made, looked at, made anew, taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from connectors.abilities import ACTIVE, Subscription
from connectors.contract import CredentialsRefused, OrderNotFound, PlatformUnreachable
from connectors.reader import read_json
from connectors.woocommerce.client import Shop, is_id, understood

TOPICS: Final = ("order.created", "order.updated", "order.deleted", "order.restored")
#: In `known`: made with a secret that was replaced since.
REPLACED: Final = "replaced"
_NAME: Final = "autofactura-hub"


@dataclass(frozen=True, slots=True)
class _Webhook:
    id: str
    topic: str
    status: str
    url: str

    @property
    def told(self) -> Subscription:
        return Subscription(self.topic, self.id, self.status)


def ensure(
    shop: Shop, url: str, secret: str, known: Sequence[Subscription], *, repair: bool
) -> tuple[Subscription, ...]:
    """One active webhook for each topic, delivering to `url` and signing with `secret`.

    A store tells nobody the secret of a webhook, so only those count that we made with it. One
    that was switched off is made anew: switched on again its count of failures would stay at the
    limit, and the next failure would end it (WC_Webhook::failed_delivery).
    """
    ours = list(_ours(shop, url))
    if not repair:
        return tuple(one.told for one in ours)
    current = {one.id for one in known if one.status != REPLACED}
    good = {
        one.topic: one
        for one in ours
        if one.id in current and one.status == ACTIVE and one.topic in TOPICS and one.url == url
    }
    # First the new ones: what happens meanwhile is told twice rather than not at all.
    made = [_made(shop, topic, url, secret) for topic in TOPICS if topic not in good]
    kept = {one.id for one in good.values()}
    for one in ours:
        if one.id not in kept:
            _delete(shop, one.id)
    return tuple(one.told for one in [*good.values(), *made])


def retire(shop: Shop, url: str) -> list[str]:
    """Delete all that deliver to `url`, whoever made them; the ids of those that stayed."""
    ids = {one.id for one in _ours(shop, url)}
    left = []
    for webhook_id in sorted(ids, key=int):
        try:
            _delete(shop, webhook_id)
        except (CredentialsRefused, PlatformUnreachable):
            left.append(webhook_id)
    return left


def _ours(shop: Shop, url: str) -> Iterator[_Webhook]:
    """Those of this connection, whose id is in the path: the hub itself may have moved."""
    path = urlsplit(url).path
    return (one for one in _there(shop) if one.url == url or one.url.endswith(path))


def _there(shop: Shop) -> Iterator[_Webhook]:
    for page in shop.pages("webhooks"):
        with understood():
            found = [
                _Webhook(
                    id=one.text("id"),
                    topic=one.text("topic", ""),
                    status=one.text("status", ""),
                    url=one.text("delivery_url", ""),
                )
                for one in read_json(page).elements()
            ]
        yield from (one for one in found if is_id(one.id))


def _made(shop: Shop, topic: str, url: str, secret: str) -> _Webhook:
    data = {"name": f"{_NAME} {topic}", "topic": topic, "delivery_url": url, "secret": secret}
    body = shop.write("POST", "webhooks", data)
    with understood():
        made = read_json(body)
        return _Webhook(made.text("id"), topic, made.text("status", ""), url)


def _delete(shop: Shop, webhook_id: str) -> None:
    """One that is gone already is as good."""
    try:
        shop.write("DELETE", f"webhooks/{webhook_id}")
    except OrderNotFound:
        return
