"""Every question that a page of a buyer asks the database is answered by an index.

So it takes as long with a million sales as with a thousand (tests/bench/pages.py measures it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import peewee
import pytest

from hub.domain.purchase import Estado
from hub.steps.buyer import Buyer
from tests.bench.million import fill

COPIES: Final = 3_000
#: They do not grow with what is sold: all of them of one merchant may be read.
SMALL: Final = {
    "merchant",
    "rules",
    "pac_account",
    "csd",
    "connection",
    "bond",
    "app",
    "address",
    "brand",
}
#: What a question may read of PostgreSQL's blocks of 8 KiB, and a tenth as much for each value in
#: it: a walk through an index of so many rows reads more. https://www.postgresql.org/docs/current/using-explain.html
BLOCKS: Final = 30

Statement = tuple[str, tuple[Any, ...]]


@contextmanager
def overheard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """Every SELECT that is run meanwhile."""
    heard: list[Statement] = []
    run = peewee.Database.execute_sql

    def execute(self: Any, sql: str, params: Any = None, *rest: Any, **more: Any) -> Any:
        if sql.lstrip().upper().startswith("SELECT"):
            heard.append((sql, tuple(params or ())))
        return run(self, sql, params, *rest, **more)

    with monkeypatch.context() as patched:
        patched.setattr(peewee.Database, "execute_sql", execute)
        yield heard


@pytest.fixture
def crowded(world: Any, merchant: Any) -> tuple[str, str]:
    """Tokens of an open and of an invoiced sale among many more."""
    waiting, done = merchant.keep("7001"), merchant.keep("7002")
    merchant.request(done)
    world.drain()
    assert merchant.estado(done) is Estado.LISTA
    at = world.clock.now() + timedelta(days=1)
    found = [
        fill(world.store, merchant.id, sale, COPIES, keep=3, at=at)[1] for sale in (done, waiting)
    ]
    return found[1], found[0]


def questions(buyer: Buyer, merchant: Any, waiting: str, done: str) -> dict[str, Callable[[], Any]]:
    sale_id = merchant.sale_id()
    code = merchant.of(lambda tenant: tenant.sales.get(sale_id)).code
    total = buyer.purchase(waiting).total  # type: ignore[union-attr] # it is there
    by_code = buyer.find(code, total, merchant.id)
    assert by_code is not None
    asked: dict[str, Callable[[], Any]] = {
        "by code": lambda: buyer.find(code, total, merchant.id),
        "by code, of anybody": lambda: buyer.find(code, total, None),
        "document": lambda: buyer.xml(done),
    }
    for name, token in (("open", waiting), ("invoiced", done), ("pass", by_code)):
        asked |= {
            f"{name}: page": lambda token=token: buyer.visit(token),
            f"{name}: form": lambda token=token: buyer.purchase(token),
            f"{name}: estado": lambda token=token: buyer.word(token),
        }
    return asked


def test_every_question_of_a_page_uses_an_index(
    world: Any, merchant: Any, crowded: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for what, ask in questions(Buyer(world.ctx), merchant, *crowded).items():
        with overheard(monkeypatch) as heard:
            assert ask(), what
        assert heard, what
        by_get = not what.startswith("by code")
        assert not (by_get and [sql for sql, _ in heard if " FOR " in sql]), "a row is locked"
        for statement in heard:
            assert (what, slow(world, *statement)) == (what, "")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM sale WHERE key = 'none'",
        "SELECT id FROM invoice WHERE merchant_id = '{merchant}' AND origin = 'none'",
    ],
)
def test_a_question_without_an_index_is_noticed(
    world: Any, merchant: Any, crowded: tuple[str, str], sql: str
) -> None:
    assert crowded
    assert slow(world, sql.format(merchant=merchant.id), ())


def slow(world: Any, sql: str, values: tuple[Any, ...]) -> str:
    """The step of its plan that reads more than it finds; "" if there is none."""
    with world.store.transaction() as tx:  # some of what is explained locks rows
        db = tx.session.engine.db
        if isinstance(db, peewee.SqliteDatabase):
            steps = [row[3] for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            return next((step for step in steps if _walks(step)), "")
        explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"
        [(plan,)] = db.execute_sql(explained, values)
    root = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    read = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return str(root) if read > BLOCKS * (1 + len(values) / 10) else ""


def _walks(step: str) -> bool:
    """SQLite's words: https://www.sqlite.org/eqp.html"""
    found = re.match(r"(SCAN|SEARCH) (\w+)(?: USING .*\((.*)\))?", step)
    if found is None or found[2] in SMALL:
        return False
    return found[1] == "SCAN" or found[3] == "merchant_id=?"
