"""An invoice (ingreso) from lines as they were charged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Final

from cfdi.amounts import Partida, Renglon, Tributo, fit
from cfdi.amounts.units import EXACT
from cfdi.comprobante import (
    ACuentaTerceros,
    CfdiRelacionados,
    Comprobante,
    Concepto,
    Extranjero,
    Impuesto,
    Parte,
    Receptor,
    TipoFactor,
)
from cfdi.documents.datos import (
    Expedicion,
    decimales_of,
    refuse_expedicion,
    refuse_payment,
    refuse_receptor,
)
from cfdi.documents.refused import DocumentRefused
from cfdi.receptor import GENERIC_NAME
from cfdi.rfc import GENERIC_NATIONAL

#: What a company withholds of a natural person in régimen 626 (LISR 113-J). The caller says
#: whether: SAT's mark of each taxpayer decides it (CFDI140224, CFDI140225).
ISR_RESICO: Final = Decimal("0.0125")
_MICRO: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Articulo:
    """A line as charged, with everything else its Concepto states.

    `objeto_imp` None: 02 with taxes, 01 without any, 04 where a discount of the whole price leaves
    the taxes no base (CFDI40174).
    """

    partida: Partida
    descripcion: str
    clave_prod_serv: str = "01010101"
    clave_unidad: str = "H87"
    objeto_imp: str | None = None
    no_identificacion: str | None = None
    unidad: str | None = None
    a_cuenta_terceros: ACuentaTerceros | None = None
    pedimentos: tuple[str, ...] = ()
    cuentas_prediales: tuple[str, ...] = ()
    complemento: tuple[Extranjero, ...] = ()
    partes: tuple[Parte, ...] = ()


def ingreso(
    articulos: Sequence[Articulo],
    *,
    expedicion: Expedicion,
    receptor: Receptor,
    total: Decimal,
    forma_pago: str,
    metodo_pago: str = "PUE",
    moneda: str = "MXN",
    tipo_cambio: Decimal | None = None,
    condiciones_de_pago: str | None = None,
    exportacion: str = "01",
    relacionados: tuple[CfdiRelacionados, ...] = (),
) -> Comprobante:
    """The document whose Total is `total`, exactly: what is paid once withheld taxes are taken off.

    Raises `DocumentRefused` for what a document cannot say, and `NoExactDocument` where no valid
    one adds up to the total.
    """
    refuse_expedicion(expedicion)
    refuse_receptor(receptor, expedicion.lugar_expedicion)
    refuse_payment(forma_pago, metodo_pago)
    if receptor.rfc == GENERIC_NATIONAL and receptor.nombre == GENERIC_NAME:
        raise DocumentRefused("CFDI40130")
    decimales = decimales_of(moneda, tipo_cambio)
    cuentas = fit([one.partida for one in articulos], total=total, decimales=decimales)
    return Comprobante(
        fecha=expedicion.fecha,
        serie=expedicion.serie,
        folio=expedicion.folio,
        forma_pago=forma_pago,
        metodo_pago=metodo_pago,
        moneda=moneda,
        tipo_cambio=tipo_cambio,
        sub_total=cuentas.sub_total,
        descuento=cuentas.descuento,
        total=cuentas.total,
        lugar_expedicion=expedicion.lugar_expedicion,
        emisor=expedicion.emisor,
        receptor=receptor,
        conceptos=tuple(map(_concepto, articulos, cuentas.renglones)),
        impuestos=cuentas.impuestos,
        exportacion=exportacion,
        condiciones_de_pago=condiciones_de_pago,
        relacionados=relacionados,
    )


def retener(partida: Partida, impuesto: Impuesto, tasa: Decimal) -> Partida:
    """The line with this tax withheld too, to the millionth; a line given away withholds nothing.

    The base is the price after discount; for IVA the IEPS as well, as it was charged upon both.
    """
    with localcontext(EXACT):
        base = partida.subtotal - partida.descuento
        if impuesto is Impuesto.IVA:
            ieps = (one.importe for one in partida.tributos if one.impuesto is Impuesto.IEPS)
            base += sum(ieps, Decimal(0))
        if base <= 0:
            return partida
        importe = (base * tasa).quantize(_MICRO, rounding=ROUND_HALF_UP)
    tributo = Tributo(impuesto, TipoFactor.TASA, tasa, importe)
    return replace(partida, retenciones=(*partida.retenciones, tributo))


def _concepto(articulo: Articulo, renglon: Renglon) -> Concepto:
    return Concepto(
        clave_prod_serv=articulo.clave_prod_serv,
        cantidad=articulo.partida.cantidad,
        clave_unidad=articulo.clave_unidad,
        descripcion=articulo.descripcion,
        valor_unitario=renglon.valor_unitario,
        importe=renglon.importe,
        objeto_imp=_objeto_imp(articulo, renglon),
        no_identificacion=articulo.no_identificacion,
        unidad=articulo.unidad,
        descuento=renglon.descuento,
        traslados=renglon.traslados,
        retenciones=renglon.retenciones,
        a_cuenta_terceros=articulo.a_cuenta_terceros,
        pedimentos=articulo.pedimentos,
        cuentas_prediales=articulo.cuentas_prediales,
        complemento=articulo.complemento,
        partes=articulo.partes,
    )


def _objeto_imp(articulo: Articulo, renglon: Renglon) -> str:
    """c_ObjetoImp. Raises `DocumentRefused` (CFDI40171, 40172, CFDI140226, CFDI140227)."""
    wanted = articulo.objeto_imp
    traslados = {one.impuesto for one in renglon.traslados}
    taxed = traslados | {one.impuesto for one in renglon.retenciones}
    if not taxed:
        if articulo.partida.tributos and wanted in {None, "02", "07"}:
            return "04"
        if wanted in {"02", "07"}:
            raise DocumentRefused("CFDI40171")
        return wanted or "01"
    holds = {
        "02": True,
        "06": taxed == {Impuesto.ISR},
        "07": Impuesto.IVA not in taxed and Impuesto.IEPS in traslados,
        "08": taxed == {Impuesto.ISR},
    }
    if not holds.get(wanted or "02", False):
        raise DocumentRefused("CFDI40171")
    return wanted or "02"
