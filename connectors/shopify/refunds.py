"""What was given back: in money, in other goods, or before anybody had paid.

Shopify writes all three as refunds. Which it is, only the goods and the money together tell:
README.md, "Refunds".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from connectors.shopify.lines import EXCLUDED
from connectors.shopify.money import CENT, ZERO, share, shares, total_of
from connectors.shopify.order import Charge, GivenBack, Order, Returned
from hub.domain.sale import Refund, RefundLine, SaleLine

_SUCCESS: Final = "success"
#: Money on its way back: https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderTransactionStatus
UNDER_WAY: Final = frozenset({"pending", "awaiting_response"})


@dataclass(slots=True)
class Reckoning:
    """What came of all refunds of an order. `goods` is what their lines are worth."""

    refunds: list[Refund] = field(default_factory=list)
    removed: list[RefundLine] = field(default_factory=list)
    goods: Decimal = ZERO
    money: Decimal = ZERO
    under_way: bool = False
    #: Worth of what was removed and not named by a line of ours.
    nameless: Decimal = ZERO
    #: Fees for returns that no refund explained yet.
    fees: Decimal = ZERO
    #: Worth of each thing that was removed, also of what money paid for since.
    taken: list[Decimal] = field(default_factory=list)

    @property
    def owed(self) -> Decimal:
        return total_of(_gross(one) for one in self.removed) + self.nameless


@dataclass(frozen=True, slots=True)
class _Worth:
    """One refund: the lines it names, their worth, and the money it moved."""

    source: GivenBack
    lines: tuple[RefundLine, ...]
    goods: Decimal
    money: Decimal
    rounding: Decimal

    @property
    def gap(self) -> Decimal:
        return self.goods - self.money

    @property
    def pending(self) -> bool:
        return any(one.pending for one in self.source.adjustments)

    @property
    def explained(self) -> bool:
        """Its adjustments are the gap, whether or not their amounts hold the tax told."""
        bare = total_of(one.amount for one in self.source.adjustments)
        taxes = total_of(one.tax for one in self.source.adjustments)
        return abs(self.gap - bare) < CENT or abs(self.gap - bare - taxes) < CENT


def reckoned(order: Order, lines: Sequence[SaleLine], doubts: list[str]) -> Reckoning:
    """Every refund, oldest first."""
    known = {line.key: line for line in lines}
    sums = Reckoning()
    _take_out(order, known, sums)
    oldest_first = sorted(order.refunds, key=lambda one: (one.at or order.placed_at, one.key))
    worths = [_worth(given, order, known) for given in oldest_first]
    sums.fees = _fees(order, total_of(line.total for line in lines) - sums.goods, worths)
    for worth in worths:
        given = worth.source
        sums.goods += worth.goods
        sums.money += worth.money
        if any(one.status in UNDER_WAY for one in given.transactions):
            sums.under_way = True
            continue
        _settle(worth, sums, doubts)
        if worth.money and worth.gap > 0 and not worth.explained and _unbalanced(order):
            doubts.append(
                f"El reembolso {given.key} devolvió {worth.gap:.2f} menos que sus piezas."
            )
    if sums.nameless and not order.cancelled:
        doubts.append(f"Se quitaron {sums.nameless:.2f} del pedido sin decir de qué renglón.")
    return sums


def _fees(order: Order, charged: Decimal, worths: Sequence[_Worth]) -> Decimal:
    """A delivered copy has no ledger: a fee is what is left beyond the goods that are, if nothing
    is owed and no adjustment explains it."""
    if order.ledger is not None:
        return order.return_fees
    adjusted = any(one.source.adjustments for one in worths)
    if order.cancelled or adjusted or order.current_total is None or order.outstanding != 0:
        return ZERO
    return order.current_total - charged + total_of(one.goods for one in worths)


def _take_out(order: Order, known: Mapping[str, SaleLine], sums: Reckoning) -> None:
    """Pieces that are gone and no refund tells of: the order was edited. At their share of the
    price, in cents; whether that is what Shopify took off is seen in the sum that is left."""
    for charge in order.charges:
        line = known.get(charge.key)
        gone = missing(order, charge)
        if line is None or gone <= 0 or charge.quantity <= 0:
            continue
        gross = round(share(line.total, gone, charge.quantity), 2)
        tax = total_of(one.amount for one in line.taxes)
        told = Returned(charge.key, gone, gross, round(share(tax, gone, charge.quantity), 2))
        made = _refund_line(told, gross, line)
        if made:
            sums.goods += gross
            sums.taken.append(gross)
            sums.removed.append(made)


def edited_out(order: Order, lines: Sequence[SaleLine], sums: Reckoning) -> tuple[RefundLine, ...]:
    """What edits had removed of an order that was cancelled: as much as its total went down by.
    What cancelling it put back on the shelf is no less charged."""
    left = total_of(line.total for line in lines) - order.total
    found = []
    for one in sums.removed:
        if left <= 0:
            break
        found.append(one)
        left -= _gross(one)
    return tuple(found) if left == 0 else ()


def missing(order: Order, charge: Charge) -> Decimal:
    """Pieces that are gone, less those that refunds name; below 0 where fewer are gone."""
    if charge.current is None:
        return ZERO
    told = [one for given in order.refunds for one in given.returned]
    back = total_of(one.quantity for one in told if one.key == charge.key)
    if charge.kind == "shipping":  # given back in parts, or by a refund that names no line
        return ZERO if back or any(one.key == "shipping-" for one in told) else charge.quantity
    return charge.quantity - charge.current - back


def _unbalanced(order: Order) -> bool:
    """Nothing tells whether what was paid and what was sold are the same."""
    return order.net_payment is None and order.outstanding is None


def _settle(worth: _Worth, sums: Reckoning, doubts: list[str]) -> None:
    gap, fee = worth.gap, _fee_within(worth, sums)
    if worth.money == 0:
        # Goods came back and were not paid for (a fee as large as they), or were never charged.
        if gap > fee and (worth.pending or not worth.explained or not worth.source.adjustments):
            _remove(_scaled(worth.lines, gap - fee, gap), gap - fee, sums)
    elif gap > 0 and worth.explained:
        lines = _scaled(worth.lines, worth.money, worth.goods)
        sums.refunds.append(_refund(worth, worth.money, lines))
        if worth.pending:
            _remove(_rest(worth.lines, lines), gap, sums)
    elif gap >= 0:
        # More goods than money, and no adjustment: other goods were given in exchange.
        goods = worth.goods - fee
        lines = _scaled(worth.lines, goods, worth.goods)
        sums.refunds.append(_refund(worth, goods, lines))
    else:
        lines = worth.lines + _from_owed(worth, sums)
        if not worth.explained and len(lines) == len(worth.lines):
            doubts.append(
                f"El reembolso {worth.source.key} devolvió {-gap:.2f} más que lo que nombra."
            )
        sums.refunds.append(_refund(worth, worth.money, lines))


def _fee_within(worth: _Worth, sums: Reckoning) -> Decimal:
    """What was kept of returned goods as a fee; where adjustments say so, they say it all."""
    if worth.gap <= 0 or worth.source.adjustments:
        return ZERO
    fee = min(worth.gap, max(sums.fees, ZERO))
    sums.fees -= fee
    return fee


def _remove(lines: tuple[RefundLine, ...], goods: Decimal, sums: Reckoning) -> None:
    sums.taken.append(goods)
    sums.removed += lines
    sums.nameless += goods - total_of(map(_gross, lines))


def _from_owed(worth: _Worth, sums: Reckoning) -> tuple[RefundLine, ...]:
    """Money without goods pays for what was removed before, as far as it goes."""
    extra, owed = -worth.gap, total_of(map(_gross, sums.removed))
    if owed <= 0 or (worth.source.adjustments and not worth.pending):
        return ()
    paid = _scaled(tuple(sums.removed), min(extra, owed), owed)
    sums.removed = [one for one in _rest(tuple(sums.removed), paid) if _gross(one)]
    return paid


def _refund(worth: _Worth, total: Decimal, lines: tuple[RefundLine, ...]) -> Refund:
    given = total + worth.rounding
    if worth.rounding and lines:
        named = total_of(map(_gross, lines))
        lines = _scaled(lines, named + worth.rounding, named)
    return Refund(worth.source.key, given, worth.source.note, worth.source.at, lines)


def _worth(given: GivenBack, order: Order, known: Mapping[str, SaleLine]) -> _Worth:
    """With prices that hold their tax it is not said whether refunded shipping does too."""
    money = [one for one in given.transactions if (one.kind, one.status) == ("refund", _SUCCESS)]
    moved = total_of(one.amount for one in money)
    rounding = total_of(one.rounding for one in money)
    found = []
    for holds_tax in (True, False) if order.taxes_included else (False,):
        lines, goods = _named(given.returned, order, known, holds_tax)
        found.append(_Worth(given, lines, goods, moved, rounding))
    return next((one for one in found if one.gap == 0 or one.explained), found[0])


def _named(
    returned: Sequence[Returned],
    order: Order,
    known: Mapping[str, SaleLine],
    holds_tax: bool,  # noqa: FBT001 - a reading to be tried
) -> tuple[tuple[RefundLine, ...], Decimal]:
    lines, goods = [], ZERO
    for one in returned:
        product = not one.key.startswith(("shipping-", "duty-"))
        within = order.taxes_included if product else holds_tax
        gross = one.subtotal if within else one.subtotal + one.tax
        goods += gross
        line = _line_of(one, known)
        made = _refund_line(one, gross, line) if line and gross > 0 else None
        if made:
            lines.append(made)
    return tuple(lines), goods


def _line_of(one: Returned, known: Mapping[str, SaleLine]) -> SaleLine | None:
    """Shipping given back without naming its line is of the only one there is."""
    if one.key != "shipping-":
        return known.get(one.key)
    of_shipping = [line for line in known.values() if line.kind == "shipping"]
    return of_shipping[0] if len(of_shipping) == 1 else None


def _refund_line(one: Returned, gross: Decimal, line: SaleLine) -> RefundLine | None:
    """None if it gives back a tax or more than the line had: then only the amount counts."""
    charged = [tax.amount for tax in line.taxes]
    if (one.tax and not total_of(charged)) or one.tax < 0 or gross - one.tax > line.base + CENT:
        return None
    taxes = shares(one.tax, charged)
    return RefundLine(line.key, one.quantity, gross - one.tax, taxes)


def _gross(line: RefundLine) -> Decimal:
    return total_of((line.base, *line.taxes))


def _scaled(lines: tuple[RefundLine, ...], part: Decimal, whole: Decimal) -> tuple[RefundLine, ...]:
    """The lines at part ÷ whole of their price, with all their pieces."""
    if part == whole:
        return lines
    named = total_of(map(_gross, lines))
    aim = named * part / whole if named != whole else part
    amounts = [amount for line in lines for amount in (line.base, *line.taxes)]
    parts = iter(shares(round(aim, 6), amounts))
    return tuple(
        replace(line, base=next(parts), taxes=tuple(next(parts) for _ in line.taxes))
        for line in lines
    )


def _rest(lines: tuple[RefundLine, ...], taken: tuple[RefundLine, ...]) -> tuple[RefundLine, ...]:
    """What of the lines was not taken; their pieces went with what was."""
    return tuple(
        RefundLine(
            line.key,
            ZERO,
            line.base - part.base,
            tuple(a - b for a, b in zip(line.taxes, part.taxes, strict=True)),
        )
        for line, part in zip(lines, taken, strict=True)
    )


def apart(
    refunds: Sequence[Refund], lines: Sequence[SaleLine]
) -> tuple[tuple[Refund, ...], dict[str, Decimal]]:
    """The refunds of the sale, and what was given back of each charge that is no part of it."""
    foreign = {line.key for line in lines if line.kind in EXCLUDED}
    ours, theirs = [], dict.fromkeys(foreign, ZERO)
    for refund in refunds:
        others = [one for one in refund.lines if one.key in foreign]
        for one in others:
            theirs[one.key] += _gross(one)
        total = refund.total - total_of(map(_gross, others))
        kept = tuple(one for one in refund.lines if one.key not in foreign)
        if total > 0:
            ours.append(replace(refund, total=total, lines=kept))
    return tuple(ours), theirs
