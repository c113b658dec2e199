# ruff: noqa: INP001 - numbered files that peewee's runner loads by path
"""A buyer types the code of a ticket without saying whose."""

from __future__ import annotations

from typing import Any

from peewee import Database


def up(migrator: Any, db: Database) -> None:  # noqa: ARG001 - the runner's signature
    migrator.migrate(migrator.add_index("sale", ("code",)))
