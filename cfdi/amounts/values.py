"""What goes into the arithmetic and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cfdi.comprobante import Impuesto, Impuestos, Retencion, TipoFactor, Traslado


class WhyNot(StrEnum):
    """Why there is no document that says what was charged."""

    CURRENCY = "currency"
    TOTAL = "total"
    AMOUNT = "amount"
    QUANTITY = "quantity"
    PRICE = "price"
    TAX = "tax"
    RATE = "rate"
    #: More is withheld of a line than its price brings.
    WITHHELD = "withheld"
    #: The lines and the total differ by more than rounding.
    UNEXPLAINED = "unexplained"
    #: A tax charged is not its rate of the price.
    TAX_OFF_ITS_RATE = "tax_off_its_rate"
    #: Every way to write the lines misses the total or a limit of SAT's.
    NO_SUM = "no_sum"
    #: A unit price would be below a millionth, or is far too large.
    UNIT_PRICE = "unit_price"


class NoExactDocument(ValueError):
    """No valid document adds up to what was charged. The message says which line, and no data."""

    def __init__(self, why: WhyNot, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Tributo:
    """A tax as charged on a whole line. `tasa_o_cuota` is None if and only if it is Exento.

    For a Cuota the base is the number of units: `importe` is `cantidad` × `tasa_o_cuota`.
    """

    impuesto: Impuesto
    tipo_factor: TipoFactor
    tasa_o_cuota: Decimal | None
    importe: Decimal


@dataclass(frozen=True, slots=True)
class Partida:
    """A line as charged: whole-line amounts without tax, `descuento` included in `subtotal`.

    `tributos` come IEPS first: the base of IVA is the price after discount plus the IEPS before it
    (LIVA, articles 12 and 18). `retenciones` are what the buyer withholds: they lower what is paid.
    """

    cantidad: Decimal
    subtotal: Decimal
    descuento: Decimal
    tributos: tuple[Tributo, ...] = ()
    retenciones: tuple[Tributo, ...] = ()


@dataclass(frozen=True, slots=True)
class Renglon:
    """The amounts of one Concepto, ready to be written. A tax without a base is left out."""

    valor_unitario: Decimal
    importe: Decimal
    descuento: Decimal | None
    traslados: tuple[Traslado, ...]
    retenciones: tuple[Retencion, ...] = ()


@dataclass(frozen=True, slots=True)
class Cuentas:
    """The amounts of a document; `renglones` in the order of the partidas."""

    renglones: tuple[Renglon, ...]
    sub_total: Decimal
    descuento: Decimal | None
    impuestos: Impuestos | None
    total: Decimal
