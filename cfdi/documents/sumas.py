"""The sums of concepts whose amounts are written already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cfdi.amounts.units import half_up, in_micros, of_units
from cfdi.comprobante import (
    Concepto,
    Impuesto,
    Impuestos,
    RetencionTotal,
    TipoFactor,
    Traslado,
)


@dataclass(frozen=True, slots=True)
class Sumas:
    sub_total: Decimal
    descuento: Decimal | None
    impuestos: Impuestos | None
    total: Decimal


_Key = tuple[Impuesto, TipoFactor, Decimal | None]


def summed(conceptos: Sequence[Concepto], decimales: int) -> Sumas:
    """SubTotal, Descuento, taxes and Total, each sum rounded half-up."""
    unit = 10 ** (6 - decimales)
    discounted = any(concepto.descuento is not None for concepto in conceptos)
    sub_total = discount = 0
    traslados: dict[_Key, list[int]] = {}
    retenciones: dict[Impuesto, int] = {}
    for concepto in conceptos:
        sub_total += in_micros(concepto.importe)
        discount += in_micros(concepto.descuento)
        for tax in concepto.traslados:
            known = traslados.setdefault((tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota), [0, 0])
            known[0] += in_micros(tax.base)
            known[1] += in_micros(tax.importe)
        for withheld in concepto.retenciones:
            already = retenciones.get(withheld.impuesto, 0)
            retenciones[withheld.impuesto] = already + in_micros(withheld.importe)
    units = {key: half_up(amount, unit) for key, (_, amount) in traslados.items()}
    held = {impuesto: half_up(amount, unit) for impuesto, amount in retenciones.items()}
    listed, off = half_up(sub_total, unit), half_up(discount, unit)
    total = listed - off + sum(units.values()) - sum(held.values())
    nodes = tuple(
        _node(key, of_units(half_up(base, unit), decimales), of_units(units[key], decimales))
        for key, (base, _) in traslados.items()
    )
    return Sumas(
        sub_total=of_units(listed, decimales),
        descuento=of_units(off, decimales) if discounted else None,
        impuestos=_impuestos(nodes, held, decimales),
        total=of_units(total, decimales),
    )


def _impuestos(
    nodes: tuple[Traslado, ...], held: dict[Impuesto, int], decimales: int
) -> Impuestos | None:
    if not (nodes or held):
        return None
    charged = [node.importe for node in nodes if node.importe is not None]
    return Impuestos(
        traslados=nodes,
        retenciones=tuple(
            RetencionTotal(impuesto, of_units(units, decimales)) for impuesto, units in held.items()
        ),
        total_trasladados=sum(charged, of_units(0, decimales)) if charged else None,
        total_retenidos=of_units(sum(held.values()), decimales) if held else None,
    )


def _node(key: _Key, base: Decimal, importe: Decimal) -> Traslado:
    impuesto, factor, tasa = key
    if factor is TipoFactor.EXENTO:
        return Traslado(base, impuesto, factor)
    return Traslado(base, impuesto, factor, tasa, importe)
