"""Documents from facts: each function is pure, takes what happened and gives a `Comprobante`.

None of them seals: `cfdi.seal.seal` does. Where no valid document says what happened they raise
`DocumentRefused` (it says what to mend) or `cfdi.amounts.NoExactDocument`; none is a cent off.
"""

from cfdi.documents.datos import Expedicion, Factura, extranjero, publico_en_general, sin_rfc
from cfdi.documents.egreso import (
    Devuelto,
    egreso,
    egreso_de_ticket,
    egreso_por_lineas,
    por_acreditar,
)
from cfdi.documents.global_ import (
    TICKETS_MAX,
    factura_global,
    informacion_global,
    lotes,
    sin_tickets,
)
from cfdi.documents.ingreso import ISR_RESICO, Articulo, ingreso, retener
from cfdi.documents.pago import Aplicacion, Cobro, documento_de_pago, saldo
from cfdi.documents.refused import DocumentRefused
from cfdi.documents.relaciones import relacionar, sustitucion
from cfdi.documents.tickets import Ticket

__all__ = [
    "ISR_RESICO",
    "TICKETS_MAX",
    "Aplicacion",
    "Articulo",
    "Cobro",
    "Devuelto",
    "DocumentRefused",
    "Expedicion",
    "Factura",
    "Ticket",
    "documento_de_pago",
    "egreso",
    "egreso_de_ticket",
    "egreso_por_lineas",
    "extranjero",
    "factura_global",
    "informacion_global",
    "ingreso",
    "lotes",
    "por_acreditar",
    "publico_en_general",
    "relacionar",
    "retener",
    "saldo",
    "sin_rfc",
    "sin_tickets",
    "sustitucion",
]
