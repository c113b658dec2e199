"""The sums of a document, rounded as SAT rounds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cfdi.amounts.lines import Kind, Line, half_up


@dataclass(frozen=True, slots=True)
class Sums:
    """In millionths, each one rounded to the currency's decimals."""

    sub_total: int
    discount: int
    taxes: Mapping[Kind, tuple[int, int]]  # base, amount

    @property
    def tax_total(self) -> int:
        return sum(amount for _, amount in self.taxes.values())

    @property
    def total(self) -> int:
        return self.sub_total - self.discount + self.tax_total


def add_up(lines: Iterable[Line], decimals: int) -> Sums:
    """Exact sums of the lines, then rounded (CFDI40108, 40111, 40215, 40221); taxes by kind."""
    sub_total = discount = 0
    taxes: dict[Kind, tuple[int, int]] = {}
    for line in lines:
        sub_total += line.net + line.discount
        discount += line.discount
        for tax in line.taxes:
            if tax.base:
                base, amount = taxes.get(tax.kind, (0, 0))
                taxes[tax.kind] = (base + tax.base, amount + tax.amount)
    unit = 10 ** (6 - decimals)
    rounded = {
        kind: (unit * half_up(base, unit), unit * half_up(amount, unit))
        for kind, (base, amount) in taxes.items()
    }
    return Sums(unit * half_up(sub_total, unit), unit * half_up(discount, unit), rounded)
