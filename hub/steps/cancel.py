"""cancel: the request goes to SAT, signed, until SAT has it. Filed is not yet cancelled.

Every request is on disk before it leaves. Sending it twice does no harm: SAT answers the second
with 202 ("asked for before"). What becomes of it, `cancelled` watches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cfdi.cancelacion import Motivo, cancelacion
from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import CancelAnswer, CancelFiled, CancelRefused, Later, Pac, Unknown
from cfdi.sat.status import next_look
from cfdi.xml import CFDI, parse
from hub.domain import cancellation as rules
from hub.domain.states import State
from hub.steps.bill import held_still
from hub.steps.cancelled import given_up, tell_slow, under_way
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.later import RunLater
from hub.steps.refund import blocking
from hub.steps.seal import opened
from hub.store.database import Tenant
from hub.store.records import Cancellation, CsdRow, Invoice, PacAccount

log = structlog.get_logger()

#: Only a person can add a certificate.
NO_CSD_PAUSE = timedelta(minutes=30)
NO_CSD = Later("no certificate in force")
_FROM = (State.STAMPED, State.SUPERSEDED)


class NotCancellable(Exception):
    """It cannot be cancelled like this. `finding` says why and what to do."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message_en)
        self.finding = finding


def ask(
    ctx: Context,
    merchant_id: str,
    invoice_id: str,
    motivo: Motivo,
    *,
    substitute: str = "",
    actor: str = "staff",
) -> None:
    """File the wish to cancel a stamped invoice and promise to bring it to SAT.

    `substitute` is the UUID of the document that takes its place, for motivo 01 alone. Raises
    `NotCancellable` and `LookupError`.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        if invoice is None:
            raise LookupError("no such invoice of this merchant")
        held_still(tenant, invoice.sale_ids)  # which lets no credit note begin meanwhile
        invoice = tenant.invoices.get(invoice_id) or invoice  # as whoever held it before left it
        if invoice.state not in _FROM:
            raise NotCancellable(_ALREADY if invoice.state in _ENDING else _NOT_STAMPED)
        if noted := blocking(tenant, invoice_id):
            raise NotCancellable(_has_notes(noted))
        if obstacle := _obstacle(ctx, tenant, invoice, motivo, substitute):
            raise NotCancellable(obstacle)
        tenant.cancellations.ask(
            invoice_id, motivo, substitute.upper(), actor=actor, was=invoice.state
        )
        tenant.invoices.move(
            invoice_id,
            invoice.state,
            State.CANCELLING,
            actor=actor,
            reason=f"motivo {motivo}",
            findings=(),
        )
        tenant.promise("cancel", invoice_id, queue="stamp")


def cancel(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Bring the request to SAT through the provider that stamped. Repeating it changes nothing.

    Raises `RunLater` while the provider or SAT cannot take it.
    """
    matter = _started(ctx, merchant_id, invoice_id)
    if isinstance(matter, Later):
        raise RunLater(ctx.clock.now() + NO_CSD_PAUSE, matter.reason)
    if matter is not None:
        _settle(ctx, matter, _send(matter))


@dataclass(frozen=True, slots=True)
class _Matter:
    merchant_id: str
    invoice: Invoice
    cancellation: Cancellation
    uuid: str
    request: bytes
    pac: Pac
    tries: int


def _started(ctx: Context, merchant_id: str, invoice_id: str) -> _Matter | Later | None:
    """The request on disk; None if there is nothing to send (any more)."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        wish = _unfiled(tenant, invoice_id)
        if invoice is None or wish is None:
            return None
        account = _account(tenant, invoice_id)
        csd = tenant.csd.active(ctx.clock.now())
        if account is None or invoice.uuid is None:
            raise LookupError("a stamped invoice without its document or its account")
        if csd is None:
            tell_slow(ctx, tenant, wish, {"csd": NO_CSD.reason})
            return NO_CSD
        request = _signed(csd, invoice.uuid, wish, ctx.clock.now())
        tenant.cancellations.note(wish, "sent", account.provider, request)
        tries = wish.count("sent") + 1
        return _Matter(merchant_id, invoice, wish, invoice.uuid, request, ctx.pac(account), tries)


def _account(tenant: Tenant, invoice_id: str) -> PacAccount | None:
    """The one that stamped it; with that provider's newest password, if it was changed since."""
    document, active = tenant.invoices.document(invoice_id), tenant.pac.active()
    account = tenant.pac.get(document.pac_account_id) if document else None
    if account is None or active is None:
        return account
    ours = (account.provider, account.environment)
    return active if (active.provider, active.environment) == ours else account


def _signed(row: CsdRow, uuid: str, wish: Cancellation, now: datetime) -> bytes:
    return cancelacion(opened(row), uuid, wish.motivo, now=now, folio_sustitucion=wish.substitute)


def _send(matter: _Matter) -> CancelAnswer:
    try:
        return matter.pac.cancel(matter.request, matter.uuid)
    except Exception as error:  # noqa: BLE001 - a fault of the adapter says nothing of the request
        log.error("pac_adapter_failed", invoice=matter.invoice.id, error=type(error).__name__)
        return Unknown("the adapter failed")


def _settle(ctx: Context, matter: _Matter, answer: CancelAnswer) -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(matter.merchant_id)
        wish = _unfiled(tenant, matter.invoice.id)
        if wish is None or wish.number != matter.cancellation.number:
            return  # somebody has ended it meanwhile
        match answer:
            case CancelFiled(code, acuse, raw):
                tenant.cancellations.note(wish, "filed", code, acuse or raw)
                # What SAT said of an earlier request is still known to the client for a while.
                earlier = wish.number > 1
                due_at = next_look(ctx.clock.now(), 0) if earlier else ctx.clock.now()
                tenant.promise("watch_cancel", matter.invoice.id, queue="stamp", due_at=due_at)
                return
            case CancelRefused(findings, raw):
                codes = ", ".join(finding.code for finding in findings)
                tenant.cancellations.note(wish, "refused", codes, raw)
                given_up(tenant, matter.invoice.id, wish, findings)
                return
            case Later(reason, raw):
                tenant.cancellations.note(wish, "later", reason, raw)
            case Unknown(reason, raw):
                tenant.cancellations.note(wish, "unknown", reason, raw)
        tell_slow(ctx, tenant, wish, {"pac": reason})
    raise RunLater(next_look(ctx.clock.now(), matter.tries - 1), "the request is not with SAT yet")


def _unfiled(tenant: Tenant, invoice_id: str) -> Cancellation | None:
    """The wish that SAT does not have yet."""
    wish = under_way(tenant, invoice_id)
    return wish if wish is not None and wish.when("filed") is None else None


def _obstacle(
    ctx: Context, tenant: Tenant, invoice: Invoice, motivo: Motivo, substitute: str
) -> Finding | None:
    stamp, issuer = tenant.invoices.stamp_of(invoice.id), issuer_of(tenant)
    if stamp is None:
        return _NOT_STAMPED
    root = parse(stamp.xml)
    objection = rules.objection(
        motivo,
        substitute=substitute,
        uuid=stamp.uuid,
        rfc=issuer.merchant.rfc,
        fecha=datetime.fromisoformat(root.get("Fecha", "")),
        today=ctx.clock.now().astimezone(issuer.zone).date(),
        is_global=root.find(f"{{{CFDI}}}InformacionGlobal") is not None,
    )
    if objection is None and _is_no_substitute(tenant, substitute, stamp.uuid):
        return rules.SUBSTITUTE_NOT_ONE
    return objection


def _is_no_substitute(tenant: Tenant, substitute: str, uuid: str) -> bool:
    """Whether it is a document of this merchant that does not stand for the other one.

    SAT alone knows those that were made elsewhere.
    """
    found = tenant.invoices.stamped_as(substitute) if substitute else None
    invoice = tenant.invoices.get(found.invoice_id) if found else None
    if found is None or invoice is None or found.uuid.upper() == uuid.upper():
        return False
    if invoice.state is not State.STAMPED:
        return True
    related = parse(found.xml).iterfind(
        f"{{{CFDI}}}CfdiRelacionados[@TipoRelacion='04']/{{{CFDI}}}CfdiRelacionado"
    )
    return all(one.get("UUID", "").upper() != uuid.upper() for one in related)


def _has_notes(notes: Sequence[Invoice]) -> Finding:
    named = ", ".join(one.uuid or one.id for one in notes)
    return Finding(
        "has_credit_notes",
        "",
        f"Tiene notas de crédito vigentes o por confirmar ({named}): el SAT no la cancela mientras "
        "las tenga. Cancélalas antes.",
        f"It has credit notes in force or in doubt ({named}): SAT does not cancel it while it has "
        "any. Cancel those first.",
        FixableBy.MERCHANT,
    )


_ENDING = (State.CANCELLING, State.CANCELLED)
_NOT_STAMPED = Finding(
    "not_stamped",
    "",
    "Solo una factura timbrada se puede cancelar.",
    "Only a stamped invoice can be cancelled.",
    FixableBy.MERCHANT,
)
_ALREADY = Finding(
    "cancelled_already",
    "",
    "Su cancelación ya se pidió: `autofactura invoice status` dice cómo va.",
    "Its cancellation was asked for already: `autofactura invoice status` tells how it stands.",
    FixableBy.MERCHANT,
)
