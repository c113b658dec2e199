"""Between which bounds a product may lie, given the decimals that are written.

Source: Anexo 20, rubro I.F (DOF 13-01-2022). Written apart from the code that composes documents,
so that one can find the other's mistakes.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from cfdi.validator.document import amount, decimals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree

_EPSILON: Final = Decimal("1e-12")

Bounds = tuple[Decimal, Decimal]


def around(node: etree._Element, name: str) -> Bounds:
    """The value less and plus half a unit of its last written decimal."""
    half = Decimal(1).scaleb(-decimals(node, name)) / 2
    value = amount(node, name)
    return value - half, value + half - _EPSILON


def exactly(node: etree._Element, name: str) -> Bounds:
    value = amount(node, name)
    return value, value


def is_within(node: etree._Element, name: str, first: Bounds, second: Bounds) -> bool:
    """Whether the attribute lies between the product of the lower, cut off, and of the upper,
    raised, both to its own decimals."""
    unit = Decimal(1).scaleb(-decimals(node, name))
    lower = (first[0] * second[0]).quantize(unit, ROUND_FLOOR)
    upper = (first[1] * second[1]).quantize(unit, ROUND_CEILING)
    return lower <= amount(node, name) <= upper


def rounded(values: Iterable[Decimal], places: int) -> Decimal:
    """The sum, half up."""
    return sum(values, Decimal(0)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
