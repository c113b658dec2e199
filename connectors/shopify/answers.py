"""What an answer of Shopify is: data, or whose turn it is.

https://shopify.dev/docs/api/admin-graphql/2026-10#status_and_error_codes
"""

from __future__ import annotations

from typing import Final

from connectors import net
from connectors.contract import (
    CredentialsRefused,
    DeliveryUnreadable,
    KeysTooFew,
    PlatformUnreachable,
)
from connectors.reader import Reader, read_json

#: The longest wait that Shopify's figures may ask for at once. They come from outside.
LONGEST_WAIT: Final = 10.0
#: Shopify is busy, or being repaired.
_PASSING: Final = frozenset({408, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525})


class AccessDenied(KeysTooFew):
    """The app may not see or do this: a scope is missing, or an approval."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the app may not use {what}: open it in Shopify and grant its scopes")


class Again(Exception):
    """Shopify asks to wait for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = min(max(seconds, 0.05), LONGEST_WAIT)


class TooMuch(Exception):
    """The question costs more than one may: https://shopify.dev/docs/api/usage/limits#single-query-limit"""


class Failed(Exception):
    """No usable answer, this time. The message is for people."""


def told_by(answer: net.Answer) -> Reader:
    """The document of an answer, or the exception that says whose turn it is."""
    if answer.status == 429:
        raise Again(_seconds(answer.headers.get("retry-after", "")))
    if answer.status in _PASSING:
        raise Failed(f"Shopify answered with HTTP status {answer.status}")
    is_json = answer.content_type.endswith("json")
    if answer.status == 403 and is_json:
        raise CredentialsRefused(
            "Shopify gives this app nothing: open it in Shopify and grant its scopes"
        )
    if answer.status != 200 or not is_json:
        raise PlatformUnreachable(_what_to_do(answer.status))
    try:
        told = read_json(answer.body, max_bytes=net.MAX_BYTES)
        told.names()
    except DeliveryUnreadable:
        # Cut off on its way, most of all: the next one may be whole.
        raise Failed("Shopify's answer is not usable: it is no whole JSON document") from None
    return told


def _what_to_do(status: int) -> str:
    if 300 <= status < 400:
        return "the shop redirects to another address: connect it under its permanent name"
    if status == 402:
        return "Shopify has frozen this shop: its owner has to pay Shopify first"
    if status == 404:
        return "Shopify knows no such shop (any more)"
    if status == 423:
        return "Shopify has locked this shop: its owner has to ask Shopify why"
    return f"Shopify answered with HTTP status {status}, and no data"


def _seconds(text: str) -> float:
    try:
        return float(text) if len(text) <= 8 and text.replace(".", "", 1).isdigit() else 2.0
    except ValueError:
        return 2.0


def data_of(told: Reader) -> Reader:
    data = told.at("data")
    if not isinstance(data.value, dict):
        raise PlatformUnreachable("Shopify's answer holds no data")
    return Reader(data.value)


def errors_of(told: Reader) -> list[tuple[str, tuple[str, ...]]]:
    """The code of each error, and the names on the way to where it happened."""
    value = told.value.get("errors")
    if not value:
        return []
    found = []
    for error in value if isinstance(value, list) else [value]:
        known = error if isinstance(error, dict) else {}
        extensions = known.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        path = known.get("path")
        names = tuple(one for one in path if isinstance(one, str)) if isinstance(path, list) else ()
        found.append((code[:60] if isinstance(code, str) else "UNKNOWN", names))
    return found


def pause_of(told: Reader) -> float:
    """Until the bucket holds what the question costs, by Shopify's own figures."""
    cost = told.at("extensions").value
    try:
        needed = Reader(cost).decimal("cost.requestedQueryCost")
        there = Reader(cost).decimal("cost.throttleStatus.currentlyAvailable")
        rate = Reader(cost).decimal("cost.throttleStatus.restoreRate")
    except DeliveryUnreadable:
        return 1.0
    return float((needed - there) / rate) if rate > 0 else LONGEST_WAIT
