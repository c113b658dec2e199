"""A sale is invoiced whole or in its parts, never both; several in one, each to its share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.domain.placed import Basis, Share
from hub.store import guards, schema
from hub.store.errors import Refused
from hub.store.invariants import violations

D = Decimal
PRINT = "f" * 32
MIXED = "a divided sale is claimed whole, or one that is not by parts"


def of(world: Any, do: Any) -> Any:
    with world.store.transaction() as tx:
        return do(tx.tenant(world.merchant_id))


def told(world: Any) -> list[str]:
    with world.store.reading() as tx:
        return violations(tx)


def divided(world: Any, key: str = "7001") -> str:
    sale_id = world.sale(key)
    of(world, lambda t: t.divisions.make(sale_id, PRINT, {"1": D("1.5")}))
    return str(sale_id)


def raw_claim(tenant: Any, sale_id: str, invoice_id: str, part: int, parts: int) -> None:
    """As code without `Claims` would write it."""
    clock = tenant._scope.clock
    tenant._scope.add(
        schema.Claim,
        id=clock.new_id(),
        sale_id=sale_id,
        part=part,
        parts=parts,
        invoice_id=invoice_id,
        opened_at=clock.now(),
    )


class TestDivisions:
    def test_its_life(self, world: Any) -> None:
        sale_id = divided(world)
        found = of(world, lambda t: t.divisions.current(sale_id))
        assert (found.number, found.fingerprint, found.units) == (1, PRINT, {"1": D("1.5")})
        assert of(world, lambda t: t.divisions.undo(sale_id)) is True
        assert of(world, lambda t: t.divisions.undo(sale_id)) is False
        assert of(world, lambda t: t.divisions.make(sale_id, PRINT, {})).number == 2
        assert told(world) == []

    def test_one_at_a_time(self, world: Any) -> None:
        sale_id = divided(world)
        with pytest.raises(Refused):
            of(world, lambda t: t.divisions.make(sale_id, PRINT, {}))

    def test_not_of_a_sale_that_is_invoiced(self, world: Any) -> None:
        sale_id = world.sale()
        world.invoice(sale_id)
        with pytest.raises(Refused, match="invoiced is not divided"):
            of(world, lambda t: t.divisions.make(sale_id, PRINT, {}))

    def test_the_whole_is_not_claimed(self, world: Any) -> None:
        sale_id = divided(world)
        invoice_id = world.invoice(sale_id, claim=False)
        assert not of(world, lambda t: t.claims.open(sale_id, invoice_id=invoice_id))
        with pytest.raises(Refused, match="never whole"):
            of(world, lambda t: raw_claim(t, sale_id, invoice_id, 1, 1))

    def test_not_undone_nor_changed_while_a_part_is_claimed(self, world: Any) -> None:
        sale_id = divided(world)
        invoice_id = world.invoice(sale_id, claim=False)
        assert of(world, lambda t: t.claims.open(sale_id, invoice_id=invoice_id, part=2, parts=2))
        assert of(world, lambda t: t.claims.part_of(invoice_id, sale_id)) == 2
        assert of(world, lambda t: t.invoices.for_sale(sale_id)) is None
        assert of(world, lambda t: t.invoices.for_sale(sale_id, 1)) is None
        assert of(world, lambda t: t.invoices.for_sale(sale_id, 2)).id == invoice_id
        with pytest.raises(Refused, match="stays divided"):
            of(world, lambda t: t.divisions.undo(sale_id))
        of(world, lambda t: t.claims.release(invoice_id))
        assert of(world, lambda t: t.divisions.undo(sale_id))
        assert of(world, lambda t: t.claims.part_of(invoice_id, sale_id)) == 2  # it was

    def test_only_ever_closed(self, world: Any) -> None:
        divided(world)
        with pytest.raises(Refused, match="only ever closed"):
            world.sql("UPDATE division SET units = '{}'")
        with pytest.raises(Refused, match="never deleted"):
            world.sql("DELETE FROM division")
        world.sql("UPDATE division SET closed_at = 1")
        with pytest.raises(Refused, match="stays closed"):
            world.sql("UPDATE division SET closed_at = NULL")

    def test_a_part_is_invoiced_by_itself(self, world: Any) -> None:
        sale_id, other = divided(world), world.sale("7002")
        invoice_id = world.invoice(sale_id, other, claim=False)
        with pytest.raises(Refused, match="invoiced by itself"):
            of(world, lambda t: t.claims.open(sale_id, invoice_id=invoice_id, part=1, parts=2))

    def test_links_of_parts(self, world: Any) -> None:
        sale_id = divided(world)
        whole, one, two = (of(world, lambda t, n=n: t.links.make(sale_id, n)) for n in range(3))
        assert len({whole.token, one.token, two.token}) == 3
        with world.store.reading() as tx:
            assert tx.doors.link(two.token) == (world.merchant_id, sale_id, 2)
        assert of(world, lambda t: t.links.renew(sale_id, 1)).token != one.token
        assert of(world, lambda t: t.links.current(sale_id)).token == whole.token
        renewed = of(world, lambda t: t.links.renew(sale_id))
        assert of(world, lambda t: t.links.current(sale_id)).token == renewed.token
        assert of(world, lambda t: t.links.current(sale_id, 2)).token != two.token
        with world.store.reading() as tx:
            assert tx.doors.link(two.token) is tx.doors.link(whole.token) is None


class TestDoctor:
    """What a lost guard lets in is found."""

    @pytest.fixture
    def unguarded(self, world: Any) -> Any:
        of(world, lambda t: guards.drop(t._scope.session.engine.db))
        return world

    def found(self, world: Any) -> set[str]:
        return {one.partition(":")[0] for one in told(world) if "guard of the database" not in one}

    def test_a_whole_claim_beside_a_division(self, unguarded: Any) -> None:
        sale_id = divided(unguarded)
        invoice_id = unguarded.invoice(sale_id, claim=False)
        of(unguarded, lambda t: raw_claim(t, sale_id, invoice_id, 1, 1))
        assert self.found(unguarded) == {MIXED}

    def test_a_part_of_what_is_not_divided(self, unguarded: Any) -> None:
        sale_id = unguarded.sale()
        invoice_id = unguarded.invoice(sale_id, claim=False)
        of(unguarded, lambda t: raw_claim(t, sale_id, invoice_id, 1, 2))
        assert self.found(unguarded) == {MIXED}

    def test_a_part_in_an_invoice_of_several(self, unguarded: Any) -> None:
        sale_id, other = divided(unguarded), unguarded.sale("7002")
        invoice_id = unguarded.invoice(sale_id, other, claim=False)
        of(unguarded, lambda t: raw_claim(t, sale_id, invoice_id, 1, 2))
        assert self.found(unguarded) == {"an invoice of several sales holds a part of one"}

    def test_two_divisions(self, unguarded: Any) -> None:
        sale_id = divided(unguarded)
        of(unguarded, lambda t: t.divisions.make(sale_id, PRINT, {}))
        assert self.found(unguarded) == {"a sale is divided in two ways at once"}

    def test_shares_that_do_not_make_the_total(self, world: Any) -> None:
        invoice_id = world.sealed()
        sale_id = of(world, lambda t: t.invoices.get(invoice_id)).sale_ids[0]
        share = Share(0, 1, D("115.99"), Basis(D("115.99"), {}))
        of(world, lambda t: t.credits.account_for_share(invoice_id, 1, sale_id, share))
        assert self.found(world) == {"the sales of a document do not make its total"}

    def test_a_document_of_several_without_shares(self, world: Any) -> None:
        invoice_id = world.invoice(world.sale(), world.sale("7002"))
        of(world, lambda t: world.document(t, invoice_id))
        assert self.found(world) == {
            "a sealed document of several sales does not say which is how much of it"
        }
