# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""The panel, the review queue and the sweep all list a merchant's invoices by state."""

from __future__ import annotations

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    migrator.migrate(migrator.add_index("invoice", ("merchant_id", "state", "id")))
