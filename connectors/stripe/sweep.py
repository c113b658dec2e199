"""What no webhook told of: the events of a period, and further back the objects themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from connectors.contract import DeliveryUnreadable, PlatformUnreachable, Unfinished
from connectors.reader import Reader
from connectors.stripe.client import PER_PAGE, Api, OutOfTime, ref, understood
from connectors.stripe.events import kind_of, subject_of, swept

#: Events can be listed for 30 days: https://docs.stripe.com/api/events/list
LISTED: Final = timedelta(days=29)
#: Stripe lists newest first: a period is read whole, in pieces so small that one fits in memory
#: and time, and told the oldest first.
PIECE: Final = timedelta(days=1)
SMALLEST: Final = timedelta(minutes=1)
MAX_PIECE: Final = 20
#: Where the events are gone: what was made in the period. A bill that was made before and paid in
#: it is found by its payment.
_OBJECTS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("/v1/invoices", {"status": "paid"}),
    ("/v1/charges", {}),
    ("/v1/refunds", {}),
    ("/v1/credit_notes", {}),
    ("/v1/disputes", {}),
)


def changed_since(
    api: Api, instant: datetime, settings: Mapping[str, Any], now: datetime
) -> Iterator[str]:
    """Each id once, the oldest change first. Raises `Unfinished` when the time is over.

    A refund is told as the payment or bill that it is of, wherever it names that.
    """
    instant = since = instant.astimezone(UTC)
    seen = set[str]()
    while since <= now:
        until = _piece(since, now)
        try:
            found, until = _told(api, since, until, settings, old=since < now - LISTED)
        except OutOfTime:
            raise Unfinished(since) from None
        except PlatformUnreachable:
            if since == instant:
                raise
            raise Unfinished(since) from None  # what was told so far need not be asked again
        fresh = [one for one in dict.fromkeys(found) if one not in seen]
        seen.update(fresh)
        yield from fresh
        since = until


def _piece(since: datetime, now: datetime) -> datetime:
    """Where this piece ends. The last has no end: Stripe's clock may be ahead of ours."""
    border = now - LISTED
    if since < border:
        return min(since + PIECE, border)
    return since + PIECE if since + PIECE < now else now + PIECE


def _told(
    api: Api, since: datetime, until: datetime, settings: Mapping[str, Any], *, old: bool
) -> tuple[list[str], datetime]:
    """The ids of one piece, and where it really ended: one too full is read in halves."""
    while True:
        lists = [_objects, _events] if old else [_events]
        found: list[tuple[int, str]] | None = []
        for read in lists:
            more = read(api, since, until, settings) if found is not None else None
            found = None if found is None or more is None else found + more
        if found is not None:
            return [one for _, one in sorted(found, key=lambda at: at[0])], until
        until = since + (until - since) / 2


def _events(
    api: Api, since: datetime, until: datetime, settings: Mapping[str, Any]
) -> list[tuple[int, str]] | None:
    return _listed(api, "/v1/events", since, until, {"types": list(swept(settings))})


def _objects(
    api: Api,
    since: datetime,
    until: datetime,
    settings: Mapping[str, Any],  # noqa: ARG001 - as its sibling
) -> list[tuple[int, str]] | None:
    found: list[tuple[int, str]] = []
    for path, params in _OBJECTS:
        more = _listed(api, path, since, until, params)
        if more is None:
            return None
        found += more
    return found


def _listed(
    api: Api, path: str, since: datetime, until: datetime, params: Mapping[str, Any]
) -> list[tuple[int, str]] | None:
    """When and what, in the order in which it happened; None if the piece is too full."""
    found: list[tuple[int, str]] = []
    period = {"gte": int(since.timestamp()), "lt": int(until.timestamp()) + 1}
    for page in api.pages(path, created=period, **params):
        for one in page:
            with understood():
                subject, at = _subject(one), int(one.decimal("created"))
            if subject:
                found.append((at, subject))
        if len(found) > MAX_PIECE * PER_PAGE and until - since > SMALLEST:
            return None
    return found[::-1]


def _subject(one: Reader) -> str:
    """The bill or payment that this is of where it says so; else its own id; "" if of no use."""
    held = one.at("data.object") if one.text("object", "") == "event" else one
    what = held.text("object", "")
    if what == "charge" and held.text("status", "") != "succeeded":
        return ""
    # A bill named its payment until 2025-03-31; all others name what they are part of.
    for place in () if what == "invoice" else ("invoice", "payment_intent", "charge"):
        whose = ref(held.at(place))
        if kind_of(whose) and whose != ref(held.at("id")):
            return whose
    try:
        return subject_of(held)
    except DeliveryUnreadable:
        return ""
