"""One letter or message, sent once: a letter with one repeat at most, after a crash at the worst
moment; a message, which costs money and rings, never."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

import structlog

from hub.domain.email import masked
from hub.steps.context import (
    ChannelBroken,
    Context,
    Letter,
    PostRefused,
    PostUnavailable,
    PostUncertain,
)
from hub.steps.later import MAIL_PAUSE, paused
from hub.store.database import Tenant
from hub.store.records import Invoice

log = structlog.get_logger()

#: A letter that was started this often without knowing the end: the server may have taken each.
MAX_DOUBTFUL_TRIES: Final = 2
#: What nobody would take for so long is given up. Mail servers themselves return a letter after
#: four or five days (RFC 5321 §4.5.4.1); here the page tells the buyer all the same.
GIVEN_UP_AFTER: Final = timedelta(days=3)
#: The kinds of an invitation and of a reminder, by the way they go.
INVITATIONS: Final = ("invitation", "invitation.sms", "invitation.whatsapp")
REMINDERS: Final = ("reminder", "reminder.sms", "reminder.whatsapp")
#: The kinds that bring a document to whoever asked for it.
DOCUMENTS: Final = frozenset({"invoice", "copy"})
#: The merchant is told that such a letter did not arrive.
LETTER_BOUNCED: Final = "letter_bounced"
_WHAT_TO_DO: Final = (
    "la factura no llegó a este correo: pide otro a tu cliente y mándasela, o dale el enlace de "
    "`sale link`, y cierra este aviso con `review resolve --done`"
)


class Handed(Enum):
    """What became of it. In all but the last two nothing more is sent, whatever happens."""

    TAKEN = "taken"
    #: For good; written down as a bounce.
    REFUSED = "refused"
    #: It may have been taken, or not, and nobody can know.
    DOUBTFUL = "doubtful"
    GIVEN_UP = "given_up"
    #: Not begun, because `unless` said so.
    WITHHELD = "withheld"
    #: Not sent: a person has to mend the channel first.
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent and to whom, by the names under which that is written down."""

    merchant_id: str
    kind: str
    subject: str
    message_id: str
    sale_id: str
    address: str
    #: How often it may be begun without knowing the end.
    tries: int = 1


def mail_once(
    ctx: Context,
    merchant_id: str,
    kind: str,
    subject: str,
    letter: Letter,
    *,
    sale_id: str,
    unless: Callable[[Tenant], bool] | None = None,
) -> Handed:
    """Hand a letter over. Raises as `send_once` does."""
    parcel = Parcel(
        merchant_id, kind, subject, letter.message_id, sale_id, letter.to, MAX_DOUBTFUL_TRIES
    )
    return send_once(ctx, parcel, lambda: ctx.post.send(letter), unless=unless)


def send_once(
    ctx: Context,
    parcel: Parcel,
    send: Callable[[], None],
    *,
    unless: Callable[[Tenant], bool] | None = None,
) -> Handed:
    """What became of it, now or before. `send` raises as `Post` and `Messenger` do.

    Raises `RunLater` when it surely was not taken, for three days. Of any other failure nobody
    knows, so that try counts, and the failure is raised while there is another try. A refusal for
    good is written down; the page still serves the buyer. `unless` is asked in the transaction
    that begins it.
    """
    known = _begun(ctx, parcel, unless)
    if known is not None:
        return known
    try:
        send()
    except PostRefused as refused:
        log.warning("mail_refused", kind=parcel.kind, subject=parcel.subject)
        _settle(ctx, parcel, bounce=str(refused))
        return Handed.REFUSED
    except PostUnavailable as unavailable:
        return _postpone(ctx, parcel, str(unavailable))
    except PostUncertain:
        if parcel.tries > 1:
            raise
        log.warning("mail_given_up", kind=parcel.kind, subject=parcel.subject, reason="doubtful")
        return Handed.DOUBTFUL
    except ChannelBroken:
        return Handed.BROKEN if _not_sent(ctx, parcel) else Handed.GIVEN_UP
    _settle(ctx, parcel)
    return Handed.TAKEN


def message_id(ctx: Context, kind: str, subject: str, address: str) -> str:
    """The same for the same letter, so that a mail server or reader recognises a repeat."""
    digest = hashlib.sha256(f"{kind}\0{subject}\0{address}".encode()).hexdigest()[:40]
    return f"<{digest}@{ctx.mail_from.partition('@')[2]}>"


def undelivered(tenant: Tenant, invoice: Invoice) -> str:
    """The address from which its letter came back, unless it was sent on to another; else ""."""
    copies = {copy.id for copy in tenant.mails.copies(invoice.id)}
    lost = [
        one
        for one in tenant.bounces.of_sale(invoice.sale_ids[0])
        if one.kind in DOCUMENTS and one.subject_id in {invoice.id, *copies}
    ]
    return lost[-1].address if lost and copies <= {one.subject_id for one in lost} else ""


def _begun(ctx: Context, parcel: Parcel, unless: Callable[[Tenant], bool] | None) -> Handed | None:
    """None if it is to be sent now."""
    about = (parcel.kind, parcel.subject, parcel.message_id)
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(parcel.merchant_id)
        if unless is not None and unless(tenant):
            return Handed.WITHHELD
        if tenant.bounces.has(*about):
            return Handed.REFUSED
        if tenant.mails.was_sent(*about):
            return Handed.TAKEN
        if tenant.mails.begin(*about) > parcel.tries:
            log.warning("mail_given_up", kind=parcel.kind, subject=parcel.subject, reason="doubt")
            return Handed.DOUBTFUL
    return None


def _postpone(ctx: Context, parcel: Parcel, reason: str) -> Handed:
    if _not_sent(ctx, parcel):
        raise paused(ctx.clock.now(), MAIL_PAUSE, parcel.message_id, reason) from None
    log.warning("mail_given_up", kind=parcel.kind, subject=parcel.subject, reason=reason)
    return Handed.GIVEN_UP


def _not_sent(ctx: Context, parcel: Parcel) -> bool:
    """That try does not count; whether it is worth another one."""
    with ctx.store.transaction() as tx:
        mails = tx.tenant(parcel.merchant_id).mails
        since = mails.not_sent(parcel.kind, parcel.subject, parcel.message_id)
    return ctx.clock.now() - since < GIVEN_UP_AFTER


def _settle(ctx: Context, parcel: Parcel, *, bounce: str = "") -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(parcel.merchant_id)
        tenant.mails.sent(parcel.kind, parcel.subject, parcel.message_id, ctx.clock.now())
        if bounce:
            bounced(tenant, parcel, bounce)
        elif parcel.kind in DOCUMENTS:
            tenant.asks.settle(parcel.sale_id, LETTER_BOUNCED)


def bounced(tenant: Tenant, parcel: Parcel, reason: str) -> bool:
    """Write down that it did not arrive; False if that is known. Of a document the merchant
    hears."""
    about = (parcel.kind, parcel.subject, parcel.message_id)
    first = tenant.bounces.add(*about, parcel.sale_id, parcel.address, reason)
    if first and parcel.kind in DOCUMENTS:
        told = {"correo": masked(parcel.address), "motivo": reason, "que_hacer": _WHAT_TO_DO}
        tenant.asks.create(parcel.sale_id, LETTER_BOUNCED, told)
    return first
