"""What was given back, by line where the shop said so."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from connectors.reader import Reader
from connectors.woocommerce.lines import CENT, ZERO, money
from hub.domain.sale import Refund, RefundLine, SaleLine

_KINDS: Final = ("line_items", "shipping_lines", "fee_lines")


def refunds_of(document: Reader, order: Reader, lines: tuple[SaleLine, ...]) -> tuple[Refund, ...]:
    """In full from `fetch`; a delivered order states only the amounts.

    The total of an order never changes when money is given back.
    """
    known = {line.key: line for line in lines}
    if order is document:
        return tuple(_amount_only(refund) for refund in order.items("refunds"))
    return tuple(_refund(refund, known) for refund in document.items("refunds"))


def _amount_only(refund: Reader) -> Refund:
    return Refund(
        key=refund.text("id"),
        total=abs(money(refund, "total")),
        reason=refund.text("reason", ""),
    )


def _refund(refund: Reader, known: dict[str, SaleLine]) -> Refund:
    total = abs(money(refund, "amount"))
    return Refund(
        key=refund.text("id"),
        total=total,
        reason=refund.text("reason", ""),
        at=refund.instant_gmt("date_created_gmt"),
        lines=_lines(refund, total, known),
    )


def _lines(refund: Reader, total: Decimal, known: dict[str, SaleLine]) -> tuple[RefundLine, ...]:
    """None unless every one names a line of the sale and together they are the whole refund."""
    lines: list[RefundLine] = []
    for item in (item for kind in _KINDS for item in refund.items(kind)):
        original = known.get(_refunded_item(item))
        if original is None:
            return ()
        line = _line(item, original)
        if line is None:
            return ()
        lines.append(line)
    amounts = [amount for line in lines for amount in (line.base, *line.taxes)]
    gap = sum(amounts, ZERO) - total
    return tuple(lines) if abs(gap) <= CENT / 2 * (1 + len(amounts)) else ()


def _refunded_item(item: Reader) -> str:
    for meta in item.items("meta_data"):
        if meta.at("key").value == "_refunded_item_id":
            return meta.text("value", "")
    return ""


def _line(item: Reader, original: SaleLine) -> RefundLine | None:
    """None if it gives back a tax or more than the line had, or takes instead of giving."""
    taxes = {tax.text("id"): -money(tax, "total", ZERO) for tax in item.items("taxes")}
    if {ref for ref, amount in taxes.items() if amount} - {tax.ref for tax in original.taxes}:
        return None
    base = -money(item, "total", ZERO)
    amounts = tuple(taxes.get(tax.ref, ZERO) for tax in original.taxes)
    if min((base, *amounts)) < 0 or base > original.base + CENT:
        return None
    return RefundLine(
        key=original.key,
        quantity=abs(item.decimal("quantity", ZERO)),
        base=base,
        taxes=amounts,
    )
