"""hand-off: a shop makes keys when its owner agrees, and posts them to whoever it is told to.

What it posts is not signed and does not say which shop it is. So it counts only with a nonce that
was made for one shop, when that shop takes the keys, and when the browser that began comes back:
somebody else's agreement, or somebody else's shop, ends nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Final

from connectors.abilities import Subscribes
from connectors.connecting import (
    App,
    Asked,
    CodeRefused,
    ConnectedElsewhere,
    ConnectingRefused,
    Grants,
)
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Connector,
    CredentialsRefused,
    PlatformUnreachable,
)
from connectors.held import Held
from hub.steps.connect import disconnect
from hub.steps.context import Context
from hub.steps.pairing import APP, Offer, admit, plain
from hub.store.database import Transaction
from hub.store.merchants import token_hash
from hub.store.records import HandOff, Pairing

LASTS: Final = timedelta(minutes=30)


class NonceRefused(ConnectingRefused):
    """Not one of ours, used, denied or too old."""

    status = 404
    code = "hand_off_unknown"
    message = "Nobody asked for these keys, or it is too late. Begin again."
    message_es = "Nadie pidió estas claves o ya venció el plazo. Empieza de nuevo."


class KeysRefused(ConnectingRefused):
    """The shop that was asked does not take them."""

    status = 403
    code = "keys_refused"
    message = "The store does not take the keys it sent."
    message_es = "La tienda no acepta las claves que envió."


class Returned(StrEnum):
    CONNECTED = "connected"
    WAITING = "waiting"
    DENIED = "denied"
    UNKNOWN = "unknown"


#: What a hand-off by a code has come to, by its state.
_OVER: Final = {"done": Returned.CONNECTED, "denied": Returned.DENIED}


@dataclass(frozen=True, slots=True)
class Begun:
    """What the browser takes along: the nonce by way of the shop, the other in a cookie."""

    nonce: str
    browser: str
    account: str


def begin(ctx: Context, platform: str, code: str, account: str, *, app_id: str = "") -> Begun:
    """Remember that this shop is asked for keys, by that app if it is one that asks.

    The code stays good until they have come.

    Raises `CodeRefused` or `ConnectedElsewhere`.
    """
    begun = Begun(ctx.clock.new_token(), ctx.clock.new_token(), account)
    with ctx.store.transaction() as tx:
        pairing = tx.pairing.code(plain(code))
        if pairing is None:
            raise CodeRefused
        if tx.pairing.taken(platform, account, pairing.merchant_id):
            raise ConnectedElsewhere
        tx.tenant(pairing.merchant_id).pairings.begin(
            pairing.id,
            platform,
            account,
            nonce=begun.nonce,
            browser=begun.browser,
            lasting=LASTS,
            known={APP: app_id} if app_id else None,
        )
    return begun


def code_is_good(ctx: Context, code: str) -> bool:
    with ctx.store.reading() as tx:
        return tx.pairing.code(plain(code)) is not None


def keys_came(
    ctx: Context, connector: Connector, nonce: str, given: Mapping[str, str], *,
    allow_private: bool, ask: bool = True,
) -> None:  # fmt: skip
    """Take the keys of a shop that was asked for them, once. Raises `ConnectingRefused`.

    The shop itself is asked whether it takes them. One that cannot answer while it waits for us
    (a single process does both), or that there is no time to `ask`, is believed for now: `connect`
    asks again before anything else.
    """
    with ctx.store.reading() as tx:
        hand_off = _expected(tx.pairing.hand_off(nonce), connector)
    if ask:
        _tried(connector, hand_off, given, allow_private=allow_private)
    with ctx.store.transaction() as tx:
        pairings = tx.tenant(hand_off.merchant_id).pairings
        hand_off = _expected(pairings.fresh(hand_off), connector)
        if hand_off.state == "returned":
            _admitted(ctx, tx, connector, hand_off, given, allow_private=allow_private)
        else:
            pairings.move(hand_off, "keyed", given)


def _expected(hand_off: HandOff | None, connector: Connector) -> HandOff:
    if (
        hand_off is None
        or hand_off.platform != connector.platform
        or hand_off.state not in {"open", "returned"}
    ):
        raise NonceRefused
    return hand_off


def _tried(
    connector: Connector,
    hand_off: HandOff,
    given: Mapping[str, str],
    *,
    allow_private: bool,
) -> None:
    if not isinstance(connector, Subscribes):
        return
    try:
        account, credentials = connector.configure(
            hand_off.account, {**given, "webhook_secret": "unused"}, allow_private=allow_private
        )
        facts = ConnectionFacts("", account, {"allow_private": allow_private})
        connector.check_keys(facts, Held(credentials))
    except (CredentialsRefused, ConnectionInvalid) as error:
        raise KeysRefused(f"{KeysRefused.message} {error}", KeysRefused.message_es) from None
    except PlatformUnreachable:
        return


def came_back(
    ctx: Context, connector: Connector, nonce: str, browser: str, *,
    agreed: bool, allow_private: bool,
) -> Returned:  # fmt: skip
    """The browser that began is back; the keys may have come before or come yet.

    "unknown" if it is another browser, or nothing was begun.

    Raises `CodeRefused`, `ConnectedElsewhere` or `AddressUnusable` if meanwhile it cannot be done.
    """
    with ctx.store.transaction() as tx:
        hand_off = tx.pairing.hand_off(nonce)
        if hand_off is None or hand_off.platform != connector.platform:
            return Returned.UNKNOWN
        if not compare_digest(token_hash(browser), hand_off.browser_hash):
            return Returned.UNKNOWN
        pairings = tx.tenant(hand_off.merchant_id).pairings
        hand_off = pairings.fresh(hand_off)
        if hand_off.state == "done":
            return Returned.CONNECTED
        if not agreed or hand_off.state == "denied":
            pairings.move(hand_off, "denied")
            return Returned.DENIED
        if hand_off.state == "keyed":
            given = pairings.keys(hand_off)
            _admitted(ctx, tx, connector, hand_off, given, allow_private=allow_private)
            return Returned.CONNECTED
        pairings.move(hand_off, "returned")
        return Returned.WAITING


def granted(
    ctx: Context, connector: Connector, consent: Grants, asked: Asked, *,
    nonce: str, browser: str, allow_private: bool,
) -> Returned:  # fmt: skip
    """The browser that began is back with a code: change it for keys at the platform, once.

    "unknown" if it is another browser, or nothing was begun; "waiting" while another request of it
    does so. Raises `ConnectingRefused` if the platform or the hub says no, `PlatformUnreachable` if
    it may be tried again.
    """
    with ctx.store.transaction() as tx:
        hand_off = tx.pairing.hand_off(nonce) if nonce else None
        if hand_off is None or hand_off.platform != connector.platform:
            return Returned.UNKNOWN
        if not compare_digest(token_hash(browser), hand_off.browser_hash):
            return Returned.UNKNOWN
        pairings = tx.tenant(hand_off.merchant_id).pairings
        hand_off = pairings.fresh(hand_off)
        if hand_off.state != "open":
            return _OVER.get(hand_off.state, Returned.WAITING)
        known = pairings.keys(hand_off)
        app = tx.apps.find(known.get(APP, ""))
        if app is None or app.platform != connector.platform:
            pairings.move(hand_off, "denied")
            return Returned.DENIED
        pairings.move(hand_off, "returned", known)
    hand_off = replace(hand_off, state="returned")
    try:
        given = consent.granted(asked, hand_off.account, App(app.id, app.keys))
        with ctx.store.transaction() as tx:
            keys = {**given, **known}
            _admitted(ctx, tx, connector, hand_off, keys, allow_private=allow_private)
    except Exception as error:
        over = isinstance(error, ConnectingRefused)
        with ctx.store.transaction() as tx:
            pairings = tx.tenant(hand_off.merchant_id).pairings
            pairings.move(hand_off, "denied" if over else "open", None if over else known)
        raise
    return Returned.CONNECTED


def somebody_else_agreed(ctx: Context, nonce: str) -> bool:
    """A browser that did not begin was sent here by the shop: end what was begun, even if done.

    Whoever began has then talked somebody into agreeing at a shop that is not his, and has the
    nonce and the cookie: without this he could finish with that shop's keys. False if this nonce is
    not (or no longer) known.
    """
    with ctx.store.transaction() as tx:
        hand_off = tx.pairing.hand_off(nonce)
        if hand_off is None:
            return False
        tenant = tx.tenant(hand_off.merchant_id)
        hand_off = tenant.pairings.fresh(hand_off)
        known = None
        if hand_off.state == "done":
            known = tenant.connections.of_shop(hand_off.platform, hand_off.account)
        tenant.pairings.move(hand_off, "denied")
    if known is not None:
        disconnect(ctx, hand_off.merchant_id, known.id)
    return True


def _admitted(
    ctx: Context,
    tx: Transaction,
    connector: Connector,
    hand_off: HandOff,
    given: Mapping[str, str],
    *,
    allow_private: bool,
) -> None:
    pairing = Pairing(hand_off.merchant_id, hand_off.pairing_id, ctx.clock.now())
    tx.tenant(hand_off.merchant_id).pairings.move(hand_off, "done")
    admit(ctx, tx, Offer(pairing, connector, hand_off.account, given, allow_private, begun=True))
