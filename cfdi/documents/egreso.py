"""Credit notes (egreso): of a whole document, of lines, of an amount, of one ticket of a global.

All credit notes on a document together never take more of any tax than it has, and the one that
takes the last of it takes exactly the rest. Guide of Anexo 20, appendix on egresos: relation 01 is
a discount or a bonus, 03 goods that came back; key 84111506 and unit ACT are allowed for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from cfdi.amounts import NoExactDocument
from cfdi.amounts.units import EXACT
from cfdi.catalogs import MONEDA
from cfdi.comprobante import Comprobante, Concepto
from cfdi.documents.acreditado import concepto_of, of_goods
from cfdi.documents.datos import (
    Expedicion,
    Factura,
    at_place,
    refuse_expedicion,
    refuse_payment,
    uso_of_egreso,
)
from cfdi.documents.porciones import Clase, Porcion, class_of, left_of, of_line, porciones
from cfdi.documents.refused import DocumentRefused
from cfdi.documents.relaciones import relacionar
from cfdi.documents.reparto import over_classes, over_lines, taken
from cfdi.documents.sumas import summed

#: "Condonación": of a document that nobody paid.
CONDONACION: Final = "15"
_ZERO: Final = Decimal(0)
_DESCRIPTIONS: Final = {"01": "Descuento", "03": "Devolución"}


@dataclass(frozen=True, slots=True)
class Devuelto:
    """Of a line (0 is the first): so much money, taxes included, or so many units, or all of it."""

    linea: int
    importe: Decimal | None = None
    cantidad: Decimal | None = None


def por_acreditar(factura: Factura) -> Decimal:
    """What can still be credited: its Total less its credit notes. Raises `DocumentRefused`."""
    decimales = _decimales(factura)
    left = left_of(factura.comprobante, factura.egresos, decimales)
    return Decimal(sum(one.gross for one in left.values())).scaleb(-decimales, context=EXACT)


def egreso(
    factura: Factura,
    importe: Decimal | None = None,
    *,
    expedicion: Expedicion,
    relacion: str = "01",
    forma_pago: str | None = None,
    descripcion: str = "",
    lineas: range | None = None,
) -> Comprobante:
    """A credit note of this amount, taxes included, over all lines in proportion; None is the rest.

    With `lineas` (0 is the first) over those only, unless it is all that is left. The sums of a
    document are rounded once: a cent of theirs may stand under another line's taxes, and is taken
    there.

    `forma_pago` is the refund's; by default the document's own, or 15 if it was never paid. Raises
    `DocumentRefused`, and `NoExactDocument` where what is left cannot be divided so.
    """
    _refuse_global(factura)
    left, decimales = _left(factura)
    gross = sum(one.gross for one in left.values())
    wanted = gross if importe is None else _units(importe, decimales)
    if not 0 < wanted <= gross:
        raise DocumentRefused("more_than_is_left")
    wholes = porciones(factura.comprobante, decimales, by_ticket=False)
    try:
        if lineas is None or wanted == gross:
            said = over_classes(wholes, left, wanted, decimales)
        else:
            said = over_lines(
                factura.comprobante.conceptos[lineas.start : lineas.stop],
                wholes,
                left,
                wanted,
                decimales,
            )
    except NoExactDocument:
        if factura.egresos or wanted != gross:
            raise
        # Line by line as they stand in the document, they surely add up.
        return _document(factura, factura.comprobante.conceptos, expedicion, relacion, forma_pago)
    text = descripcion or _description(relacion)
    conceptos = tuple(concepto_of(clase, part, decimales, text) for clase, part in said)
    return _document(factura, conceptos, expedicion, relacion, forma_pago)


def egreso_por_lineas(
    factura: Factura,
    devueltos: Sequence[Devuelto],
    *,
    expedicion: Expedicion,
    relacion: str = "03",
    forma_pago: str | None = None,
) -> Comprobante:
    """A credit note of these lines or parts of them, under their own keys: goods, or shipping.

    A line without amount or quantity is credited as far as anything is left of its taxes. Raises
    as `egreso` does.
    """
    _refuse_global(factura)
    left, decimales = _left(factura)
    conceptos: list[Concepto] = []
    for devuelto in devueltos:
        if not 0 <= devuelto.linea < len(factura.comprobante.conceptos):
            raise DocumentRefused("line_unknown")
        line = factura.comprobante.conceptos[devuelto.linea]
        clase, like = class_of(line, by_ticket=False), of_line(line, decimales)
        if clase not in left or like.gross <= 0:
            raise DocumentRefused("line_unknown")
        units = _units_of(devuelto, line, like, left[clase], decimales)
        if devuelto.importe is None and devuelto.cantidad is None:
            units += _dust(
                factura.comprobante, devuelto.linea, left[clase].gross - units, decimales
            )
        part, said = taken(clase, like, left[clase], units, decimales)
        left[clase] = left[clase].less(part)
        cantidad = None if len(said) > 1 else _cantidad(devuelto, line)
        conceptos += [
            of_goods(line, concepto_of(clase, one, decimales, line.descripcion), cantidad)
            for one in said
        ]
    if not conceptos:
        raise DocumentRefused("line_unknown")
    return _document(factura, tuple(conceptos), expedicion, relacion, forma_pago)


def egreso_de_ticket(
    factura: Factura,
    ticket: str,
    importe: Decimal | None = None,
    *,
    expedicion: Expedicion,
    forma_pago: str | None = None,
    descripcion: str = "Devolución",
) -> Comprobante:
    """A credit note of one ticket of a global invoice, so that it can be invoiced by name.

    Relation 01, general public, use G02 (guide of the global CFDI). `importe` None is all that is
    left of the ticket. Raises as `egreso` does.
    """
    if factura.comprobante.informacion_global is None:
        raise DocumentRefused("CFDI40130")
    left, decimales = _left(factura)
    mine = {clase: one for clase, one in left.items() if clase.ticket == ticket}
    gross = sum(one.gross for one in mine.values())
    wanted = gross if importe is None else _units(importe, decimales)
    if not mine or not 0 < wanted <= gross:
        raise DocumentRefused("more_than_is_left")
    wholes = porciones(factura.comprobante, decimales, by_ticket=True)
    conceptos = tuple(
        replace(concepto_of(clase, part, decimales, descripcion), no_identificacion=ticket)
        for clase, part in over_classes(wholes, mine, wanted, decimales)
    )
    return _document(factura, conceptos, expedicion, "01", forma_pago)


def _refuse_global(factura: Factura) -> None:
    if factura.comprobante.informacion_global is not None:
        raise DocumentRefused("CFDI40130")


def _left(factura: Factura) -> tuple[dict[Clase, Porcion], int]:
    decimales = _decimales(factura)
    return left_of(factura.comprobante, factura.egresos, decimales), decimales


def _decimales(factura: Factura) -> int:
    decimales = MONEDA.get(factura.comprobante.moneda)
    if factura.comprobante.tipo_de_comprobante != "I" or decimales is None:
        raise DocumentRefused("not_an_ingreso")
    return decimales


def _units(importe: Decimal, decimales: int) -> int:
    if not importe.is_finite() or importe.adjusted() > 17:
        raise DocumentRefused("more_than_is_left")
    scaled = importe.scaleb(decimales, context=EXACT)
    if scaled != int(scaled):
        raise DocumentRefused("more_than_is_left")
    return int(scaled)


def _units_of(
    devuelto: Devuelto, line: Concepto, like: Porcion, left: Porcion, decimales: int
) -> int:
    if devuelto.importe is not None:
        units = _units(devuelto.importe, decimales)
    elif devuelto.cantidad is not None:
        if not devuelto.cantidad.is_finite() or not 0 < devuelto.cantidad <= line.cantidad:
            raise DocumentRefused("more_than_is_left")
        share_of_line = EXACT.divide(devuelto.cantidad * like.gross, line.cantidad)
        units = int(share_of_line.to_integral_value(rounding="ROUND_HALF_UP"))
    else:
        units = min(like.gross, left.gross)
    if not 0 < units <= min(max(like.gross, _rounded_up(line, decimales)), left.gross):
        raise DocumentRefused("more_than_is_left")
    return units


def _rounded_up(line: Concepto, decimales: int) -> int:
    """A line that says fractions of a cent may have been charged as the cent above."""
    taxes = sum((one.importe or _ZERO for one in line.traslados), _ZERO)
    withheld = sum((one.importe or _ZERO for one in line.retenciones), _ZERO)
    gross = line.importe - (line.descuento or _ZERO) + taxes - withheld
    return int(gross.scaleb(decimales, context=EXACT).to_integral_value(rounding="ROUND_CEILING"))


def _dust(comprobante: Comprobante, linea: int, stays: int, decimales: int) -> int:
    """What the rounding of the lines leaves when the last of them is credited whole."""
    mine = class_of(comprobante.conceptos[linea], by_ticket=False)
    others = [
        of_line(line, decimales).gross
        for place, line in enumerate(comprobante.conceptos)
        if place != linea and class_of(line, by_ticket=False) == mine
    ]
    return stays if stays <= len(others) and stays < min(others, default=0) else 0


def _description(relacion: str) -> str:
    return _DESCRIPTIONS.get(relacion, "Descuento")


def _cantidad(devuelto: Devuelto, line: Concepto) -> Decimal | None:
    whole = devuelto.importe is None and devuelto.cantidad is None
    return line.cantidad if whole else devuelto.cantidad


def _document(
    factura: Factura,
    conceptos: tuple[Concepto, ...],
    expedicion: Expedicion,
    relacion: str,
    forma_pago: str | None,
) -> Comprobante:
    origen = factura.comprobante
    if relacion not in _DESCRIPTIONS:
        raise DocumentRefused("relation")
    refuse_expedicion(expedicion)
    forma = forma_pago or _forma_pago(factura)
    refuse_payment(forma, "PUE")
    receptor = at_place(origen.receptor, expedicion.lugar_expedicion)
    sums = summed(conceptos, _decimales(factura))
    made = Comprobante(
        fecha=expedicion.fecha,
        serie=expedicion.serie,
        folio=expedicion.folio,
        forma_pago=forma,
        metodo_pago="PUE",
        moneda=origen.moneda,
        tipo_cambio=origen.tipo_cambio,
        sub_total=sums.sub_total,
        descuento=sums.descuento,
        total=sums.total,
        lugar_expedicion=expedicion.lugar_expedicion,
        emisor=expedicion.emisor,
        receptor=replace(receptor, uso_cfdi=uso_of_egreso(receptor)),
        conceptos=conceptos,
        impuestos=sums.impuestos,
        tipo_de_comprobante="E",
    )
    return relacionar(made, relacion, factura.uuid)


def _forma_pago(factura: Factura) -> str:
    forma_pago = factura.comprobante.forma_pago or "99"
    if forma_pago != "99":
        return forma_pago
    if factura.pagos:
        raise DocumentRefused("refund_form")
    return CONDONACION
