"""Limits on outcomes, not on visits: behind a carrier's NAT many honest buyers share an address."""

from __future__ import annotations

import hashlib
import ipaddress
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
)
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal.buyer import tries
from portal.buyer.tries import Asked, Here, Shared, Tally, Trial

WRONG_TOKENS = RateLimitItemPerMinute(30, namespace="wrong-token")
#: A code has 58 bits: these keep guessing from costing us anything, and a merchant from nothing.
WRONG_CODES = RateLimitItemPerMinute(10, namespace="wrong-code")
WRONG_CODES_OF_ALL = RateLimitItemPerMinute(300, namespace="wrong-code-all")
#: Each of these may ask a shop something.
LOOKS = RateLimitItemPerMinute(60, namespace="shop-look")
#: Of a number that stands on a ticket: more than one address makes (`WRONG_TOKENS`), so that one
#: alone closes no order to its buyer, and nothing beside the 36⁶ numbers there are at the least.
GUESSES = RateLimitItemPerHour(2000, namespace="guess")
#: Each starts a process of its own for a moment.
PAPERS = RateLimitItemPerHour(30, namespace="paper")
#: Each prints up to a hundred documents.
BUNDLES = RateLimitItemPerHour(20, namespace="bundle")
LETTERS = RateLimitItemPerHour(10, namespace="send-again")
#: Codes and totals of tickets that do not fit, and RFCs that are not the invoice's.
WRONG_TICKETS = RateLimitItemPerMinute(10, namespace="wrong-ticket")
#: Totals that are not those of one code. Whoever stands in the same neighbourhood (`_neighbours`)
#: waits by itself, first an hour, then a day: who knows a code locks out nobody else with it.
WRONG_TOTALS = RateLimitItemPerHour(5, namespace="wrong-total")
WRONG_TOTALS_OF_A_DAY = RateLimitItemPerDay(10, namespace="wrong-total-day")
#: The same from wherever: at least ten neighbourhoods have to guess before anybody else waits.
#: How likely such a guess is right stands in docs/buyers-page.md.
WRONG_TOTALS_OF_ALL = RateLimitItemPerDay(100, namespace="wrong-total-all")
WRONG_RFCS = RateLimitItemPerHour(5, namespace="wrong-rfc")
RESENDINGS = RateLimitItemPerDay(3, namespace="resend")

#: For a Redis that does not answer nobody waits longer, and after it for so long nobody does:
#: whoever is counted holds a thread that other buyers need.
_PATIENCE = 0.5
_REST = 3.0

T = TypeVar("T")


class OutcomeLimits:
    """Counts in Redis where there is one, else (or while it is away) in this process."""

    def __init__(self, redis_url: str = "") -> None:
        self._local = MovingWindowRateLimiter(MemoryStorage())
        # The library's own is made for one thread at a time where a count begins or ends.
        self._one = threading.Lock()
        self._here = Here()
        storage = _storage(redis_url) if redis_url else None
        self._shared = MovingWindowRateLimiter(storage) if storage else None
        self._there = Shared(storage) if storage else None
        self._away_until = 0.0

    def wrong_token(self, address: str | None) -> bool:
        """Count a look-up of nothing. False: this address has had too many of them."""
        return self._try(MovingWindowRateLimiter.hit, WRONG_TOKENS, _network(address))

    def code_allowed(self, address: str | None) -> bool:
        """Whether a pairing code may be tried from here. Counts nothing."""
        test = MovingWindowRateLimiter.test
        return self._try(test, WRONG_CODES, _network(address)) and self._try(
            test, WRONG_CODES_OF_ALL, "all"
        )

    def wrong_code(self, address: str | None) -> None:
        self._try(MovingWindowRateLimiter.hit, WRONG_CODES, _network(address))
        self._try(MovingWindowRateLimiter.hit, WRONG_CODES_OF_ALL, "all")

    def look_allowed(self, address: str | None) -> bool:
        """Count a look-up for which a shop may have to be asked. False: too many of them."""
        return self._try(MovingWindowRateLimiter.hit, LOOKS, _network(address))

    def guess_allowed(self, address: str | None, order: str) -> bool:
        """Whether a number short enough to be guessed may open that order. Counts nothing."""
        test = MovingWindowRateLimiter.test
        return self._try(test, WRONG_TOKENS, _network(address)) and self._try(
            test, GUESSES, _digest(order)
        )

    def guess(self, order: str) -> None:
        """Count a number that is not known to open that order."""
        self._try(MovingWindowRateLimiter.hit, GUESSES, _digest(order))

    def paper_allowed(self, address: str | None) -> bool:
        """Count a file to be read. False: too many of them from this address."""
        return self._try(MovingWindowRateLimiter.hit, PAPERS, _network(address))

    def bundle_allowed(self, address: str | None) -> bool:
        """Count a bundle of documents that is made for this address. False: too many of them."""
        return self._try(MovingWindowRateLimiter.hit, BUNDLES, _network(address))

    def letter(self, token: str) -> Trial:
        """A mailing of the invoice for this link: it counts (`count`) if it was promised."""
        return self._trial((LETTERS, _digest(token)))

    def ticket(self, address: str | None, code: str) -> Trial:
        """A try of that code with some total."""
        here = f"{_digest(code)}/{_neighbours(address)}"
        return self._trial(
            (WRONG_TICKETS, _network(address)),
            (WRONG_TOTALS, here),
            (WRONG_TOTALS_OF_A_DAY, here),
            (WRONG_TOTALS_OF_ALL, _digest(code)),
        )

    def proof(self, address: str | None, sale: str) -> Trial:
        """A try of an RFC for that sale's invoice."""
        return self._trial((WRONG_TICKETS, _network(address)), (WRONG_RFCS, _digest(sale)))

    def resend(self, sale: str) -> bool:
        """Count a letter to the address that an invoice was given with. False: enough for today."""
        return self._try(MovingWindowRateLimiter.hit, RESENDINGS, _digest(sale))

    def _trial(self, *asked: Asked) -> Trial:
        return Trial(
            lambda: self._counted(lambda tally: tries.take(tally, asked)),
            lambda: self._counted(lambda tally: tries.give_back(tally, asked)),
        )

    def _counted(self, act: Callable[[Tally], T]) -> T:
        if self._there is not None and time.monotonic() >= self._away_until:
            try:
                return act(self._there)
            except StorageError:
                self._away_until = time.monotonic() + _REST
        return act(self._here)

    def _try(
        self,
        act: Callable[[MovingWindowRateLimiter, RateLimitItem, str], T],
        item: RateLimitItem,
        key: str,
    ) -> T:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return act(self._shared, item, key)
            except StorageError:
                self._away_until = time.monotonic() + _REST
        with self._one:
            return act(self._local, item, key)


def _storage(redis_url: str) -> Storage:
    # `limits` names Redis on a unix socket otherwise than redis-py does:
    # https://limits.readthedocs.io/en/stable/storage.html
    uri = "redis+" + redis_url if redis_url.startswith("unix://") else redis_url
    # Passed on to redis-py as they are.
    options: dict[str, Any] = {
        "socket_connect_timeout": _PATIENCE,
        "socket_timeout": _PATIENCE,
        "retry": Retry(NoBackoff(), 0),
    }
    storage = storage_from_string(uri, wrap_exceptions=True, **options)
    if not isinstance(storage, Storage):
        raise TypeError("REDIS_URL names an asynchronous storage; use redis:// or unix://")
    return storage


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _network(address: str | None) -> str:
    """The address; of IPv6 the /64, which one subscriber has whole."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _neighbours(address: str | None) -> str:
    """More than one subscriber, for what is counted of one code alone: the /24, of IPv6 the /48.

    As many addresses as that are had for little by one who wants to guess.
    """
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 48), strict=False))
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 24), strict=False))
