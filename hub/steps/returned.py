"""returned: a mail server says, in a letter of its own, that one of ours did not arrive.

Such a report (RFC 3464) names ours by the Message-ID in the headers it returns (RFC 3462 §2). It
comes from outside: what is no report or is about no letter of ours changes nothing. The address in
it is not looked at, because a mailbox may send on to another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from typing import Final

from hub.steps.context import Context
from hub.steps.mailing import INVITATIONS, REMINDERS, Parcel, bounced
from hub.store.database import Tenant

#: Ours with its XML and PDF comes back whole at worst; nobody's report is longer.
LIMIT: Final = 2 * 1024 * 1024
#: Parts of a report are three, each of which may hold a few; deeper nesting is an attack.
_PARTS: Final = 50
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MESSAGE_ID: Final = re.compile(
    r"^message-id:\s*(<[0-9a-f]{40}@[^\s<>]{1,255}>)", re.IGNORECASE | re.MULTILINE
)


class NotAReport(ValueError):
    """No report of a mail server about one letter that did not arrive."""


@dataclass(frozen=True, slots=True)
class Report:
    """Which letter did not arrive, and why in a number (RFC 3463), if the server says."""

    message_id: str
    status: str


def read_report(content: bytes) -> Report:
    """Raises `NotAReport`, also for one about a letter that is only late or has arrived."""
    if len(content) > LIMIT:
        raise NotAReport("more than 2 MiB")
    try:
        parts = _parts(message_from_bytes(content, policy=compat32))
        told = [part for part in parts if part.get_content_type() == "message/delivery-status"]
        failed = [fields for part in told for fields in _recipients(part) if _failed(fields)]
        returned = next((found for part in parts if (found := _returned(part))), None)
    except (ValueError, LookupError, RecursionError, TypeError, AttributeError) as error:
        raise NotAReport("it cannot be read") from error
    if not failed or returned is None:
        raise NotAReport("it tells of no letter that did not arrive")
    status = _STATUS.search(str(failed[0].get("Status", "")))
    return Report(returned, status[0] if status else "")


def returned(ctx: Context, content: bytes) -> str | None:
    """Write down what the report says, once; the kind of the letter, None if none is ours.

    Raises `NotAReport`.
    """
    report = read_report(content)
    with ctx.store.transaction() as tx:
        found = tx.doors.mail(report.message_id)
        if found is None:
            return None
        merchant_id, kind, subject = found
        tenant = tx.tenant(merchant_id)
        whose = _recipient(tenant, kind, subject)
        if whose is None:
            return None
        parcel = Parcel(merchant_id, kind, subject, report.message_id, *whose)
        bounced(tenant, parcel, f"returned with {report.status or 'no status'}")
    return kind


def _recipient(tenant: Tenant, kind: str, subject: str) -> tuple[str, str] | None:
    """The sale and the address of a letter, as they are now."""
    if kind in INVITATIONS or kind in REMINDERS:
        row = tenant.sales.get(subject)
        return (row.id, row.sale.buyer.email) if row else None
    copy = tenant.mails.copy(subject) if kind == "copy" else None
    invoice = tenant.invoices.get(copy.invoice_id if copy else subject)
    if invoice is None:
        return None
    address = copy.address if copy else invoice.receptor.correo
    return invoice.sale_ids[0], address


def _parts(report: Message) -> list[Message]:
    found = []
    for part in report.walk():
        found.append(part)
        if len(found) > _PARTS:
            raise NotAReport("it has too many parts")
    return found


def _recipients(part: Message) -> list[Message]:
    """The groups of fields after the first, which is about the letter (RFC 3464 §2.1)."""
    groups = part.get_payload()
    return (
        [one for one in groups[1:] if isinstance(one, Message)] if isinstance(groups, list) else []
    )


def _failed(fields: Message) -> bool:
    return str(fields.get("Action", "")).strip().casefold() == "failed"


def _returned(part: Message) -> str | None:
    """The Message-ID of the letter whose headers are returned."""
    if part.get_content_type() == "text/rfc822-headers":
        content = part.get_payload(decode=True)
        text = content.decode("ascii", "replace") if isinstance(content, bytes) else ""
    elif part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        letter = inner[0] if isinstance(inner, list) and inner else None
        text = f"message-id: {letter.get('Message-ID', '')}" if isinstance(letter, Message) else ""
    else:
        return None
    found = _MESSAGE_ID.search(text)
    return found[1] if found else None
