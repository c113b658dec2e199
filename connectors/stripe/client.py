"""Asking Stripe at one version of its API. What leaves here is JSON, never an object of the SDK."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import stripe

from connectors import net
from connectors.contract import (
    ConnectionFacts,
    Credentials,
    CredentialsRefused,
    DeliveryUnreadable,
    OrderNotFound,
    PlatformUnreachable,
)
from connectors.reader import Reader, read_json
from connectors.stripe.connect import Named, named
from connectors.stripe.permissions import words
from connectors.stripe.rates import Rates
from connectors.stripe.transport import RETRIES, Transport
from hub.clock import Clock

#: What endpoints are made with and questions asked at: the one that the pinned SDK was made for.
VERSION: Final = "2026-10-28.endive"
BASE: Final = "https://api.stripe.com"
PER_PAGE: Final = 100
#: Only against a list that never ends.
MAX_PAGES: Final = 400
#: All requests of one question together; within the terms of the jobs (hub/wiring.py).
ORDER_SECONDS: Final = 60.0
SWEEP_SECONDS: Final = 500.0
WEBHOOKS_SECONDS: Final = 200.0

_PERMISSION: Final = re.compile(r"Having the '(\w{1,60})' permission")
_ACCOUNT: Final = re.compile(r"on account '(acct_\w{1,60})'")


class OutOfTime(PlatformUnreachable):
    """The time for a question is over."""

    def __init__(self) -> None:
        super().__init__("Stripe takes too long")


class Forbidden(CredentialsRefused):
    """The key is good, and may not do this. `permission` is Stripe's name for what it lacks."""

    def __init__(self, permission: str, account: str) -> None:
        what = words(permission)
        super().__init__(
            f"the restricted key may not do this; give it, in Stripe's dashboard: {what}"
            if what
            else "Stripe refuses this key (403): look at its permissions and its list of IPs"
        )
        self.permission, self.account = permission, account


class Api:
    """One account, with a key to it and the time for one question."""

    def __init__(
        self,
        account: Named,
        key: str,
        clock: Clock,
        *,
        seconds: float,
        rates: Rates | None = None,
    ) -> None:
        until = clock.monotonic() + seconds
        self.clock, self.account, self._rates = clock, account, rates or Rates()
        told = f"{account.spelled} {VERSION} {key}"
        self._reader = hashlib.sha256(told.encode()).hexdigest()
        self.left: Callable[[], float] = lambda: until - clock.monotonic()
        self._client = stripe.StripeClient(
            key,
            stripe_version=VERSION,
            max_network_retries=RETRIES,
            base_addresses={"api": account.base or BASE},
            http_client=Transport(self.left, allow_private=bool(account.base)),
        )

    @staticmethod
    def of(
        connection: ConnectionFacts,
        credentials: Credentials,
        clock: Clock,
        *,
        seconds: float,
        rates: Rates | None = None,
    ) -> Api:
        """Raises `CredentialsRefused` if there is no key, `PlatformUnreachable` if no address."""
        key = credentials.current().get("key", "")
        if not key:
            raise CredentialsRefused("this connection has no key; give it a restricted key (rk_…)")
        allow_private = connection.settings.get("allow_private") is True
        account = named(connection.account, allow_private=allow_private)
        if account is None:
            raise PlatformUnreachable("the account of this connection is none of Stripe's")
        return Api(account, key, clock, seconds=seconds, rates=rates)

    def get(self, path: str, **params: Any) -> Reader:
        return self._asked("get", path, params)

    def rate(self, rate_id: str) -> Any:
        """A tax rate as it was within the last minutes. Raises `OrderNotFound` as `get` does."""
        now = self.clock.monotonic()
        held = self._rates.get(self._reader, rate_id, now)
        if held is None:
            held = self.get(f"/v1/tax_rates/{rate_id}").value
            self._rates.keep(self._reader, rate_id, held, now)
        return held

    def post(self, path: str, *, once: str = "", **params: Any) -> Reader:
        """`once`: with the same word, what was done within the last day is not done again.

        https://docs.stripe.com/api/idempotent_requests
        """
        return self._asked("post", path, {**params, **({"idempotency_key": once} if once else {})})

    def delete(self, path: str) -> Reader:
        return self._asked("delete", path, {})

    def pages(self, path: str, **params: Any) -> Iterator[list[Reader]]:
        """A list page by page, newest first as Stripe gives it."""
        after: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            page = self.get(path, limit=PER_PAGE, **params, **after)
            with understood():
                found = list(page.at("data").elements())
                more = page.flag("has_more", default=False)
                after = {"starting_after": found[-1].text("id")} if found else {}
            yield found
            if not (more and found):
                return
        raise PlatformUnreachable(f"Stripe's list of {path} does not end")

    def every(self, path: str, **params: Any) -> list[Reader]:
        return [one for page in self.pages(path, **params) for one in page]

    def rest(self, held: Reader, path: str, **params: Any) -> list[Reader]:
        """A list that an object holds the first page of, whole."""
        with understood():
            if not held.flag("has_more", default=False):
                return list(held.items("data"))
        return self.every(path, **params)

    def _asked(self, method: str, path: str, params: dict[str, Any]) -> Reader:
        answer = self._once(method, path, params)
        if isinstance(answer, Exception):
            raise answer  # here, where no error of the SDK, which holds the answer, is its context
        with understood():
            read = read_json(answer, max_bytes=net.MAX_BYTES)
            read.names()
        return read

    def _once(self, method: str, path: str, params: dict[str, Any]) -> bytes | Exception:
        try:
            answer = self._client.raw_request(method, path, **params)
        except stripe.StripeError as error:
            return OutOfTime() if self.left() <= 0 else _said(error)
        except Exception:  # noqa: BLE001 - of a strange answer the SDK makes any error, which holds it
            return PlatformUnreachable("Stripe's answer is not usable")
        body: str = answer.body
        return body.encode("utf-8", "replace")


def _said(error: stripe.StripeError) -> Exception:
    """Whose turn it is. Of Stripe's words only names are taken: they may hold part of a key."""
    if isinstance(error, stripe.APIConnectionError):
        return PlatformUnreachable("Stripe does not answer")
    if isinstance(error, stripe.AuthenticationError):
        return CredentialsRefused(
            "Stripe does not take this key: it was rolled, revoked or deleted. Make a new "
            "restricted key and give it to the connection"
        )
    if isinstance(error, stripe.PermissionError):
        told = str(error.user_message or "")
        permission, account = _PERMISSION.search(told), _ACCOUNT.search(told)
        return Forbidden(
            permission.group(1) if permission else "", account.group(1) if account else ""
        )
    if isinstance(error, stripe.RateLimitError):
        return PlatformUnreachable("Stripe asks us to slow down (429); it is tried again later")
    code = error.code if isinstance(error.code, str) and error.code.isascii() else ""
    if error.http_status == 404 and code == "resource_missing":
        return OrderNotFound("Stripe has no such object")
    return PlatformUnreachable(f"Stripe answered with HTTP status {error.http_status} {code[:40]}")


@contextmanager
def understood() -> Iterator[None]:
    """An answer of another shape than Stripe's is none at all."""
    try:
        yield
    except DeliveryUnreadable as error:
        raise PlatformUnreachable(f"Stripe's answer is not usable: {error}") from None


def ref(place: Reader) -> str:
    """The id of what stands there, expanded or not; "" if nothing does."""
    if isinstance(place.value, dict):
        return place.text("id", "")
    return place.value if isinstance(place.value, str) else ""
