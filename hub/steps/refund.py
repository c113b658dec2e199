"""refund: money given back after the invoice gets its credit note, or a person is asked.

One note for each refund. What the invoice was sealed with it accounts for; a note that nobody
needs any more is withdrawn as long as it surely was not stamped. Everything is decided from the
rows, in the transaction of whatever changed, so that it can be decided again at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import cfdi
from cfdi.cancelacion import Motivo
from cfdi.findings import Finding
from hub.domain import credit
from hub.domain.reasons import reason
from hub.domain.sale import PaymentState, Refund
from hub.domain.states import State
from hub.steps.divided import CHANGED_SINCE, settled
from hub.steps.issuer import issuer_of
from hub.store.credits import CreditNote
from hub.store.database import Tenant
from hub.store.records import NOTE_ORIGIN, Attempt, Invoice, SaleRow

#: The kind of request under which a sale that left its invoice behind waits for the merchant.
CHANGED: Final = "changed_after_invoice"
#: A credit note is in force and its refund is gone: the merchant has to cancel it.
NOTE_LEFT: Final = "credit_note_left"
#: A stamp came for an invoice that had been declared unstamped: two may be in force.
STAMPED_BESIDE: Final = "stamped_beside"
#: Nothing of these has left the house, or it was surely refused.
_UNSENT: Final = (State.REQUESTED, State.SEALED, State.REVIEW)
_IN_FORCE: Final = (State.STAMPED, State.CANCELLING)


class NotCreditable(Exception):
    """No credit note can be made of it as things are. `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message_en)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class _Matter:
    row: SaleRow
    ingreso: Invoice
    #: What the sale is of it: all, or less where it is of several.
    invoiced: Decimal
    #: Those that stand for a refund, whatever became of them so far.
    notes: tuple[CreditNote, ...]
    verdict: credit.Verdict


def notice_change(tenant: Tenant, sale_id: str) -> None:
    """See whether a sale still agrees with its stamped invoice, and do what is plain.

    Refunds get their notes, notes without a refund are withdrawn or told of; the rest goes to the
    merchant's review. Income and invoice would differ in silence otherwise.
    """
    if tenant.divisions.current(sale_id) is not None:
        _notice_divided(tenant, sale_id)
        return
    matter = _withdrawn(tenant, sale_id)
    if matter is None:
        _notice_kept(tenant, sale_id)
        return
    _tell_left(tenant, matter)
    if matter.verdict.agrees:
        _resolve(tenant, sale_id, CHANGED)
    elif not matter.row.sale.hold and (objection := _settle(tenant, matter)):
        _ask(tenant, matter, objection)


def _notice_kept(tenant: Tenant, sale_id: str) -> None:
    """Cancelled because there was no operation, its invoice holds the sale for good: what the shop
    says was paid stands in none."""
    row, ingreso = tenant.sales.get(sale_id), tenant.invoices.for_sale(sale_id)
    wish = tenant.cancellations.current(ingreso.id) if ingreso is not None else None
    if row is None or ingreso is None or wish is None or ingreso.state is not State.CANCELLED:
        return
    paid = row.sale.payment_state is PaymentState.PAID and row.sale.due > 0
    if wish.motivo is not Motivo.NO_SE_LLEVO_A_CABO or not paid:
        _resolve(tenant, sale_id, CHANGED)
    elif not row.sale.hold:
        told = {"ahora": f"{row.sale.due:f} {row.sale.currency}", "motivo": _KEPT}
        tenant.asks.create(sale_id, CHANGED, told)


def _notice_divided(tenant: Tenant, sale_id: str) -> None:
    """Which of two invoices a refund belongs to nobody can tell but a person."""
    if settled(tenant, sale_id):
        _resolve(tenant, sale_id, CHANGED)
        return
    row = tenant.sales.get(sale_id)
    if row is not None and not row.sale.hold:
        told = {
            "ahora": f"{row.sale.due:f} {row.sale.currency}",
            "estado": row.sale.payment_state.value,
            "motivo": CHANGED_SINCE,
        }
        tenant.asks.create(sale_id, CHANGED, told)


def issue(tenant: Tenant, sale_id: str) -> int:
    """Notes for every refund that has none, on a person's word; how many were asked for.

    An amount that belongs to no line in particular is spread over all of them. Raises
    `NotCreditable`.
    """
    if tenant.divisions.current(sale_id) is not None:
        raise NotCreditable(reason("credit_divided"))
    matter = _withdrawn(tenant, sale_id)
    if matter is None:
        raise NotCreditable(reason("credit_no_invoice"))
    objection = matter.verdict.objection
    if objection is not None or not matter.verdict.due:
        raise NotCreditable(objection or reason("credit_nothing"))
    for refund in matter.verdict.due:
        _open(tenant, matter, refund, "staff")
    _resolve(tenant, sale_id, CHANGED)
    return len(matter.verdict.due)


def issue_again(tenant: Tenant, invoice: Invoice) -> None:
    """A note that waits for a person is made anew on his word. Raises `NotCreditable`."""
    note = tenant.credits.get(invoice.id)
    if note is None or not _withdraw(tenant, note, "withdrawn"):
        raise NotCreditable(reason("credit_in_doubt"))
    issue(tenant, note.sale_id)


def given_up(tenant: Tenant, invoice_id: str) -> None:
    """A person settled that this note is none: its refund waits for another word of his."""
    note = tenant.credits.get(invoice_id)
    if note is not None:
        tenant.credits.release(invoice_id, "given_up")
        notice_change(tenant, note.sale_id)


def note_cancelled(tenant: Tenant, invoice_id: str, *, replaced: bool) -> None:
    """SAT cancelled the note: its refund is free, unless a substitute stands for it."""
    note = tenant.credits.get(invoice_id)
    if note is None:
        return
    _resolve(tenant, note.sale_id, NOTE_LEFT)
    if not replaced:
        tenant.credits.release(invoice_id, "cancelled")
    notice_change(tenant, note.sale_id)


def stands(tenant: Tenant, note: CreditNote) -> Refund | None:
    """The refund, if the note still stands for it and its invoice is in force."""
    tenant.claims.of_sale(note.sale_id)  # which holds the sale still until the end
    row, ingreso = tenant.sales.get(note.sale_id), tenant.invoices.for_sale(note.sale_id)
    if row is None or ingreso is None or note.closed_at is not None:
        return None
    if ingreso.id != note.ingreso_id or ingreso.state is not State.STAMPED:
        return None
    found = [one for one in row.sale.refunds if one.key == note.refund_key]
    same = len(found) == 1 and found[0].total == note.total
    return found[0] if same and row.sale.currency == ingreso.currency else None


def withdraw(tenant: Tenant, note: CreditNote) -> None:
    """Nobody needs it as it is: it goes, and what the sale needs now is looked at anew."""
    if _withdraw(tenant, note, "withdrawn"):
        notice_change(tenant, note.sale_id)


def blocking(tenant: Tenant, ingreso_id: str) -> list[Invoice]:
    """Credit notes on it that are or may be in force: SAT cancels no invoice that has any."""
    found = []
    for note in tenant.credits.of_ingreso(ingreso_id):
        invoice = tenant.invoices.get(note.invoice_id)
        if invoice is None or invoice.state in {State.REQUESTED, State.CANCELLED}:
            continue
        if not (invoice.state is State.REVIEW and _surely_unsent(tenant, invoice)):
            found.append(invoice)
    return found


def _matter(tenant: Tenant, sale_id: str) -> _Matter | None:
    """None where no stamped invoice in force holds the sale: there is nothing to credit."""
    tenant.claims.of_sale(sale_id)  # which holds the sale still until the end
    row, ingreso = tenant.sales.get(sale_id), tenant.invoices.for_sale(sale_id)
    if row is None or ingreso is None or ingreso.uuid is None:
        return None
    if ingreso.state is not State.STAMPED:
        return None  # its cancellation is under way, or was done
    notes = tuple(n for n in tenant.credits.of_ingreso(ingreso.id) if n.sale_id == sale_id)
    noted = {note.refund_key: note.total for note in notes}
    share = tenant.credits.share(ingreso.id, ingreso.version, sale_id)
    basis = share.basis if share else tenant.credits.basis(ingreso.id, ingreso.version)
    invoiced = share.due if share else ingreso.total
    verdict = credit.judge(row.sale, invoiced, ingreso.currency, basis, noted)
    if verdict.agrees and basis is not None:
        stamp = tenant.invoices.stamp_of(ingreso.id)
        made = cfdi.read(stamp.xml).comprobante if stamp is not None else None
        if made is not None and not credit.sells_the_same(
            share.of(made.conceptos) if share else made.conceptos, row.sale, basis.refunds
        ):
            verdict = credit.Verdict(objection=reason("credit_goods", "lines"))
    return _Matter(row, ingreso, invoiced, notes, verdict)


def _withdrawn(tenant: Tenant, sale_id: str) -> _Matter | None:
    """The matter, once the notes whose refund is gone were withdrawn as far as that can be."""
    matter = _matter(tenant, sale_id)
    if matter is None or not matter.verdict.gone:
        return matter
    gone = [note for note in matter.notes if note.refund_key in matter.verdict.gone]
    withdrawn = [_withdraw(tenant, note, "withdrawn") for note in gone]
    return _matter(tenant, sale_id) if any(withdrawn) else matter


def _withdraw(tenant: Tenant, note: CreditNote, ended: str) -> bool:
    """Whether it could be: not where it was stamped, may have been, or is on its way."""
    invoice = tenant.invoices.get(note.invoice_id)
    if invoice is None or invoice.state not in _UNSENT or not _surely_unsent(tenant, invoice):
        return False
    state = invoice.state
    if state is State.SEALED:
        tenant.invoices.move(invoice.id, state, State.REQUESTED, reason="the refund is gone")
        state = State.REQUESTED
    tenant.invoices.move(invoice.id, state, State.REJECTED, reason=ended, findings=())
    return bool(tenant.credits.release(invoice.id, ended))


def _surely_unsent(tenant: Tenant, invoice: Invoice) -> bool:
    return invoice.uuid is None and all(map(_refused, tenant.invoices.attempts(invoice.id)))


def _refused(attempt: Attempt) -> bool:
    return attempt.outcome in {"never", "later"}


def _settle(tenant: Tenant, matter: _Matter) -> Finding | None:
    """Ask for the notes that are plain. What keeps the others back, if there are others."""
    if objection := matter.verdict.objection or _by_rule(tenant, matter):
        return objection
    kept_back = False
    for refund in matter.verdict.due:
        if _ended_before(tenant, matter, refund):
            kept_back = True
        else:
            _open(tenant, matter, refund, "hub")
    if kept_back:
        return reason("credit_ended", "refunds")
    if matter.verdict.due:
        _resolve(tenant, matter.row.id, CHANGED)
    return None


def _by_rule(tenant: Tenant, matter: _Matter) -> Finding | None:
    """What a person could wave through and the hub alone does not."""
    if not matter.verdict.due:
        return None
    if issuer_of(tenant).rules.nota_de_credito != "automatica":
        return reason("credit_by_rule")
    if matter.row.sale.payment_state is PaymentState.CANCELLED:
        return reason("credit_cancelled")
    if matter.row.sale.unverified:
        return reason("credit_unverified")
    return reason("credit_doubtful") if matter.row.sale.doubts else None


def _ended_before(tenant: Tenant, matter: _Matter, refund: Refund) -> bool:
    """A person or SAT ended an earlier note of this refund: another one is a person's to ask."""
    return any(
        note.refund_key == refund.key and note.ended in {"given_up", "cancelled"}
        for note in tenant.credits.of_sale(matter.row.id)
    )


def _open(tenant: Tenant, matter: _Matter, refund: Refund, actor: str) -> None:
    """An egreso is asked for. It has the receiver of its invoice."""
    ingreso = matter.ingreso
    invoice = tenant.invoices.create(
        sale_ids=(matter.row.id,),
        receptor=ingreso.receptor,
        origin=NOTE_ORIGIN,
        language=ingreso.language,
        environment=ingreso.environment,
        total=refund.total,
        currency=ingreso.currency,
    )
    tenant.credits.open(
        invoice.id,
        ingreso_id=ingreso.id,
        sale_id=matter.row.id,
        refund_key=refund.key,
        total=refund.total,
        actor=actor,
    )
    tenant.promise("credit", invoice.id, queue="stamp")


def _tell_left(tenant: Tenant, matter: _Matter) -> None:
    """The refund of a stamped note is gone: the note says too much, and a person must cancel it."""
    gone = [note for note in matter.notes if note.refund_key in matter.verdict.gone]
    left = [one for one in _in_force(tenant, gone) if one.uuid]
    if left:
        told = {"nota": ", ".join(f"{one.uuid} ({one.total:f} {one.currency})" for one in left)}
        tenant.asks.create(matter.row.id, NOTE_LEFT, {**told, "motivo": _LEFT})
    else:
        _resolve(tenant, matter.row.id, NOTE_LEFT)


def _in_force(tenant: Tenant, notes: Iterable[CreditNote]) -> list[Invoice]:
    found = [tenant.invoices.get(note.invoice_id) for note in notes]
    return [one for one in found if one is not None and one.state in _IN_FORCE]


def _ask(tenant: Tenant, matter: _Matter, objection: Finding) -> None:
    sale, ingreso = matter.row.sale, matter.ingreso
    noted = sum((note.total for note in matter.notes), start=ingreso.total * 0)
    told = {
        "facturado": f"{matter.invoiced:f} {ingreso.currency}",
        "ahora": f"{sale.due:f} {sale.currency}",
        "estado": sale.payment_state.value,
        "motivo": objection.message_es,
    }
    if noted:
        told["notas"] = f"{noted:f} {ingreso.currency}"
    tenant.asks.create(matter.row.id, CHANGED, told)


def _resolve(tenant: Tenant, sale_id: str, kind: str) -> None:
    tenant.asks.settle(sale_id, kind)


_KEPT: Final = (
    "La factura se canceló con motivo 03 (la operación no se llevó a cabo) y la tienda dice que la "
    "compra está pagada: registra ahí la devolución. Si te quedas con el dinero, factúralo como "
    "una venta aparte (`sale create`): ninguna factura lo lleva."
)
_LEFT: Final = (
    "La tienda ya no tiene esa devolución y su nota de crédito sigue vigente: cancélala con "
    "`invoice cancel`."
)
