"""migrate, doctor, backup, restore: keeping an installation well."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from hub import log
from hub.clock import SystemClock
from hub.commands.examination import examine
from hub.commands.output import BadArgument, Failed, command, opened, opened_with, tell
from hub.settings import Settings, load
from hub.store.database import Store
from hub.store.errors import WrongKeys
from hub.store.invariants import violations
from hub.wiring import build

SQLITE_MAGIC = b"SQLite format 3\x00"
#: The migration that every database of a hub has seen.
INITIAL = "0001_initial"


@click.group()
def ops() -> None:
    """Holds the commands below; `hub.cli` hangs them up without a group of their own."""


@command(ops, "migrate")
def migrate() -> None:
    """Bring the database to this version and put its guards in place anew."""
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
    """Look for what is wrong: invariants, queues, certificates, providers, clock, connections."""
    with opened_with() as (hub, settings):
        checks = examine(hub, settings)
    text = "\n".join(f"{'ok ' if one.ok else 'BAD'} {one.name}: {one.detail}" for one in checks)
    tell({"ok": all(one.ok for one in checks), "checks": [asdict(one) for one in checks]}, text)
    if not all(one.ok for one in checks):
        click.get_current_context().exit(1)


@command(ops, "backup")
@click.option("--to", "target", required=True, type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Copy the database while everything runs. The keys are not in the copy: keep them apart."""
    if target.exists():
        raise Failed("file_exists", f"{target} exists: name a new file")
    if not target.parent.is_dir():
        raise BadArgument("no_such_folder", f"there is no folder {target.parent}: make it first")
    with opened() as hub:
        hub.ctx.store.backup(target)
    tell(
        {"file": str(target), "bytes": target.stat().st_size},
        f"{target}\nThe keys are not in it. Without AUTOFACTURA_KEYS (or VAR_DIR/keys.json) it "
        "cannot be read: keep a copy of them somewhere else.",
    )


@command(ops, "restore")
@click.option(
    "--from", "source", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def restore(source: Path) -> None:
    """Put a copy in the place of an absent database, after checking that the keys fit it."""
    settings = load(os.environ)
    log.configure(settings.log_level)
    target = _sqlite_path(settings)
    _refuse_to_overwrite(target)
    _refuse_foreign(source)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".restoring-") as folder:
        draft = Path(folder) / "draft.sqlite3"
        shutil.copyfile(source, draft)
        _put_in_place(settings, draft, target)
    tell({"file": str(target)}, f"{target} is back; start with `autofactura up`")


def _sqlite_path(settings: Settings) -> Path:
    if not settings.database_url.startswith("sqlite:///"):
        raise Failed("not_supported", "PostgreSQL is restored with pg_restore")
    return Path(settings.database_url.removeprefix("sqlite:///"))


def _refuse_to_overwrite(target: Path) -> None:
    """Neither a database nor what one left behind: SQLite would read an old log into the new."""
    for path in (target, *_beside(target)):
        if path.exists():
            raise Failed(
                "database_exists",
                f"{path} exists: stop everything and move it away first; nothing was changed",
            )


def _beside(database: Path) -> tuple[Path, Path]:
    return database.with_name(f"{database.name}-wal"), database.with_name(f"{database.name}-shm")


def _refuse_foreign(source: Path) -> None:
    with source.open("rb") as file:
        if file.read(len(SQLITE_MAGIC)) != SQLITE_MAGIC:
            raise Failed("not_a_copy", f"{source} is no file that `backup` made")
    if _beside(source)[0].exists():
        raise Failed(
            "not_a_copy", f"{source} is a database in use: make a copy of it with `backup`"
        )


def _put_in_place(settings: Settings, draft: Path, target: Path) -> None:
    """Keys first, then the structure and what must always hold; nothing stays of a failure."""
    store = Store.open(f"sqlite:///{draft}", keyring=settings.keyring, clock=SystemClock())
    clean = draft.with_name("clean.sqlite3")
    try:
        _check(store)
        store.backup(clean)
    except (Failed, WrongKeys):
        raise
    except Exception as error:
        kind = type(error).__name__
        raise Failed("copy_damaged", f"the copy is damaged or not of a hub ({kind})") from error
    finally:
        store.close()
    try:
        target.hardlink_to(clean)  # unlike a rename it never takes the place of another file
    except FileExistsError:
        _refuse_to_overwrite(target)


def _check(store: Store) -> None:
    if INITIAL in store.pending_migrations():
        raise Failed("not_a_copy", "the file is a database, but not one of a hub")
    store.check_keys()
    store.migrate()
    with store.reading() as tx:
        broken = violations(tx)
    if broken:
        raise Failed("copy_damaged", "; ".join(broken))
