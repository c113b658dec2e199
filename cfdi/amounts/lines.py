"""A line in whole millionths, and the three ways to write what was charged for it.

All numbers are integers of 10⁻⁶: exact, and fast enough for carts of hundreds of lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from cfdi.amounts.units import EXACT, MICROS, UNIT, half_up
from cfdi.amounts.values import NoExactDocument, Partida, Tributo, WhyNot
from cfdi.comprobante import Impuesto, TipoFactor

#: t_Importe allows 18 digits before the point; nothing near it is a sale.
AMOUNT_MAX: Final = 10**18


class Kind(NamedTuple):
    """What taxes are grouped by at document level."""

    impuesto: Impuesto
    factor: TipoFactor
    rate: int  # 0 where exempt


class Tax(NamedTuple):
    kind: Kind
    base: int
    amount: int


class Line(NamedTuple):
    quantity: int
    net: int  # after discount, without tax
    discount: int
    taxes: tuple[Tax, ...]
    withheld: tuple[Tax, ...] = ()

    @property
    def gross(self) -> int:
        """What is paid for it."""
        gross = self.net
        for tax in self.taxes:
            gross += tax.amount
        for tax in self.withheld:
            gross -= tax.amount
        return gross


def read(partida: Partida, place: int) -> Line:
    """The line as charged. Raises `NoExactDocument` for what no Concepto can say."""
    quantity = _micros(partida.cantidad, place, exact=True)
    subtotal = _micros(partida.subtotal, place)
    discount = _micros(partida.descuento, place)
    if quantity <= 0:
        raise NoExactDocument(WhyNot.QUANTITY, f"line {place}: a quantity above 0 is needed")
    if subtotal <= 0 or not 0 <= discount <= subtotal:
        raise NoExactDocument(
            WhyNot.PRICE,
            f"line {place}: a price above 0 and a discount no larger than it are needed",
        )
    net = subtotal - discount
    taxes: list[Tax] = []
    for tributo in partida.tributos:
        kind = _kind(tributo, place)
        taxes.append(Tax(kind, base_of(kind, quantity, net, taxes), _charged(tributo, place)))
    withheld: list[Tax] = []
    for tributo in partida.retenciones:
        kind = _kind(tributo, place)
        if kind.factor is TipoFactor.EXENTO:
            raise NoExactDocument(WhyNot.RATE, f"line {place}: a withheld tax is exempt")
        base = withheld_base_of(kind, quantity, net, taxes)
        withheld.append(Tax(kind, base, _charged(tributo, place)))
    return Line(quantity, net, discount, tuple(taxes), tuple(withheld))


def _charged(tributo: Tributo, place: int) -> int:
    amount = _micros(tributo.importe, place)
    if amount < 0:
        raise NoExactDocument(WhyNot.TAX, f"line {place}: a tax is negative")
    return amount


def _kind(tributo: Tributo, place: int) -> Kind:
    exempt = tributo.tipo_factor is TipoFactor.EXENTO
    if exempt != (tributo.tasa_o_cuota is None) or (exempt and tributo.importe):
        raise NoExactDocument(
            WhyNot.RATE, f"line {place}: an exempt tax has neither rate nor amount"
        )
    if tributo.tasa_o_cuota is None:
        return Kind(tributo.impuesto, tributo.tipo_factor, 0)
    rate = _micros(tributo.tasa_o_cuota, place, exact=True)
    if rate < 0:
        raise NoExactDocument(WhyNot.RATE, f"line {place}: a tax rate is negative")
    return Kind(tributo.impuesto, tributo.tipo_factor, rate)


def _micros(amount: Decimal, place: int, *, exact: bool = False) -> int:
    """Rounded half-up; with `exact`, finer than a millionth is an error."""
    if not amount.is_finite() or amount.adjusted() > 17:
        raise NoExactDocument(
            WhyNot.AMOUNT, f"line {place}: an amount is not finite or far too large"
        )
    scaled = amount.scaleb(6, EXACT)
    whole = int(scaled)
    if whole == scaled:
        return whole
    if exact:
        raise NoExactDocument(
            WhyNot.QUANTITY, f"line {place}: a quantity or rate has more than 6 decimals"
        )
    return int(scaled.to_integral_value(ROUND_HALF_UP, EXACT))


def base_of(kind: Kind, quantity: int, net: int, before: Sequence[Tax]) -> int:
    """What a tax is computed upon: units for a Cuota, and for IVA the IEPS too (LIVA 12)."""
    if kind.factor is TipoFactor.CUOTA:
        return quantity
    if kind.impuesto is Impuesto.IVA:
        for tax in before:
            net += tax.amount
    return net


def withheld_base_of(kind: Kind, quantity: int, net: int, taxes: Sequence[Tax]) -> int:
    """The same for a withheld tax; that of IVA is what IVA was charged upon (LIVA 1-A)."""
    if kind.impuesto is not Impuesto.IVA:
        return base_of(kind, quantity, net, ())
    return base_of(
        kind, quantity, net, [tax for tax in taxes if tax.kind.impuesto is Impuesto.IEPS]
    )


def with_exact_taxes(line: Line) -> Line:
    """The same price with each tax computed anew to the millionth."""
    return taxed(line, line.net)


def taxed(line: Line, net: int) -> Line:
    """The line at another price, its taxes computed to the millionth."""
    taxes: list[Tax] = []
    for tax in line.taxes:
        base = base_of(tax.kind, line.quantity, net, taxes)
        taxes.append(Tax(tax.kind, base, half_up(base * tax.kind.rate, MICROS)))
    withheld = withheld_anew(line, net, taxes)
    return Line(line.quantity, net, line.discount, tuple(taxes), withheld)


def withheld_anew(line: Line, net: int, taxes: Sequence[Tax]) -> tuple[Tax, ...]:
    """What is withheld of the line at this price and these taxes, to the millionth."""
    if not line.withheld:
        return ()
    bases = [withheld_base_of(tax.kind, line.quantity, net, taxes) for tax in line.withheld]
    return tuple(
        Tax(tax.kind, base, half_up(base * tax.kind.rate, MICROS))
        for tax, base in zip(line.withheld, bases, strict=True)
    )


def from_gross(line: Line, gross: int) -> Line | None:
    """The line whose price and exact taxes make `gross`, to a few millionths; None if none does."""
    exact = with_exact_taxes(line)
    if abs(exact.gross - gross) <= len(line.taxes) + len(line.withheld):
        return exact
    grows = slope(line)
    if grows <= 0:
        return None
    net = half_up(max(gross - _by_unit(line), 0) * MICROS**2, grows)
    if net == 0 and not (gross == 0 and line.discount):
        return None
    return taxed(line, net)


def slope(line: Line) -> int:
    """By how much what is paid grows with the price, in 10⁻¹²: IEPS upon it, IVA upon both."""
    ieps = iva = withheld = 0
    for tax in line.taxes:
        if tax.kind.impuesto is Impuesto.IVA:
            iva += tax.kind.rate
        elif tax.kind.factor is not TipoFactor.CUOTA:
            ieps += tax.kind.rate
    for tax in line.withheld:
        if tax.kind.factor is TipoFactor.CUOTA:
            continue
        if tax.kind.impuesto is Impuesto.IVA:
            iva -= tax.kind.rate
        else:
            withheld += tax.kind.rate
    return (MICROS + ieps) * (MICROS + iva) - MICROS * withheld


def _by_unit(line: Line) -> int:
    """What is paid whatever the price is: taxes by the unit and the IVA upon them."""
    return taxed(line, 0).gross


def places(micros: int, least: int) -> int:
    """How many decimals an amount is written with: those it needs, `least` at the fewest."""
    if not micros % UNIT[least]:  # most amounts
        return least
    decimals = 6
    while decimals > least and micros % 10 == 0:
        micros //= 10
        decimals -= 1
    return decimals


def window(base: int, base_places: int, rate: int, tax_places: int) -> tuple[int, int]:
    """The least and the most tax SAT accepts (CFDI40180), in units of its last written decimal."""
    pico = base * 10**6
    half = 5 * 10 ** (11 - base_places)
    unit = 10 ** (18 - tax_places)
    return max(pico - half, 0) * rate // unit, -(-(pico + half - 1) * rate // unit)


def within_limits(line: Line, decimals: int) -> bool:
    """Whether SAT accepts every tax of the line as it would be written."""
    for tax in (*line.taxes, *line.withheld):
        if not tax.base:
            if tax.amount:
                return False
            continue
        written = places(tax.amount, decimals)
        lower, upper = window(tax.base, places(tax.base, decimals), tax.kind.rate, written)
        if not lower <= tax.amount // UNIT[written] <= upper:
            return False
    return True
