"""A reading transaction asks the database the same question once; a writing one asks each time."""

from __future__ import annotations

from typing import Any

import peewee
import pytest

from hub.domain.states import State
from hub.store.session import REMEMBERED


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    run = peewee.Database.execute_sql

    def execute(self: Any, sql: str, *rest: Any, **more: Any) -> Any:
        heard.append(sql)
        return run(self, sql, *rest, **more)

    monkeypatch.setattr(peewee.Database, "execute_sql", execute)
    return heard


def of_rules(asked: list[str]) -> int:
    return sum('FROM "rules"' in sql for sql in asked)


@pytest.fixture
def merchant(store: Any) -> Any:
    with store.transaction() as tx:
        return tx.merchants.create("EKU9003173C9", "ESCUELA KEMPER URGATE", "601", "42501")


@pytest.fixture
def other_merchant(store: Any) -> Any:
    with store.transaction() as tx:
        return tx.merchants.create("URE180429TM6", "UNIVERSIDAD ROBOTICA", "601", "86991")


def test_a_page_asks_once(store: Any, merchant: Any, asked: list[str]) -> None:
    with store.reading() as tx:
        first, second = (tx.tenant(merchant.id).rules.current() for _ in range(2))
    assert first == second
    assert of_rules(asked) == 1
    with store.reading() as tx:
        tx.tenant(merchant.id).rules.current()
    assert of_rules(asked) == 2


def test_who_writes_reads_what_was_written(store: Any, merchant: Any) -> None:
    with store.transaction() as tx:
        rules = tx.tenant(merchant.id).rules
        before = rules.current()
        rules.set("# new")
        assert (before, rules.current()) == ("", "# new")


def test_what_was_found_cannot_be_spoiled_by_its_reader(store: Any, merchant: Any) -> None:
    with store.reading() as tx:
        tx.merchants.get(merchant.id)
        found = next(iter(tx.session.found.values()))
        assert found
        assert tx.session.select(type(found[0]), id=merchant.id) is not found


def test_no_merchant_is_answered_with_anothers_rows(
    store: Any, merchant: Any, other_merchant: Any
) -> None:
    with store.transaction() as tx:
        tx.tenant(merchant.id).rules.set("# mine")
    with store.reading() as tx:
        assert tx.tenant(merchant.id).rules.current() == "# mine"
        assert tx.tenant(other_merchant.id).rules.current() == ""


def test_a_long_reading_keeps_no_more_than_so_much(store: Any, merchant: Any) -> None:
    with store.reading() as tx:
        for number in range(REMEMBERED + 50):
            tx.tenant(merchant.id).sales.by_key(None, f"{number}")
        assert len(tx.session.found) <= REMEMBERED


def test_a_page_opens_a_document_once_and_for_its_merchant_alone(
    store: Any, world: Any, make_world: Any
) -> None:
    invoice_id, other = world.stamped(), make_world()
    with store.reading() as tx:
        tenant, others = tx.tenant(world.merchant_id), tx.tenant(other.merchant_id)
        invoice = tenant.invoices.get(invoice_id)
        sale_id = invoice.sale_ids[0]
        for found in (tenant.sales.get(sale_id), tenant.invoices.stamp_of(invoice_id)):
            assert found is not None
        assert tenant.sales.get(sale_id) is tenant.sales.get(sale_id)
        assert tenant.invoices.for_sale(sale_id) is invoice
        assert others.sales.get(sale_id) is None
        assert others.invoices.get(invoice_id) is None
        assert others.invoices.stamp_of(invoice_id) is None


def test_who_writes_reads_an_invoice_and_a_sale_as_they_are_now(store: Any, world: Any) -> None:
    invoice_id = world.sealed()
    with store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        sale_id = tenant.invoices.get(invoice_id).sale_ids[0]
        before = tenant.sales.get(sale_id)
        assert tenant.invoices.move(invoice_id, State.SEALED, State.SENDING)
        tenant.sales.forget_buyer(sale_id)
        assert tenant.invoices.get(invoice_id).state is State.SENDING
        assert tenant.sales.get(sale_id).sale.buyer != before.sale.buyer
