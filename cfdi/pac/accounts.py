"""The providers there are, what each needs to know, and how an account becomes a client."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import SplitResult, urlsplit

from cfdi.pac.contract import Dedupe, Pac, Terms
from cfdi.pac.finkok import Finkok
from cfdi.pac.sandbox import IN_FLIGHT_MAX, TOKEN
from cfdi.pac.sandbox.authority import PAC_RFC
from cfdi.pac.sw import SwSapien
from cfdi.sat.status import PATH as STATUS_PATH
from cfdi.sat.status import URL as STATUS_URL

TEST: Final = "test"
LIVE: Final = "live"


class AccountInvalid(ValueError):
    """The settings make no account. The message says which and what to do; it holds no secret."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    secret: bool
    required: bool


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    settings: tuple[Setting, ...]
    terms: Terms
    environments: tuple[str, ...]
    #: By environment, where the address is known.
    default_url: Mapping[str, str]
    #: Whose certificates it stamps, by environment (words of `cfdi.csd.authority`).
    authorities: Mapping[str, frozenset[str]]
    #: Its own RFC, which a receiver's signed requests name; by environment.
    rfc: Mapping[str, str]


_SETTINGS: Final = (
    Setting("url", secret=False, required=False),
    Setting("token", secret=True, required=False),
    Setting("user", secret=False, required=False),
    Setting("password", secret=True, required=False),
)

PROVIDERS: Final[Mapping[str, Provider]] = {
    "sandbox": Provider(
        name="sandbox",
        settings=(Setting("url", secret=False, required=True), *_SETTINGS[1:]),
        terms=Terms(
            dedupe=Dedupe.REFERENCE,
            reference_lifetime=timedelta(hours=72),
            in_flight_max=IN_FLIGHT_MAX,
            connect_timeout=timedelta(seconds=2),
            read_timeout=timedelta(seconds=5),
        ),
        environments=(TEST,),
        default_url={},
        authorities={TEST: frozenset({"sandbox", "sat-test"})},
        rfc={TEST: PAC_RFC},
    ),
    "sw": Provider(
        name="sw",
        settings=_SETTINGS,
        terms=Terms(
            dedupe=Dedupe.REFERENCE,
            reference_lifetime=timedelta(hours=72),
            in_flight_max=timedelta(seconds=120),
            connect_timeout=timedelta(seconds=5),
            read_timeout=timedelta(seconds=30),
        ),
        environments=(TEST, LIVE),
        default_url={
            TEST: "https://services.test.sw.com.mx",
            LIVE: "https://services.sw.com.mx",
        },
        authorities={TEST: frozenset({"sat", "sat-test"}), LIVE: frozenset({"sat"})},
        # Test environments certify as SAT's fictitious provider.
        rfc={TEST: PAC_RFC, LIVE: "LSO1306189R5"},
    ),
    "finkok": Provider(
        name="finkok",
        settings=(_SETTINGS[0], *_SETTINGS[2:]),
        terms=Terms(
            dedupe=Dedupe.BYTES,
            # As long as SAT takes the document at all (RMF 2.7.2.9).
            reference_lifetime=timedelta(hours=72),
            in_flight_max=timedelta(seconds=120),
            connect_timeout=timedelta(seconds=5),
            read_timeout=timedelta(seconds=30),
        ),
        environments=(TEST, LIVE),
        default_url={
            TEST: "https://demo-facturacion.finkok.com",
            LIVE: "https://facturacion.finkok.com",
        },
        authorities={TEST: frozenset({"sat", "sat-test"}), LIVE: frozenset({"sat"})},
        rfc={TEST: PAC_RFC, LIVE: "CVD110412TF6"},
    ),
}


def status_url(provider: str, settings: Mapping[str, str]) -> str:
    """Where SAT's status service is asked about documents of this account (`cfdi.sat.status`).

    Those of the sandbox are known to the sandbox alone.
    """
    return settings["url"].rstrip("/") + STATUS_PATH if provider == "sandbox" else STATUS_URL


def stamps_certificates_of(provider: str, environment: str, authority: str) -> bool:
    """Whether an account takes certificates of this authority. A live one takes only SAT's own."""
    return authority in _provider(provider).authorities.get(environment, frozenset())


def checked_settings(
    provider: str, environment: str, settings: Mapping[str, str], *, allow_private: bool = False
) -> dict[str, str]:
    """The settings complete with their defaults. Raises `AccountInvalid`; makes no network call.

    `allow_private`: the address may be of a private network and need not be https.
    """
    known = _provider(provider)
    if environment not in known.environments:
        choice = " or ".join(known.environments)
        raise AccountInvalid(f"provider {provider} has no {environment!r} accounts: use {choice}")
    names = {setting.name for setting in known.settings}
    given = {name: value.strip() for name, value in settings.items() if value.strip()}
    if unknown := sorted(set(given) - names):
        raise AccountInvalid(
            f"provider {provider} has no setting {unknown[0]!r}: {', '.join(sorted(names))}"
        )
    if "url" not in given and environment in known.default_url:
        given["url"] = known.default_url[environment]
    _check_url(provider, given.get("url", ""), allow_private=allow_private)
    _check_credentials(provider, given)
    return given


def open_account(
    provider: str,
    environment: str,
    settings: Mapping[str, str],
    monotonic: Callable[[], float],
    *,
    allow_private: bool = False,
) -> Pac:
    """The client of an account. Keep it: it holds the token and the circuit breaker."""
    given = checked_settings(provider, environment, settings, allow_private=allow_private)
    if provider == "finkok":
        return Finkok(
            given["url"],
            user=given["user"],
            password=given["password"],
            terms=PROVIDERS[provider].terms,
            monotonic=monotonic,
        )
    return SwSapien(
        given["url"],
        token=given.get("token"),
        user=given.get("user"),
        password=given.get("password"),
        terms=PROVIDERS[provider].terms,
        name=provider,
        monotonic=monotonic,
    )


def _provider(name: str) -> Provider:
    try:
        return PROVIDERS[name]
    except KeyError:
        choice = ", ".join(sorted(PROVIDERS))
        raise AccountInvalid(f"there is no provider {name!r}: choose one of {choice}") from None


def _check_credentials(provider: str, given: dict[str, str]) -> None:
    """A token where the provider has one, or user and password. The sandbox lets in whoever says
    nothing.
    """
    login = {"user", "password"} & set(given)
    if "token" in given and login:
        raise AccountInvalid("give either a token or a user and password, not both")
    if len(login) == 1:
        raise AccountInvalid("a user needs a password, and a password a user")
    if provider == "sandbox" and not login:
        given.setdefault("token", TOKEN)
    elif not login and provider == "finkok":
        raise AccountInvalid("give the user and the password of the provider's account")
    elif "token" not in given and not login:
        raise AccountInvalid("give a token, or a user and password, of the provider's account")
    if not given.get("token", "x").isascii() or not given.get("token", "x").isprintable():
        raise AccountInvalid("the token holds characters that no token has: copy it again")
    if not all(given[name].isprintable() for name in login):
        raise AccountInvalid("the user or password holds an invisible character: copy it again")


def _check_url(provider: str, url: str, *, allow_private: bool) -> None:
    if not url:
        raise AccountInvalid(f"provider {provider} needs the address of the service: url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AccountInvalid("the url is no web address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise AccountInvalid("the url must look like https://host or https://host:port")
    if parts.username is not None or parts.query or parts.fragment:
        raise AccountInvalid("the url must hold no user, password, query or fragment")
    _check_host(provider, parts, allow_private=allow_private)


def _check_host(provider: str, parts: SplitResult, *, allow_private: bool) -> None:
    host = parts.hostname or ""
    own_sandbox = provider == "sandbox" and _is_loopback(host)
    if parts.scheme == "http" and not (own_sandbox or allow_private):
        raise AccountInvalid("the url must begin with https://")
    if _is_private(host) and not (own_sandbox or allow_private):
        raise AccountInvalid("the url leads to a private network; ALLOW_PRIVATE_HOSTS=1 allows it")


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address else host == "localhost"


def _is_private(host: str) -> bool:
    """By the address as written; where a name leads is seen only when it is connected to."""
    if address := _address(host):
        return not address.is_global
    name = host.rstrip(".")
    return name == "localhost" or name.endswith((".localhost", ".local", ".internal"))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """None for a name. Resolvers read 127.1, 0x7f.1 and 2130706433 as addresses too."""
    with suppress(ValueError):
        return ipaddress.ip_address(host)
    with suppress(OSError, ValueError):
        return ipaddress.ip_address(socket.inet_aton(host))
    return None
