"""The modules that hold the rules, in the order in which a document is judged by them."""

from __future__ import annotations

from typing import Final

from cfdi.validator import (
    certificado,
    comprobante,
    conceptos,
    conceptos_impuestos,
    emisor,
    global_,
    impuestos,
    pagos,
    pagos_documento,
    pagos_impuestos,
    pagos_pago,
    pagos_totales,
    partes,
    receptor,
    registrados,
    relacionados,
    reloj,
    sello,
    sumas,
    terceros,
    timbre,
)
from cfdi.validator.rule import REGISTERED, Rule

_MODULES: Final = (
    reloj,
    certificado,
    sello,
    comprobante,
    global_,
    relacionados,
    emisor,
    receptor,
    conceptos,
    conceptos_impuestos,
    terceros,
    partes,
    impuestos,
    sumas,
    registrados,
    pagos,
    pagos_pago,
    pagos_documento,
    pagos_impuestos,
    pagos_totales,
    timbre,
)
_PLACE: Final = {module.__name__: place for place, module in enumerate(_MODULES)}

#: Every rule; those of one module as they stand in it.
ORDER: Final[tuple[Rule, ...]] = tuple(
    sorted(REGISTERED, key=lambda each: _PLACE[each.check.__module__])
)
