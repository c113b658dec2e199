"""The lines of a sale in a document that has them, alone or beside those of other sales. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Final

from cfdi import catalogs
from cfdi.comprobante import Comprobante, Concepto
from cfdi.documents import Devuelto
from hub.domain.charges import written
from hub.domain.money import EXACT
from hub.domain.sale import Refund, Sale, SaleLine

#: t_Descripcion of Anexo 20 has at most so many characters.
_DESCRIPTION_MAX: Final = 1000
_NUMBER_MAX: Final = 60
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a document was made of: the sale's total and, by key, the refunds by then."""

    charged: Decimal
    refunds: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Share:
    """What one of several sales is of the document: `lines` of its lines from `place` (0) on."""

    place: int
    lines: int
    due: Decimal
    basis: Basis

    def of(self, conceptos: tuple[Concepto, ...]) -> tuple[Concepto, ...]:
        return conceptos[self.place : self.place + self.lines]


def named(description: str, number: str) -> str:
    """A line's text in a document of several purchases."""
    of = f" (compra {written(number, _NUMBER_MAX)})"
    return written(description, _DESCRIPTION_MAX - len(of)) + of


#: The place in a document of each line that became a concept of it, by the line's key.
Places = Mapping[str, int]


def in_place(
    factura: Comprobante, lines: list[SaleLine], sale: Sale, share: Share | None
) -> Places | None:
    """Where the sale's lines stand in the document; None where they are not those it has."""
    place = share.place if share else 0
    conceptos = share.of(factura.conceptos) if share else factura.conceptos
    if len(lines) != len(conceptos):
        return None
    for line, concepto in zip(lines, conceptos, strict=True):
        said = written(line.description, 1000) or "Venta"
        if share is not None:
            said = named(line.description or "Venta", sale.number)
        if concepto.descripcion != said or concepto.cantidad != line.quantity:
            return None
    return {line.key: n for n, line in enumerate(lines, place)}


def given_back(comprobante: Comprobante, refund: Refund, places: Places | None) -> list[Devuelto]:
    """The refund by concepts of the invoice, to the cent; empty where its lines do not say it."""
    if places is None:
        return []
    given: dict[int, Decimal] = {}
    with localcontext(EXACT):
        for line in refund.lines:
            gross = line.base + sum(line.taxes, _ZERO)
            if gross and line.key not in places:
                return []
            if gross:
                place = places[line.key]
                given[place] = given.get(place, _ZERO) + gross
        shares = to_units(given, refund.total, catalogs.MONEDA.get(comprobante.moneda) or 0)
    return [Devuelto(place, importe=share) for place, share in sorted(shares.items()) if share]


def to_units(given: Mapping[int, Decimal], total: Decimal, decimales: int) -> dict[int, Decimal]:
    """Each in whole cents, so that they make the total; empty where rounding alone cannot."""
    unit = Decimal(1).scaleb(-decimales)
    found = {place: amount // unit * unit for place, amount in given.items()}
    missing = int((total - sum(found.values(), _ZERO)) / unit)
    if not 0 <= missing <= len(found) or any(amount < 0 for amount in given.values()):
        return {}
    by_rest = sorted(found, key=lambda place: (found[place] - given[place], place))
    for place in by_rest[:missing]:
        found[place] += unit
    return found
