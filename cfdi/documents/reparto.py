"""An amount divided among what is left of a document, each portion one that concepts can say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cfdi.amounts import NoExactDocument, WhyNot
from cfdi.comprobante import Concepto
from cfdi.documents.partes import share
from cfdi.documents.porciones import Clase, Porcion, class_of, of_line, swept


def over_lines(
    lines: Sequence[Concepto],
    wholes: Mapping[Clase, Porcion],
    left: Mapping[Clase, Porcion],
    wanted: int,
    decimales: int,
) -> list[tuple[Clase, Porcion]]:
    """As `over_classes`, over those of these lines, by what the lines are of each.

    The sums of a document are rounded once: at most a unit for each line may stand in a class that
    none of them is of, and is taken there. Raises `NoExactDocument`.
    """
    weights: dict[Clase, int] = {}
    for line in lines:
        clase = class_of(line, by_ticket=False)
        if clase in left and left[clase].gross > 0:
            weights[clase] = weights.get(clase, 0) + of_line(line, 6).gross
    astray = max(wanted - sum(left[clase].gross for clase in weights), 0)
    if astray > len(lines):
        raise _indivisible()
    found = over_classes(wholes, left, wanted - astray, decimales, weights)
    for clase in sorted(left, key=lambda one: -left[one].gross):
        if astray and clase not in weights and astray < left[clase].gross:
            said = _said(clase, wholes[clase], left[clase], astray, decimales)
            if said is not None:
                return [*found, *((clase, part) for part in said)]
    if astray:
        raise _indivisible()
    return found


def over_classes(
    wholes: Mapping[Clase, Porcion],
    left: Mapping[Clase, Porcion],
    wanted: int,
    decimales: int,
    weights: Mapping[Clase, int] | None = None,
) -> list[tuple[Clase, Porcion]]:
    """Portions of each class that make `wanted`, by its weight or else by what is left of it.

    The smallest class comes first: where no concept can say its share, the others take it over.
    Raises `NoExactDocument`.
    """
    if wanted == sum(one.gross for one in left.values()):
        return [
            (clase, part)
            for clase, one in swept(left).items()
            if one.gross or one.net
            for part in taken(clase, one, one, one.gross, decimales)[1]
        ]
    if weights is None:
        weights = {clase: one.gross for clase, one in left.items()}
    found: list[tuple[Clase, Porcion]] = []
    classes = sorted((one for one in weights if weights[one] > 0), key=weights.__getitem__)
    to_come = sum(left[one].gross for one in classes)
    weight = sum(weights[one] for one in classes)
    for clase in classes:
        one = left[clase]
        to_come -= one.gross
        # This class and those after it can give no more than they have.
        at_least = max(wanted - to_come, 0)
        units = min(max(wanted * weights[clase] // weight, at_least), one.gross)
        weight -= weights[clase]
        said = None
        for units_now in dict.fromkeys((units, units + 1, units - 1, 0, one.gross, at_least)):
            if at_least <= units_now <= min(wanted, one.gross):
                said = _said(clase, wholes[clase], one, units_now, decimales)
            if said is not None:
                found += [(clase, part) for part in said]
                wanted -= units_now
                break
        if said is None:
            break
    if wanted:
        raise _indivisible()
    return found


def _said(
    clase: Clase, like: Porcion, left: Porcion, units: int, decimales: int
) -> list[Porcion] | None:
    if not units:
        return []
    found = share(clase, like, left, units, decimales)
    return None if found is None else found[1]


def taken(
    clase: Clase, like: Porcion, left: Porcion, units: int, decimales: int
) -> tuple[Porcion, list[Porcion]]:
    found = share(clase, like, left, units, decimales)
    if found is None:
        raise _indivisible()
    return found


def _indivisible() -> NoExactDocument:
    return NoExactDocument(
        WhyNot.NO_SUM, "what is left of the document cannot be divided into such a credit note"
    )
