"""What both shapes of an order need to be read."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader

ONE: Final = Decimal(1)


def instant(place: Reader, name: str) -> datetime:
    found = place.instant_gmt(name)
    if found is None:
        raise DeliveryUnreadable(f"{place.at(name).path} is missing")
    return found


def digits(text: str, place: Reader) -> str:
    """An id: digits. It becomes part of addresses, so nothing else is let through."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise DeliveryUnreadable(f"{place.path} is not an id")
    return text


def texts(order: Reader, name: str) -> Iterator[str]:
    for one in order.items(name):
        if not isinstance(one.value, str):
            raise DeliveryUnreadable(f"{one.path} is not a text")
        yield Reader({"it": one.value}, one.path).text("it")


def is_pending(reason: str) -> bool:
    """The goods went before the money did; a later refund of the money says it too."""
    return "_".join(reason.lower().split()) == "pending_refund_discrepancy"


def last_due(schedules: tuple[Reader, ...], due: str, completed: str) -> datetime | None:
    """When the last payment that is still to be made is due."""
    dates = [one.instant_gmt(due) for one in schedules if not one.instant_gmt(completed)]
    return max((date for date in dates if date is not None), default=None)


def nodes(place: Reader, name: str) -> tuple[Reader, ...]:
    """All elements of a connection; refused if there are more than are here."""
    list_ = place.at(name)
    if list_.value is None or isinstance(list_.value, list):
        return place.items(name)
    if list_.flag("pageInfo.hasNextPage", default=False):
        raise DeliveryUnreadable(f"{list_.path} is not whole: more pages follow")
    return list_.items("nodes")


def tail(gid: str) -> str:
    """The last part of "gid://shopify/Order/123"."""
    return gid.rsplit("/", 1)[-1].split("?", 1)[0]


def names_of_entity(entity: Reader) -> frozenset[str]:
    """Every name a legal entity goes by; the one of its id is base64 of a number."""
    if entity.value is None:
        return frozenset()
    key = tail(entity.text("id"))
    told = frozenset(filter(None, [key, entity.text("legalEntityId", "")]))
    return told | decoded(key)


def decoded(key: str) -> frozenset[str]:
    """The number that base64 of one names."""
    try:
        text = base64.b64decode(key + "=" * (-len(key) % 4), validate=True).decode("ascii")
    except ValueError:
        return frozenset()
    return frozenset({text}) if text.isdigit() else frozenset()
