"""A portion of a document as a Concepto of a credit note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from cfdi.amounts.lines import Kind
from cfdi.amounts.units import EXACT, of_units
from cfdi.comprobante import Concepto, Retencion, TipoFactor, Traslado
from cfdi.documents.porciones import Clase, Porcion

SERVICIOS_DE_FACTURACION: Final = "84111506"
ACTIVIDAD: Final = "ACT"


def concepto_of(clase: Clase, part: Porcion, decimales: int, descripcion: str) -> Concepto:
    net = of_units(part.net, decimales)
    return Concepto(
        clave_prod_serv=SERVICIOS_DE_FACTURACION,
        cantidad=Decimal(1),
        clave_unidad=ACTIVIDAD,
        descripcion=descripcion,
        valor_unitario=net,
        importe=net,
        objeto_imp=_objeto_imp(clase, part),
        traslados=tuple(_traslados(clase.traslados, part.traslados, decimales)),
        retenciones=tuple(_retenciones(clase.retenciones, part.retenciones, decimales)),
    )


def _objeto_imp(clase: Clase, part: Porcion) -> str:
    """A part too small for any tax keeps none (CFDI40171); 04: subject to tax, which is none."""
    taxed = any(base for base, _ in (*part.traslados, *part.retenciones))
    return clase.objeto_imp if taxed or clase.objeto_imp not in {"02", "07"} else "04"


def of_goods(line: Concepto, concepto: Concepto, cantidad: Decimal | None) -> Concepto:
    """Under the keys of the line, and with the units that came back where they are known."""
    concepto = replace(
        concepto,
        clave_prod_serv=line.clave_prod_serv,
        clave_unidad=line.clave_unidad,
        unidad=line.unidad,
        no_identificacion=line.no_identificacion,
        a_cuenta_terceros=line.a_cuenta_terceros,
        pedimentos=line.pedimentos,
        cuentas_prediales=line.cuentas_prediales,
    )
    if cantidad is None:
        return concepto
    price = EXACT.divide(concepto.importe, cantidad).quantize(
        Decimal("0.000001"), rounding="ROUND_HALF_UP", context=EXACT
    )
    return replace(concepto, cantidad=cantidad, valor_unitario=price) if price else concepto


def _traslados(
    kinds: Iterable[Kind], cargos: Iterable[tuple[int, int]], decimales: int
) -> Iterable[Traslado]:
    for kind, (base, amount) in zip(kinds, cargos, strict=True):
        if not base:
            continue
        written = of_units(base, decimales)
        if kind.factor is TipoFactor.EXENTO:
            yield Traslado(written, kind.impuesto, kind.factor)
        else:
            rate, importe = of_units(kind.rate, 6), of_units(amount, decimales)
            yield Traslado(written, kind.impuesto, kind.factor, rate, importe)


def _retenciones(
    kinds: Iterable[Kind], cargos: Iterable[tuple[int, int]], decimales: int
) -> Iterable[Retencion]:
    for kind, (base, amount) in zip(kinds, cargos, strict=True):
        if base:
            rate, importe = of_units(kind.rate, 6), of_units(amount, decimales)
            yield Retencion(of_units(base, decimales), kind.impuesto, kind.factor, rate, importe)
