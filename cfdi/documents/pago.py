"""A document of payments (Pagos 2.0) from the documents being paid and the money received.

Source: http://www.sat.gob.mx/sitio_internet/cfd/Pagos/Pagos20.xsd and its validation matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Final

from cfdi.amounts.limits import d
from cfdi.amounts.units import EXACT
from cfdi.catalogs import FORMA_PAGO
from cfdi.comprobante import (
    Comprobante,
    Concepto,
    Impuesto,
    Receptor,
    RetencionTotal,
    TipoFactor,
    Traslado,
)
from cfdi.documents.datos import (
    Expedicion,
    Factura,
    at_place,
    decimales_of,
    rate_holds,
    refuse_expedicion,
)
from cfdi.documents.refused import DocumentRefused
from cfdi.documents.saldo import Saldo, open_saldo
from cfdi.documents.totales import totales
from cfdi.pagos import DoctoRelacionado, Pago, Pagos
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL

#: "Pagos": the only use of a receiver of payments.
USO_PAGOS: Final = "CP01"
_SAME: Final = Decimal(1)
_TINY: Final = Decimal("1E-16")


@dataclass(frozen=True, slots=True)
class Aplicacion:
    """So much of a payment for one document, in the document's currency.

    `equivalencia` is how many units of the document's currency one unit of the payment's is; None
    where they are the same, or where the payment pays this document alone.
    """

    factura: Factura
    pagado: Decimal
    equivalencia: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Cobro:
    """Money received. `fecha` is local time, naive; `tipo_cambio` pesos for one unit of it."""

    fecha: datetime
    forma_pago: str
    monto: Decimal
    aplicaciones: tuple[Aplicacion, ...]
    moneda: str = "MXN"
    tipo_cambio: Decimal | None = None
    num_operacion: str | None = None
    rfc_emisor_cta_ord: str | None = None
    nom_banco_ord_ext: str | None = None
    cta_ordenante: str | None = None
    rfc_emisor_cta_ben: str | None = None
    cta_beneficiario: str | None = None


def saldo(factura: Factura) -> Decimal:
    """What is still owed of a PPD document. Raises `DocumentRefused`."""
    return open_saldo(factura).owed


def documento_de_pago(cobros: Sequence[Cobro], *, expedicion: Expedicion) -> Comprobante:
    """The document of type P for these payments, in their order.

    A document paid twice has two parcialidades; the last one leaves nothing, and its taxes are what
    the earlier ones left as far as SAT's limits of each amount allow. Raises `DocumentRefused`.
    """
    refuse_expedicion(expedicion)
    if not cobros or not all(cobro.aplicaciones for cobro in cobros):
        raise DocumentRefused("no_payment")
    receptor = _receptor(cobros, expedicion)
    saldos: dict[str, Saldo] = {}
    pagos = tuple(_pago(cobro, saldos) for cobro in cobros)
    return Comprobante(
        fecha=expedicion.fecha,
        serie=expedicion.serie,
        folio=expedicion.folio,
        forma_pago=None,
        metodo_pago=None,
        moneda="XXX",
        tipo_cambio=None,
        sub_total=Decimal(0),
        descuento=None,
        total=Decimal(0),
        lugar_expedicion=expedicion.lugar_expedicion,
        emisor=expedicion.emisor,
        receptor=receptor,
        conceptos=(_CONCEPTO,),
        impuestos=None,
        tipo_de_comprobante="P",
        complementos=(Pagos(totales(pagos), pagos),),
    )


#: CRP20111 to CRP20123.
_CONCEPTO: Final = Concepto(
    clave_prod_serv="84111506",
    cantidad=Decimal(1),
    clave_unidad="ACT",
    descripcion="Pago",
    valor_unitario=Decimal(0),
    importe=Decimal(0),
    objeto_imp="01",
)


def _receptor(cobros: Sequence[Cobro], expedicion: Expedicion) -> Receptor:
    paid = [one.factura.comprobante for cobro in cobros for one in cobro.aplicaciones]
    first = paid[0].receptor
    for comprobante in paid:
        if comprobante.emisor.rfc != expedicion.emisor.rfc:
            raise DocumentRefused("parties_differ")
        if _party(comprobante.receptor) != _party(first):
            raise DocumentRefused("parties_differ")
    return replace(at_place(first, expedicion.lugar_expedicion), uso_cfdi=USO_PAGOS)


def _party(receptor: Receptor) -> tuple[str, ...]:
    """Who it is: all buyers without an RFC of their own have the same one."""
    if receptor.rfc not in {GENERIC_NATIONAL, GENERIC_FOREIGN}:
        return (receptor.rfc,)
    return receptor.rfc, receptor.nombre, receptor.num_reg_id_trib or ""


def _pago(cobro: Cobro, saldos: dict[str, Saldo]) -> Pago:
    decimales = decimales_of(cobro.moneda, cobro.tipo_cambio)
    if cobro.fecha.tzinfo is not None:
        raise DocumentRefused("fecha")
    if cobro.forma_pago not in FORMA_PAGO or cobro.forma_pago == "99":
        raise DocumentRefused("CRP20212")
    monto = _in_currency(cobro.monto, decimales)
    documentos = tuple(_documento(cobro, one, saldos) for one in cobro.aplicaciones)
    _refuse_monto(cobro, documentos, decimales)
    traslados, retenciones = _taxes(documentos)
    return Pago(
        fecha=cobro.fecha,
        forma_pago=cobro.forma_pago,
        moneda=cobro.moneda,
        tipo_cambio=_SAME if cobro.moneda == "MXN" else cobro.tipo_cambio,
        monto=monto,
        documentos=documentos,
        traslados=traslados,
        retenciones=retenciones,
        num_operacion=cobro.num_operacion,
        rfc_emisor_cta_ord=cobro.rfc_emisor_cta_ord,
        nom_banco_ord_ext=cobro.nom_banco_ord_ext,
        cta_ordenante=cobro.cta_ordenante,
        rfc_emisor_cta_ben=cobro.rfc_emisor_cta_ben,
        cta_beneficiario=cobro.cta_beneficiario,
    )


def _in_currency(monto: Decimal, decimales: int) -> Decimal:
    """Written with the currency's decimals (CRP20218, 20219)."""
    if not monto.is_finite() or not 0 < monto < 10**18:
        raise DocumentRefused("CRP20219")
    written = monto.quantize(Decimal(1).scaleb(-decimales), context=EXACT)
    if written != monto:
        raise DocumentRefused("CRP20219")
    return written


def _documento(cobro: Cobro, one: Aplicacion, saldos: dict[str, Saldo]) -> DoctoRelacionado:
    uuid = one.factura.uuid.upper()
    if uuid not in saldos:
        saldos[uuid] = open_saldo(one.factura)
    return saldos[uuid].pay(one.pagado, _equivalencia(cobro, one))


def _equivalencia(cobro: Cobro, one: Aplicacion) -> Decimal:
    given = one.equivalencia
    if one.factura.comprobante.moneda == cobro.moneda:
        if given not in {None, _SAME}:
            raise DocumentRefused("CRP20237")
        return _SAME
    if given is None and len(cobro.aplicaciones) == 1 and one.pagado.is_finite():
        given = EXACT.divide(one.pagado, cobro.monto).quantize(
            Decimal("1E-10"), rounding=ROUND_HALF_UP, context=EXACT
        )
    if given is None or not rate_holds(given, 10):
        raise DocumentRefused("CRP20237")
    return given


def _refuse_monto(cobro: Cobro, documentos: Sequence[DoctoRelacionado], decimales: int) -> None:
    """CRP20217 in one currency; CRP20275 to 20277 where a document has another."""
    with localcontext(EXACT):
        if all(one.moneda == cobro.moneda for one in documentos):
            if sum(one.pagado for one in documentos) > cobro.monto:
                raise DocumentRefused("CRP20217")
            return
        margins = [_margin(one, decimales, several=len(documentos) > 1) for one in documentos]
        lower, upper = (sum(each) for each in zip(*margins, strict=True))
        if not lower <= cobro.monto <= upper:
            raise DocumentRefused("CRP20276")


def _margin(one: DoctoRelacionado, decimales: int, *, several: bool) -> tuple[Decimal, Decimal]:
    """The least and the most a payment may be for this document (Pagos 2.0, margin of variation).

    With several documents an EquivalenciaDR of "1" counts as if ten decimals were written
    (CRP20277 as corrected on 16-01-2024).
    """
    rate = one.equivalencia or _SAME
    written = 10 if several and rate == 1 else d(rate)
    half_rate = Decimal(1).scaleb(-written) / 2
    half = Decimal(1).scaleb(-d(one.pagado)) / 2
    step = Decimal(1).scaleb(-decimales)
    lower = (one.pagado - half) / (rate + half_rate - _TINY)
    upper = (one.pagado + half - _TINY) / (rate - half_rate)
    return lower.quantize(step, ROUND_DOWN), upper.quantize(step, ROUND_CEILING)


_Key = tuple[Impuesto, TipoFactor, Decimal | None]


def _taxes(
    documentos: Sequence[DoctoRelacionado],
) -> tuple[tuple[Traslado, ...], tuple[RetencionTotal, ...]]:
    """TrasladoP and RetencionP: sums over the documents, in the payment's currency."""
    traslados: dict[_Key, list[Fraction]] = {}
    retenciones: dict[Impuesto, Fraction] = {}
    for one in documentos:
        rate = Fraction(one.equivalencia or _SAME)
        for tax in one.traslados:
            key = (tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota)
            known = traslados.setdefault(key, [Fraction(0), Fraction(0)])
            known[0] += Fraction(tax.base) / rate
            known[1] += Fraction(tax.importe or 0) / rate
        for withheld in one.retenciones:
            already = retenciones.get(withheld.impuesto, Fraction(0))
            retenciones[withheld.impuesto] = already + Fraction(withheld.importe) / rate
    return (
        tuple(_traslado_p(key, *sums) for key, sums in traslados.items()),
        tuple(
            RetencionTotal(impuesto, _millionths(sum_)) for impuesto, sum_ in retenciones.items()
        ),
    )


def _traslado_p(key: _Key, base: Fraction, amount: Fraction) -> Traslado:
    impuesto, factor, tasa = key
    if factor is TipoFactor.EXENTO:
        return Traslado(_millionths(base), impuesto, factor)
    return Traslado(_millionths(base), impuesto, factor, tasa, _millionths(amount))


def _millionths(value: Fraction) -> Decimal:
    """Half-up to six decimals; written with those it needs and at least two."""
    doubled = 2 * value * 10**6 + 1
    micros = doubled.numerator // (2 * doubled.denominator)
    decimals = 6
    while decimals > 2 and micros % 10 == 0:
        micros //= 10
        decimals -= 1
    return Decimal(f"{micros}E-{decimals}")
