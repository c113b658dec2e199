"""Asking a shop: the GraphQL Admin API, one question at a time, within a time for them all.

https://shopify.dev/docs/api/admin-graphql/2026-10 and its limits:
https://shopify.dev/docs/api/usage/limits#graphql-admin-api-rate-limits
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import requests

from connectors import net
from connectors.contract import (
    ConnectionFacts,
    Credentials,
    CredentialsRefused,
    DeliveryUnreadable,
    PlatformUnreachable,
)
from connectors.reader import Reader
from connectors.shopify.answers import (
    AccessDenied,
    Again,
    Failed,
    TooMuch,
    data_of,
    errors_of,
    pause_of,
    told_by,
)
from connectors.shopify.documents import text_of
from connectors.shopify.tokens import REOPEN, Place, Tokens, can_ask
from hub.clock import Clock

API_VERSION: Final = "2026-10"
TRIES: Final = 3
#: All requests of one question together, as long as a worker or a buyer may be held. Within the
#: terms of the jobs (hub/wiring.py).
ORDER_SECONDS: Final = 60.0
SWEEP_SECONDS: Final = 500.0
CHECK_SECONDS: Final = 8.0
#: Only against a shop whose list never ends.
MAX_PAGES: Final = 2000
#: Of a person. Shopify hides them from apps that were not approved for them, and the sale can do
#: without: https://shopify.dev/docs/apps/launch/protected-customer-data
_PERSONAL: Final = frozenset(
    {"customer", "email", "phone", "billingAddress", "localizedFields", "customAttributes"}
)
#: Without its terms (read_payment_terms) an order of credit is one that waits for its money.
_SPARED: Final = _PERSONAL | {"paymentTerms"}
#: What a question costs Shopify alone counts. It may be halved so often: 25 becomes 3.
MAX_HALVINGS: Final = 3
_USER_AGENT: Final = "autofactura-hub"

_log = logging.getLogger(__name__)


class OutOfTime(PlatformUnreachable):
    """All answers together take longer than there is time for."""

    def __init__(self) -> None:
        super().__init__("Shopify takes too long to answer")


@dataclass(slots=True)
class Shop:
    """One shop with keys to it, for one question of the hub."""

    place: Place
    tokens: Tokens
    clock: Clock
    until: float
    tries: int = TRIES
    seconds: float = net.READ_SECONDS
    #: How often what a document asks for at once was halved, because it cost too much.
    halved: dict[str, int] = field(default_factory=dict, init=False)
    #: The version that Shopify answered as, where it was another than ours.
    answered_as: str = field(default="", init=False)

    @staticmethod
    def of(
        connection: ConnectionFacts,
        credentials: Credentials,
        clock: Clock,
        *,
        total: float,
        tries: int = TRIES,
    ) -> Shop:
        keys = credentials.current()
        if not can_ask(keys):
            raise CredentialsRefused("this connection has no key to ask Shopify with")
        place = Place.of_connection(connection, keys)
        until = clock.monotonic() + total
        return Shop(place, Tokens(place, credentials, clock), clock, until, tries)

    def ask(self, document: str, **variables: Any) -> Reader:
        """What the document in queries/ of that name is answered: its `data`, without errors.

        Raises `CredentialsRefused` (`AccessDenied` where it is for a scope), `PlatformUnreachable`,
        `OutOfTime`.
        """
        failed = 0
        while True:
            query = text_of(document, self.halved.get(document, 0))
            sent = json.dumps({"query": query, "variables": variables}).encode()
            try:
                return self._data(document, self._authorized(sent))
            except TooMuch:
                self.halved[document] = self.halved.get(document, 0) + 1
            except Again as again:
                self._wait(again.seconds)
            except Failed as failure:
                failed += 1
                if failed >= self.tries:
                    raise PlatformUnreachable(str(failure)) from None
                self._wait(2 ** (failed - 2) + self._jitter())

    def pages(self, document: str, place: str, **variables: Any) -> Iterator[Reader]:
        """The elements of a list at `place` of the answer, all pages of it, as `$after` goes on."""
        after: str | None = None
        for _ in range(MAX_PAGES):
            found = self.ask(document, after=after, **variables)
            with_pages = _understood(found, place)
            yield from with_pages.items("nodes")
            after = next_of(with_pages)
            if after is None:
                return
        raise PlatformUnreachable("Shopify's list does not end")

    def _authorized(self, sent: bytes) -> net.Answer:
        """With the token in force. One that Shopify does not take is renewed, once."""
        token = self.tokens.current()
        answer = self._once(sent, token)
        if answer.status != 401:
            return answer
        answer = self._once(sent, self.tokens.renewed(token))
        if answer.status == 401:
            raise CredentialsRefused(REOPEN)
        return answer

    def _once(self, sent: bytes, token: str) -> net.Answer:
        """What went wrong is dropped here: the text of these errors may hold what was sent."""
        left = self.until - self.clock.monotonic()
        if left <= 0:
            raise OutOfTime
        try:
            return net.send(
                "POST",
                f"{self.place.url}/admin/api/{API_VERSION}/graphql.json",
                allow_private=self.place.allow_private,
                seconds=min(self.seconds, left),
                total=min(net.TOTAL_SECONDS, left),
                headers={
                    "x-shopify-access-token": token,
                    "content-type": "application/json",
                    "accept": "application/json",
                    # A compressed answer can be a thousand times what crosses the wire.
                    "accept-encoding": "identity",
                    "user-agent": _USER_AGENT,
                },
                data=sent,
            )
        except net.AddressRefused as error:
            refused = str(error)
        except net.AnswerTooLarge:
            refused = "Shopify's answer is larger than any order"
        except requests.RequestException:
            refused = ""
        if refused:
            raise PlatformUnreachable(refused)
        raise Failed("Shopify does not answer")

    def _data(self, document: str, answer: net.Answer) -> Reader:
        self._notice_version(answer)
        told = told_by(answer)
        errors = errors_of(told)
        if not errors:
            return data_of(told)
        codes = {code for code, _ in errors}
        if "THROTTLED" in codes:
            raise Again(pause_of(told))
        if "MAX_COST_EXCEEDED" in codes and self.halved.get(document, 0) < MAX_HALVINGS:
            raise TooMuch
        if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"}:
            raise Failed("Shopify could not answer")
        hidden = [path for code, path in errors if code == "ACCESS_DENIED"]
        missed = [path for path in hidden if not _SPARED & set(path)]
        if codes == {"ACCESS_DENIED"} and not missed and told.at("data").value:
            return data_of(told)
        # Of very many denials Shopify cuts the list off, with an error of another kind.
        if missed or codes == {"ACCESS_DENIED"}:
            raise AccessDenied(".".join((missed or hidden)[0]) or "its API")
        # Never their messages: they may repeat what was asked, ids and names included.
        _log.error("shopify refuses the document %s: %s", document, ", ".join(sorted(codes)))
        raise PlatformUnreachable(
            f"Shopify does not answer this hub's question ({document}): update the hub"
        )

    def _notice_version(self, answer: net.Answer) -> None:
        """A version that ended is answered as the next one, without a word.
        https://shopify.dev/docs/api/usage/versioning"""
        version = answer.headers.get("x-shopify-api-version", "")
        if version and version not in {API_VERSION, self.answered_as}:
            self.answered_as = version if len(version) < 20 else "?"
            _log.error("shopify answers as %r, not %s", self.answered_as, API_VERSION)

    def _wait(self, seconds: float) -> None:
        """Not beyond the time there is: whoever asked is told at once."""
        if self.clock.monotonic() + seconds >= self.until:
            raise OutOfTime
        self.clock.sleep(seconds)

    def _jitter(self) -> float:
        """Up to half a second, from the random end of an id."""
        return int(self.clock.new_id()[-4:], 16) / 0x20000


def plain(value: Any) -> Any:
    """A value as JSON takes it and reads back exactly: whole numbers, others as text."""
    if not isinstance(value, Decimal):
        raise TypeError
    return int(value) if value == value.to_integral_value() else str(value)


def next_of(connection: Reader) -> str | None:
    """The cursor of the next page, None at the end. Raises `PlatformUnreachable`."""
    try:
        if not connection.flag("pageInfo.hasNextPage"):
            return None
        return connection.text("pageInfo.endCursor")
    except DeliveryUnreadable as error:
        raise unusable(error) from None


def unusable(error: DeliveryUnreadable) -> PlatformUnreachable:
    """An answer of another shape than Shopify's is none at all."""
    return PlatformUnreachable(f"Shopify's answer is not usable: {error}")


def _understood(found: Reader, place: str) -> Reader:
    try:
        there = found.at(place)
        there.items("nodes")
        there.flag("pageInfo.hasNextPage")
    except DeliveryUnreadable as error:
        raise unusable(error) from None
    return there
