"""The endpoint of a connection: made, looked at, mended, made anew for a newer version, taken back.

Stripe tells the secret of an endpoint once, in the answer that made it, and an endpoint keeps its
version for ever: https://docs.stripe.com/api/webhook_endpoints
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from connectors.abilities import ACTIVE, Subscription
from connectors.contract import Credentials, CredentialsRefused, OrderNotFound, PlatformUnreachable
from connectors.reader import Reader
from connectors.stripe.client import VERSION, Api, Forbidden, understood
from connectors.stripe.permissions import WEBHOOKS
from connectors.stripe.verify import ENDPOINT

PATH: Final = WEBHOOKS.path
#: How long an endpoint of an older version goes on beside its successor: what it sent and was not
#: taken is sent again within the first hours.
OVERLAP_SECONDS: Final = 12 * 3600
#: How long one worker has for what two must not do at once.
ALONE_SECONDS: Final = 300.0
#: Seconds that the other one, who makes a few requests, is waited for.
PATIENCE: Final = 20
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class _Endpoint:
    id: str
    url: str
    status: str  # "enabled", "disabled"
    version: str  # "" for whatever the account's is
    events: frozenset[str]
    made_at: int


def ensure(
    api: Api, url: str, wanted: Sequence[str], credentials: Credentials
) -> tuple[Subscription, ...]:
    """One endpoint of ours is told of exactly `wanted`, at our version, and its secret is known.

    Where the merchant made one by hand and gave its secret, it is looked at and left as it is.
    Raises `CredentialsRefused` with what to do by hand if the key may not do this.
    """
    if credentials.current().get("webhook_secret"):
        try:
            return _told(_there(api, url), wanted)
        except Forbidden:
            return ()  # the secret is known: whether it delivers, the deliveries show
    try:
        for _ in range(PATIENCE):
            with credentials.alone(ALONE_SECONDS) as mine:
                if mine:
                    return _told([_settled(api, url, wanted, credentials)], wanted)
            api.clock.sleep(1)  # what it did may be of before the change that we are to bring
    except Forbidden:
        raise CredentialsRefused(by_hand(url, wanted)) from None
    raise PlatformUnreachable("another worker is at the webhook endpoint")


def by_hand(url: str, wanted: Sequence[str]) -> str:
    return (
        f"the restricted key may not make the webhook endpoint. Give it {WEBHOOKS.words}; or make "
        f"an endpoint in Stripe's dashboard to {url} (payload style Snapshot, API version "
        f"{VERSION}) for the events {', '.join(wanted)}, and give the connection its signing "
        f"secret (--webhook-secret whsec_…)"
    )


def retire(api: Api, url: str) -> str:
    """Delete all that deliver to `url`, whoever made them; "" or which a person has to delete."""
    left = []
    for one in _there(api, url):
        try:
            _delete(api, one.id)
        except (CredentialsRefused, PlatformUnreachable):
            left.append(one.id)
    return f"webhook endpoints that could not be deleted: {', '.join(left)}" if left else ""


def _settled(api: Api, url: str, wanted: Sequence[str], credentials: Credentials) -> _Endpoint:
    there = _there(api, url)
    keys = credentials.current()
    known = {name.removeprefix(ENDPOINT) for name in keys if name.startswith(ENDPOINT)}
    current = [one for one in there if one.id in known and one.version == VERSION]
    # First the new one: what happens meanwhile is told twice rather than not at all.
    kept = _mended(api, current[0], url, wanted) if current else None
    if kept is None:
        kept = _made(api, url, wanted, credentials)
    now = api.clock.now().timestamp()
    stays = {kept.id}
    for one in there:
        waits = one.id in known and one.version != VERSION and one.status == "enabled"
        if one.id != kept.id and waits and now - kept.made_at < OVERLAP_SECONDS:
            stays.add(one.id)
        elif one.id != kept.id:
            _delete(api, one.id)
    _forget(credentials, stays)
    return kept


def _mended(api: Api, one: _Endpoint, url: str, wanted: Sequence[str]) -> _Endpoint:
    if one.url == url and one.status == "enabled" and one.events == frozenset(wanted):
        return one
    told = api.post(f"{PATH}/{one.id}", url=url, enabled_events=list(wanted), disabled=False)
    return _endpoint(told)


def _made(api: Api, url: str, wanted: Sequence[str], credentials: Credentials) -> _Endpoint:
    told = api.post(
        PATH,
        url=url,
        enabled_events=list(wanted),
        api_version=VERSION,
        description="autofactura-hub",
    )
    made = _endpoint(told)
    with understood():
        secret = told.text("secret")
    old = credentials.current()
    if not credentials.rotate(old, {**old, f"{ENDPOINT}{made.id}": secret}):
        _delete(api, made.id)
        raise PlatformUnreachable("the keys of the connection were changed meanwhile")
    return made


def _forget(credentials: Credentials, stays: set[str]) -> None:
    """The secrets of endpoints that are gone. Whoever changes the keys meanwhile wins."""
    old = credentials.current()
    if new := _without(old, stays):
        credentials.rotate(old, new)


def _without(keys: Mapping[str, str], stays: set[str]) -> dict[str, str]:
    kept = {
        name: value
        for name, value in keys.items()
        if not name.startswith(ENDPOINT) or name.removeprefix(ENDPOINT) in stays
    }
    return kept if len(kept) < len(keys) else {}


def _there(api: Api, url: str) -> list[_Endpoint]:
    """Those of this connection, whose id is in the path: the hub itself may have moved."""
    path = urlsplit(url).path
    found = [_endpoint(one) for one in api.every(PATH)]
    return [one for one in found if one.url == url or urlsplit(one.url).path == path]


def _endpoint(told: Reader) -> _Endpoint:
    with understood():
        return _Endpoint(
            id=told.text("id"),
            url=told.text("url", ""),
            status=told.text("status", ""),
            version=told.text("api_version", ""),
            events=frozenset(str(one.value) for one in told.items("enabled_events")),
            made_at=int(told.decimal("created")),
        )


def _told(there: Sequence[_Endpoint], wanted: Sequence[str]) -> tuple[Subscription, ...]:
    """Each event, with the endpoint that tells of it."""
    enabled = sorted(there, key=lambda one: one.status != "enabled")
    found = []
    for event in wanted:
        teller = next((one for one in enabled if {event, "*"} & one.events), None)
        status = MISSING if teller is None else teller.status
        found.append(
            Subscription(
                topic=event,
                id=teller.id if teller else "",
                status=ACTIVE if status == "enabled" else status,
            )
        )
    return tuple(found)


def _delete(api: Api, endpoint_id: str) -> None:
    """One that is gone already is as good."""
    try:
        api.delete(f"{PATH}/{endpoint_id}")
    except OrderNotFound:
        return
