"""Keys and what is sealed with them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.store import crypto
from hub.store.database import Store
from hub.store.errors import DecryptionFailed, KeyringInvalid, WrongKeys
from hub.store.keys import Keyring

GOOD = base64.b64encode(b"k" * 32).decode()


class TestKeyring:
    def test_the_first_encrypts_and_all_are_kept(self) -> None:
        other = base64.b64encode(b"o" * 32).decode()
        ring = Keyring.parse(f" new:{GOOD}, old:{other} ")
        assert list(ring) == ["new", "old"]
        assert ring.first_id == "new"
        assert Keyring.parse(ring.dump()) == ring

    def test_a_new_key_is_random_and_long(self) -> None:
        one, two = Keyring.generate("a"), Keyring.generate("a")
        assert one != two
        assert len(one.get("a") or b"") == 32

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "key 1: expected id:base64"),
            (GOOD, "no colon"),
            (f"a:{GOOD},", "key 2"),
            (f":{GOOD}", "an id is"),
            (f"a b:{GOOD}", "an id is"),
            ("a:@@@@", "not base64"),
            ("a:ñ", "not base64"),
            ("a:" + base64.b64encode(b"short").decode(), "5 bytes instead of 32"),
            (f"a:{GOOD},a:{GOOD}", "twice"),
        ],
    )
    def test_a_bad_text_is_told_precisely(self, text: str, told: str) -> None:
        with pytest.raises(KeyringInvalid, match=told) as caught:
            Keyring.parse(text)
        assert GOOD not in str(caught.value)

    def test_it_does_not_show_its_keys(self) -> None:
        assert GOOD not in repr(Keyring.parse(f"a:{GOOD}"))


class TestEnvelope:
    key = crypto.data_key(b"d" * 32, "m1", 1)

    def test_what_is_sealed_opens_in_its_place_only(self) -> None:
        sealed = self.key.seal("sale.snapshot", "row", b"plain")
        assert self.key.open("sale.snapshot", "row", sealed) == b"plain"
        for kind, row in [("sale.reasons", "row"), ("sale.snapshot", "other"), ("", "")]:
            with pytest.raises(DecryptionFailed):
                self.key.open(kind, row, sealed)
        for other in [
            crypto.data_key(b"d" * 32, "m2", 1),
            crypto.data_key(b"d" * 32, "m1", 2),
            crypto.data_key(b"e" * 32, "m1", 1),
        ]:
            with pytest.raises(DecryptionFailed):
                other.open("sale.snapshot", "row", sealed)

    def test_parts_of_the_associated_data_do_not_run_together(self) -> None:
        assert crypto.bound("ab", "c") != crypto.bound("a", "bc")

    def test_every_changed_byte_is_noticed(self) -> None:
        sealed = self.key.seal("k", "r", b"plain")
        for place in range(len(sealed)):
            broken = bytearray(sealed)
            broken[place] ^= 1
            with pytest.raises(DecryptionFailed):
                self.key.open("k", "r", bytes(broken))
        for cut in (b"", sealed[:2], sealed[:10], sealed[:-1]):
            with pytest.raises(DecryptionFailed):
                self.key.open("k", "r", cut)

    def test_the_same_value_never_looks_the_same(self) -> None:
        assert self.key.seal("k", "r", b"x") != self.key.seal("k", "r", b"x")


class TestCheck:
    def test_another_key_of_the_same_name(self, world: Any, reopen: Callable[..., Store]) -> None:
        with pytest.raises(WrongKeys, match="'k1' is not the one"):
            reopen(Keyring.generate("k1")).check_keys()

    def test_the_key_is_missing(self, world: Any, reopen: Callable[..., Store]) -> None:
        with pytest.raises(WrongKeys, match="needs the key 'k1'"):
            reopen(Keyring.generate("k2")).check_keys()

    def test_a_lost_check_value_is_no_fresh_database(self, world: Any) -> None:
        world.sql("DELETE FROM key_check")
        with pytest.raises(WrongKeys, match="check value"):
            world.store.check_keys()


def test_rotation(world: Any, keys: Keyring, reopen: Callable[..., Store]) -> None:
    sale_id = world.sale()
    fresh = Keyring.generate("k2")
    both = reopen(Keyring.parse(f"{fresh.dump()},{keys.dump()}"))
    both.check_keys()
    assert both.rotate_keys() == 1
    assert both.rotate_keys() == 0
    new = reopen(fresh)
    new.check_keys()
    with new.reading() as tx:
        row = tx.tenant(world.merchant_id).sales.get(sale_id)
    assert row is not None
    assert row.sale.buyer.rfc == "CACX7605101P8"
    with pytest.raises(WrongKeys):
        reopen(keys).check_keys()


SWAPS = [
    (
        "UPDATE sale SET snapshot_sealed = (SELECT o.snapshot_sealed FROM sale o WHERE o.key = 'b')"
        " WHERE key = 'a'"
    ),
    "UPDATE sale SET snapshot_sealed = reasons_sealed WHERE key = 'a'",
]


@pytest.mark.parametrize("swap", SWAPS)
def test_swapped_ciphertexts_do_not_open(world: Any, swap: str) -> None:
    sale_id = world.sale("a")
    world.sale("b")
    world.sql(swap)
    with world.store.reading() as tx, pytest.raises(DecryptionFailed):
        tx.tenant(world.merchant_id).sales.get(sale_id)


def test_ciphertexts_of_another_tenant_do_not_open(world: Any, make_world: Any) -> None:
    """Not even with that tenant's data key put in the place of one's own."""
    other, sale_id = make_world(), world.sale("a")
    other.sale("b")
    world.sql(
        "UPDATE sale SET snapshot_sealed = (SELECT o.snapshot_sealed FROM sale o "
        "WHERE o.key = 'b') WHERE key = 'a'"
    )
    with world.store.reading() as tx, pytest.raises(DecryptionFailed):
        tx.tenant(world.merchant_id).sales.get(sale_id)


def test_a_swapped_data_key_does_not_unwrap(
    world: Any, make_world: Any, reopen: Callable[..., Store]
) -> None:
    other, sale_id = make_world(), world.sale()
    world.sql(
        "UPDATE data_key SET wrapped = (SELECT o.wrapped FROM data_key o WHERE o.merchant_id = ?) "
        "WHERE merchant_id = ?",
        other.merchant_id,
        world.merchant_id,
    )
    with reopen().reading() as tx, pytest.raises(WrongKeys):
        tx.tenant(world.merchant_id).sales.get(sale_id)


def test_nothing_secret_stands_in_the_file(
    tmp_path: Path, clock: Any, keys: Keyring, world_in: Any
) -> None:
    """Byte search over the database, its journal and a copy, after all kinds of rows."""
    store = Store.open(f"sqlite:///{tmp_path}/hub.db", keyring=keys, clock=clock)
    store.migrate()
    world = world_in(store)
    world.deliver()
    invoice_id = world.stamped()
    with store.transaction() as tx:
        tenant = tx.tenant(world.merchant_id)
        sale_id = tenant.invoices.get(invoice_id).sale_ids[0]
        token = tenant.links.make(sale_id).token
        tenant.asks.create(sale_id, "late", {"correo": "canario@example.com"})
        tenant.mails.ask(invoice_id, "canario@example.com", "es")
        now = clock.now()
        tenant.csd.add("1", b"cert", b"canary-key-der", now, now + timedelta(days=1), "sandbox")
        secrets = [
            *(token, "CACX7605101P8", "XOCHILT", "canario@example.com", "comprador@example.com"),
            *("canary", keys.dump().partition(":")[2]),
        ]
    store.backup(tmp_path / "copy.db")
    assert b"ESCUELA KEMPER" in (tmp_path / "copy.db").read_bytes(), (
        "the search finds what is there"
    )
    looked_at = [file for file in tmp_path.iterdir() if file.is_file()]
    assert {file.name for file in looked_at} >= {"hub.db", "hub.db-wal", "copy.db"}
    for file in looked_at:
        content = file.read_bytes()
        found = [secret for secret in secrets if secret.encode() in content]
        assert found == [], file.name
        assert file.stat().st_mode & 0o077 == 0, file.name
    store.close()
