"""What a buyer agrees to: the money of a sale as a page shows it, in one short word."""

from __future__ import annotations

import hashlib
import json
from typing import Final

from hub.domain.money import round_half_up
from hub.domain.sale import Sale, SaleLine, SaleTax

#: 128 bits: it keeps honest pages honest, and proves nothing to anybody.
_DIGITS: Final = 32


def fingerprint(sale: Sale) -> str:
    """Equal for two snapshots that a page shows alike: total, refunds, lines, taxes, exclusions.

    Amounts of lines count in cents, with their taxes, because a delivered copy has two decimals
    where the shop's answer has six; name, state and buyer do not count.
    """
    shown = [
        sale.currency,
        f"{sale.due.normalize():f}",
        f"{sale.refunded.normalize():f}",
        [_line(line) for line in sale.lines],
    ]
    if sale.excluded:  # left out where there is none: agreements of before have no such part
        shown.append([[one.kind, f"{one.amount.normalize():f}"] for one in sale.excluded])
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:_DIGITS]


def _line(line: SaleLine) -> list[object]:
    return [
        line.description,
        f"{line.quantity.normalize():f}",
        f"{round_half_up(line.total, 2):f}",
        [[tax.impuesto, tax.factor, tax.label, _rate(tax)] for tax in line.taxes],
    ]


def _rate(tax: SaleTax) -> str | None:
    return None if tax.rate is None else f"{tax.rate.normalize():f}"
