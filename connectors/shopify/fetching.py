"""One order, whole: its head, lines, refunds and agreements, as they belong together.

What comes of it is described in queries/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.abilities import Entry
from connectors.contract import (
    DeliveryUnreadable,
    OrderNotFound,
    OutOfSight,
    PlatformUnreachable,
    Unfinished,
)
from connectors.reader import Reader
from connectors.shopify.answers import AccessDenied
from connectors.shopify.client import (
    API_VERSION,
    OutOfTime,
    Shop,
    next_of,
    plain,
    unusable,
)
from connectors.shopify.documents import at_most
from connectors.shopify.payments import last_paid
from connectors.shopify.reading import instant
from connectors.shopify.verify import is_id

#: An order that changes while it is read is read again, so often.
READINGS: Final = 4
#: An order has 500 lines at most; one page has 25.
MAX_PARTS: Final = 400
#: Shopify's search learns of a change a moment after it happened.
OVERLAP: Final = timedelta(minutes=2)
ORDER: Final = "gid://shopify/Order/"
#: Money came for it, whatever became of it.
_PAID: Final = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})


class _Changed(Exception):
    """The order changed between two of its pages."""


def order(shop: Shop, order_id: str) -> bytes:
    """The order as it is now, in one document. Raises what `Connector.fetch` raises."""
    if not is_id(order_id):
        raise OrderNotFound("the id of an order of Shopify is a number")
    gid = ORDER + order_id
    for _ in range(READINGS):
        try:
            found = _read(shop, gid)
        except _Changed:
            continue
        except DeliveryUnreadable as error:
            raise unusable(error) from None
        return json.dumps(found, default=plain).encode()
    raise PlatformUnreachable("the order changes faster than it can be read")


def _read(shop: Shop, gid: str) -> dict[str, Any]:
    head = shop.ask("order", id=gid).at("order")
    if head.value is None:
        raise _absent(shop, gid)
    if head.text("id") != gid:
        raise PlatformUnreachable("Shopify answered with something that is not that order")
    if len(head.items("refunds")) >= at_most("order", "refunds", shop.halved.get("order", 0)):
        raise PlatformUnreachable("the order has more refunds than Shopify tells at once")
    whole = dict(head.value)
    whole["lineItems"] = {"nodes": _lines(shop, gid, head)}
    whole["refunds"] = [_refund(shop, one.text("id")) for one in head.items("refunds")]
    whole["agreements"] = {"nodes": _agreements(shop, gid, head)}
    return {
        "shape": "graphql",
        "api_version": shop.answered_as or API_VERSION,
        "order": whole,
        "shop": _shop(shop),
    }


def _lines(shop: Shop, gid: str, head: Reader) -> list[Any]:
    found, after = list[Any](), None
    for _ in range(MAX_PARTS):
        page = _same(shop.ask("order_lines", id=gid, after=after), head).at("lineItems")
        found += [one.value for one in page.items("nodes")]
        after = next_of(page)
        if after is None:
            return found
    raise PlatformUnreachable("Shopify's list of lines does not end")


def _refund(shop: Shop, gid: str) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    found, after = list[Any](), None
    for _ in range(MAX_PARTS):
        refund = shop.ask("refund", id=gid, linesAfter=after).at("refund")
        if refund.value is None:
            raise _Changed
        page = refund.at("refundLineItems")
        whole = whole or dict(refund.value)
        found += [one.value for one in page.items("nodes")]
        after = next_of(page)
        if after is None:
            return {**whole, "refundLineItems": {"nodes": found}}
    raise PlatformUnreachable("Shopify's list of what was given back does not end")


def _agreements(shop: Shop, gid: str, head: Reader) -> list[Any]:
    """One by one, each with all of its sales: these have no id to ask for them by."""
    found, after, sales_after = list[Any](), None, None
    for _ in range(MAX_PARTS):
        asked = shop.ask("order_agreements", id=gid, after=after, salesAfter=sales_after)
        page = _same(asked, head).at("agreements")
        for one in page.items("nodes"):
            sales = [sale.value for sale in one.items("sales.nodes")]
            if sales_after is None:
                found.append({**one.value, "sales": {"nodes": sales}})
            else:
                found[-1]["sales"]["nodes"] += sales
            sales_after = next_of(one.at("sales"))
        if sales_after is None:
            after = next_of(page)
            if after is None:
                return found
    raise PlatformUnreachable("Shopify's list of agreements does not end")


def _same(asked: Reader, head: Reader) -> Reader:
    order = asked.at("order")
    if order.value is None or order.text("updatedAt") != head.text("updatedAt"):
        raise _Changed
    return order


def _shop(shop: Shop) -> dict[str, Any]:
    """Which legal entities there are not every app may know: an order names its own anyway."""
    try:
        told = shop.ask("shop")
    except AccessDenied:
        told = shop.ask("shop_alone")
    entities = [one.value for one in told.items("businessEntities")]
    told.at("shop").names()
    return {**told.at("shop").value, "businessEntities": entities}


def _absent(shop: Shop, gid: str) -> OrderNotFound | OutOfSight:
    """An order older than 60 days is not there for an app that may not see all: nothing was
    deleted. Their numbers grow, so one before the first that can be seen may be such an order.
    https://shopify.dev/docs/api/usage/access-scopes#orders-permissions
    """
    if "read_all_orders" in scopes(shop):
        return OrderNotFound("the shop has no such order")
    first = next(iter(shop.ask("order_first").at("orders").items("nodes")), None)
    if first is not None and int(gid.removeprefix(ORDER)) > int(first.text("legacyResourceId")):
        return OrderNotFound("the shop has no such order")
    return OutOfSight(
        "the app may see orders of the last 60 days alone: ask Shopify for read_all_orders"
    )


def scopes(shop: Shop) -> frozenset[str]:
    """What the merchant granted, as Shopify has it now."""
    told = shop.ask("shop_alone").at("currentAppInstallation")
    try:
        return frozenset(one.text("handle") for one in told.items("accessScopes"))
    except DeliveryUnreadable as error:
        raise unusable(error) from None


def changed_since(shop: Shop, instant: datetime) -> Iterator[str]:
    """Each id once, the oldest change first. Raises `Unfinished` when the time is over.

    An order that changes meanwhile moves behind the cursor of the page, never before it.
    """
    since = instant.astimezone(UTC) - OVERLAP
    query, seen = f"updated_at:>='{_text(since)}'", set[str]()
    try:
        for one in shop.pages("orders_changed", "orders", query=query):
            order_id, changed_at = _change(one)
            since = max(since, changed_at)
            if order_id not in seen:
                seen.add(order_id)
                yield order_id
    except OutOfTime:
        raise Unfinished(since) from None


def _change(one: Reader) -> tuple[str, datetime]:
    try:
        order_id, changed_at = one.text("legacyResourceId"), one.instant_gmt("updatedAt")
    except DeliveryUnreadable as error:
        raise unusable(error) from None
    if not is_id(order_id) or changed_at is None:
        raise PlatformUnreachable("Shopify answered with something that is no list of orders")
    return order_id, changed_at


def entries(
    shop: Shop, since: datetime, until: datetime, *, presented: bool = True
) -> Iterator[Entry]:
    """What was paid from `since` to before `until`, in the currency of the buyer or of the shop.

    The search knows no instant of payment; but each payment changes its order, so what was paid
    since then changed since then.
    """
    query = f"updated_at:>='{_text(since - OVERLAP)}' created_at:<='{_text(until)}'"
    try:
        for one in shop.pages("orders_paid", "orders", query=query):
            try:
                entry = _entry(one, "presentmentMoney" if presented else "shopMoney")
            except DeliveryUnreadable as error:
                raise unusable(error) from None
            if entry is not None and entry.paid_at and since <= entry.paid_at < until:
                yield entry
    except OutOfTime:
        raise Unfinished(since) from None


def _entry(one: Reader, money: str) -> Entry | None:
    paid = one.text("displayFinancialStatus", "") in _PAID
    if not paid or one.flag("test", default=False):
        return None
    instants = [
        at
        for payment in one.items("transactions")
        if payment.text("status", "") == "SUCCESS"
        and payment.text("kind", "") in {"SALE", "CAPTURE"}
        and (at := payment.instant_gmt("processedAt")) is not None
    ]
    return Entry(
        order_id=one.text("legacyResourceId"),
        due=_due(one, money),
        currency=one.text(f"netPaymentSet.{money}.currencyCode"),
        # An order of nothing, or one paid outside of Shopify, has no payment.
        paid_at=last_paid(instant(one, "createdAt"), instant(one, "processedAt"), instants),
    )


def _due(one: Reader, money: str) -> Decimal | None:
    """None where it holds something that is no sale, or was given back as such, which this list
    does not tell apart."""
    lines = one.at("lineItems")
    cards = any(line.flag("isGiftCard", default=False) for line in lines.items("nodes"))
    if cards or lines.flag("pageInfo.hasNextPage"):
        return None
    tip = one.decimal(f"totalTipReceivedSet.{money}.amount", Decimal(0))
    if tip and one.text("displayFinancialStatus") != "PAID":
        return None
    return one.decimal(f"netPaymentSet.{money}.amount") - tip


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
