"""Mexican fiscal documents (CFDI 4.0). Imports nothing of the rest of the project.

What most programs need stands here by name: `cfdi.read`, `cfdi.validate`, `cfdi.verify`,
`cfdi.Comprobante` and the other classes of a document. Each is imported when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfdi.comprobante import (
        ACuentaTerceros,
        CfdiRelacionados,
        Comprobante,
        Concepto,
        Emisor,
        Extranjero,
        Impuesto,
        Impuestos,
        InformacionGlobal,
        Parte,
        Receptor,
        Retencion,
        RetencionTotal,
        Timbre,
        TipoFactor,
        Traslado,
    )
    from cfdi.documento import Documento
    from cfdi.pagos import DoctoRelacionado, Pago, Pagos, Totales
    from cfdi.reading import DocumentUnreadable, read
    from cfdi.validator import validate
    from cfdi.verification import Verification, verify

__all__ = [
    "ACuentaTerceros",
    "CfdiRelacionados",
    "Comprobante",
    "Concepto",
    "DoctoRelacionado",
    "DocumentUnreadable",
    "Documento",
    "Emisor",
    "Extranjero",
    "Impuesto",
    "Impuestos",
    "InformacionGlobal",
    "Pago",
    "Pagos",
    "Parte",
    "Receptor",
    "Retencion",
    "RetencionTotal",
    "Timbre",
    "TipoFactor",
    "Totales",
    "Traslado",
    "Verification",
    "read",
    "validate",
    "verify",
]

_ELSEWHERE = {
    "DoctoRelacionado": "pagos",
    "DocumentUnreadable": "reading",
    "Documento": "documento",
    "Pago": "pagos",
    "Pagos": "pagos",
    "Totales": "pagos",
    "Verification": "verification",
    "read": "reading",
    "validate": "validator",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'cfdi' has no attribute {name!r}")
    return getattr(import_module(f"cfdi.{_ELSEWHERE.get(name, 'comprobante')}"), name)
