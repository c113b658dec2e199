"""Logos and names of merchants, on both engines."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.brand import Logo
from hub.store import schema
from hub.store.brand import HOST, PAGE, PRINT, SLUG
from hub.store.database import Store
from hub.store.errors import Refused, RowUnknown


def merchant(store: Store, rfc: str) -> str:
    with store.transaction() as tx:
        return tx.merchants.create(rfc, "X", "601", "06000").id


@pytest.fixture
def two(store: Store) -> tuple[str, str]:
    return merchant(store, "EKU9003173C9"), merchant(store, "IIA040805DZ4")


def test_a_logo_is_kept_in_two_sizes_replaced_and_removed(
    store: Store, two: tuple[str, str]
) -> None:
    first, second = two
    with store.transaction() as tx:
        logos = tx.tenant(first).logos
        assert (logos.facts(), logos.image(PAGE), logos.remove()) == (None, None, False)
        logos.keep(PAGE, Logo("a", 10, 20), b"small")
        logos.keep(PRINT, Logo("b", 100, 200), b"large")
        logos.keep(PAGE, Logo("c", 11, 21), b"newer")
    with store.reading() as tx:
        logos = tx.tenant(first).logos
        assert logos.facts() == Logo("c", 11, 21)
        assert (logos.image(PAGE), logos.image(PRINT)) == (b"newer", b"large")
        assert tx.tenant(second).logos.facts() is None
    with store.transaction() as tx:
        assert not tx.tenant(second).logos.remove()
        assert tx.tenant(first).logos.remove()
        assert tx.tenant(first).logos.facts() is None


def test_a_name_is_one_merchants(store: Store, two: tuple[str, str]) -> None:
    first, second = two
    with store.transaction() as tx:
        mine = tx.tenant(first).addresses
        mine.add("mi-tienda", SLUG)
        mine.add("facturas.mitienda.mx", HOST)
        mine.add("otra.mitienda.mx", HOST)
        assert len(mine.list()) == 3
        assert (mine.first(HOST), mine.first(SLUG)) == ("facturas.mitienda.mx", "mi-tienda")
    for name in ("mi-tienda", "facturas.mitienda.mx"):
        for taker in two:
            with pytest.raises(Refused), store.transaction() as tx:
                tx.tenant(taker).addresses.add(name, SLUG)
        with pytest.raises(RowUnknown), store.transaction() as tx:
            tx.tenant(second).addresses.remove(name)
    with store.reading() as tx:
        assert tx.doors.merchant_named("mi-tienda") == first
        assert tx.doors.merchant_named(first) == first
        assert tx.doors.merchant_named("facturas.mitienda.mx") is None
        assert tx.doors.merchant_of_host("facturas.mitienda.mx") == first
        assert tx.doors.merchant_of_host("mi-tienda") is None
        assert tx.doors.merchant_of_host("") is None
        assert tx.tenant(second).addresses.first(HOST) == ""


def test_the_database_itself_refuses_a_name_twice(store: Store, two: tuple[str, str]) -> None:
    """Two commands at once: the look before the insert is not what keeps names apart."""
    with store.transaction() as tx:
        tx.tenant(two[0]).addresses.add("mi-tienda", SLUG)
    with store.transaction() as tx:
        scope: Any = tx.tenant(two[1])._scope
        row = {"name": "mi-tienda", "kind": SLUG, "created_at": scope.clock.now()}
        with pytest.raises(Refused):
            scope.add(schema.Address, **row)


def test_links_carry_the_oldest_host(store: Store, world: Any) -> None:
    sale_id = world.sale()
    with store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        assert tenant.links.make(sale_id).host == ""
        tenant.addresses.add("facturas.mitienda.mx", HOST)
        link = tenant.links.current(sale_id)
        assert link is not None
        assert link.host == "facturas.mitienda.mx"
