"""What goes into the arithmetic and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cfdi.comprobante import Impuesto, Impuestos, TipoFactor, Traslado


class NoExactDocument(ValueError):
    """No valid document adds up to what was charged. The message says which line, and no data."""


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
    (LIVA, articles 12 and 18).
    """

    cantidad: Decimal
    subtotal: Decimal
    descuento: Decimal
    tributos: tuple[Tributo, ...] = ()


@dataclass(frozen=True, slots=True)
class Renglon:
    """The amounts of one Concepto, ready to be written. A tax without a base is left out."""

    valor_unitario: Decimal
    importe: Decimal
    descuento: Decimal | None
    traslados: tuple[Traslado, ...]


@dataclass(frozen=True, slots=True)
class Cuentas:
    """The amounts of a document; `renglones` in the order of the partidas."""

    renglones: tuple[Renglon, ...]
    sub_total: Decimal
    descuento: Decimal | None
    impuestos: Impuestos | None
    total: Decimal
