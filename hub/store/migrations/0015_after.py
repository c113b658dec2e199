# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""What the merchant answered to a buyer who asked, and about which part of a divided sale."""

from __future__ import annotations

from typing import Any

from peewee import Database, SqliteDatabase

#: No table is rebuilt.
COLUMNS = (
    (
        'ALTER TABLE "ask" ADD COLUMN "outcome" TEXT NOT NULL DEFAULT \'\' '
        "CHECK (outcome IN ('', 'done', 'declined', 'answered'))"
    ),
    'ALTER TABLE "ask" ADD COLUMN "answer_sealed" {blob}',
    'ALTER TABLE "ask" ADD COLUMN "part" INTEGER NOT NULL DEFAULT 0',
)


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    blob = "BLOB" if isinstance(db, SqliteDatabase) else "BYTEA"
    execute: Any = db.execute_sql  # no stubs
    for statement in COLUMNS:
        execute(statement.format(blob=blob))
