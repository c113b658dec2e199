"""A ticket of the general public as one Concepto, in whole units of its currency.

Since every ticket is whole cents, any set of them adds up exactly: the global invoice, each part of
a split one, and what stays when a ticket is credited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Final

from cfdi.amounts import NoExactDocument, Partida, WhyNot
from cfdi.amounts.fitting import explained_lines
from cfdi.amounts.lines import Kind, Line, Tax, from_gross, window
from cfdi.amounts.units import half_up, of_units
from cfdi.comprobante import Concepto, Impuesto, TipoFactor, Traslado
from cfdi.documents.refused import DocumentRefused

#: "No existe en el catálogo": what a global invoice sells (guide of the global CFDI).
VENTA_GLOBAL: Final = "01010101"
_DESCRIPTION: Final = "Venta"
_STEPS: Final = (0, -1, 1, -2, 2, -3, 3)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A sale that nobody asked an invoice for, as charged; `forma_pago` is that of its payment."""

    numero: str
    partidas: tuple[Partida, ...]
    total: Decimal
    forma_pago: str


@dataclass(frozen=True, slots=True)
class _Split:
    """A way to write a ticket, in millionths: the price, and base and amount of each tax."""

    net: int
    taxes: dict[Kind, tuple[int, int]]


def ticket_concepto(ticket: Ticket, decimales: int) -> Concepto:
    """The Concepto whose price and taxes make the ticket's total exactly.

    The taxes are those charged where SAT's limits for one Concepto allow it, else what their rates
    make of the total. Raises `DocumentRefused`, `NoExactDocument`.
    """
    if not 1 <= len(ticket.numero) <= 100 or not ticket.total.is_finite() or ticket.total <= 0:
        raise DocumentRefused("tickets")
    if any(partida.retenciones for partida in ticket.partidas):
        raise DocumentRefused("ticket_withheld")
    lines, goal = explained_lines(ticket.partidas, total=ticket.total, decimales=decimales)
    unit = 10 ** (6 - decimales)
    split = _as_charged(lines, goal, unit, decimales) or _found(lines, goal, unit, decimales)
    if split is None:
        raise NoExactDocument(WhyNot.NO_SUM, "a ticket has no exact Concepto")
    return _written(ticket.numero, split, decimales)


def _as_charged(lines: Sequence[Line], goal: int, unit: int, decimales: int) -> _Split | None:
    net = 0
    taxes: dict[Kind, tuple[int, int]] = {}
    for line in lines:
        net += line.net
        for tax in line.taxes:
            base, amount = taxes.get(tax.kind, (0, 0))
            taxes[tax.kind] = (base + tax.base, amount + tax.amount)
    split = _Split(net, taxes)
    whole = net % unit == 0 and all(
        base % unit == 0 and amount % unit == 0 for base, amount in taxes.values()
    )
    if not whole or net + sum(amount for _, amount in taxes.values()) != goal:
        return None
    return split if _holds(split, decimales) else None


def _holds(split: _Split, decimales: int) -> bool:
    unit = 10 ** (6 - decimales)
    for kind, (base, amount) in split.taxes.items():
        lower, upper = _limits(kind, base, decimales)
        if not lower <= amount // unit <= upper:
            return False
    return split.net > 0


def _limits(kind: Kind, base: int, decimales: int) -> tuple[int, int]:
    if kind.factor is TipoFactor.EXENTO or not base:
        return 0, 0
    return window(base, decimales, kind.rate, decimales)


def _found(lines: Sequence[Line], goal: int, unit: int, decimales: int) -> _Split | None:
    """The lines by the taxes they bear, priced back from the total; then the nearest cents."""
    bundles = _bundles(lines)
    largest = max(range(len(bundles)), key=lambda place: bundles[place].gross, default=None)
    if largest is None:
        return None
    missing = goal - sum(bundle.gross for bundle in bundles)
    priced = []
    for place, bundle in enumerate(bundles):
        gross = bundle.gross + (missing if place == largest else 0)
        back = from_gross(bundle, gross)
        if back is None:
            return None
        priced.append(back)
    nets = [half_up(bundle.net, unit) * unit for bundle in priced]
    for step in _STEPS:
        moved = list(nets)
        moved[largest] += step * unit
        if min(moved) < 0:
            continue
        split = _at_prices(priced, moved, goal, decimales)
        if split is not None:
            return split
    return None


def _bundles(lines: Sequence[Line]) -> list[Line]:
    """Lines of the same taxes as one."""
    found: dict[tuple[Kind, ...], Line] = {}
    for line in lines:
        kinds = tuple(tax.kind for tax in line.taxes) if line.net else ()
        known = found.get(kinds)
        if known is None:
            found[kinds] = line
            continue
        taxes = tuple(
            Tax(mine.kind, mine.base + more.base, mine.amount + more.amount)
            for mine, more in zip(known.taxes, line.taxes, strict=True)
        )
        found[kinds] = Line(
            known.quantity + line.quantity,
            known.net + line.net,
            known.discount + line.discount,
            taxes,
        )
    return list(found.values())


def _at_prices(
    bundles: Sequence[Line], nets: Sequence[int], goal: int, decimales: int
) -> _Split | None:
    """With these prices: IEPS rounded down or up, and IVA taking what is missing in its limits."""
    unit = 10 ** (6 - decimales)
    for ieps in _ieps(bundles, nets, unit):
        taxes: dict[Kind, tuple[int, int]] = {}
        for bundle, net, amounts in zip(bundles, nets, ieps, strict=True):
            _add(taxes, bundle, net, amounts, unit)
        missing = goal - sum(nets) - sum(amount for _, amount in taxes.values())
        split = _iva_fills(_Split(sum(nets), taxes), missing, decimales)
        if split is not None and _holds(split, decimales):
            return split
    return None


def _ieps(
    bundles: Sequence[Line], nets: Sequence[int], unit: int
) -> Iterator[tuple[tuple[int, ...], ...]]:
    """The IEPS of each bundle, the nearest cents first."""
    choices = []
    for bundle, net in zip(bundles, nets, strict=True):
        exact = [
            (bundle.quantity if tax.kind.factor is TipoFactor.CUOTA else net) * tax.kind.rate
            for tax in bundle.taxes
            if tax.kind.impuesto is not Impuesto.IVA
        ]
        scale = 10**6 * unit
        options = [_nearest_first(one, scale) for one in exact]
        choices.append([tuple(up * unit for up in each) for each in product(*options)])
    yield from product(*choices)


def _nearest_first(amount: int, scale: int) -> list[int]:
    """The whole units around it."""
    return sorted({amount // scale, -(-amount // scale)}, key=lambda up: abs(up * scale - amount))


def _add(
    taxes: dict[Kind, tuple[int, int]], bundle: Line, net: int, ieps: tuple[int, ...], unit: int
) -> None:
    mine = iter(ieps)
    for tax in bundle.taxes:
        base, amount = taxes.get(tax.kind, (0, 0))
        if tax.kind.impuesto is Impuesto.IVA:
            taxes[tax.kind] = (base + net + sum(ieps), amount)
        elif tax.kind.factor is TipoFactor.CUOTA:
            units = half_up(bundle.quantity, unit) * unit
            taxes[tax.kind] = (base + units, amount + next(mine))
        else:
            taxes[tax.kind] = (base + net, amount + next(mine))


def _iva_fills(split: _Split, missing: int, decimales: int) -> _Split | None:
    unit = 10 ** (6 - decimales)
    taxes = dict(split.taxes)
    rates = [kind for kind in taxes if kind.impuesto is Impuesto.IVA]
    limits = {kind: _limits(kind, taxes[kind][0], decimales) for kind in rates}
    amounts = {
        kind: min(max(half_up(taxes[kind][0] * kind.rate, 10**6 * unit), low), high)
        for kind, (low, high) in limits.items()
    }
    missing = missing // unit - sum(amounts.values())
    for kind in rates:
        low, high = limits[kind]
        more = max(low - amounts[kind], min(high - amounts[kind], missing))
        amounts[kind] += more
        missing -= more
    if missing:
        return None
    for kind in rates:
        taxes[kind] = (taxes[kind][0], amounts[kind] * unit)
    return _Split(split.net, taxes)


def _written(numero: str, split: _Split, decimales: int) -> Concepto:
    unit = 10 ** (6 - decimales)
    net = of_units(split.net // unit, decimales)
    traslados = tuple(
        _traslado(kind, base // unit, amount // unit, decimales)
        for kind, (base, amount) in split.taxes.items()
        if base
    )
    return Concepto(
        clave_prod_serv=VENTA_GLOBAL,
        cantidad=Decimal(1),
        clave_unidad="ACT",
        descripcion=_DESCRIPTION,
        valor_unitario=net,
        importe=net,
        objeto_imp="02" if traslados else "01",
        no_identificacion=numero,
        traslados=traslados,
    )


def _traslado(kind: Kind, base: int, amount: int, decimales: int) -> Traslado:
    written = of_units(base, decimales)
    if kind.factor is TipoFactor.EXENTO:
        return Traslado(written, kind.impuesto, kind.factor)
    rate, importe = of_units(kind.rate, 6), of_units(amount, decimales)
    return Traslado(written, kind.impuesto, kind.factor, rate, importe)
