"""reported: a provider tells afterwards what became of a message that it took.

What it tells comes more than once and in any order. That a message arrived is the last word: after
it nothing that failed counts, and a failure that was told before is taken back. One that did not
arrive is written down as a letter that came back is, and its buyer is told by the next way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from hub.steps.context import Context
from hub.steps.mailing import INVITATIONS, Parcel, bounced, message_id
from hub.steps.tell import address_of
from hub.store.database import Tenant
from hub.store.mails import MailRow

#: In one transaction; others write in between.
_AT_ONCE: Final = 50


class Fate(Enum):
    SENT = "sent"
    ARRIVED = "arrived"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Report:
    """`reference`: what was sent along with the message, its Message-ID."""

    reference: str
    fate: Fate
    #: Of a failure: its codes, never an address.
    reason: str = ""
    #: Whether a person has to mend the channel first.
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Hook:
    """Where a provider tells of a merchant's messages: what it signs with, which phone it is."""

    secret: str = field(repr=False)
    phone_id: str = ""


def hook(ctx: Context, merchant_id: str, kind: str) -> Hook | None:
    """None where that merchant takes no reports of such a channel."""
    with ctx.store.reading() as tx:
        if tx.doors.merchant_named(merchant_id) != merchant_id:
            return None
        row = tx.tenant(merchant_id).channels.get(kind)
    secret = row.settings.get("app_secret", "") if row else ""
    return Hook(secret, row.settings.get("phone_id", "")) if row and secret else None


def reported(ctx: Context, merchant_id: str, kind: str, reports: Iterable[Report]) -> int:
    """Write down what is told of messages of this merchant by this channel; how many were news.

    What is about no message of theirs changes nothing.
    """
    waiting, news = list(reports), 0
    while waiting:
        with ctx.store.transaction() as tx:
            tenant = tx.tenant(merchant_id)
            news += sum(_told(ctx, tenant, kind, one) for one in waiting[:_AT_ONCE])
        del waiting[:_AT_ONCE]
    return news


def _told(ctx: Context, tenant: Tenant, channel: str, report: Report) -> bool:
    row = tenant.mails.of_message(report.reference)
    if row is None or not row.kind.endswith(f".{channel}"):
        return False
    about = (row.kind, row.subject_id, row.message_id)
    if report.fate is Fate.SENT:
        return tenant.mails.known_sent(*about, ctx.clock.now())
    if report.fate is Fate.ARRIVED:
        news = tenant.mails.arrived(*about, ctx.clock.now())
        tenant.bounces.remove(*about)
        return news
    if not tenant.mails.has_not_arrived(*about):
        return False
    news = _failed(ctx, tenant, channel, row, report.reason)
    if news and report.broken:
        tenant.channels.note(channel, report.reason)
    return news


def _failed(ctx: Context, tenant: Tenant, channel: str, row: MailRow, reason: str) -> bool:
    sale = tenant.sales.get(row.subject_id)
    if sale is None:
        return False
    address = address_of(sale.sale.buyer, channel)
    # Another number than the one it went to, if the shop has another one by now.
    if message_id(ctx, row.kind, row.subject_id, address) != row.message_id:
        address = ""
    parcel = Parcel(tenant.id, row.kind, row.subject_id, row.message_id, sale.id, address)
    if not bounced(tenant, parcel, reason):
        return False
    job = "invite_next" if row.kind in INVITATIONS else "remind"
    tenant.promise(job, sale.id, queue="mail")
    return True
