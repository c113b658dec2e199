"""A part of what is left, and the concepts that can say it within SAT's limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Final

from cfdi.amounts.lines import Kind, window
from cfdi.amounts.units import MICROS
from cfdi.comprobante import Impuesto, TipoFactor
from cfdi.documents.porciones import Cargo, Clase, Porcion, shaped

#: A document of 5,000 lines that rounded each tax down is still said again by as many concepts.
_MOST_PIECES: Final = 5000


def share(
    clase: Clase, like: Porcion, left: Porcion, gross: int, decimales: int
) -> tuple[Porcion, list[Porcion]] | None:
    """The part of `left` that is paid back as `gross`, taxed in proportion to `like`; its pieces.

    Whatever stays can be credited too. All that is left is taken whole. None if no concepts can
    say it.
    """
    if gross == left.gross:
        whole = pieces(clase, left, decimales)
        return None if whole is None else (left, whole)
    best: tuple[tuple[int, int, Fraction], Porcion, list[Porcion]] | None = None
    ideal = _ideal(like, left, gross)
    for part in _candidates(clase, like, left, ideal, gross):
        stays = left.less(part)
        if min(stays.values) < 0 or _drops_a_tax(part, left) or _drops_a_tax(stays, left):
            continue
        said = pieces(clase, part, decimales)
        rest = pieces(clase, stays, decimales)
        if said is None or rest is None:
            continue
        off = sum((abs(a - b) for a, b in zip(part.values, ideal, strict=True)), Fraction(0))
        rank = (len(said), len(rest), off)
        if best is None or rank < best[0]:
            best = (rank, part, said)
    return None if best is None else best[1:]


def _drops_a_tax(part: Porcion, left: Porcion) -> bool:
    """Without one of its taxes a concept would look like one of another class."""
    cargos = zip(
        (*part.traslados, *part.retenciones), (*left.traslados, *left.retenciones), strict=True
    )
    return any(base == 0 < whole for (base, _), (whole, _) in cargos)


def _ideal(like: Porcion, left: Porcion, gross: int) -> list[Fraction]:
    """Each amount as its share of the price, not rounded.

    Where `left` still is what credit notes in proportion leave, the roundings of all of them are
    undone by the next one, so that they never pile up.
    """
    stays = Fraction(left.gross - gross, like.gross)
    in_step = all(
        abs(mine - whole * Fraction(left.gross, like.gross)) <= 1
        for mine, whole in zip(left.values, like.values, strict=True)
    )
    if in_step:
        return [mine - whole * stays for mine, whole in zip(left.values, like.values, strict=True)]
    return [Fraction(whole * gross, like.gross) for whole in like.values]


def _candidates(
    clase: Clase, like: Porcion, left: Porcion, ideal: Sequence[Fraction], gross: int
) -> Iterator[Porcion]:
    """Every tax rounded down or up; the price is what is left of what is paid back."""
    count = len(clase.traslados)
    around = [_around(ideal[2 * place + 2]) for place in range(count + len(clase.retenciones))]
    for amounts in product(*around):
        net = gross - sum(amounts[:count]) + sum(amounts[count:])
        if not 0 <= net <= left.net:
            continue
        values = [net]
        for place, base in enumerate(_bases(clase, like, net, amounts, ideal)):
            values += [min(base, left.values[2 * place + 1]), amounts[place]]
        yield shaped(values, count)


def _around(amount: Fraction) -> tuple[int, ...]:
    low = max(amount.numerator // amount.denominator, 0)
    return (low,) if amount == low else (low, low + 1)


def _bases(
    clase: Clase, like: Porcion, net: int, amounts: Sequence[int], ideal: Sequence[Fraction]
) -> list[int]:
    """Of each tax: the price, or with the IEPS, where it is so in the whole; else its share."""
    kinds = (*clase.traslados, *clase.retenciones)
    ieps = [place for place, kind in enumerate(clase.traslados) if kind.impuesto is Impuesto.IEPS]
    whole_ieps = sum(like.traslados[place][1] for place in ieps)
    taken_ieps = sum(amounts[place] for place in ieps)
    found = []
    for place, (kind, cargo) in enumerate(
        zip(kinds, (*like.traslados, *like.retenciones), strict=True)
    ):
        if kind.factor is not TipoFactor.CUOTA and cargo[0] == like.net:
            found.append(net)
        elif kind.factor is not TipoFactor.CUOTA and cargo[0] == like.net + whole_ieps:
            found.append(net + taken_ieps)
        else:
            exact = ideal[2 * place + 1]
            found.append(max(int(exact + Fraction(1, 2)), 1 if amounts[place] else 0))
    return found


def pieces(clase: Clase, part: Porcion, decimales: int) -> list[Porcion] | None:
    """The part as few portions, each a concept within CFDI40180 and 40186; None if it cannot be.

    One is enough but where many lines were each rounded in one direction.
    """
    if not any(part.values):
        return []
    if part.net <= 0:
        return None
    count = _fewest(clase, part)
    while count <= min(part.net, _MOST_PIECES):
        found = _in_pieces(clase, part, count, decimales)
        if found is not None:
            return found
        count += 1 + count // 8
    return None


def _fewest(clase: Clase, part: Porcion) -> int:
    """Each piece can be less than one unit and a half off the rate of its base."""
    off = 0
    cargos = (*part.traslados, *part.retenciones)
    for kind, (base, amount) in zip((*clase.traslados, *clase.retenciones), cargos, strict=True):
        off = max(off, abs(amount - base * kind.rate // MICROS))
    return max(1, off * 2 // 3)


def _in_pieces(clase: Clase, part: Porcion, count: int, decimales: int) -> list[Porcion] | None:
    kinds = (*clase.traslados, *clase.retenciones)
    columns = []
    for kind, cargo in zip(kinds, (*part.traslados, *part.retenciones), strict=True):
        column = _column(kind, cargo, count, decimales)
        if column is None:
            return None
        columns.append(column)
    nets = _evenly(part.net, count)
    known = len(clase.traslados)
    return [
        Porcion(
            nets[row],
            tuple(column[row] for column in columns[:known]),
            tuple(column[row] for column in columns[known:]),
        )
        for row in range(count)
    ]


def _column(kind: Kind, cargo: Cargo, count: int, decimales: int) -> list[Cargo] | None:
    """A tax over all pieces, each amount within its limits and all of them together exact."""
    if 0 < cargo[0] < count:
        return None
    bases = _evenly(cargo[0], count)
    limits = [_limits(kind, base, decimales) for base in bases]
    amounts = [lower for lower, _ in limits]
    missing = cargo[1] - sum(amounts)
    if missing < 0:
        return None
    for place, (lower, upper) in enumerate(limits):
        more = min(missing, upper - lower)
        amounts[place] += more
        missing -= more
    return None if missing else list(zip(bases, amounts, strict=True))


def _limits(kind: Kind, base: int, decimales: int) -> tuple[int, int]:
    if kind.factor is TipoFactor.EXENTO or not base:
        return 0, 0
    return window(base * MICROS // 10**decimales, decimales, kind.rate, decimales)


def _evenly(whole: int, count: int) -> list[int]:
    each, more = divmod(whole, count)
    return [each + (place < more) for place in range(count)]
