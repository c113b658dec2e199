"""Apps are no merchant's: sealed under the key-encryption keys themselves, rotated with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import CustomerNotice, Delivery, Notice, PrivacyNotice, ShopNotice
from hub.store.database import Store
from hub.store.errors import DecryptionFailed, Refused, RowUnknown, WrongKeys
from hub.store.keys import Keyring

KEYS = {"client_id": "c-1", "client_secret": "canary-app-secret"}


def add(store: Store, client_id: str = "c-1", platform: str = "shop") -> str:
    with store.transaction() as tx:
        return tx.apps.add(platform, {**KEYS, "client_id": client_id}).id


def test_its_keys_are_sealed_and_open_in_their_own_row_alone(store: Store, world: Any) -> None:
    one, two = add(store), add(store, "c-2")
    sealed = world.sql("SELECT keys_sealed FROM app")
    assert all(b"canary" not in bytes(row[0]) for row in sealed)
    with store.reading() as tx:
        assert tx.apps.get(one).keys == KEYS
        assert "canary" not in repr(tx.apps.get(one))
        assert [app.id for app in tx.apps.list("shop")] == [one, two]
        assert tx.apps.list("other") == []
    world.sql("UPDATE app SET keys_sealed = (SELECT keys_sealed FROM app WHERE id = ?)", one)
    with store.reading() as tx, pytest.raises(DecryptionFailed):
        tx.apps.get(two)
    world.sql("DELETE FROM app")


def test_one_client_id_of_a_platform_is_one_app(store: Store, world: Any) -> None:
    add(store)
    with pytest.raises(Refused):
        add(store)
    add(store, platform="other")
    with pytest.raises(Refused):
        world.sql("UPDATE app SET platform = 'shop'")


def test_rotating_the_keys_rotates_apps_too(
    store: Store, world: Any, keys: Keyring, reopen: Callable[..., Store]
) -> None:
    app_id = add(store)
    newer = Keyring.generate("k2")
    both = Keyring.parse(f"{newer.dump()},{keys.dump()}")
    rotating = reopen(both)
    rotating.check_keys()
    assert rotating.rotate_keys() == 2  # the merchant's data key and the app
    assert rotating.rotate_keys() == 0
    alone = reopen(newer)
    alone.check_keys()
    with alone.reading() as tx:
        assert tx.apps.get(app_id).keys == KEYS
    with store.reading() as tx, pytest.raises(WrongKeys):
        tx.apps.get(app_id)


def test_a_key_that_only_an_app_needs_is_missed_at_the_start(
    store: Store, keys: Keyring, reopen: Callable[..., Store]
) -> None:
    newer = Keyring.generate("k9")
    add(reopen(Keyring.parse(f"{newer.dump()},{keys.dump()}")))
    with pytest.raises(WrongKeys, match="k9"):
        reopen(keys).check_keys()


def test_an_app_of_a_connection_cannot_go(store: Store, world: Any) -> None:
    app_id = add(store)
    with store.transaction() as tx:
        tx.tenant(world.merchant_id).connections.by_app(world.connection_id, app_id)
    with pytest.raises(Refused):
        world.sql("DELETE FROM app")
    with pytest.raises(Refused), store.transaction() as tx:
        tx.apps.remove(app_id)
    with pytest.raises(RowUnknown), store.transaction() as tx:
        tx.apps.remove("0" * 32)
    with pytest.raises(Refused):
        world.sql("UPDATE connection SET app_id = 'nowhere'")


def test_every_kind_of_delivery_is_filed(store: Store, world: Any) -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    hints = {
        "order": Notice("e", "1", "7001"),
        "customer": CustomerNotice("e", "2", "c-1"),
        "shop": ShopNotice("e", "3", "left"),
        "privacy": PrivacyNotice("e", "4", "access", "c-1", ("7001",)),
    }
    for kind, hint in hints.items():
        with store.transaction() as tx:
            inbox = tx.tenant(world.merchant_id).inbox
            row_id = inbox.file(world.connection_id, "shop", hint, Delivery({}, b"{}", at))
            assert row_id is not None
            row = inbox.get(row_id)
            assert row is not None
        assert (row.kind, row.order_id) == (kind, "7001" if kind == "order" else "")
        assert row.customer_id == ("c-1" if kind in {"customer", "privacy"} else "")
        assert not row.erased
    with pytest.raises(Refused):
        world.sql("UPDATE inbox SET kind = 'other'")


def test_a_delivery_about_an_erased_order_is_used_and_not_kept(store: Store, world: Any) -> None:
    with store.transaction() as tx:
        tx.tenant(world.merchant_id).erasures.remember(world.connection_id, "r", ["7001"])
    row_id = world.deliver()
    with store.transaction() as tx:
        inbox = tx.tenant(world.merchant_id).inbox
        row = inbox.get(row_id)
        assert row is not None
        assert (row.erased, row.body) == (False, b"canary-body")
        inbox.done(row_id)
        row = inbox.get(row_id)
        assert row is not None
        assert (row.erased, row.body, row.headers, row.snapshot) == (True, b"", {}, None)


def test_an_erased_order_of_one_connection_is_not_that_of_another(
    store: Store, world: Any, make_world: Callable[[], Any]
) -> None:
    other = make_world()
    with store.transaction() as tx:
        tx.tenant(world.merchant_id).erasures.remember(world.connection_id, "r", ["7001"])
    mine, theirs = world.sale("7001"), other.sale("7001")
    with store.reading() as tx:
        blank = tx.tenant(world.merchant_id).sales.get(mine)
        whole = tx.tenant(other.merchant_id).sales.get(theirs)
        third = tx.tenant(world.merchant_id).erasures.known(world.connection_id)
    assert blank is not None
    assert whole is not None
    assert (blank.sale.buyer.email, whole.sale.buyer.email) == ("", "comprador@example.com")
    assert third == ["7001"]
