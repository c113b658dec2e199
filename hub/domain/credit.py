"""What was given back after the invoice, and the credit note (egreso) that says so. Pure.

The invoice accounts for the refunds that it was sealed with; each later one has a note of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Final

from cfdi import catalogs
from cfdi.amounts import NoExactDocument, limits_hold
from cfdi.comprobante import Comprobante, Concepto, TipoFactor
from cfdi.documents import (
    Devuelto,
    DocumentRefused,
    Expedicion,
    Factura,
    egreso,
    egreso_por_lineas,
    por_acreditar,
)
from cfdi.findings import Finding
from hub.domain.charges import costs
from hub.domain.money import EXACT
from hub.domain.placed import Basis, Share, given_back, in_place, named
from hub.domain.reasons import NotComposable, reason
from hub.domain.remaining import remaining_lines
from hub.domain.sale import PaymentState, Refund, RefundLine, Sale, SaleLine

#: c_TipoRelacion: "Nota de crédito de los documentos relacionados", "Devolución de mercancía sobre
#: facturas o traslados previos" (guide of Anexo 20, appendix on egresos).
NOTA_DE_CREDITO: Final = "01"
DEVOLUCION: Final = "03"
_SAID: Final = {NOTA_DE_CREDITO: "Descuento", DEVOLUCION: "Devolución"}
#: c_ClaveUnidad of services: nothing of them comes back.
_SERVICES: Final = frozenset({"E48", "ACT"})
#: A refund's key goes into the database as it is; no platform's id is near that long.
_KEY_MAX: Final = 200
_ZERO: Final = Decimal(0)
#: A price or tax of an invoice is the sale's to within what its cents (or whole pesos, where a
#: currency has no cents) take and give.
_SLACK: Final = Decimal("0.02")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a sale stands to its stamped invoice and the notes on it."""

    #: Refunds without a note. Each can have one, unless there is an objection.
    due: tuple[Refund, ...] = ()
    #: Keys of refunds that have a note and are there no more, or with another amount.
    gone: tuple[str, ...] = ()
    #: Why notes cannot explain what changed; None if they can.
    objection: Finding | None = None
    #: Invoice less notes is what the buyer paid in the end.
    agrees: bool = False


def totals_of(sale: Sale) -> dict[str, Decimal]:
    """What was given back by each refund; two of one key count together."""
    found: dict[str, Decimal] = {}
    for refund in sale.refunds:
        found[refund.key] = found.get(refund.key, _ZERO) + refund.total
    return found


def judge(
    sale: Sale, invoiced: Decimal, currency: str, basis: Basis | None, noted: Mapping[str, Decimal]
) -> Verdict:
    """`noted` has the amounts of the open notes by the key of their refund.

    Without a basis (an invoice from before there were notes) it is known only where the invoice is
    of all that was charged.
    """
    with localcontext(EXACT):
        keys = {refund.key: refund.total for refund in sale.refunds}
        gone = tuple(key for key, total in noted.items() if keys.get(key) != total)
        stands = _settled(sale) and sale.currency == currency
        agrees = stands and not gone and invoiced - sum(noted.values(), _ZERO) == sale.due
        if agrees:
            return Verdict(agrees=True)
        accounted = _accounted(sale, invoiced, basis)
        due = tuple(
            one for one in sale.refunds if one.key not in noted and one.key not in (accounted or {})
        )
        objection = _objection(sale, (invoiced, currency), accounted, due, noted)
    return Verdict(due, gone, objection)


def _accounted(sale: Sale, invoiced: Decimal, basis: Basis | None) -> Mapping[str, Decimal] | None:
    if basis is not None:
        return basis.refunds
    return {} if sale.total == invoiced else None


def _objection(
    sale: Sale,
    invoice: tuple[Decimal, str],
    accounted: Mapping[str, Decimal] | None,
    due: tuple[Refund, ...],
    noted: Mapping[str, Decimal],
) -> Finding | None:
    """The first thing that is not plain; nothing of it is guessed."""
    invoiced, currency = invoice
    keys = Counter(refund.key for refund in sale.refunds)
    then = {refund.key: refund.total for refund in sale.refunds if refund.key in (accounted or {})}
    charged = sale.total - sum(then.values(), _ZERO)
    to_credit = sum((one.total for one in due), sum(noted.values(), _ZERO))
    decimales = catalogs.MONEDA.get(currency) or 0
    for code, path, holds in (
        ("credit_currency", "currency", sale.currency != currency),
        ("credit_state", "payment_state", not _settled(sale)),
        ("credit_older", "", accounted is None),
        ("credit_unnamed", "refunds", any(not _usable(k) or n > 1 for k, n in keys.items())),
        ("credit_total", "total", then != (accounted or {}) or charged != invoiced),
        ("credit_amount", "refunds", any(_is_odd(one.total, decimales) for one in due)),
        ("credit_more", "refunds", to_credit > invoiced),
    ):
        if holds:
            return reason(code, path)
    return None


def sells_the_same(conceptos: Sequence[Concepto], sale: Sale, accounted: Collection[str]) -> bool:
    """Whether the invoice still has the sale's prices and taxes, whatever the total says.

    An even exchange or edit in the shop leaves the total as it was, and perhaps not the tax. Later
    refunds have their notes, so they do not count. Names may change.
    """
    earlier = tuple(one for one in sale.refunds if one.key in accounted)
    lines = _invoiced_lines(sale, earlier)
    unit = Decimal(1).scaleb(-(catalogs.MONEDA.get(sale.currency) or 0))
    slack = max(_SLACK, 2 * unit, sale.rounds_to or _ZERO)
    with localcontext(EXACT):
        prices = sorted(line.total for line in lines)
        invoiced = sorted(_gross(one) for one in conceptos)
        if len(prices) != len(invoiced):
            return False
        if any(abs(a - b) > slack for a, b in zip(prices, invoiced, strict=True)):
            return False
        # What the shop charged no tax for is taxed by the merchant's rules.
        if not all(line.taxes for line in lines if line.total):
            return True
        told = sum((tax.amount for line in lines for tax in line.taxes), _ZERO)
        return abs(told - sum(map(_tax, conceptos), _ZERO)) <= slack * len(lines)


def _tax(concepto: Concepto) -> Decimal:
    return sum((one.importe or _ZERO for one in concepto.traslados), _ZERO)


def _gross(concepto: Concepto) -> Decimal:
    withheld = sum((one.importe or _ZERO for one in concepto.retenciones), _ZERO)
    return concepto.importe - (concepto.descuento or _ZERO) + _tax(concepto) - withheld


def _settled(sale: Sale) -> bool:
    """Paid, or refunded or cancelled with refunds that explain it in full."""
    if sale.payment_state in {PaymentState.REFUNDED, PaymentState.CANCELLED}:
        return sale.due == 0
    return sale.payment_state is PaymentState.PAID


def _is_odd(amount: Decimal, decimales: int) -> bool:
    return amount <= 0 or amount != round(amount, decimales)


def _usable(key: str) -> bool:
    return 0 < len(key) <= _KEY_MAX and key.isprintable()


def compose(
    factura: Factura,
    refund: Refund,
    sale: Sale,
    *,
    accounted: Collection[str],
    expedicion: Expedicion,
    spread: bool,
    share: Share | None = None,
) -> Comprobante:
    """The egreso whose Total is what was given back, exactly.

    By lines where the refund names them and they explain it; else over all lines in proportion,
    which says the same where they are taxed alike. Where they are not, only if a person said so
    (`spread`), or the refund names no line at all. `accounted` are the keys of the refunds that the
    invoice was made with. Of an invoice of several sales (`share`) only this one's lines are taken,
    and those of no line in particular only if a person said so. Raises `NotComposable`.
    """
    try:
        note = _composed(factura, refund, sale, accounted, expedicion, spread, share)
    except DocumentRefused as error:
        raise NotComposable(error.finding) from error
    except NoExactDocument as error:
        raise NotComposable(reason("credit_indivisible", "refunds")) from error
    # Looked at again apart from the library that made it: a wrong cent is never sealed.
    if note.total != refund.total or note.moneda != sale.currency:
        raise NotComposable(reason("credit_amount", "refunds"))
    if findings := limits_hold(note):
        raise NotComposable(*findings)
    return note


def _composed(  # noqa: PLR0917 - the parts of one document, handed on once
    factura: Factura,
    refund: Refund,
    sale: Sale,
    accounted: Collection[str],
    expedicion: Expedicion,
    spread: bool,  # noqa: FBT001 - as above
    share: Share | None,
) -> Comprobante:
    if not refund.lines and share is None:
        return egreso(factura, refund.total, expedicion=expedicion, relacion=NOTA_DE_CREDITO)
    earlier = tuple(one for one in sale.refunds if one.key in accounted)
    coherent = _coherent(replace(sale, refunds=(*earlier, refund)))
    lines = _invoiced_lines(sale, earlier)
    places = in_place(factura.comprobante, lines, sale, share)
    devueltos = given_back(factura.comprobante, refund, places)
    relacion = NOTA_DE_CREDITO
    if coherent and devueltos:
        relacion = _relacion(factura.comprobante, refund, devueltos)
        try:
            return egreso_por_lineas(factura, devueltos, expedicion=expedicion, relacion=relacion)
        except (DocumentRefused, NoExactDocument):
            pass  # a cent that another note took of this line: say the amount as a whole
    if share is not None:
        return _of_share(factura, refund, sale, share, expedicion, relacion, spread=spread)
    alike = coherent and _taxed_alike(factura.comprobante)
    if spread or alike or refund.total == por_acreditar(factura):
        return egreso(factura, refund.total, expedicion=expedicion, relacion=relacion)
    raise NotComposable(reason("credit_unclear", "refunds"))


def _of_share(  # noqa: PLR0917 - as above
    factura: Factura,
    refund: Refund,
    sale: Sale,
    share: Share,
    expedicion: Expedicion,
    relacion: str,
    *,
    spread: bool,
) -> Comprobante:
    """Over the lines of one sale in proportion, on a person's word or where it is all of them.

    What is the last of the document is so: no other sale of it has anything left.
    """
    if not (spread or refund.total in {share.due, por_acreditar(factura)}):
        raise NotComposable(reason("credit_joint", "refunds"))
    return egreso(
        factura,
        refund.total,
        expedicion=expedicion,
        relacion=relacion,
        descripcion=named(_SAID[relacion], sale.number),
        lineas=range(share.place, share.place + share.lines),
    )


def _coherent(sale: Sale) -> bool:
    """Whether lines, prices and taxes that came back are those that were sold."""
    try:
        remaining_lines(sale)
    except NotComposable as error:
        return all(one.code == "nothing_to_invoice" for one in error.findings)
    return True


def _invoiced_lines(sale: Sale, earlier: tuple[Refund, ...]) -> list[SaleLine]:
    """The lines that became concepts of the invoice, in their order."""
    try:
        lines = remaining_lines(replace(sale, refunds=earlier))
    except NotComposable:
        return []
    return [line for line in lines if costs(line)]


def _relacion(comprobante: Comprobante, refund: Refund, devueltos: Iterable[Devuelto]) -> str:
    """03 where goods came back, pieces of them; 01 for everything else."""
    goods = any(comprobante.conceptos[one.linea].clave_unidad not in _SERVICES for one in devueltos)
    return DEVOLUCION if goods and any(map(_came_back, refund.lines)) else NOTA_DE_CREDITO


def _came_back(line: RefundLine) -> bool:
    return line.quantity > 0


def _taxed_alike(comprobante: Comprobante) -> bool:
    """Every concept with the same taxes at the same rates, in proportion to its price."""
    kinds = {
        (
            one.objeto_imp,
            tuple((tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota) for tax in one.traslados),
            tuple((tax.impuesto, tax.tipo_factor, tax.tasa_o_cuota) for tax in one.retenciones),
        )
        for one in comprobante.conceptos
    }
    factors = [tax.tipo_factor for one in comprobante.conceptos for tax in one.traslados]
    factors += [tax.tipo_factor for one in comprobante.conceptos for tax in one.retenciones]
    return len(kinds) == 1 and TipoFactor.CUOTA not in factors
