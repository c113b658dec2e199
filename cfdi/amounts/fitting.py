"""From what was charged to a document that says exactly that.

Four ways are tried, the most faithful first, and the first that adds up is taken: the amounts as
the shop charged them; its prices with taxes computed anew; prices computed back from what was paid,
with taxes rewritten at the currency's decimals, rounded down or up, where the rounding of the sums
misses; and every line in whole cents. Each line stays within SAT's limits (CFDI40167, CFDI40180,
CFDI40186: Anexo 20, rubro I.F, DOF 13-01-2022).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from cfdi.amounts.lines import (
    AMOUNT_MAX,
    Kind,
    Line,
    Tax,
    from_gross,
    places,
    read,
    slope,
    with_exact_taxes,
    within_limits,
)
from cfdi.amounts.nudge import in_cents, nudged
from cfdi.amounts.sums import Sums, add_up
from cfdi.amounts.units import EXACT, MICROS, UNIT, half_up
from cfdi.amounts.values import Cuentas, NoExactDocument, Partida, Renglon, WhyNot
from cfdi.comprobante import Impuestos, Retencion, RetencionTotal, TipoFactor, Traslado

#: A shop that charges whole pesos rounds price and tax to whole pesos.
_WHOLE: Final = MICROS


def fit(
    partidas: Sequence[Partida],
    *,
    total: Decimal,
    decimales: int,
    redondeo: Decimal | None = None,
) -> Cuentas:
    """The amounts of a document whose Total is `total` exactly. `decimales` is the currency's.

    `redondeo` is what whoever charged rounded each amount to, if that is more than the currency's
    smallest unit: 1 for whole pesos. Raises `NoExactDocument` with its reason: the lines do not
    explain the total (half of that for each amount is rounding, more is not), a tax charged is not
    its rate, or no document exists.
    """
    lines, goal = explained_lines(partidas, total=total, decimales=decimales, redondeo=redondeo)
    for found in _ways(lines, goal, decimales):
        if found is None:
            continue
        sums = add_up(found, decimales)
        if sums.total == goal:
            return _written(found, sums, decimales)
    raise NoExactDocument(WhyNot.NO_SUM, "no valid document adds up to what was charged")


def explained_lines(
    partidas: Sequence[Partida],
    *,
    total: Decimal,
    decimales: int,
    redondeo: Decimal | None = None,
) -> tuple[list[Line], int]:
    """The lines and the total in millionths, once they explain it but for rounding.

    Raises `NoExactDocument`.
    """
    if not 0 <= decimales <= 4:
        raise NoExactDocument(WhyNot.CURRENCY, "a currency has between 0 and 4 decimals")
    goal = _goal(total, decimales)
    lines = [read(partida, place) for place, partida in enumerate(partidas, 1)]
    _refuse_unexplained(lines, goal, _rounding(redondeo, decimales))
    return lines, goal


def _rounding(redondeo: Decimal | None, decimals: int) -> int:
    """In millionths: at most whole units of the currency, at least its smallest one."""
    least: int = 10 ** (6 - decimals)
    if redondeo is None:
        return least
    if not redondeo.is_finite() or not 0 < redondeo <= 1:
        raise NoExactDocument(WhyNot.TOTAL, "amounts are rounded to at most whole units")
    return max(least, int(redondeo.scaleb(6, context=EXACT)))


def _goal(total: Decimal, decimals: int) -> int:
    if not total.is_finite() or total < 0 or total.adjusted() > 17:
        raise NoExactDocument(WhyNot.TOTAL, "the total is not an amount of money")
    scaled = total.scaleb(6, context=EXACT)
    if scaled != int(scaled) or int(scaled) % 10 ** (6 - decimals):
        raise NoExactDocument(
            WhyNot.TOTAL, f"the total has more than the {decimals} decimals of its currency"
        )
    return int(scaled)


def _refuse_unexplained(lines: Sequence[Line], goal: int, unit: int) -> None:
    # The total, every price and every tax may have been rounded by itself, half a unit each.
    rounded = 1 + sum(1 + len(line.taxes) + len(line.withheld) for line in lines)
    if 2 * abs(sum(line.gross for line in lines) - goal) > unit * rounded:
        raise NoExactDocument(WhyNot.UNEXPLAINED, "the lines do not add up to the total charged")
    for place, line in enumerate(lines, 1):
        if line.withheld and slope(line) <= 0:
            raise NoExactDocument(WhyNot.WITHHELD, f"line {place}: more is withheld than paid")
        if not _at_its_rate(line, unit):
            raise NoExactDocument(
                WhyNot.TAX_OFF_ITS_RATE,
                f"line {place}: a tax charged is not its rate of the price",
            )


def _at_its_rate(line: Line, unit: int) -> bool:
    """Whether each tax charged is its rate of the price, but for rounding."""
    exact = with_exact_taxes(line)
    off = 0
    for tax, anew in zip(
        (*line.taxes, *line.withheld), (*exact.taxes, *exact.withheld), strict=True
    ):
        off = max(off, abs(tax.amount - anew.amount))
    # A transferred tax has half a unit of slack at least.
    return (2 * off <= unit and not line.withheld) or off <= _slack(line, unit)


def _slack(line: Line, unit: int) -> int:
    """How far rounding can take a tax from its rate.

    Half a unit of the price, grown by every tax, and half a unit of each tax. A shop without cents
    rounds to whole pesos; there the last tax is what is left of the price, not rounded by itself.
    """
    amounts = (line.net, *(tax.amount for tax in (*line.taxes, *line.withheld)))
    grows = slope(line._replace(withheld=()))
    whole = unit < _WHOLE and all(amount % _WHOLE == 0 for amount in amounts)
    grain, rounded = (_WHOLE, len(line.taxes) - 1) if whole else (unit, len(line.taxes))
    return grain * (rounded * MICROS**2 + grows) // (2 * MICROS**2)


def _ways(lines: Sequence[Line], goal: int, decimals: int) -> Iterator[Sequence[Line] | None]:
    """Lines that may make the total, the most faithful first; None where a way leads nowhere."""
    if all(within_limits(line, decimals) for line in lines):
        yield lines
    yield [with_exact_taxes(line) for line in lines]
    priced = _priced_back(lines, goal)
    if priced is not None:
        yield nudged(priced, goal, decimals)
        yield in_cents(priced, decimals)


def _priced_back(lines: Sequence[Line], goal: int) -> list[Line] | None:
    """Lines that make the total but for millionths: what the lines miss goes to the largest one."""
    grosses = [line.gross for line in lines]
    if not grosses:
        return None
    largest = grosses.index(max(grosses))
    grosses[largest] += goal - sum(grosses)
    found = [from_gross(line, gross) for line, gross in zip(lines, grosses, strict=True)]
    priced = [line for line in found if line is not None]
    return priced if len(priced) == len(lines) else None


def _written(lines: Sequence[Line], sums: Sums, decimals: int) -> Cuentas:
    discounted = any(line.discount for line in lines)
    return Cuentas(
        renglones=tuple(_renglon(line, decimals) for line in lines),
        sub_total=_amount(sums.sub_total, decimals),
        descuento=_amount(sums.discount, decimals) if discounted else None,
        impuestos=_impuestos(sums, decimals),
        total=_amount(sums.total, decimals),
    )


def _renglon(line: Line, decimals: int) -> Renglon:
    importe = line.net + line.discount
    # CFDI40168: a discount has no more decimals than its Importe.
    decimals_of_both = max(places(importe, decimals), places(line.discount, decimals))
    price = half_up(importe * MICROS, line.quantity)
    if not 0 < price < AMOUNT_MAX:
        raise NoExactDocument(
            WhyNot.UNIT_PRICE, "a unit price is below a millionth or far too large"
        )
    return Renglon(
        valor_unitario=_amount(price, places(price, decimals)),
        importe=_amount(importe, decimals_of_both),
        descuento=_amount(line.discount, decimals_of_both) if line.discount else None,
        traslados=tuple(_traslado(tax, decimals) for tax in line.taxes if tax.base),
        retenciones=tuple(_retencion(tax, decimals) for tax in line.withheld if tax.base),
    )


def _traslado(tax: Tax, decimals: int) -> Traslado:
    base = _amount(tax.base, places(tax.base, decimals))
    return _node(tax.kind, base, _amount(tax.amount, places(tax.amount, decimals)))


def _retencion(tax: Tax, decimals: int) -> Retencion:
    return Retencion(
        base=_amount(tax.base, places(tax.base, decimals)),
        impuesto=tax.kind.impuesto,
        tipo_factor=tax.kind.factor,
        tasa_o_cuota=_rate(tax.kind.rate),
        importe=_amount(tax.amount, places(tax.amount, decimals)),
    )


def _impuestos(sums: Sums, decimals: int) -> Impuestos | None:
    if not (sums.taxes or sums.withheld):
        return None
    nodes = tuple(
        _node(kind, _amount(base, decimals), _amount(amount, decimals))
        for kind, (base, amount) in sums.taxes.items()
    )
    charged = any(kind.factor is not TipoFactor.EXENTO for kind in sums.taxes)
    total = _amount(sums.tax_total, decimals) if charged else None
    return Impuestos(
        traslados=nodes,
        retenciones=tuple(
            RetencionTotal(impuesto, _amount(amount, decimals))
            for impuesto, amount in sums.withheld.items()
        ),
        total_trasladados=total,
        total_retenidos=_amount(sums.withheld_total, decimals) if sums.withheld else None,
    )


def _node(kind: Kind, base: Decimal, amount: Decimal) -> Traslado:
    if kind.factor is TipoFactor.EXENTO:
        return Traslado(base, kind.impuesto, kind.factor)
    return Traslado(base, kind.impuesto, kind.factor, _rate(kind.rate), amount)


@lru_cache(maxsize=256)
def _rate(micros: int) -> Decimal:
    return _amount(micros, 6)


def _amount(micros: int, decimals: int) -> Decimal:
    """Exactly these decimals, whatever the ambient precision is."""
    return Decimal(f"{micros // UNIT[decimals]}E-{decimals}")
