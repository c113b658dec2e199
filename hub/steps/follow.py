"""follow: what the shop says an id is: an order, a part of one, or no sale at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from connectors.contract import (
    BelongsTo,
    CredentialsRefused,
    Delivery,
    DeliveryUnreadable,
    NoSale,
    Notice,
    OrderNotFound,
    PlatformUnreachable,
)
from hub.domain.sale import Sale
from hub.steps.shops import Shop
from hub.store.records import InboxRow

#: A charge of a payment of a bill, and one more: nothing known is further from its order.
HOPS: Final = 3


class Unanswered(Exception):
    """The delivery holds no order, and the shop is not there to be asked; the message says why."""


class NotUnderstood(DeliveryUnreadable):
    """The shop answered, and no sale can be made of the answer; `order` is what it answered."""

    def __init__(self, message: str, order_id: str, order: bytes | None = None) -> None:
        super().__init__(message)
        self.order_id, self.order = order_id, order


class NeverEnds(NotUnderstood):
    """Each part leads to another and none of them is an order."""

    def __init__(self, way: list[str]) -> None:
        shown = " → ".join(one[:60] for one in way)
        super().__init__(f"the shop says of each that it is part of another: {shown}", way[0])


@dataclass(frozen=True, slots=True)
class Found:
    """What stands behind an id."""

    #: The order itself, however it was asked for.
    order_id: str
    #: None: there is no such order, or it is no sale.
    sale: Sale | None
    #: What the sale was made of.
    order: bytes | None = None
    #: Further ids that turned out to be parts of this order.
    aliases: tuple[str, ...] = ()
    #: It is the platform that says so, now, and not a delivery.
    asked: bool = True
    #: Why it is no sale, for people; "" if there is simply no such order.
    reason: str = ""


def fetched(shop: Shop, order_id: str, *, named: str = "") -> Found:
    """Network. `named` is the id that somebody spoke of, where `order_id` is known to be its order.

    Raises `NotUnderstood`, `PlatformUnreachable` or `CredentialsRefused`.
    """
    return _end(shop, [order_id], named)


def looked_at(shop: Shop, row: InboxRow, order_id: str) -> Found:
    """The order of a delivery as the platform has it now, else as it was delivered.

    Raises as `fetched`, the last two only if the delivery cannot stand for the order, or
    `DeliveryUnreadable`, or `Unanswered`.
    """
    if shop.can_be_asked:
        way = [order_id]
        try:
            return _end(shop, way, row.order_id)
        except (PlatformUnreachable, CredentialsRefused):
            # Known to be part of another order, it is no order by itself.
            only_part = len(way) > 1 or order_id != row.order_id
            if only_part or (row.snapshot is None and not row.gone):
                raise
    return _delivered(shop, row)


def _end(shop: Shop, way: list[str], named: str) -> Found:
    """Follow from part to part; `way` has every id that was asked for, the order last."""
    order, reason = _fetch(shop, way)
    try:
        sale = None if order is None else shop.connector.normalize(order, shop.facts)
    except DeliveryUnreadable as error:
        raise NotUnderstood(str(error), way[-1], order) from None
    order_id = way[-1] if sale is None else sale.key
    aliases = tuple(dict.fromkeys(one for one in (named, *way) if one and one != order_id))
    return Found(order_id, sale, order, aliases, reason=reason)


def _fetch(shop: Shop, way: list[str]) -> tuple[bytes | None, str]:
    while True:
        try:
            return shop.connector.fetch(way[-1], shop.facts, shop.credentials), ""
        except OrderNotFound:
            return None, ""
        except NoSale as error:
            return None, str(error) or "no sale"
        except BelongsTo as error:
            if not error.order_id or error.order_id in way or len(way) > HOPS:
                raise NeverEnds([*way, error.order_id]) from None
            way.append(error.order_id)


def _delivered(shop: Shop, row: InboxRow) -> Found:
    if row.gone:
        return Found(row.order_id, None, asked=False)
    if row.snapshot is None:
        raise Unanswered("the delivery holds no order, and the shop cannot be asked")
    sale = shop.connector.normalize(row.snapshot, shop.facts)
    whole = _complete(shop, row)
    return Found(
        sale.key,
        sale if whole else replace(sale, unverified=True),
        row.snapshot,
        () if sale.key == row.order_id else (row.order_id,),
        asked=whole,
    )


def _complete(shop: Shop, row: InboxRow) -> bool:
    """Whether the delivery holds all that the shop would have answered."""
    notice = shop.connector.read(Delivery(row.headers, row.body, row.received_at))
    return isinstance(notice, Notice) and notice.complete
