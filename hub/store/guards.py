# ruff: noqa: S608 - SQL made of constants of this file; nothing of a row or a request is in it
"""Puts the rules of `guard_rules.py` into the database as triggers and partial indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from peewee import SqliteDatabase

from hub.store.guard_rules import INDEXES, KEYS, RULES, Rule


def install(db: Any) -> None:
    """Drop and create every guard; inside a transaction, after every migration.

    peewee rebuilds a table on SQLite for most changes of a column, and its triggers are gone.
    """
    drop(db)
    for name, table, unique, columns, condition in INDEXES:
        where = f" WHERE {condition}" if condition else ""
        kind = "UNIQUE INDEX" if unique else "INDEX"
        db.execute_sql(f'CREATE {kind} "{name}" ON "{table}" ({columns}){where}')
    for statement in _sqlite() if isinstance(db, SqliteDatabase) else _postgres():
        db.execute_sql(statement)


def drop(db: Any) -> None:
    """Take every guard away, so that a migration may rebuild tables. `install` has to follow."""
    for name, *_ in INDEXES:
        db.execute_sql(f'DROP INDEX IF EXISTS "{name}"')
    for trigger, table in triggers(db):
        on = "" if isinstance(db, SqliteDatabase) else f' ON "{table}"'
        db.execute_sql(f'DROP TRIGGER IF EXISTS "{trigger}"{on}')


def triggers(db: Any) -> list[tuple[str, str]]:
    """Name and table of every trigger there is."""
    if isinstance(db, SqliteDatabase):
        query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
    else:
        query = (
            "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE NOT t.tgisinternal AND n.nspname = current_schema() ORDER BY 1"
        )
    return [(name, table) for name, table in db.execute_sql(query)]


def expected_triggers(db: Any) -> set[str]:
    """The names of the triggers that `install` makes on this engine."""
    made = _sqlite() if isinstance(db, SqliteDatabase) else _postgres()
    return {s.split('"')[1] for s in made if s.startswith("CREATE TRIGGER")}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _cases() -> list[tuple[str, str, list[Rule]]]:
    """Table and event of each trigger, with its rules in their order."""
    found = {(rule.table, rule.event) for rule in RULES} | {(table, "INSERT") for table in KEYS}
    return [
        (table, event, [rule for rule in RULES if (rule.table, rule.event) == (table, event)])
        for table, event in sorted(found)
    ]


def _sqlite() -> Iterator[str]:
    for table, event, rules in _cases():
        checks = [_once(table), *rules] if event == "INSERT" and table in KEYS else rules
        body = " ".join(
            f"SELECT RAISE(ABORT, {_quoted(rule.message)}) WHERE {rule.refused_if};"
            for rule in checks
        )
        yield (
            f'CREATE TRIGGER "guard_{table}_{event.lower()}" BEFORE {event} ON "{table}" '
            f"FOR EACH ROW BEGIN {body} END"
        )


def _once(table: str) -> Rule:
    """INSERT OR REPLACE deletes the old row without firing its delete trigger.

    https://www.sqlite.org/lang_conflict.html
    """
    there = " AND ".join(f"o.{c} = NEW.{c}" for c in ("merchant_id", *KEYS[table]))
    exists = f'EXISTS (SELECT 1 FROM "{table}" o WHERE {there})'
    return Rule(table, "INSERT", exists, f"{table}: this row is there already")


#: What is locked before the rules are looked at, so that two transactions cannot both pass.
_LOCKS = {
    "document": ("invoice", "invoice_id"),
    "attempt": ("invoice", "invoice_id"),
    "answer": ("invoice", "invoice_id"),
    "stamp": ("invoice", "invoice_id"),
    "declaration": ("invoice", "invoice_id"),
    "cancellation": ("invoice", "invoice_id"),
    "cancel_event": ("invoice", "invoice_id"),
    "claim": ("sale", "sale_id"),
    "credit_note": ("sale", "sale_id"),
    "division": ("sale", "sale_id"),
}


def _postgres() -> Iterator[str]:
    for table, event, rules in _cases():
        name = f"guard_{table}_{event.lower()}"
        yield _function(name, event, _lock(table, event), rules)
        yield (
            f'CREATE TRIGGER "{name}" BEFORE {event} ON "{table}" '
            f'FOR EACH ROW EXECUTE FUNCTION "{name}"()'
        )
    never = Rule("", "TRUNCATE", "1 = 1", "this table is never emptied")
    yield _function("guard_truncate", "TRUNCATE", "", [never])
    for table in KEYS:
        yield (
            f'CREATE TRIGGER "guard_{table}_truncate" BEFORE TRUNCATE ON "{table}" '
            'EXECUTE FUNCTION "guard_truncate"()'
        )


def _lock(table: str, event: str) -> str:
    if table not in _LOCKS or event == "DELETE":
        return ""
    own = event == "INSERT" or table == "division"
    parent, column = _LOCKS[table] if own else ("invoice", "invoice_id")
    return (
        f"PERFORM 1 FROM {parent} p WHERE p.merchant_id = NEW.merchant_id "
        f"AND p.id = NEW.{column} FOR NO KEY UPDATE; "
    )


def _function(name: str, event: str, lock: str, rules: list[Rule]) -> str:
    checks = "".join(
        f"IF {rule.refused_if} THEN RAISE EXCEPTION USING "
        f"ERRCODE = 'integrity_constraint_violation', MESSAGE = {_quoted(rule.message)}; END IF; "
        for rule in rules
    )
    result = "OLD" if event == "DELETE" else "NEW"
    return (
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql AS '
        f"$guard$ BEGIN {lock}{checks}RETURN {result}; END $guard$"
    )
