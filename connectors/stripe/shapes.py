"""What a sale is made of: a bundle of everything asked for, or an event with one object in it.

Stripe renders objects in the version of the endpoint, or of the account when the event was made;
a reader takes the newer name where it is there, and else the older one: README.md, "Versions".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import FIRST_YEAR, LAST_YEAR, Reader

#: What a sale can be made of, by the word of `object`.
_KINDS: Final = {"invoice": "invoice", "payment_intent": "payment", "charge": "payment"}
_NOTHING: Final = Reader({})


@dataclass(frozen=True, slots=True)
class Document:
    """One invoice or one payment, and what was fetched with it."""

    kind: str  # "invoice" or "payment"
    object: Reader
    #: The bundle; empty where there is but a delivered copy.
    fetched: Reader
    #: When the event was made, of a delivered copy.
    told_at: datetime | None = None

    @property
    def whole(self) -> bool:
        return bool(self.fetched.value)

    def listed(self, name: str) -> tuple[Reader, ...]:
        """A list of the bundle; none if it was not asked for."""
        return listed(self.fetched, name)

    def one(self, name: str) -> Reader:
        """An object of the bundle. One that was deleted says no more than that, and is none."""
        place = self.fetched.at(name)
        if not isinstance(place.value, dict) or place.flag("deleted", default=False):
            return Reader(None, name)
        return place

    def by_id(self, name: str, key: str) -> Reader:
        """One of a map of the bundle; merchants choose some ids, so a dot means nothing."""
        place = self.fetched.at(name)
        if place.value is None:
            return Reader(None, name)
        place.names()
        return Reader(place.value.get(key), f"{name}[]")


def document_of(root: Reader) -> Document:
    """Raises `DeliveryUnreadable` where it is neither an invoice nor a payment."""
    if root.text("shape", "") == "bundle":
        return Document(_kind(root.at("object"), root.text("kind")), root.at("object"), root)
    if root.text("object", "") == "event":
        found = root.at("data.object")
        return Document(_kind(found), found, _NOTHING, instant(root, "created"))
    return Document(_kind(root), root, _NOTHING)


def _kind(found: Reader, said: str = "") -> str:
    kind = _KINDS.get(found.text("object"))
    if kind is None or said not in {"", kind}:
        raise DeliveryUnreadable("this is neither an invoice nor a payment of Stripe")
    return kind


def listed(place: Reader, name: str) -> tuple[Reader, ...]:
    """The elements of a list, whether bare or in Stripe's own wrapping."""
    found = place.at(name)
    return found.items("data") if isinstance(found.value, dict) else place.items(name)


def ident(place: Reader, name: str) -> str:
    """The id that stands there, also where the object was expanded; "" if there is none."""
    found = place.at(name)
    return found.text("id", "") if isinstance(found.value, dict) else place.text(name, "")


def key_of(place: Reader) -> str:
    """The object's own id. Raises `DeliveryUnreadable`."""
    key = place.text("id")
    if not key:
        raise DeliveryUnreadable(f"{place.path or 'the document'} has no id")
    return key


def instant(place: Reader, name: str) -> datetime | None:
    """Seconds since 1970; None if absent."""
    seconds = place.decimal(name, Decimal(0))
    if not seconds:
        return None
    try:
        found = datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        found = None
    if found is None or not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise DeliveryUnreadable(f"{place.at(name).path} is not an instant")
    return found
