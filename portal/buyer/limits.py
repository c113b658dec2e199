"""Limits on outcomes, not on visits: behind a carrier's NAT many honest buyers share an address."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from contextlib import suppress

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

WRONG_TOKENS = RateLimitItemPerMinute(30, namespace="wrong-token")
#: A code has 58 bits: these keep guessing from costing us anything, and a merchant from nothing.
WRONG_CODES = RateLimitItemPerMinute(10, namespace="wrong-code")
WRONG_CODES_OF_ALL = RateLimitItemPerMinute(300, namespace="wrong-code-all")
#: Each of these may ask a shop something.
LOOKS = RateLimitItemPerMinute(60, namespace="shop-look")
LETTERS = RateLimitItemPerHour(10, namespace="send-again")


class OutcomeLimits:
    """Counts in Redis where there is one, else (or while it is away) in this process."""

    def __init__(self, redis_url: str = "") -> None:
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._shared = MovingWindowRateLimiter(_storage(redis_url)) if redis_url else None

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

    def letter_allowed(self, token: str) -> bool:
        """Whether this link may still have the invoice mailed. Counts nothing."""
        return self._try(MovingWindowRateLimiter.test, LETTERS, _digest(token))

    def letter(self, token: str) -> None:
        """Count a letter that was sent for this link."""
        self._try(MovingWindowRateLimiter.hit, LETTERS, _digest(token))

    def _try(
        self,
        act: Callable[[MovingWindowRateLimiter, RateLimitItem, str], bool],
        item: RateLimitItem,
        key: str,
    ) -> bool:
        if self._shared is not None:
            with suppress(StorageError):
                return act(self._shared, item, key)
        return act(self._local, item, key)


def _storage(redis_url: str) -> Storage:
    # `limits` names Redis on a unix socket otherwise than redis-py does:
    # https://limits.readthedocs.io/en/stable/storage.html
    uri = "redis+" + redis_url if redis_url.startswith("unix://") else redis_url
    storage = storage_from_string(uri, wrap_exceptions=True)
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
