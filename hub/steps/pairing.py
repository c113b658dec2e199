"""pairing: a one-use code makes a shop a merchant's; its keys are tried afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from connectors.connecting import (
    AddressUnusable,
    App,
    CodeRefused,
    ConnectedElsewhere,
    ConnectionUnknown,
    Malformed,
    Paired,
)
from connectors.contract import ConnectionInvalid, Connector
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.store import apps as apps_of
from hub.store.database import Transaction
from hub.store.records import Connection, Pairing

#: 30¹² codes: 58 bits.
CODE_LENGTH: Final = 12
CODE_LASTS: Final = timedelta(minutes=30)
#: 196 bits of letters and digits alone: some platforms decode entities in a secret before signing.
SECRET_LENGTH: Final = 40
#: The secret that was in force before the last pairing: deliveries on their way are signed with it.
BEFORE: Final = "webhook_secret_before"
#: The secrets that the hub makes, as `Connector.configure` is given them.
OURS: Final = ("webhook_secret", "link_secret")
#: Among what is given: the id of the app through which the shop came.
APP: Final = "app"


def new_code(ctx: Context, merchant_id: str) -> tuple[str, Pairing]:
    """A code to be typed in the shop, in groups of four. It is kept as a hash alone."""
    code = ctx.clock.new_code(CODE_LENGTH)
    with ctx.store.transaction() as tx:
        pairing = tx.tenant(merchant_id).pairings.make(code, CODE_LASTS)
    return "-".join(code[at : at + 4] for at in range(0, CODE_LENGTH, 4)), pairing


def plain(code: str) -> str:
    """A code as it is kept, however it was typed."""
    return "".join(letter for letter in code.upper() if letter.isalnum())[: CODE_LENGTH + 1]


def expect(ctx: Context, platform: str, code: str, account: str) -> None:
    """Raises `CodeRefused` or `ConnectedElsewhere` as `redeem` would now. The code stays unused."""
    with ctx.store.reading() as tx:
        pairing = tx.pairing.code(plain(code))
        if pairing is None:
            raise CodeRefused
        if tx.pairing.taken(platform, account, pairing.merchant_id):
            raise ConnectedElsewhere


def redeem(
    ctx: Context,
    connector: Connector,
    code: str,
    *,
    account: str,
    given: Mapping[str, str],
    allow_private: bool,
) -> Paired:
    """Use the code up and connect the shop to its merchant.

    Raises `CodeRefused`, `ConnectedElsewhere` or `AddressUnusable`: then nothing was changed.
    """
    with ctx.store.transaction() as tx:
        pairing = tx.pairing.code(plain(code))
        if pairing is None:
            raise CodeRefused
        offer = Offer(pairing, connector, account, given, allow_private)
        return admit(ctx, tx, offer)


@dataclass(frozen=True, slots=True)
class Offer:
    """A shop with its keys, for whoever made the code."""

    pairing: Pairing
    connector: Connector
    account: str
    given: Mapping[str, str] = field(repr=False)
    allow_private: bool
    #: The code was good when the shop was asked for its keys.
    begun: bool = False


def admit(ctx: Context, tx: Transaction, offer: Offer) -> Paired:
    """Within a transaction: the shop under new keys, known or not, with the promise to try them.

    A shop that the merchant had before keeps its connection, and so its sales: an order never
    becomes a second sale. Its secret for links stays, because links are in buyers' mails.
    """
    merchant_id, platform = offer.pairing.merchant_id, offer.connector.platform
    tenant = tx.tenant(merchant_id)
    if not tenant.pairings.use(offer.pairing.id, begun=offer.begun):
        raise CodeRefused
    if tx.pairing.taken(platform, offer.account, merchant_id):
        raise ConnectedElsewhere
    known = tenant.connections.of_shop(platform, offer.account)
    old = tenant.connections.credentials(known.id).current() if known else {}
    made = {
        "webhook_secret": ctx.clock.new_code(SECRET_LENGTH),
        "link_secret": old.get("link_secret") or ctx.clock.new_token(),
    }
    connection = _kept(tx, offer, known, made=made, before=old.get("webhook_secret", ""))
    tenant.bonds.pair(connection.id, platform, connection.account)
    tenant.promise("connect", connection.id, queue="ingest")
    return Paired(
        connection_id=connection.id,
        webhook_url=webhook_url(ctx, connection),
        merchant_name=merchant_name(tx, merchant_id),
        **made,
    )


def _kept(
    tx: Transaction,
    offer: Offer,
    known: Connection | None,
    *,
    made: Mapping[str, str],
    before: str,
) -> Connection:
    account, credentials = _configured(
        offer.connector, offer.account, {**offer.given, **made}, allow_private=offer.allow_private
    )
    app_id = _app_id(tx, offer.connector, offer.given)
    connections = tx.tenant(offer.pairing.merchant_id).connections
    settings: Mapping[str, Any] = {"allow_private": True} if offer.allow_private else {}
    if known is None:
        return connections.create(
            offer.connector.platform, account, credentials, settings, None, app_id=app_id
        )
    kept = {name: value for name, value in known.settings.items() if name != "allow_private"}
    lasting = {BEFORE: before} if before else {}
    keys, more = {**credentials, **lasting}, {**kept, **settings}
    connections.renew(known.id, account, keys, more)
    connections.by_app(known.id, app_id)
    return replace(known, account=account, app_id=app_id)


def apps(ctx: Context, platform: str) -> Sequence[App]:
    """The apps of this platform that the hub is the server of, oldest first."""
    with ctx.store.reading() as tx:
        return [App(row.id, row.keys) for row in tx.apps.list(platform)]


def renew(
    ctx: Context,
    connector: Connector,
    connection: Connection,
    given: Mapping[str, str],
    *,
    allow_private: bool,
) -> None:
    """New keys for a connection that is open; what is not given stays, and they are tried soon.

    Raises `AddressUnusable` if they make no connection, `Malformed` if the app is not known,
    `ConnectionUnknown` if it was closed: then nothing was changed.
    """
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(connection.merchant_id)
        tenant.connections.still(connection.id)
        bond = tenant.bonds.get(connection.id)
        if bond is not None and bond.state == "closed":
            raise ConnectionUnknown
        old = apps_of.without(tenant.connections.credentials(connection.id).current())
        ours: dict[str, str] = {name: old[name] for name in OURS if name in old}
        account, credentials = _configured(
            connector, connection.account, {**ours, **given}, allow_private=allow_private
        )
        app_id = _app_id(tx, connector, given)
        tenant.bonds.manual(connection.id, connection.platform, connection.account)
        tenant.connections.renew(connection.id, account, {**old, **credentials})
        if app_id is not None:
            tenant.connections.by_app(connection.id, app_id)
        tenant.bonds.renewed(connection.id)
        tenant.promise("connect", connection.id, queue="ingest")


def _configured(
    connector: Connector, account: str, given: Mapping[str, str], *, allow_private: bool
) -> tuple[str, Mapping[str, str]]:
    known = {name: value for name, value in given.items() if name != APP}
    try:
        return connector.configure(account, known, allow_private=allow_private)
    except ConnectionInvalid as error:
        raise AddressUnusable(f"{error}") from None


def _app_id(tx: Transaction, connector: Connector, given: Mapping[str, str]) -> str | None:
    """The app that the shop came by. Raises `Malformed` for one that is not of this platform."""
    app_id = given.get(APP)
    if app_id is None:
        return None
    app = tx.apps.find(app_id)
    if app is None or app.platform != connector.platform:
        raise Malformed("There is no such app of this platform: `app list`.")
    return app.id


def webhook_url(ctx: Context, connection: Connection) -> str:
    return f"{ctx.public_url}/webhooks/{connection.platform}/{connection.id}"


def merchant_name(tx: Transaction, merchant_id: str) -> str:
    """As buyers see it."""
    issuer = issuer_of(tx.tenant(merchant_id))
    return issuer.rules.nombre or issuer.merchant.nombre
