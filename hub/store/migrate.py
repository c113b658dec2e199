"""Migrations: numbered files, applied in one transaction, followed by all guards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peewee
from playhouse.migrations import Runner

from hub.store import guards

DIRECTORY = Path(__file__).parent / "migrations"
HISTORY = "schema_migration"


def up(db: peewee.Database, directory: Path = DIRECTORY, target: str | None = None) -> list[str]:
    """Apply what is pending; the names. The guards are put in place again in any case."""
    runner = _runner(db, directory)
    guards.drop(db)
    applied: list[str] = runner.up(target)
    guards.install(db)
    return applied


def pending(db: peewee.Database, directory: Path = DIRECTORY) -> list[str]:
    return [one.name for one in _runner(db, directory).status() if one.path and not one.applied]


def _runner(db: peewee.Database, directory: Path) -> Any:
    runner: Any = Runner  # no stubs
    return runner(db, str(directory), table_name=HISTORY)
