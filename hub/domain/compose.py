"""A sale and the merchant's rules make a document; nothing is guessed and no cent is adjusted."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from cfdi import catalogs
from cfdi.amounts import Cuentas, NoExactDocument, Renglon, fit
from cfdi.comprobante import Comprobante, Concepto, Emisor, Receptor
from cfdi.findings import Finding
from cfdi.rfc import GENERIC_NATIONAL
from hub.domain.charges import Charge, charges
from hub.domain.reasons import NotComposable, distinct, reason
from hub.domain.remaining import remaining_lines
from hub.domain.rules import Rules
from hub.domain.sale import Sale

__all__ = ["NotComposable", "compose", "review"]

#: Paid when it is issued: "Pago en una sola exhibición".
_PUE: Final = "PUE"


def compose(
    sale: Sale,
    *,
    rules: Rules,
    emisor: Emisor,
    lugar_expedicion: str,
    receptor: Receptor,
    fecha: datetime,
    serie: str,
    folio: str,
) -> Comprobante:
    """The document whose Total is `sale.due`, exactly. `fecha` is local time, naive.

    Raises `NotComposable` with everything a person has to decide first. `sale.doubts` are not
    looked at: `review` tells of them, and who lets a doubtful sale pass has answered them.
    """
    made, forma_pago, tipo_cambio, decimales = _settled(sale, rules)
    cuentas = _cuentas(made, sale, decimales)
    return Comprobante(
        fecha=fecha,
        serie=serie or None,
        folio=folio or None,
        forma_pago=forma_pago,
        metodo_pago=_PUE,
        moneda=sale.currency,
        tipo_cambio=tipo_cambio,
        sub_total=cuentas.sub_total,
        descuento=cuentas.descuento,
        total=cuentas.total,
        lugar_expedicion=lugar_expedicion,
        emisor=emisor,
        receptor=receptor,
        conceptos=tuple(map(_concepto, made, cuentas.renglones)),
        impuestos=cuentas.impuestos,
    )


def _settled(sale: Sale, rules: Rules) -> tuple[list[Charge], str, Decimal | None, int]:
    """Lines, FormaPago, TipoCambio and the currency's decimals, once nothing is left to decide."""
    made, problems = _charges(sale, rules)
    forma_pago = _forma_pago(sale, rules)
    decimales = catalogs.MONEDA.get(sale.currency)
    tipo_cambio = _tipo_cambio(sale, rules)
    if forma_pago is None:
        problems.append(reason("forma_pago_missing", "payments", method=_method(sale)))
    if decimales is None or sale.currency == "XXX":
        problems.append(reason("currency_unknown", "currency"))
    elif sale.due != round(sale.due, decimales):
        problems.append(reason("total_too_fine", "total"))
    elif tipo_cambio is None and sale.currency != "MXN":
        problems.append(reason("exchange_rate_missing", "currency", moneda=sale.currency))
    if problems or forma_pago is None or decimales is None:
        raise NotComposable(*distinct(problems))
    return made, forma_pago, tipo_cambio, decimales


def review(
    sale: Sale, *, rules: Rules, emisor: Emisor, lugar_expedicion: str
) -> tuple[Finding, ...]:
    """What the merchant must decide before anybody can invoice this sale; empty if nothing."""
    doubts = [reason("sale_doubtful", "", doubt=doubt) for doubt in sale.doubts]
    anybody = Receptor(GENERIC_NATIONAL, "", lugar_expedicion, "616", "S01")
    try:
        compose(
            sale,
            rules=rules,
            emisor=emisor,
            lugar_expedicion=lugar_expedicion,
            receptor=anybody,
            fecha=sale.placed_at.replace(tzinfo=None),
            serie="",
            folio="",
        )
    except NotComposable as error:
        return distinct([*doubts, *error.findings])
    return distinct(doubts)


def _charges(sale: Sale, rules: Rules) -> tuple[list[Charge], list[Finding]]:
    if sale.due <= 0:
        return [], [reason("nothing_to_invoice")]
    try:
        return charges(remaining_lines(sale), rules)
    except NotComposable as error:
        return [], list(error.findings)


def _forma_pago(sale: Sale, rules: Rules) -> str | None:
    """Of the largest payment; of equal ones the first (guide of Anexo 20, FormaPago)."""
    largest = max(sale.payments, key=lambda payment: payment.amount, default=None)
    forma_pago = rules.forma_pago_of(largest)
    # 99 ("Por definir") goes with PPD only (CFDI40105).
    return forma_pago if forma_pago in catalogs.FORMA_PAGO and forma_pago != "99" else None


def _method(sale: Sale) -> str:
    largest = max(sale.payments, key=lambda payment: payment.amount, default=None)
    return largest.method[:60] if largest else "-"


def _tipo_cambio(sale: Sale, rules: Rules) -> Decimal | None:
    if sale.currency == "MXN":
        return None
    rate = sale.exchange_rate or rules.tipos_cambio.get(sale.currency)
    return rate if rate is not None and rate > 0 and rate == round(rate, 6) else None


def _cuentas(made: list[Charge], sale: Sale, decimales: int) -> Cuentas:
    try:
        partidas = [one.partida for one in made]
        return fit(partidas, total=sale.due, decimales=decimales, redondeo=sale.rounds_to)
    except NoExactDocument as error:
        raise NotComposable(reason("no_exact_document", "lines")) from error


def _concepto(charge: Charge, renglon: Renglon) -> Concepto:
    return Concepto(
        clave_prod_serv=charge.clave_prod_serv,
        cantidad=charge.partida.cantidad,
        clave_unidad=charge.clave_unidad,
        descripcion=charge.descripcion,
        valor_unitario=renglon.valor_unitario,
        importe=renglon.importe,
        objeto_imp=charge.objeto_imp,
        no_identificacion=charge.no_identificacion,
        descuento=renglon.descuento,
        traslados=renglon.traslados,
    )
