"""What `up --demo` adds: a merchant of the sandbox and shops that sell something right now."""

from __future__ import annotations

import json
import random
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from cfdi.csd import check_csd
from cfdi.pac.sandbox.authority import Authority
from connectors.demo import DemoShop, demo_shops
from hub.clock import SystemClock
from hub.commands.output import opened
from hub.settings import Settings
from hub.steps.context import Context
from hub.steps.review import set_rules
from hub.wiring import Hub
from hub.work.server import serve

#: One of SAT's fictitious taxpayers, which every PAC's test environment knows.
RFC: Final = "EKU9003173C9"
NOMBRE: Final = "ESCUELA KEMPER URGATE"
REGIMEN: Final = "601"
CODIGO_POSTAL: Final = "42501"

RULES: Final = """\
# Rules of the demo merchant; docs/rules.md explains every key.
[forma_pago]
default = "04"

[producto.default]
clave_prod_serv = "01010101"
clave_unidad = "H87"

[pagina]
nombre = "Tienda de demostración"
"""

#: How long the links are waited for before the command says how to look for them.
PATIENCE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Demo:
    """What a run of the demo is made of; every process makes the same shops of it."""

    merchant_id: str
    seed: int
    opened_at: datetime

    def shops(self) -> list[DemoShop]:
        # A demonstration on loopback: what these secrets guard is made up.
        return demo_shops(self.opened_at, random.Random(self.seed))  # noqa: S311 - see above


def prepare(hub: Hub, settings: Settings) -> Demo:
    """Make the merchant and connect the shops, or find what an earlier run made."""
    merchant_id = _merchant(hub, settings)
    demo = Demo(merchant_id, secrets.randbits(64), hub.ctx.clock.now())
    for shop in demo.shops():
        _connect(hub.ctx, merchant_id, shop, settings)
    _path(settings).write_text(
        json.dumps(
            {
                "merchant_id": demo.merchant_id,
                "seed": demo.seed,
                "opened_at": demo.opened_at.isoformat(),
            }
        ),
        encoding="utf-8",
    )
    return demo


def merchant_of_demo(settings: Settings) -> str | None:
    """The merchant of the demo that was last opened here, if there was one."""
    try:
        return _read(settings).merchant_id
    except (OSError, ValueError, KeyError):
        return None


def serve_shop(settings: Settings) -> None:
    """Serve every shop of the demo below its platform's name."""
    apps = {f"/{shop.platform}": shop.app for shop in _read(settings).shops()}
    serve(
        DispatcherMiddleware(Response("demo shops\n"), apps),
        "127.0.0.1",
        settings.demo_shop_port,
        threads=4,
    )


def open_shop(demo: Demo, settings: Settings, hub_url: str) -> None:
    """Sell: the orders are delivered to `hub_url`, then the links that came of them are printed."""
    arguments = (demo, settings, hub_url)
    threading.Thread(target=_sell, args=arguments, name="demo", daemon=True).start()


def _sell(demo: Demo, settings: Settings, hub_url: str) -> None:
    try:
        links = _sold_links(demo, hub_url)
    except Exception as error:  # noqa: BLE001 - the hub goes on without its demo
        click.echo(f"The demo shops could not sell anything: {type(error).__name__}", err=True)
        return
    click.echo("The demo shops have just sold something. Open a link and invoice it:\n")
    for platform, number, total, link in links:
        click.echo(f"  {platform:<11}  {number:>9}  {total:>14}  {link}")
    click.echo(f"\nAll of it: {settings.public_url}/\n")


def _sold_links(demo: Demo, hub_url: str) -> list[tuple[str, str, str, str]]:
    with opened() as hub:
        with hub.ctx.store.reading() as tx:
            connections = tx.tenant(demo.merchant_id).connections.list()
        webhooks = {
            one.platform: f"{hub_url}/webhooks/{one.platform}/{one.id}" for one in connections
        }
        for shop in demo.shops():
            shop.send_orders(webhooks[shop.platform])
        return _links(hub.ctx, demo)


def _links(ctx: Context, demo: Demo) -> list[tuple[str, str, str, str]]:
    """The links, once no delivery is left to look at."""
    clock = SystemClock()
    until = clock.monotonic() + PATIENCE.total_seconds()
    while True:
        with ctx.store.reading() as tx:
            tenant = tx.tenant(demo.merchant_id)
            waiting = tenant.inbox.list(state="filed", limit=1)
        found = list(_sold(ctx, demo))
        if (found and not waiting) or clock.monotonic() > until:
            return found
        clock.sleep(0.2)


def _sold(ctx: Context, demo: Demo) -> Iterator[tuple[str, str, str, str]]:
    with ctx.store.reading() as tx:
        tenant = tx.tenant(demo.merchant_id)
        rows, _ = tenant.sales.list(limit=100)
        for row in rows:
            link = tenant.links.current(row.id)
            if link is not None and row.created_at >= demo.opened_at:
                total = f"${row.sale.due:,.2f} {row.sale.currency}"
                yield row.platform, row.sale.number, total, ctx.link(link)


def _merchant(hub: Hub, settings: Settings) -> str:
    now = hub.ctx.clock.now()
    with hub.ctx.store.reading() as tx:
        for merchant in tx.merchants.list():
            if merchant.rfc == RFC:
                return merchant.id
    authority = Authority.open(settings.var_dir / "sandbox", now=now)
    issued = authority.issue_csd(RFC, NOMBRE, now=now)
    pair = check_csd(issued.cer_der, issued.key_der, issued.password, rfc=RFC, now=now)
    with hub.ctx.store.transaction() as tx:
        merchant = tx.merchants.create(
            rfc=RFC, nombre=NOMBRE, regimen=REGIMEN, codigo_postal=CODIGO_POSTAL
        )
        tenant = tx.tenant(merchant.id)
        tenant.pac.set("sandbox", "test", {})
        tenant.csd.add(
            no_certificado=pair.certificate.no_certificado,
            certificate_der=pair.certificate.der,
            key_der=pair.key_der(),
            not_before=pair.certificate.not_before,
            not_after=pair.certificate.not_after,
            authority="sandbox",
        )
    set_rules(hub.ctx, merchant.id, RULES)
    return merchant.id


def _connect(ctx: Context, merchant_id: str, shop: DemoShop, settings: Settings) -> None:
    """A shop of an earlier run gets the secrets of this one."""
    account = f"{settings.demo_shop_url}/{shop.platform}"
    with ctx.store.transaction() as tx:
        connections = tx.tenant(merchant_id).connections
        known = {(one.platform, one.account): one.id for one in connections.list()}
        connection_id = known.get((shop.platform, account))
        if connection_id is None:
            connections.create(
                platform=shop.platform,
                account=account,
                credentials=shop.credentials,
                settings={"allow_private": True},
                since=ctx.clock.now() - timedelta(days=1),
            )
            return
        credentials = connections.credentials(connection_id)
    credentials.rotate(credentials.current(), shop.credentials)


def _path(settings: Settings) -> Path:
    return settings.var_dir / "demo.json"


def _read(settings: Settings) -> Demo:
    stored: Mapping[str, str] = json.loads(_path(settings).read_text(encoding="utf-8"))
    return Demo(
        stored["merchant_id"], int(stored["seed"]), datetime.fromisoformat(stored["opened_at"])
    )
