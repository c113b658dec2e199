"""Access tokens of a shop: got, kept in force, and never renewed by two at once.

A token lives an hour. It is renewed by a refresh token, which is replaced each time and dies after
90 days without use; an app with a key of its own signs an assertion instead, and has no state to
lose. Only one token of an app and shop is in force, so a second renewal at the same time would end
the first one's. The health check asks every shop daily: no refresh token grows old by silence.
https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import requests

from connectors import net
from connectors.connecting import App
from connectors.contract import (
    ConnectionFacts,
    Credentials,
    CredentialsRefused,
    DeliveryUnreadable,
    PlatformUnreachable,
)
from connectors.reader import Reader, read_json
from connectors.shopify import assertion
from connectors.shopify.verify import is_shop
from hub.clock import Clock

#: Renewed so long before its end, for clocks differ and a question takes its time.
EARLY: Final = timedelta(minutes=5)
#: An answer that does not say how long: never "for ever".
#: https://github.com/Shopify/shopify-app-js/issues/3400
ASSUMED: Final = timedelta(hours=1)
#: Longer than a renewal takes. Whoever holds it may die meanwhile.
ALONE_SECONDS: Final = 40.0
#: How long to wait for somebody else's renewal.
PATIENCE_SECONDS: Final = 20.0
ASKING_SECONDS: Final = 15.0
#: What an answer of Shopify's token address may be as text, in our credentials.
_LONGEST: Final = 4096
_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a name, no secret
_OFFLINE: Final = "urn:shopify:params:oauth:token-type:offline-access-token"

#: The names under which a token and what belongs to it are kept; they change together.
NAMES: Final = ("access_token", "expires_at", "refresh_token", "refresh_expires_at", "scope")

REOPEN: Final = "Shopify no longer takes our key: open the app once in the Shopify admin"


class RefusedByShopify(CredentialsRefused):
    """Shopify gave no token for what was given. A person has to act."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shop is asked."""

    url: str  # with its scheme, no slash at the end
    allow_private: bool

    @staticmethod
    def of(account: str, keys: Mapping[str, str], *, allow_private: bool) -> Place:
        """Raises `PlatformUnreachable` for an account that is no shop of Shopify.

        "api_root" among the keys of an app is a Shopify that is played on this network, for tests.
        """
        root = keys.get("app.api_root", "").rstrip("/")
        if root and allow_private and is_shop(account):
            return Place(f"{root}/{account}", allow_private=True)
        if allow_private and account.startswith("http://"):
            return Place(account, allow_private=True)
        if not is_shop(account):
            raise PlatformUnreachable("the account of this connection is no shop of Shopify")
        return Place(f"https://{account}", allow_private=False)

    @staticmethod
    def of_connection(connection: ConnectionFacts, keys: Mapping[str, str]) -> Place:
        allowed = connection.settings.get("allow_private") is True
        return Place.of(connection.account, keys, allow_private=allowed)

    @staticmethod
    def of_app(account: str, app: App) -> Place:
        """While no connection is there: who adds an app says where its Shopify is."""
        keys = {f"app.{name}": value for name, value in app.keys.items()}
        return Place.of(account, keys, allow_private=bool(app.keys.get("api_root")))


def exchanged(place: Place, app: App, id_token: str, clock: Clock) -> Mapping[str, str]:
    """Network: keys for the ID token of somebody who looks at the app's page in the shop.

    They replace whatever keys this app had for the shop. Raises `RefusedByShopify` or
    `PlatformUnreachable`.
    """
    asked = {
        "grant_type": _EXCHANGE,
        "subject_token": id_token,
        "subject_token_type": _ID_TOKEN,
        "requested_token_type": _OFFLINE,
        "expiring": "1",
    }
    return _asked(place, _app_keys(app), asked, clock)


def redeemed(place: Place, app: App, code: str, clock: Clock) -> Mapping[str, str]:
    """Network: keys for the code with which a person came back who agreed. Raises as above."""
    return _asked(place, _app_keys(app), {"code": code, "expiring": "1"}, clock)


def _app_keys(app: App) -> Mapping[str, str]:
    return {f"app.{name}": value for name, value in app.keys.items()}


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token in force of one connection."""

    place: Place
    credentials: Credentials
    clock: Clock

    def current(self) -> str:
        """One that is good for some minutes. Network if the last one is not.

        Raises `CredentialsRefused` or `PlatformUnreachable`.
        """
        keys = self.credentials.current()
        token = keys.get("access_token", "")
        return token if token and not self._ending(keys) else self.renewed(token)

    def renewed(self, used: str) -> str:
        """Another than `used`, which Shopify did not take, or which is about to end.

        Whoever comes second takes what the first one got.
        """
        until = self.clock.monotonic() + PATIENCE_SECONDS
        while self.clock.monotonic() < until:
            with self.credentials.alone(ALONE_SECONDS) as mine:
                keys = dict(self.credentials.current())
                token = keys.get("access_token", "")
                if token != used and not self._ending(keys):
                    return token
                if mine:
                    new = self._renewal(keys)
                    if self.credentials.rotate(keys, {**_without(keys), **new}):
                        return new["access_token"]
            self.clock.sleep(0.1)
        raise PlatformUnreachable("the keys of this shop are just being renewed")

    def _renewal(self, keys: Mapping[str, str]) -> Mapping[str, str]:
        """If its answer is lost, the same refresh token is good again: Shopify takes the last one
        until the pair that replaced it is first used.
        https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens
        """
        if keys.get("app.private_key"):
            asked = assertion.request(keys, self.place.url, self.clock.now())
            return _answered(self.place, asked, self.clock)
        if not keys.get("refresh_token"):
            raise CredentialsRefused(REOPEN)
        asked = {"grant_type": "refresh_token", "refresh_token": keys["refresh_token"]}
        return _asked(self.place, keys, asked, self.clock)

    def _ending(self, keys: Mapping[str, str]) -> bool:
        """A token that was made by hand in the shop says no end, and has none."""
        if not keys.get("refresh_token") and not keys.get("expires_at"):
            return not keys.get("access_token")
        end = instant_of(keys.get("expires_at", ""))
        return end is None or end - EARLY <= self.clock.now()


def can_ask(keys: Mapping[str, str]) -> bool:
    return bool(keys.get("access_token") or keys.get("app.private_key"))


def instant_of(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _without(keys: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in keys.items() if name not in NAMES}


def _asked(
    place: Place, keys: Mapping[str, str], asked: Mapping[str, str], clock: Clock
) -> Mapping[str, str]:
    """With the app's secret, then with the one before it: which of them is in force is not ours
    to know while it is being replaced."""
    secrets = [keys.get("app.client_secret", ""), keys.get("app.client_secret_before", "")]
    refused: RefusedByShopify | None = None
    for secret in filter(None, secrets):
        named = {"client_id": keys.get("app.client_id", ""), "client_secret": secret, **asked}
        try:
            return _answered(place, named, clock)
        except RefusedByShopify as error:
            refused = refused or error
    raise refused or CredentialsRefused("the app of this connection has no secret")


def _answered(place: Place, asked: Mapping[str, str], clock: Clock) -> Mapping[str, str]:
    began_at = clock.now()
    answer = _posted(place, asked)
    told = _reader(answer)
    if answer.status == 200 and told is not None:
        return _keys(told, began_at)
    # A page instead of data is of a firewall or of a shop that is being moved, and passes.
    if told is not None and answer.status in {400, 401, 403}:
        raise RefusedByShopify(REOPEN)
    if answer.status in {404, 410}:
        raise RefusedByShopify("Shopify knows no such shop: is it closed, or its name misspelt?")
    raise PlatformUnreachable(f"Shopify gave no key (HTTP status {answer.status})")


def _posted(place: Place, asked: Mapping[str, str]) -> net.Answer:
    """What went wrong is dropped here: the text of these errors may hold what was sent."""
    try:
        return net.send(
            "POST",
            f"{place.url}/admin/oauth/access_token",
            allow_private=place.allow_private,
            seconds=ASKING_SECONDS,
            total=ASKING_SECONDS,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            json=dict(asked),
        )
    except net.AddressRefused as error:
        refused = str(error)
    except (requests.RequestException, net.AnswerTooLarge):
        refused = "Shopify does not answer"
    raise PlatformUnreachable(refused)


def _reader(answer: net.Answer) -> Reader | None:
    if not answer.content_type.endswith("json"):
        return None
    try:
        told = read_json(answer.body)
    except DeliveryUnreadable:
        return None
    return told if isinstance(told.value, dict) else None


def _keys(told: Reader, began_at: datetime) -> Mapping[str, str]:
    """The answer by our names. The time runs from when it was asked for."""
    try:
        found = {
            "access_token": told.text("access_token"),
            "expires_at": _end(told, "expires_in", began_at).isoformat(),
            "scope": told.text("scope", ""),
        }
        if refresh := told.text("refresh_token", ""):
            found["refresh_token"] = refresh
            lasting = _end(told, "refresh_token_expires_in", began_at)
            found["refresh_expires_at"] = lasting.isoformat()
    except (DeliveryUnreadable, OverflowError):
        raise PlatformUnreachable("Shopify's answer is no key") from None
    if not found["access_token"] or max(map(len, found.values())) > _LONGEST:
        raise PlatformUnreachable("Shopify's answer is no key")
    return found


def _end(told: Reader, name: str, began_at: datetime) -> datetime:
    place: Any = told.at(name).value
    seconds = told.decimal(name) if place not in {None, ""} else None
    lasting = timedelta(seconds=float(seconds)) if seconds and seconds > 0 else ASSUMED
    return began_at.astimezone(UTC) + lasting
