"""The totals of a complement of payments, in pesos (CRP20201 to CRP20211)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext

from cfdi.amounts.units import EXACT
from cfdi.comprobante import Impuesto, TipoFactor, Traslado
from cfdi.pagos import Pago, Totales

_CENT = Decimal("0.01")


def totales(pagos: Sequence[Pago]) -> Totales:
    """Each total is rounded once, after its sum over all payments at their rates."""
    with localcontext(EXACT):
        return Totales(
            monto_total_pagos=_rounded(pago.monto * _rate(pago) for pago in pagos) or _CENT * 0,
            retenciones_iva=_withheld(pagos, Impuesto.IVA),
            retenciones_isr=_withheld(pagos, Impuesto.ISR),
            retenciones_ieps=_withheld(pagos, Impuesto.IEPS),
            traslados_base_iva16=_base(pagos, "0.16"),
            traslados_impuesto_iva16=_tax(pagos, "0.16"),
            traslados_base_iva8=_base(pagos, "0.08"),
            traslados_impuesto_iva8=_tax(pagos, "0.08"),
            traslados_base_iva0=_base(pagos, "0"),
            traslados_impuesto_iva0=_tax(pagos, "0"),
            traslados_base_iva_exento=_base(pagos, None),
        )


def _rate(pago: Pago) -> Decimal:
    return pago.tipo_cambio if pago.tipo_cambio is not None else Decimal(1)


def _withheld(pagos: Sequence[Pago], impuesto: Impuesto) -> Decimal | None:
    return _rounded(
        tax.importe * _rate(pago)
        for pago in pagos
        for tax in pago.retenciones
        if tax.impuesto is impuesto
    )


def _base(pagos: Sequence[Pago], tasa: str | None) -> Decimal | None:
    return _rounded(tax.base * rate for tax, rate in _iva(pagos, tasa))


def _tax(pagos: Sequence[Pago], tasa: str) -> Decimal | None:
    return _rounded((tax.importe or _CENT * 0) * rate for tax, rate in _iva(pagos, tasa))


def _iva(pagos: Sequence[Pago], tasa: str | None) -> Iterable[tuple[Traslado, Decimal]]:
    wanted = None if tasa is None else Decimal(tasa)
    for pago in pagos:
        for tax in pago.traslados:
            if tax.impuesto is not Impuesto.IVA or tax.tasa_o_cuota != wanted:
                continue
            if tax.tipo_factor is not TipoFactor.CUOTA:
                yield tax, _rate(pago)


def _rounded(values: Iterable[Decimal]) -> Decimal | None:
    """Half-up to cents; None where there is nothing to add."""
    found = list(values)
    return sum(found, Decimal(0)).quantize(_CENT, ROUND_HALF_UP) if found else None
