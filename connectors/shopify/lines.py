"""What was charged, each as a line without tax. README.md, "Money", says why so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from connectors.shopify.money import CENT, ZERO, share, shares, total_of
from connectors.shopify.order import Charge, Order, Tax
from hub.domain.sale import RefundLine, SaleLine, SaleTax

#: cfdi:Concepto/@Descripcion: http://omawww.sat.gob.mx/tramitesyservicios/Paginas/anexo_20.htm
MAX_DESCRIPTION: Final = 1000
#: Charged with an order and no sale: the tip is somebody else's, the gift card is money.
EXCLUDED: Final = frozenset({"tip", "gift_card"})
_NAMELESS: Final = {
    "shipping": "Envío",
    "fee": "Cargo",
    "duty": "Impuestos de importación",
    "tip": "Propina",
    "gift_card": "Tarjeta de regalo",
}


def lines_of(order: Order, doubts: list[str]) -> tuple[SaleLine, ...]:
    """Every charge, also tips and gift cards (`EXCLUDED`), before anything was given back."""
    charges = [
        one for one in _with_tip(order) if not (order.duties_included and one.kind == "duty")
    ]
    lines = tuple(_line(one, order.taxes_included) for one in charges)
    for charge, line in zip(charges, lines, strict=True):
        doubts += _doubts(charge, line)
    # A free shipping method is no concept of an invoice; a free product is one that was given.
    return tuple(line for line in lines if line.kind == "product" or line.total != 0)


def _with_tip(order: Order) -> tuple[Charge, ...]:
    """The line of the tip is known as one, or is the only one it can be; else it has none."""
    if order.tip <= 0 or any(one.kind == "tip" for one in order.charges):
        return order.charges
    alike = [
        one
        for one in order.charges
        if one.kind == "product" and one.custom and not one.taxes and one.gross == order.tip
    ]
    if len(alike) == 1:
        return tuple(replace(one, kind="tip") if one is alike[0] else one for one in order.charges)
    return (*order.charges, Charge("tip", "tip", "", Decimal(1), order.tip))


def _line(charge: Charge, taxes_included: bool) -> SaleLine:  # noqa: FBT001 - a property of the order
    base, discount = _without_tax(charge) if taxes_included else _plain(charge)
    return SaleLine(
        key=charge.key,
        description=described(charge.name) or _NAMELESS.get(charge.kind, "Producto"),
        quantity=charge.quantity,
        subtotal=base + discount,
        discount=discount,
        taxes=tuple(SaleTax(tax.amount, tax.rate, tax.title) for tax in charge.taxes),
        kind="fee" if charge.kind == "duty" else charge.kind,
        sku=charge.sku,
        product=charge.product,
    )


def _plain(charge: Charge) -> tuple[Decimal, Decimal]:
    return charge.gross - charge.discount, charge.discount


def _without_tax(charge: Charge) -> tuple[Decimal, Decimal]:
    """Prices include the tax: what was paid less the tax told is the base, and the discount is
    lowered in the same proportion, or by the rates where nothing was paid."""
    paid = charge.gross - charge.discount
    base = paid - _tax(charge.taxes)
    if paid > 0:
        return base, share(charge.discount, base, paid)
    rates = total_of(tax.rate or ZERO for tax in charge.taxes)
    return base, share(charge.discount, Decimal(1), 1 + rates)


def _tax(taxes: Iterable[Tax]) -> Decimal:
    return total_of(tax.amount for tax in taxes)


def described(name: str) -> str:
    return " ".join(name.split())[:MAX_DESCRIPTION].strip()


def _doubts(charge: Charge, line: SaleLine) -> list[str]:
    found = []
    if line.quantity <= 0 or min(line.base, line.discount, *(t.amount for t in line.taxes)) < 0:
        found.append(f"El renglón {line.key} tiene cantidad o importe negativo, o cantidad cero.")
    if any(tax.channel_liable for tax in charge.taxes):
        found.append(f"El impuesto del renglón {line.key} lo entera el canal de venta.")
    if any(not tax.amount and line.base * (tax.rate or ZERO) >= CENT for tax in line.taxes):
        found.append(f"El renglón {line.key} tiene una tasa de impuesto y ningún impuesto.")
    return found


def less(lines: Iterable[SaleLine], removed: Sequence[RefundLine]) -> tuple[SaleLine, ...]:
    """The lines without what was removed before anybody paid for it, or exchanged."""
    kept = []
    for line in lines:
        for one in removed:
            line = _less(line, one) if one.key == line.key else line  # noqa: PLW2901 - a fold
        if line.total != 0 or line.quantity > 0:
            kept.append(line)
    return tuple(kept)


def _less(line: SaleLine, one: RefundLine) -> SaleLine:
    """A line of which nothing is left has quantity 0; what is kept of pieces that are all gone is
    their price."""
    quantity, base = line.quantity - one.quantity, line.base - one.base
    taxes = tuple(
        replace(tax, amount=tax.amount - amount)
        for tax, amount in zip(line.taxes, one.taxes, strict=True)
    )
    if quantity == 0 and base > 0:
        quantity = line.quantity
    listed = share(line.subtotal, max(quantity, ZERO), line.quantity) if line.quantity else ZERO
    subtotal = max(listed, base)
    return replace(
        line, quantity=quantity, subtotal=subtotal, discount=subtotal - base, taxes=taxes
    )


def rounded(lines: tuple[SaleLine, ...], rounding: Decimal) -> tuple[SaleLine, ...]:
    """The lines as they were paid in cash: the rounding of the order spread over all of them."""
    if rounding == 0:
        return lines
    parts = shares(rounding, [line.total for line in lines])
    return tuple(_paid(line, part) for line, part in zip(lines, parts, strict=True))


def _paid(line: SaleLine, more: Decimal) -> SaleLine:
    amounts = (line.base, *(tax.amount for tax in line.taxes))
    base, *taxes = (a + s for a, s in zip(amounts, shares(more, amounts), strict=True))
    subtotal = max(line.subtotal, base)
    return replace(
        line,
        subtotal=subtotal,
        discount=subtotal - base,
        taxes=tuple(
            replace(tax, amount=amount) for tax, amount in zip(line.taxes, taxes, strict=True)
        ),
    )
