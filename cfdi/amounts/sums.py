"""The sums of a document, rounded as SAT rounds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cfdi.amounts.lines import Kind, Line
from cfdi.amounts.units import half_up
from cfdi.comprobante import Impuesto


class Sums(NamedTuple):
    """In millionths, each one rounded to the currency's decimals."""

    sub_total: int
    discount: int
    taxes: Mapping[Kind, tuple[int, int]]  # base, amount
    withheld: Mapping[Impuesto, int]

    @property
    def tax_total(self) -> int:
        return sum(amount for _, amount in self.taxes.values())

    @property
    def withheld_total(self) -> int:
        return sum(self.withheld.values())

    @property
    def total(self) -> int:
        return self.sub_total - self.discount + self.tax_total - self.withheld_total


def add_up(lines: Iterable[Line], decimals: int) -> Sums:
    """Exact sums of the lines, then rounded (CFDI40108, 40111, 40211, 40215, 40221).

    Transferred taxes by tax, factor and rate; withheld ones by tax alone.
    """
    sub_total = discount = 0
    taxes: dict[Kind, tuple[int, int]] = {}
    withheld: dict[Impuesto, int] = {}
    for line in lines:
        sub_total += line.net + line.discount
        discount += line.discount
        for tax in line.taxes:
            if tax.base:
                base, amount = taxes.get(tax.kind, (0, 0))
                taxes[tax.kind] = (base + tax.base, amount + tax.amount)
        for tax in line.withheld:
            if tax.base:
                impuesto = tax.kind.impuesto
                withheld[impuesto] = withheld.get(impuesto, 0) + tax.amount
    unit = 10 ** (6 - decimals)
    return Sums(
        unit * half_up(sub_total, unit),
        unit * half_up(discount, unit),
        {
            kind: (unit * half_up(base, unit), unit * half_up(amount, unit))
            for kind, (base, amount) in taxes.items()
        },
        {impuesto: unit * half_up(amount, unit) for impuesto, amount in withheld.items()},
    )
