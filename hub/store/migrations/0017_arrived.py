# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""When a message arrived at its buyer's telephone, as its provider says."""

from __future__ import annotations

from typing import Any

from peewee import Database, SqliteDatabase


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    instant = "INTEGER" if isinstance(db, SqliteDatabase) else "BIGINT"
    execute: Any = db.execute_sql  # no stubs
    execute(f'ALTER TABLE "mail" ADD COLUMN "arrived_at" {instant}')
