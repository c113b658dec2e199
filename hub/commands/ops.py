"""migrate, doctor, backup, restore: keeping an installation well."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import click

from hub import log
from hub.clock import SystemClock
from hub.commands.output import Failed, command, opened, tell
from hub.settings import Settings, load
from hub.steps.context import Context
from hub.store.database import Store
from hub.store.invariants import violations
from hub.wiring import Hub, build

#: A certificate takes SAT's site and some days of attention to renew.
CSD_WARNING = timedelta(days=30)


@click.group()
def ops() -> None:
    """Holds the commands below; `hub.cli` hangs them up without a group of their own."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str


@command(ops, "migrate")
def migrate() -> None:
    """Bring the database to this version. Every other command does so too."""
    settings = load(os.environ)
    log.configure(settings.log_level)
    hub = build(settings)
    try:
        applied = hub.ctx.store.migrate()
        hub.ctx.store.check_keys()
    finally:
        hub.close()
    tell({"applied": applied}, "\n".join(applied) or "nothing to do")


@command(ops, "doctor")
def doctor() -> None:
    """Look for what is wrong: invariants, queues, certificates, providers, connections."""
    with opened() as hub:
        checks = examine(hub)
    text = "\n".join(f"{'ok ' if one.ok else 'BAD'} {one.name}: {one.detail}" for one in checks)
    tell({"ok": all(one.ok for one in checks), "checks": [asdict(one) for one in checks]}, text)
    if not all(one.ok for one in checks):
        click.get_current_context().exit(1)


def examine(hub: Hub) -> list[Check]:
    ctx = hub.ctx
    with ctx.store.reading() as tx:
        broken = violations(tx)
        dead = tx.outbox.dead(100)
        due = tx.outbox.due(None)
        working = tx.leases.held("sweeper")
        merchants = tx.merchants.list()
    checks = [
        Check("invariants", not broken, "; ".join(broken) or "all hold"),
        Check("workers", working, "running" if working else "none: start `autofactura worker`"),
        Check(
            "due", ok=True, detail=", ".join(f"{queue} {number}" for queue, number in due.items())
        ),
        Check("dead letters", not dead, f"{len(dead)} promises were given up" if dead else "none"),
        Check("redis", hub.redis_answers() is not False, _redis(hub)),
    ]
    for merchant in merchants:
        checks += _merchant(ctx, merchant.id)
    return checks


def _redis(hub: Hub) -> str:
    answers = hub.redis_answers()
    return {True: "answers", False: "does not answer: workers poll", None: "none configured"}[
        answers
    ]


def _merchant(ctx: Context, merchant_id: str) -> list[Check]:
    now = ctx.clock.now()
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        certificate, account = tenant.csd.active(now), tenant.pac.active()
        connections = tenant.connections.list()
    checks = []
    if certificate is None:
        checks.append(Check(f"csd of {merchant_id}", ok=False, detail="no valid one: `csd add`"))
    else:
        left = certificate.not_after - now
        detail = f"{left.days} days left"
        checks.append(Check(f"csd of {merchant_id}", left > CSD_WARNING, detail))
    if account is None:
        checks.append(Check(f"pac of {merchant_id}", ok=False, detail="no account: `pac set`"))
    else:
        standing = ctx.pac(account).check()
        checks.append(Check(f"pac of {merchant_id}", standing.ok, standing.detail))
    for one in connections:
        detail = one.problem or "no problem known"
        checks.append(Check(f"connection {one.id}", not one.problem, detail))
    return checks


@command(ops, "backup")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy the database while everything runs. The keys are not in the copy: keep them apart."""
    if target.exists():
        raise Failed("file_exists", f"{target} exists: name a new file")
    with opened() as hub:
        hub.ctx.store.backup(target)
    target.chmod(0o600)
    tell(
        {"file": str(target), "bytes": target.stat().st_size},
        f"{target}\nThe keys are not in it. Without AUTOFACTURA_KEYS (or VAR_DIR/keys.json) it "
        "cannot be read: keep a copy of them somewhere else.",
    )


@command(ops, "restore")
@click.option("--from", "source", required=True, type=click.Path(exists=True, path_type=Path))
def restore(source: Path) -> None:
    """Put a copy in the place of an absent database, after checking that the keys fit it."""
    settings = load(os.environ)
    log.configure(settings.log_level)
    target = _sqlite_path(settings)
    if target.exists():
        raise Failed(
            "database_exists",
            f"{target} exists: stop everything and move it away first; nothing was changed",
        )
    draft = target.with_suffix(".restoring")
    shutil.copyfile(source, draft)
    draft.chmod(0o600)
    try:
        _check_copy(settings, draft)
    except Exception:
        draft.unlink()
        raise
    draft.replace(target)
    tell({"file": str(target)}, f"{target} is back; start with `autofactura up`")


def _sqlite_path(settings: Settings) -> Path:
    if not settings.database_url.startswith("sqlite:///"):
        raise Failed("not_supported", "PostgreSQL is restored with pg_restore")
    return Path(settings.database_url.removeprefix("sqlite:///"))


def _check_copy(settings: Settings, copy: Path) -> None:
    store = Store.open(f"sqlite:///{copy}", keyring=settings.keyring, clock=SystemClock())
    try:
        store.migrate()
        store.check_keys()
        with store.reading() as tx:
            broken = violations(tx)
    finally:
        store.close()
    if broken:
        raise Failed("copy_damaged", "; ".join(broken))
