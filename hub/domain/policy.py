"""Whether a sale can be invoiced now, until when, and whether its buyer is to be told."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from cfdi.findings import Finding
from hub.domain.reasons import reason
from hub.domain.rules import Rules
from hub.domain.sale import PaymentState, Sale

#: However late in the month a buyer pays, this much time is left to ask for the invoice.
SHORTEST: Final = timedelta(hours=72)


#: Clocks of shops differ from ours, and a day is what a wrong time zone can make of it.
AHEAD: Final = timedelta(days=1)


class Kind(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FREE = "free"
    EXPIRED = "expired"
    REVIEW = "review"
    #: Paid, and nobody may invoice it for now.
    HELD = "held"
    #: Another seller invoices it, never this merchant.
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Standing:
    kind: Kind
    #: "" if open; else the kind's own word, or for a review "unknown_state", "no_date", "findings".
    reason: str
    #: The last second of the window, in UTC; None where nothing was paid.
    deadline_at: datetime | None


_UNPAID: Final = {
    PaymentState.PENDING: Kind.PENDING,
    PaymentState.CANCELLED: Kind.CANCELLED,
    PaymentState.REFUNDED: Kind.REFUNDED,
}


def standing(
    sale: Sale,
    *,
    rules: Rules,
    zone: ZoneInfo,
    now: datetime,
    reasons: tuple[Finding, ...] = (),
) -> Standing:
    """What can be done with the sale. `reasons` are those found for a person to look at."""
    if sale.barred:
        return Standing(Kind.BARRED, Kind.BARRED.value, None)
    if contradictions(sale, now=now):
        return Standing(Kind.REVIEW, "contradiction", None)
    unpaid = _UNPAID.get(sale.payment_state) or _nothing_due(sale)
    if unpaid is not None:
        return Standing(unpaid, unpaid.value, None)
    if sale.payment_state is not PaymentState.PAID or sale.paid_at is None:
        known = sale.payment_state is PaymentState.PAID
        return Standing(Kind.REVIEW, "no_date" if known else "unknown_state", None)
    until = deadline(sale.paid_at, rules, zone)
    return _of_paid(sale, reasons, now, until)


def _of_paid(sale: Sale, reasons: tuple[Finding, ...], now: datetime, until: datetime) -> Standing:
    if sale.hold:
        return Standing(Kind.HELD, Kind.HELD.value, until)
    if reasons:
        return Standing(Kind.REVIEW, "findings", until)
    if now > until:
        return Standing(Kind.EXPIRED, Kind.EXPIRED.value, until)
    return Standing(Kind.OPEN, "", until)


def contradictions(sale: Sale, *, now: datetime) -> tuple[Finding, ...]:
    """What cannot be true of any sale: a person has to look at it, whatever its state."""
    found = []
    if sale.total < 0 or sale.refunded > sale.total:
        found.append(reason("money_contradicts", "total"))
    if sale.paid_at is not None and sale.paid_at > now + AHEAD:
        found.append(reason("paid_in_future", "paid_at"))
    return tuple(found)


def _nothing_due(sale: Sale) -> Kind | None:
    if sale.total <= 0:
        return Kind.FREE
    return Kind.REFUNDED if sale.due <= 0 else None


def deadline(paid_at: datetime, rules: Rules, zone: ZoneInfo) -> datetime:
    """The last second in which the buyer can invoice, in UTC. Days end at midnight of `zone`."""
    last = _last_day(paid_at.astimezone(zone).date(), rules)
    end = datetime.combine(last, time(23, 59, 59), zone).astimezone(UTC)
    return max(end, paid_at.astimezone(UTC) + SHORTEST)


def _last_day(paid_on: date, rules: Rules) -> date:
    if rules.dias is not None:
        return paid_on + timedelta(days=rules.dias)
    if rules.hasta == "anio":
        return paid_on.replace(month=12, day=31)
    return paid_on.replace(day=monthrange(paid_on.year, paid_on.month)[1])


def may_invite(sale: Sale, *, rules: Rules, now: datetime, since: datetime | None) -> bool:
    """Whether the buyer may be written to unasked: lately paid, and not before `since`."""
    if not rules.invitar or sale.test or sale.paid_at is None:
        return False
    if sale.payment_state is not PaymentState.PAID or sale.due <= 0:
        return False
    if sale.hold or sale.barred:
        return False
    if since is not None and sale.paid_at < since:
        return False
    return sale.paid_at >= now - timedelta(days=rules.dias_invitacion)
