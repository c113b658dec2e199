"""Codes, hand-offs, bonds and proofs, on both engines; two at once by threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.abilities import Subscription
from hub.store.bonds import REPLACED
from hub.store.errors import Refused
from hub.store.merchants import shop_name

HOUR = timedelta(hours=1)
SHOP = "https://shop.example"


@pytest.mark.parametrize(
    "account",
    ["https://shop.example", "http://shop.example", "https://www.shop.example",
     "http://www.shop.example"],
)  # fmt: skip
def test_one_shop_in_every_spelling(account: str) -> None:
    assert shop_name(account) == "shop.example"


def test_other_shops_stay_other_shops() -> None:
    names = ["https://shop.example/a", "https://shop.example:8443", "acct_1ABc", "x.myshop.example"]
    assert len({shop_name(one) for one in [*names, SHOP]}) == 5


def test_a_code_is_used_once_even_by_two_at_once(make_world: Callable[[], Any]) -> None:
    world = make_world()
    with world.store.transaction() as tx:
        pairing = tx.tenant(world.merchant_id).pairings.make("CODE", HOUR)
    won: list[bool] = []
    together = threading.Barrier(4)

    def use() -> None:
        together.wait()
        with world.store.transaction() as tx:
            won.append(tx.tenant(world.merchant_id).pairings.use(pairing.id))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(won) == [False, False, False, True]
    with world.store.reading() as tx:
        assert tx.pairing.code("CODE") is None


def test_a_code_ends(make_world: Callable[[], Any], clock: Any) -> None:
    world = make_world()
    with world.store.transaction() as tx:
        pairing = tx.tenant(world.merchant_id).pairings.make("CODE", HOUR)
    with world.store.reading() as tx:
        assert tx.pairing.code("CODE") == pairing
        assert tx.pairing.code("code") is None
    clock.advance(3600)
    with world.store.transaction() as tx:
        assert tx.pairing.code("CODE") is None
        assert not tx.tenant(world.merchant_id).pairings.use(pairing.id)


def test_a_hand_off_moves_once_from_each_state(make_world: Callable[[], Any], clock: Any) -> None:
    world = make_world()
    with world.store.transaction() as tx:
        pairings = tx.tenant(world.merchant_id).pairings
        code = pairings.make("CODE", HOUR)
        one = pairings.begin(code.id, "shop", SHOP, nonce="N", browser="B", lasting=HOUR)
        assert pairings.keys(one) == {}
        assert pairings.move(one, "keyed", {"secret": "canary-key"})
        assert not pairings.move(one, "keyed", {"secret": "another"})
        keyed = pairings.fresh(one)
        assert (keyed.state, pairings.keys(keyed)) == ("keyed", {"secret": "canary-key"})
        assert tx.pairing.hand_off("N") == keyed
        assert tx.pairing.hand_off("B") is None
        assert pairings.move(keyed, "denied")
        assert pairings.keys(keyed) == {}
    clock.advance(3601)
    with world.store.reading() as tx:
        assert tx.pairing.hand_off("N") is None


def connected(world: Any, connection_id: str = "", account: str = SHOP) -> None:
    with world.store.transaction() as tx:
        bonds = tx.tenant(world.merchant_id).bonds
        bonds.pair(connection_id or world.connection_id, "shop", account)
        bonds.found(connection_id or world.connection_id, state="connected", keys="ok")


def test_one_shop_is_never_two_merchants_at_once(make_world: Callable[[], Any]) -> None:
    """Whatever was looked at before: the database itself refuses it."""
    one, two = make_world(), make_world()
    connected(one)
    with pytest.raises(Refused):
        connected(two)
    with one.store.transaction() as tx:
        assert tx.pairing.taken("shop", "http://www.shop.example", two.merchant_id)
        assert not tx.pairing.taken("other", SHOP, two.merchant_id)
        assert not tx.pairing.taken("shop", f"{SHOP}/b", two.merchant_id)
        tx.tenant(one.merchant_id).bonds.close(one.connection_id)
        assert not tx.pairing.taken("shop", SHOP, two.merchant_id)
    connected(two)


def test_a_shop_made_by_hand_is_taken_and_one_only_claimed_is_not(
    make_world: Callable[[], Any],
) -> None:
    one, two = make_world(), make_world()
    with one.store.transaction() as tx:
        bonds = tx.tenant(two.merchant_id).bonds
        assert tx.pairing.taken("shop", SHOP, one.merchant_id), "two's has no bond: by hand"
        bonds.manual(two.connection_id, "shop", SHOP)
        assert tx.pairing.taken("shop", SHOP, one.merchant_id)
        bonds.pair(two.connection_id, "shop", SHOP)
        assert not tx.pairing.taken("shop", SHOP, one.merchant_id)


def test_a_merchant_has_a_shop_once(make_world: Callable[[], Any]) -> None:
    world = make_world()
    connected(world)
    with world.store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        found = tenant.connections.of_shop("shop", "http://www.shop.example")
        assert found is not None
        assert found.id == world.connection_id
        assert tenant.connections.of_shop("shop", "https://shop.example/b") is None
        second = tenant.connections.create("shop", f"{SHOP}/", {}, {}, None)
    with pytest.raises(Refused), world.store.transaction() as tx:
        tx.tenant(world.merchant_id).bonds.pair(second.id, "shop", SHOP)
    with world.store.transaction() as tx:  # two spellings that were connected by hand long ago
        bonds = tx.tenant(world.merchant_id).bonds
        bonds.manual(second.id, "shop", SHOP)
        assert bonds.get(second.id).state == "manual"


def test_new_keys_forget_what_was_known_of_the_old(make_world: Callable[[], Any]) -> None:
    world = make_world()
    connected(world)
    with world.store.transaction() as tx:
        bonds = tx.tenant(world.merchant_id).bonds
        made = [Subscription("order.updated", "5", "active")]
        bonds.found(
            world.connection_id, state="connected", keys="ok", subscriptions=made,
            problem_code="x", problem="y",
        )  # fmt: skip
        assert bonds.get(world.connection_id).subscriptions == tuple(made)
        bonds.pair(world.connection_id, "shop", SHOP)
        bond = bonds.get(world.connection_id)
    assert (bond.state, bond.keys, bond.problem, bond.checked_at) == (
        "checking",
        "unknown",
        "",
        None,
    )
    assert [one.status for one in bond.subscriptions] == [REPLACED]


def test_a_proof_opens_its_order_alone(make_world: Callable[[], Any], clock: Any) -> None:
    one, two = make_world(), make_world()
    with one.store.transaction() as tx:
        proofs = tx.tenant(one.merchant_id).proofs
        proofs.keep(one.connection_id, "7001", "P1")
        proofs.keep(one.connection_id, "7001", "P1")
        clock.advance(1)
        proofs.keep(one.connection_id, "7001", "P2")
    with one.store.reading() as tx:
        mine, theirs = tx.tenant(one.merchant_id).proofs, tx.tenant(two.merchant_id).proofs
        assert mine.opens(one.connection_id, "7001", "P1")
        assert mine.opens(one.connection_id, "7001", "P2")
        assert mine.current(one.connection_id, "7001") == "P2"
        assert not mine.opens(one.connection_id, "7002", "P1")
        assert not mine.opens(two.connection_id, "7001", "P1")
        assert not theirs.opens(one.connection_id, "7001", "P1")
        assert mine.current(one.connection_id, "7002") is None


def test_what_is_over_is_forgotten_and_nothing_else(
    make_world: Callable[[], Any], clock: Any
) -> None:
    world = make_world()

    def begin(name: str) -> None:
        with world.store.transaction() as tx:
            pairings = tx.tenant(world.merchant_id).pairings
            code = pairings.make(name, HOUR / 2)
            pairings.begin(code.id, "shop", SHOP, nonce=name, browser="B", lasting=HOUR / 2)

    def left() -> tuple[Any, ...]:
        with world.store.transaction() as tx:
            tx.pairing.forget_old()
            run = tx.session.engine.db.execute_sql
            return tuple(
                next(iter(run(f"SELECT COUNT(*) FROM {table}")))[0]
                for table in ("hand_off", "pairing_code")
            )

    begin("one")
    assert left() == (1, 1)
    clock.advance(3600)
    begin("two")
    assert left() == (1, 2)
    clock.advance(86400)
    assert left() == (0, 1)
    clock.advance(86400)
    assert left() == (0, 0)


def test_a_connection_lives_through_closing_and_opening(make_world: Callable[[], Any]) -> None:
    world = make_world()
    connected(world)
    with world.store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        connections, bonds, here = tenant.connections, tenant.bonds, world.connection_id
        connections.renew(here, "https://www.shop.example", {"k": "new"}, {"allow_private": True})
        connections.move(here, "https://shop.example/b")
        bonds.name(here, "https://shop.example/b")
        row = connections.get(here)
        assert (row.account, row.settings) == ("https://shop.example/b", {"allow_private": True})
        assert connections.credentials(here).current() == {"k": "new"}
        bonds.closing(here, "not closed yet: nothing happens")
        assert bonds.get(here).problem == ""
        bonds.close(here)
        closed_at = bonds.get(here).closed_at
        bonds.close(here)
        bonds.closing(here, "webhook 5")
        connections.forget(here)
        bond = bonds.get(here)
        assert (bond.state, bond.closed_at, bond.problem) == ("closed", closed_at, "webhook 5")
        assert connections.credentials(here).current() == {}
        bonds.reopen(here)
        bond = bonds.get(here)
        assert (bond.state, bond.closed_at, bond.problem) == ("manual", None, "")
