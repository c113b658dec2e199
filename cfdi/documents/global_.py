"""The global invoice: what the general public bought in a period and nobody asked to be invoiced.

Rules: RMF 2026 2.7.1.21 and SAT's filling guide of the global CFDI (08-03-2023); the year by the
validation matrix of 25-03-2026 (CFDI40136).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from cfdi.comprobante import Comprobante, InformacionGlobal
from cfdi.documents.datos import (
    Expedicion,
    decimales_of,
    publico_en_general,
    refuse_expedicion,
    refuse_payment,
)
from cfdi.documents.refused import DocumentRefused
from cfdi.documents.sumas import summed
from cfdi.documents.tickets import Ticket, ticket_concepto

#: Two-monthly, for régimen 621 (incorporación fiscal) only.
BIMESTRAL: Final = "05"
_MENSUAL_OR_LESS: Final = frozenset({"01", "02", "03", "04"})
_INCORPORACION_FISCAL: Final = "621"
TICKETS_MAX: Final = 5000


def informacion_global(periodicidad: str, dia: date) -> InformacionGlobal:
    """The period in which this day falls: 01 day, 02 week, 03 fortnight, 04 month, 05 two months.

    A week over the end of a month is that of the day given. Raises `DocumentRefused`.
    """
    if periodicidad == BIMESTRAL:
        return InformacionGlobal(periodicidad, str(13 + (dia.month - 1) // 2), dia.year)
    if periodicidad not in _MENSUAL_OR_LESS:
        raise DocumentRefused("CFDI40133")
    return InformacionGlobal(periodicidad, f"{dia.month:02d}", dia.year)


def lotes(tickets: Sequence[Ticket], maximo: int = TICKETS_MAX) -> tuple[tuple[Ticket, ...], ...]:
    """The tickets of one global invoice each, by number: the same whatever order they come in.

    Raises `DocumentRefused` for a number that comes twice.
    """
    if maximo < 1 or len({ticket.numero for ticket in tickets}) != len(tickets):
        raise DocumentRefused("tickets")
    ordered = sorted(tickets, key=lambda ticket: ticket.numero)
    return tuple(tuple(ordered[start : start + maximo]) for start in range(0, len(ordered), maximo))


def factura_global(
    tickets: Sequence[Ticket],
    *,
    expedicion: Expedicion,
    periodo: InformacionGlobal,
    moneda: str = "MXN",
    tipo_cambio: Decimal | None = None,
) -> Comprobante:
    """One Concepto a ticket; the Total is exactly what all of them were charged.

    FormaPago is that of the largest ticket, of equal ones the first. Raises `DocumentRefused`, and
    `NoExactDocument` for a ticket that no Concepto can say.
    """
    refuse_expedicion(expedicion)
    _refuse_periodo(periodo, expedicion)
    if not tickets or len({ticket.numero for ticket in tickets}) != len(tickets):
        raise DocumentRefused("tickets")
    decimales = decimales_of(moneda, tipo_cambio)
    forma_pago = max(tickets, key=lambda ticket: ticket.total).forma_pago
    refuse_payment(forma_pago, "PUE")
    conceptos = tuple(ticket_concepto(ticket, decimales) for ticket in tickets)
    sums = summed(conceptos, decimales)
    return Comprobante(
        fecha=expedicion.fecha,
        serie=expedicion.serie,
        folio=expedicion.folio,
        forma_pago=forma_pago,
        metodo_pago="PUE",
        moneda=moneda,
        tipo_cambio=tipo_cambio,
        sub_total=sums.sub_total,
        descuento=None,
        total=sums.total,
        lugar_expedicion=expedicion.lugar_expedicion,
        emisor=expedicion.emisor,
        receptor=publico_en_general(expedicion.lugar_expedicion),
        conceptos=conceptos,
        impuestos=sums.impuestos,
        informacion_global=periodo,
    )


def sin_tickets(comprobante: Comprobante, *numeros: str) -> Comprobante:
    """A global invoice without these tickets, to be issued in the place of the cancelled one.

    Its date, folio and relation 04 are the caller's (`sustitucion`). Raises `DocumentRefused` for a
    ticket that is not in it, and where none would stay.
    """
    leaving = set(numeros)
    stays = tuple(one for one in comprobante.conceptos if one.no_identificacion not in leaving)
    if comprobante.informacion_global is None or not stays:
        raise DocumentRefused("tickets")
    if len(comprobante.conceptos) - len(stays) != len(leaving):
        raise DocumentRefused("tickets")
    sums = summed(stays, decimales_of(comprobante.moneda, comprobante.tipo_cambio))
    return replace(
        comprobante,
        conceptos=stays,
        sub_total=sums.sub_total,
        impuestos=sums.impuestos,
        total=sums.total,
    )


def _refuse_periodo(periodo: InformacionGlobal, expedicion: Expedicion) -> None:
    """CFDI40131 to CFDI40136."""
    if periodo.periodicidad == BIMESTRAL:
        months = range(13, 19)
        if expedicion.emisor.regimen_fiscal != _INCORPORACION_FISCAL:
            raise DocumentRefused("CFDI40132")
    elif periodo.periodicidad in _MENSUAL_OR_LESS:
        months = range(1, 13)
    else:
        raise DocumentRefused("CFDI40133")
    if periodo.meses not in {f"{month:02d}" for month in months}:
        raise DocumentRefused("CFDI40133")
    if not 0 <= expedicion.fecha.year - periodo.anio <= 5:
        raise DocumentRefused("CFDI40136")
