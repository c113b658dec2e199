"""The last cents: the same lines written so that the rounded sums make the total."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cfdi.amounts.lines import Kind, Line, Tax, base_of, places, window, withheld_base_of
from cfdi.amounts.sums import add_up
from cfdi.amounts.units import half_up
from cfdi.comprobante import Impuesto, TipoFactor


@dataclass(frozen=True, slots=True)
class _Rewrite:
    """A tax to be written with the currency's decimals, `by` millionths away from where it is."""

    line: int
    tax: int
    by: int
    withheld: bool = False


def nudged(lines: Sequence[Line], goal: int, decimals: int) -> Sequence[Line] | None:
    """Line taxes rounded down or up, as few as can be, until the total is `goal`; or None.

    Both roundings are within CFDI40180 and CFDI40186 by construction: the lower limit truncates,
    the upper one rounds up. A tax that is part of another's base is left alone.
    """
    unit = 10 ** (6 - decimals)
    found = list(lines)
    while missing := goal - add_up(found, decimals).total:
        step = unit if missing > 0 else -unit
        # What is withheld less is paid more.
        choices = [_one_step(movable, step) for movable in _movable(found, step)]
        choices += [_one_step(movable, -step) for movable in _movable_withheld(found, -step)]
        rewrites = min((choice for choice in choices if choice), key=len, default=None)
        if rewrites is None:
            return None
        for rewrite in rewrites:
            found[rewrite.line] = _rewritten(found[rewrite.line], rewrite)
    return found


@dataclass(slots=True)
class _Movable:
    """What is summed and rounded together, and what of it can be moved in one direction."""

    amount: int
    rewrites: list[_Rewrite]


def _movable(lines: Sequence[Line], step: int) -> Iterable[_Movable]:
    kinds: dict[Kind, _Movable] = {}
    for place, line in enumerate(lines):
        last = len(line.taxes) - 1
        for index, tax in enumerate(line.taxes):
            if not tax.base:
                continue
            kind = kinds.setdefault(tax.kind, _Movable(0, []))
            kind.amount += tax.amount
            by = _by(tax, step)
            if by and (index == last or line.taxes[last].kind.impuesto is not Impuesto.IVA):
                kind.rewrites.append(_Rewrite(place, index, by))
    return kinds.values()


def _movable_withheld(lines: Sequence[Line], step: int) -> Iterable[_Movable]:
    impuestos: dict[Impuesto, _Movable] = {}
    for place, line in enumerate(lines):
        for index, tax in enumerate(line.withheld):
            if not tax.base:
                continue
            impuesto = impuestos.setdefault(tax.kind.impuesto, _Movable(0, []))
            impuesto.amount += tax.amount
            if by := _by(tax, step):
                impuesto.rewrites.append(_Rewrite(place, index, by, withheld=True))
    return impuestos.values()


def _by(tax: Tax, step: int) -> int:
    """To the next whole unit in the direction of the step."""
    unit = abs(step)
    return -tax.amount % unit if step > 0 else -(tax.amount % unit)


def _one_step(kind: _Movable, step: int) -> list[_Rewrite]:
    """The fewest rewrites that move the rounded sum by exactly one unit; none if it cannot be."""
    unit = abs(step)
    border = half_up(kind.amount, unit) * unit + (unit // 2 if step > 0 else -unit // 2)
    need = border - kind.amount if step > 0 else kind.amount - border + 1
    if need <= 0:
        return []
    largest_first = sorted(kind.rewrites, key=lambda rewrite: -abs(rewrite.by))
    taken: list[_Rewrite] = []
    for rewrite in largest_first:
        taken.append(rewrite)
        need -= abs(rewrite.by)
        if need <= 0:
            return taken
    return []


def _rewritten(line: Line, rewrite: _Rewrite) -> Line:
    taxes = list(line.withheld if rewrite.withheld else line.taxes)
    tax = taxes[rewrite.tax]
    taxes[rewrite.tax] = tax._replace(amount=tax.amount + rewrite.by)
    if rewrite.withheld:
        return line._replace(withheld=tuple(taxes))
    return line._replace(taxes=tuple(taxes))


def in_cents(lines: Sequence[Line], decimals: int) -> Sequence[Line] | None:
    """Every price after discount and every tax in whole units of the currency; None if it cannot.

    What each line was charged is rounded so that the roundings do not pile up; then price and taxes
    of a line are looked for within the limits, one unit up or down.
    """
    unit = 10 ** (6 - decimals)
    found: list[Line] = []
    charged = rounded = 0
    for line in lines:
        charged += line.gross
        gross = half_up(charged, unit) * unit - rounded
        rounded += gross
        line_in_cents = _line_in_cents(line, gross, decimals)
        if line_in_cents is None:
            return None
        found.append(line_in_cents)
    return found


def _line_in_cents(line: Line, gross: int, decimals: int) -> Line | None:
    unit = 10 ** (6 - decimals)
    if gross == line.net == 0:
        return line
    near = half_up(line.net, unit) * unit
    for steps in (0, -1, 1, -2, 2, -3, 3):
        net = near + steps * unit
        if net < 0 or (net == 0 and not line.discount):
            continue
        for taxes in _taxes_in_cents(line, net, (), decimals):
            left = gross - net - sum(tax.amount for tax in taxes)
            for withheld in _withheld_in_cents(line, net, taxes, (), decimals):
                if left + sum(tax.amount for tax in withheld) == 0:
                    return line._replace(net=net, taxes=taxes, withheld=withheld)
    return None


def _taxes_in_cents(
    line: Line, net: int, done: tuple[Tax, ...], decimals: int
) -> Iterator[tuple[Tax, ...]]:
    """Every way to write the taxes of a line in whole units, the nearest first."""
    if len(done) == len(line.taxes):
        yield done
        return
    kind = line.taxes[len(done)].kind
    base = base_of(kind, line.quantity, net, done)
    for amount in _amounts(kind, base, decimals):
        yield from _taxes_in_cents(line, net, (*done, Tax(kind, base, amount)), decimals)


def _withheld_in_cents(
    line: Line, net: int, taxes: tuple[Tax, ...], done: tuple[Tax, ...], decimals: int
) -> Iterator[tuple[Tax, ...]]:
    if len(done) == len(line.withheld):
        yield done
        return
    kind = line.withheld[len(done)].kind
    base = withheld_base_of(kind, line.quantity, net, taxes)
    for amount in _amounts(kind, base, decimals):
        one = (*done, Tax(kind, base, amount))
        yield from _withheld_in_cents(line, net, taxes, one, decimals)


def _amounts(kind: Kind, base: int, decimals: int) -> Sequence[int]:
    if kind.factor is TipoFactor.EXENTO or not base:
        return [0]
    unit = 10 ** (6 - decimals)
    exact = base * kind.rate // 10**6
    lower, upper = window(base, places(base, decimals), kind.rate, decimals)
    return sorted(
        (amount * unit for amount in range(lower, upper + 1)), key=lambda one: abs(one - exact)
    )
