"""The modules that hold the rules, in the order in which a document is judged by them."""

from __future__ import annotations

from typing import Final

from cfdi.validator import (
    comprobante,
    conceptos,
    emisor,
    global_,
    impuestos,
    receptor,
    relacionados,
)
from cfdi.validator.rule import REGISTERED, Rule

_MODULES: Final = (
    comprobante,
    global_,
    relacionados,
    emisor,
    receptor,
    conceptos,
    impuestos,
)
_PLACE: Final = {module.__name__: place for place, module in enumerate(_MODULES)}

#: Every rule; those of one module as they stand in it.
ORDER: Final[tuple[Rule, ...]] = tuple(
    sorted(REGISTERED, key=lambda each: _PLACE[each.check.__module__])
)
