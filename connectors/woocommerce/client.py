"""Asking a store: each question has its time, and its answer is what the store wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import requests

from connectors import net
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Credentials,
    CredentialsRefused,
    DeliveryUnreadable,
    OrderNotFound,
    PlatformUnreachable,
    Unfinished,
)
from connectors.reader import read_json
from connectors.woocommerce.api import Api, OutOfTime
from hub.clock import Clock

PER_PAGE: Final = 100
#: Only against a store whose list never ends.
MAX_PAGES: Final = 2000
MAX_LIST: Final = 20
#: Ids that one request names, so that its address stays within the 8 KiB that web servers take.
MAX_EXCLUDED: Final = 400
#: Asked for again, because WooCommerce keeps whole seconds and the store's clock is another.
OVERLAP: Final = timedelta(minutes=5)
TRIES: Final = 3
RETRY_SECONDS: Final = 20.0
#: All requests of one question together: a store that is slow in each of them holds a worker, or
#: the question of a buyer, so long and no longer. Within the terms of the jobs (hub/wiring.py).
ORDER_SECONDS: Final = 60.0
SWEEP_SECONDS: Final = 500.0
WEBHOOKS_SECONDS: Final = 200.0
#: Digits of an id of WooCommerce.
MAX_ID: Final = 20
#: Decimals of the amounts. The default is the store's price decimals, in which sums are lost.
PRECISION: Final = "6"
#: The codes under which a store says that it has no such order, no such webhook.
_ABSENT: Final = frozenset(
    {"woocommerce_rest_shop_order_invalid_id", "woocommerce_rest_shop_webhook_invalid_id"}
)
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


@dataclass(frozen=True, slots=True)
class Shop:
    """One store with keys to it."""

    api: Api
    clock: Clock
    tries: int = TRIES

    @staticmethod
    def of(
        connection: ConnectionFacts,
        credentials: Credentials,
        clock: Clock,
        *,
        total: float = ORDER_SECONDS,
        tries: int = TRIES,
        seconds: float = net.READ_SECONDS,
    ) -> Shop:
        """`total`: the time for all requests; `seconds`: the longest wait for each answer."""
        keys = credentials.current()
        key, secret = keys.get("consumer_key", ""), keys.get("consumer_secret", "")
        if not (key and secret):
            raise CredentialsRefused("this connection has no REST API keys; give it a read key")
        allow_private = connection.settings.get("allow_private") is True
        try:
            url = net.shop_url(connection.account, allow_private=allow_private)
        except net.AddressRefused as error:
            raise PlatformUnreachable(str(error)) from None
        api = Api(url, key, secret, user_agent="autofactura-hub")
        api.allow_private, api.seconds = allow_private, seconds
        until = clock.monotonic() + total
        api.left = lambda: until - clock.monotonic()
        return Shop(api, clock, tries)

    def order(self, order_id: str) -> bytes:
        """{"order": …, "refunds": …}, each exactly as the store wrote it."""
        if not is_id(order_id):
            raise OrderNotFound("the id of an order of WooCommerce is a number")
        order = self._get(f"orders/{order_id}", {"dp": PRECISION})
        with understood():
            found = read_json(order)
            same, refunded = found.text("id", "") == order_id, bool(found.items("refunds"))
        if not same:
            raise PlatformUnreachable("the store answered with something that is not that order")
        refunds = self._refunds(order_id) if refunded else b"[]"
        return b'{"order":' + order + b',"refunds":' + refunds + b"}"

    def _refunds(self, order_id: str) -> bytes:
        pages: list[bytes] = []
        size = 0
        for page in range(1, MAX_PAGES + 1):
            asked = {"dp": PRECISION, "per_page": str(PER_PAGE), "page": str(page)}
            body = self._get(f"orders/{order_id}/refunds", asked)
            with understood():
                found = read_json(body).elements()
            # Joined as they came: parsing and writing again would lose what was really sent.
            pages.append(body.strip()[1:-1])
            size += len(body)
            if size > net.MAX_BYTES:
                raise PlatformUnreachable("the store's list of refunds does not end")
            if len(found) < PER_PAGE:
                break
        return b"[" + b",".join(page for page in pages if page.strip()) + b"]"

    def changed_since(self, instant: datetime) -> Iterator[str]:
        """Each id once, the oldest change first.

        Orders that change meanwhile move to the end and all others move up, so that a page number
        would skip some: each request starts at the last instant seen. Within one second WooCommerce
        promises no order (it sorts by that instant alone), so what came of it is excluded. Orders
        in the trash are in no list of WooCommerce. Raises `Unfinished` when the time is over.
        """
        since, seen = instant.astimezone(UTC) - OVERLAP, set[str]()
        ties, most = dict[str, None](), MAX_EXCLUDED
        for _ in range(MAX_PAGES):
            try:
                changes = _changes(self._get("orders", _sweep(since, list(ties), most)))
            except OutOfTime:
                raise Unfinished(since) from None
            came = dict.fromkeys(one for one, _ in changes)
            fresh = [one for one in came if one not in seen]
            seen.update(fresh)
            yield from fresh
            if not fresh and len(changes) < PER_PAGE:
                return
            if not came.keys().isdisjoint(list(ties)[:most]):
                most = 0  # this store excludes nothing: there are only pages
            onward = _onward(changes[-1][1], since)
            since, ties = onward, ties | came if onward == since else {}
        raise Unfinished(since)

    def part(self, order_id: str, fields: str) -> bytes:
        """Some fields of an order."""
        if not (order_id.isascii() and order_id.isdigit()):
            raise OrderNotFound("the id of an order of WooCommerce is a number")
        return self._get(f"orders/{order_id}", {"_fields": fields})

    def notes(self, order_id: str) -> bytes:
        """The notes of an order that its buyer does not see."""
        return self._get(f"orders/{order_id}/notes", {"type": "internal"})

    def first(self, endpoint: str) -> bytes:
        """A look at a list: whether the store takes these keys."""
        return self._get(endpoint, {"per_page": "1"})

    def pages(self, endpoint: str) -> Iterator[bytes]:
        """A whole list, page by page; a few thousand elements at most."""
        for page in range(1, MAX_LIST + 1):
            body = self._get(endpoint, {"per_page": str(PER_PAGE), "page": str(page)})
            yield body
            with understood():
                last = len(read_json(body).elements()) < PER_PAGE
            if last:
                return
        raise PlatformUnreachable(f"the store's list of {endpoint} does not end")

    def write(self, method: str, endpoint: str, data: Mapping[str, object] | None = None) -> bytes:
        """Once: whether an unanswered write was done, only a look can tell."""
        answer = self._once(lambda: self._written(method, endpoint, data))
        if answer is None:
            raise PlatformUnreachable("the store does not answer")
        return _body(answer)

    def _written(self, method: str, endpoint: str, data: Mapping[str, object] | None) -> net.Answer:
        # A webhook in the trash would still be there: WooCommerce deletes with force alone.
        force = {"params": {"force": "true"}} if method == "DELETE" else {}
        send = {"POST": self.api.post, "PUT": self.api.put, "DELETE": self.api.delete}[method]
        answer: net.Answer = send(endpoint, *([dict(data)] if data is not None else []), **force)
        return answer

    def _get(self, endpoint: str, params: Mapping[str, str]) -> bytes:
        """Tried again, for a few seconds, where the store may only be busy."""
        until = self.clock.monotonic() + RETRY_SECONDS
        for attempt in range(1, self.tries + 1):
            answer = self._ask(endpoint, params)
            passing = answer is None or answer.status in _PASSING
            if not passing or attempt == self.tries or self.clock.monotonic() >= until:
                break
            self.clock.sleep(2 ** (attempt - 2) + self._jitter())
        if answer is None and self.api.left() <= 0:
            raise OutOfTime
        if answer is None:
            raise PlatformUnreachable("the store does not answer")
        return _body(answer)

    def _ask(self, endpoint: str, params: Mapping[str, str]) -> net.Answer | None:
        return self._once(lambda: self.api.get(endpoint, params=params))

    def _once(self, send: Callable[[], net.Answer]) -> net.Answer | None:
        """None if no answer came. What went wrong is dropped here: the text of these errors
        holds the address asked, keys included."""
        refused = ""
        try:
            answer = send()
        except (net.AddressRefused, net.AnswerTooLarge) as error:
            refused = str(error)
        except requests.RequestException:
            return None
        if refused:
            raise PlatformUnreachable(refused)
        return answer

    def _jitter(self) -> float:
        """Up to half a second, from the random end of an id."""
        return int(self.clock.new_id()[-4:], 16) / 0x20000


def settled(connection: ConnectionFacts) -> str:
    """The address under which the store's REST API answers a GET without sending it on.

    Keys are sent to no address that redirects: a POST would become a GET, and another host would
    see the keys.
    """
    allow_private = connection.settings.get("allow_private") is True
    root = f"{connection.account}/wp-json/"
    try:
        final = net.final_url(root, allow_private=allow_private).partition("?")[0].rstrip("/")
        if final.endswith("/wp-json"):
            return net.shop_url(final.removesuffix("/wp-json"), allow_private=allow_private)
    except net.AddressRefused as error:
        refused = str(error)
    except (requests.RequestException, net.AnswerTooLarge):
        raise PlatformUnreachable("the store does not answer") from None
    else:
        refused = "it redirects to something that is no REST API (wp-json)"
    raise ConnectionInvalid(f"the address of the store: {refused}")


def _sweep(since: datetime, ties: list[str], most: int) -> dict[str, str]:
    """`ties`: what came already of those after `since`; `most` of them are excluded."""
    asked = {
        "orderby": "modified",
        "order": "asc",
        "modified_after": since.strftime("%Y-%m-%dT%H:%M:%S"),
        "dates_are_gmt": "true",
        "status": "any",
        "per_page": str(PER_PAGE),
        "page": str(1 + max(len(ties) - most, 0) // PER_PAGE),
        "_fields": "id,date_modified_gmt",
    }
    return {**asked, "exclude": ",".join(ties[:most])} if ties[:most] else asked


def _onward(changed_at: datetime | None, since: datetime) -> datetime:
    """Just before the last instant seen: `modified_after` excludes it, and it may have more."""
    return max(changed_at - timedelta(seconds=1), since) if changed_at else since


def _body(answer: net.Answer) -> bytes:
    """The JSON of a good answer, or the exception that says whose turn it is."""
    is_json = answer.content_type.endswith("json")
    if answer.status in {200, 201} and is_json:
        body = answer.body.removeprefix(b"\xef\xbb\xbf")
        with understood():
            read_json(body, max_bytes=net.MAX_BYTES)
        return body
    if is_json and answer.status in {401, 403}:
        raise CredentialsRefused(
            "the store refuses these REST API keys; give it keys that can read (and write, to "
            "let the hub keep its webhooks)"
        )
    if is_json and answer.status in {404, 410} and _code(answer.body) in _ABSENT:
        raise OrderNotFound("the store has no such order")
    raise PlatformUnreachable(_what_to_do(answer.status))


def _what_to_do(status: int) -> str:
    if status == 200:
        return "the store answered a page instead of data: maintenance, or a security plug-in"
    if 300 <= status < 400:
        return "the store redirects to another address; connect it under that address"
    if status in {401, 403}:
        return "a firewall or security plug-in of the store blocks its REST API (wp-json)"
    if status == 404:
        return "no WooCommerce REST API at that address; permalinks must not be 'plain'"
    return f"the store answered with HTTP status {status}"


def _code(body: bytes) -> str:
    try:
        return read_json(body).text("code", "")
    except DeliveryUnreadable:
        return ""


@contextmanager
def understood() -> Iterator[None]:
    """An answer of another shape than WooCommerce's is none at all."""
    try:
        yield
    except DeliveryUnreadable as error:
        raise PlatformUnreachable(f"the store's answer is not usable: {error}") from None


def _changes(body: bytes) -> list[tuple[str, datetime | None]]:
    with understood():
        found = read_json(body).elements()
        changes = [(one.text("id"), one.instant_gmt("date_modified_gmt")) for one in found]
    if len(changes) > PER_PAGE or not all(is_id(order_id) for order_id, _ in changes):
        raise PlatformUnreachable("the store answered with something that is no list of orders")
    return changes


def is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_ID
