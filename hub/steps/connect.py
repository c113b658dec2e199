"""connect: see to it that a shop takes our keys and tells us of its orders, until it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from connectors.abilities import ACTIVE, AnnouncesLinks, Identifies, Subscribes, Subscription
from connectors.connecting import ConnectedElsewhere
from connectors.contract import (
    ConnectionInvalid,
    CredentialsRefused,
    HubOutdated,
    KeysTooFew,
    PlatformUnreachable,
)
from hub.steps.announce import SETTING
from hub.steps.context import Context
from hub.steps.later import SHOP_PAUSE, paused
from hub.steps.pairing import BEFORE, webhook_url
from hub.steps.reopen import PRIVATE, is_closed, reopen
from hub.steps.shops import Shop, report, shop_of
from hub.store.database import Tenant
from hub.store.records import Bond, Connection

log = structlog.get_logger(__name__)

#: The keys of a closed connection are kept so long at most, to tidy up at a shop that is down.
TIDYING: Final = timedelta(hours=1)
LEFT: Final = "the shop removed the app: install it there again to connect it"


def connect(ctx: Context, merchant_id: str, connection_id: str) -> None:
    """Try the keys at the shop, make or mend what it tells us of, and say how it stands.

    Repeating it changes nothing that is well. Raises `RunLater` while the shop does not answer.
    """
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None or not isinstance(shop.connector, Subscribes) or not shop.can_be_asked:
        return
    bond = _bond(ctx, shop)
    if bond is None or bond.state == "closed":
        return
    try:
        shop = _settled(ctx, shop, bond)
        if not _identified(ctx, shop, bond):
            return
        shop = shop_of(ctx, merchant_id, connection_id) or shop
        subscriptions = shop.connector.ensure(  # type: ignore[attr-defined]  # the same connector
            webhook_url(ctx, shop.connection),
            bond.subscriptions,
            shop.facts,
            shop.credentials,
            repair=bond.paired_at is not None,
        )
        _stands(ctx, shop, bond, subscriptions)
    except CredentialsRefused as error:
        _trouble(ctx, shop, bond, "keys_refused", str(error), keys="refused")
    except ConnectionInvalid as error:
        _trouble(ctx, shop, bond, "store_address_refused", str(error))
    except ConnectedElsewhere as error:
        _trouble(ctx, shop, bond, error.code, str(error))
    except PlatformUnreachable as error:
        outdated = isinstance(error, HubOutdated)
        code = "hub_outdated" if outdated else "store_unreachable"
        _trouble(ctx, shop, bond, code, str(error))
        raise paused(ctx.clock.now(), SHOP_PAUSE, connection_id, "no answer") from None


def _bond(ctx: Context, shop: Shop) -> Bond | None:
    """A connection that was made by hand gets its row with its first look."""
    connection = shop.connection
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(connection.merchant_id)
        tenant.bonds.manual(connection.id, connection.platform, connection.account)
        return tenant.bonds.get(connection.id)


def _settled(ctx: Context, shop: Shop, bond: Bond) -> Shop:
    """The shop under the address it uses itself, before it ever gets our keys."""
    connection = shop.connection
    if bond.state != "checking" or not isinstance(shop.connector, Subscribes):
        return shop
    account = shop.connector.settle(shop.facts)
    _name(ctx, connection, bond, account)
    moved = shop_of(ctx, connection.merchant_id, connection.id)
    return shop if moved is None else moved


def _identified(ctx: Context, shop: Shop, bond: Bond) -> bool:
    """Give it the account that its keys are of; False if that is connected already.

    Its sales would be made twice: so this one ends, and says why.
    """
    if not isinstance(shop.connector, Identifies):
        return True
    connection = shop.connection
    account = shop.connector.account_of(shop.facts, shop.credentials)
    if account == connection.account:
        return True
    try:
        _refuse_a_second(ctx, shop, bond, account)
        _name(ctx, connection, bond, account)
    except (ConnectedElsewhere, ConnectionInvalid) as error:
        disconnect(ctx, connection.merchant_id, connection.id)
        report(ctx, connection, str(error))
        return False
    return True


def _refuse_a_second(ctx: Context, shop: Shop, bond: Bond, account: str) -> None:
    """Raises `ConnectionInvalid` where an earlier connection took the keys of this one."""
    if earlier := _opened_again(ctx, shop, bond, account):
        raise ConnectionInvalid(f"the store was connected before, as {earlier}: it is again")


def _opened_again(ctx: Context, shop: Shop, bond: Bond, account: str) -> str:
    """The connection that the shop had before, open again with the keys of this one; "" if none.

    This one only held the keys until they said whose they are.
    """
    connection = shop.connection
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(connection.merchant_id)
        other = tenant.connections.of_shop(connection.platform, account)
        if other is None or other.id == connection.id or not is_closed(tenant, other.id):
            return ""
        if not _still(tenant, bond) or tx.pairing.taken(
            connection.platform, account, connection.merchant_id
        ):
            return ""
        told = connection.since != connection.created_at
        reopen(
            tenant,
            other,
            account,
            shop.credentials.current(),
            allow_private=connection.settings.get(PRIVATE) is True,
            since=connection.since if told else None,
        )
        tenant.promise("connect", other.id, queue="ingest")
        tenant.promise("sweep", other.id, queue="ingest")
    return other.id


def _name(ctx: Context, connection: Connection, bond: Bond, account: str) -> None:
    """Raises `ConnectedElsewhere` or `ConnectionInvalid` if somebody has that account already."""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(connection.merchant_id)
        if tx.pairing.taken(connection.platform, account, connection.merchant_id):
            raise ConnectedElsewhere
        if account == connection.account or not _still(tenant, bond):
            return
        other = tenant.connections.of_shop(connection.platform, account)
        if other is not None and other.id != connection.id:
            raise ConnectionInvalid(f"the store is connected already, as {other.id}")
        tenant.connections.move(connection.id, account)
        tenant.bonds.name(connection.id, account)


def _still(tenant: Tenant, bond: Bond) -> bool:
    """Whether the keys that were tried are still those in force."""
    now = tenant.bonds.get(bond.connection_id)
    return now is not None and now.state != "closed" and now.keyed_at() == bond.keyed_at()


def _trouble(
    ctx: Context, shop: Shop, bond: Bond, code: str, problem: str, *, keys: str = ""
) -> None:
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(shop.connection.merchant_id)
        if _still(tenant, bond):
            tenant.bonds.found(
                bond.connection_id,
                state=bond.state,
                keys=keys or bond.keys,
                problem_code=code,
                problem=problem,
            )


def _stands(ctx: Context, shop: Shop, bond: Bond, subscriptions: Sequence[Subscription]) -> None:
    off = [one.topic for one in subscriptions if one.status != ACTIVE]
    problem = f"the store has switched off: {', '.join(off)}; switch it on there" if off else ""
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(shop.connection.merchant_id)
        if not _still(tenant, bond):
            return
        connection = shop.connection
        if bond.state == "checking" and tx.pairing.taken(
            connection.platform, connection.account, connection.merchant_id
        ):
            raise ConnectedElsewhere  # by whoever was faster while the shop was asked
        tenant.bonds.found(
            bond.connection_id,
            state="manual" if bond.paired_at is None else "connected",
            keys="ok",
            subscriptions=subscriptions,
            problem_code="webhooks_off" if off else "",
            problem=problem,
        )
        if bond.state == "checking":
            tenant.promise("sweep", bond.connection_id, queue="ingest")
        _announce_unasked(tenant, shop)
    old = shop.credentials.current()
    if BEFORE in old:
        # Whoever pairs the shop anew meanwhile wins: this is then about keys that are gone.
        new = {name: value for name, value in old.items() if name != BEFORE}
        shop.credentials.rotate(old, new)


def _announce_unasked(tenant: Tenant, shop: Shop) -> None:
    """From the beginning, unless the merchant has said yes or no."""
    unasked = isinstance(shop.connector, AnnouncesLinks) and shop.connector.announces_unasked
    if unasked and SETTING not in shop.connection.settings:
        tenant.connections.settle(shop.connection.id, **{SETTING: True})


def disconnect(ctx: Context, merchant_id: str, connection_id: str, *, tidied: bool = False) -> bool:
    """Take nothing from this shop any more; False if there is no such connection.

    Its sales, their links and invoices stay. What we made at the shop is taken back afterwards,
    unless the shop says that it did so: its keys are of no use then, and go at once.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        connection = tenant.connections.get(connection_id)
        if connection is None:
            return False
        tenant.bonds.manual(connection.id, connection.platform, connection.account)
        tenant.bonds.close(connection_id)
        tenant.connections.set_problem(connection_id, "")
        if tidied:
            tenant.connections.forget(connection_id)
            tenant.bonds.closing(connection_id, "")
        else:
            tenant.promise("tidy", connection_id, queue="ingest")
    return True


def left(ctx: Context, merchant_id: str, connection_id: str, at: datetime) -> bool:
    """The shop removed our app: its keys are void, and go at once. Sales, links, invoices stay.

    False if it came back since: it was paired, or its keys were renewed, after `at`; or if it takes
    our keys still, for a notice may be an old one again. Raises `RunLater` while nobody can tell.
    """
    if takes_keys(ctx, merchant_id, connection_id, at):
        return False
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        tenant.connections.still(connection_id)
        connection, bond = tenant.connections.get(connection_id), tenant.bonds.get(connection_id)
        if connection is None:
            return False
        keyed_at = bond.keyed_at() if bond else None
        if (keyed_at or connection.created_at) > at or (bond and bond.state == "closed"):
            return False
        tenant.bonds.manual(connection.id, connection.platform, connection.account)
        tenant.bonds.close(connection_id)
        tenant.connections.set_problem(connection_id, "")
        tenant.connections.forget(connection_id)
        tenant.bonds.closing(connection_id, LEFT, code="app_removed")
    log.info("connection_left", connection=connection_id)
    return True


def takes_keys(ctx: Context, merchant_id: str, connection_id: str, at: datetime) -> bool:
    """Whether the shop is there for us whatever a notice of `at` says. After an hour that is no."""
    shop = shop_of(ctx, merchant_id, connection_id)
    if shop is None or not isinstance(shop.connector, Subscribes) or not shop.can_be_asked:
        return False
    try:
        shop.connector.check_keys(shop.facts, shop.credentials)
    except (KeysTooFew, HubOutdated):
        return True  # it knows us, which is what is asked here
    except CredentialsRefused:
        return False
    except PlatformUnreachable:
        if ctx.clock.now() < at + TIDYING:
            raise paused(ctx.clock.now(), SHOP_PAUSE, connection_id, "no answer") from None
        return False
    return True


def tidy(ctx: Context, merchant_id: str, connection_id: str) -> None:
    """After a disconnection: take our subscriptions back at the shop, then forget its keys.

    Raises `RunLater` while the shop does not answer, for an hour at most.
    """
    with ctx.store.reading() as tx:
        bond = tx.tenant(merchant_id).bonds.get(connection_id)
    if bond is None or bond.state != "closed" or bond.closed_at is None:
        return
    left, shop = "", shop_of(ctx, merchant_id, connection_id)
    if shop is not None and isinstance(shop.connector, Subscribes) and shop.has_keys:
        url = webhook_url(ctx, shop.connection)
        try:
            left = shop.connector.retire(url, shop.facts, shop.credentials)
        except CredentialsRefused:
            left = "the store refused our keys: delete our webhooks there"
        except PlatformUnreachable:
            if ctx.clock.now() < bond.closed_at + TIDYING:
                raise paused(ctx.clock.now(), SHOP_PAUSE, connection_id, "no answer") from None
            left = "the store did not answer: delete our webhooks there"
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        now = tenant.bonds.get(connection_id)
        if now is None or now.state != "closed" or now.closed_at != bond.closed_at:
            return
        tenant.connections.forget(connection_id)
        tenant.bonds.closing(connection_id, left)
    log.info("connection_closed", connection=connection_id, left=bool(left))
