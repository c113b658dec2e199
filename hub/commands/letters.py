"""What was sent about a sale, and what of it came back: for `sale show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.steps.mailing import INVITATIONS, REMINDERS
from hub.store.database import Tenant
from hub.store.mails import MailRow
from hub.wiring import Hub


def letters_shown(hub: Hub, merchant_id: str, sale_id: str) -> list[dict[str, Any]]:
    """Every letter and message, oldest first, without its address.

    `state`: arrived, sent, waiting, doubtful (it may have been sent) or returned, with the reason.
    """
    with hub.ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        returned = {one.message_id: one.reason for one in tenant.bounces.of_sale(sale_id)}
        letters = sorted(_letters(tenant, sale_id), key=lambda one: one.begun_at)
    return [
        {
            "kind": one.kind,
            "at": one.begun_at.isoformat(),
            "state": "returned" if one.message_id in returned else one.state,
            "reason": returned.get(one.message_id, ""),
        }
        for one in letters
    ]


def _letters(tenant: Tenant, sale_id: str) -> Iterator[MailRow]:
    yield from tenant.mails.about((*INVITATIONS, *REMINDERS), sale_id)
    invoice = tenant.invoices.for_sale(sale_id)
    if invoice is not None:
        yield from tenant.mails.about(("invoice", "cancelled"), invoice.id)
        for copy in tenant.mails.copies(invoice.id):
            yield from tenant.mails.about(("copy",), copy.id)
