"""The platform's books of a period against the sales: what differs is listed, and asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.abilities import Entry
from connectors.contract import CredentialsRefused, PlatformUnreachable, Unfinished
from hub.domain.books import Odd
from hub.domain.sale import PaymentState, Refund
from hub.steps import reconcile
from hub.steps.later import RunLater

DUE = Decimal("116.00")  # of every sale here
DAY = 86_400
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
START = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


class Ledger:
    """The platform's list, and how it fails."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.listed: list[Entry] = []
        self.asked: list[tuple[datetime, datetime]] = []
        self.fails: list[Exception] = []
        self.ends: Exception | None = None
        world.shop.entries = self.entries

    def entries(self, since: datetime, until: datetime, *_: Any) -> Iterator[Entry]:
        self.asked.append((since, until))
        if self.fails:
            raise self.fails.pop(0)
        yield from self.listed
        if self.ends:
            raise self.ends

    def paid(self, order_id: str, due: str | None = None, currency: str = "MXN") -> None:
        amount = None if due is None else Decimal(due)
        self.listed.append(Entry(order_id, amount, currency, self.world.clock.now()))


@pytest.fixture
def ledger(world: Any, merchant: Any) -> Ledger:
    merchant.change(lambda tenant: tenant._scope.session.sql("UPDATE connection SET since = ?", 1))
    return Ledger(world)


def looked(world: Any, merchant: Any, **period: timedelta) -> dict[str, Odd]:
    now = world.clock.now()
    until = now + timedelta(days=1)
    told = reconcile.look(
        world.ctx, merchant.id, merchant.connection.id, now - timedelta(days=3), until
    )
    return {one.order_id: one.odd for one in told.differences}


def test_books_that_agree_say_so(world: Any, merchant: Any, ledger: Ledger) -> None:
    merchant.keep("7001")
    ledger.paid("7001", f"{DUE}")
    assert looked(world, merchant) == {}
    told = merchant.of(lambda tenant: tenant.books.get(merchant.connection.id))
    assert (told.entries, told.differences) == (1, ())


def test_a_lost_order_is_found_and_becomes_a_sale(
    world: Any, merchant: Any, ledger: Ledger, make_sale: Any
) -> None:
    world.shop.put(make_sale("7002"))
    ledger.paid("7002", f"{DUE}")
    assert looked(world, merchant) == {"7002": Odd.MISSING}
    world.drain("ingest")
    assert merchant.sale_id("7002")
    assert looked(world, merchant) == {}


def test_another_amount_another_state_and_a_sale_that_nobody_was_paid_for(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    for key in ("7001", "7002", "7003"):
        merchant.keep(key)
    merchant.keep("7004", payment_state=PaymentState.PENDING, paid_at=None)
    ledger.paid("7001", "1.00")
    ledger.paid("7002", f"{DUE}", "USD")
    ledger.paid("7004", f"{DUE}")
    assert looked(world, merchant) == {
        "7001": Odd.AMOUNT,
        "7002": Odd.AMOUNT,
        "7003": Odd.UNKNOWN,
        "7004": Odd.UNPAID,
    }


def test_what_was_wholly_given_back_is_no_difference(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    merchant.keep("7001", payment_state=PaymentState.REFUNDED, refunds=(Refund("r1", DUE),))
    ledger.paid("7001", "0")
    assert looked(world, merchant) == {}


def test_a_list_without_amounts_is_held_by_state_alone(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    merchant.keep("7001")
    ledger.paid("7001")
    assert looked(world, merchant) == {}


def test_an_id_that_stands_for_the_sale_is_that_sale(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    merchant.keep("7001", claims=("charge-1",))
    ledger.paid("charge-1", f"{DUE}")
    assert looked(world, merchant) == {}


def test_nothing_before_the_connection_began(world: Any, merchant: Any) -> None:
    ledger = Ledger(world)
    looked(world, merchant)
    assert ledger.asked[0][0] == merchant.connection.since


def test_a_list_that_was_cut_short_ends_where_it_ended(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    merchant.keep("7001")  # paid after the end of what was listed: not unknown, just not looked at
    ledger.ends = Unfinished(START - timedelta(days=1))
    assert looked(world, merchant) == {}
    told = merchant.of(lambda tenant: tenant.books.get(merchant.connection.id))
    assert told.until == START - timedelta(days=1)


def test_the_daily_look_goes_back_to_the_last_one(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    reconcile.reconcile(world.ctx, merchant.id, merchant.connection.id)
    first = world.clock.now()
    world.clock.advance(9 * DAY)
    reconcile.reconcile(world.ctx, merchant.id, merchant.connection.id)
    assert ledger.asked[1][0] == first - reconcile.FRESH
    world.clock.advance(90 * DAY)
    reconcile.reconcile(world.ctx, merchant.id, merchant.connection.id)
    assert ledger.asked[2][0] == world.clock.now() - reconcile.LONGEST


def test_it_is_promised_once_a_day(world: Any, merchant: Any, ledger: Ledger) -> None:
    reconcile.reconcile_all(world.ctx)
    world.drain("ingest")
    reconcile.reconcile_all(world.ctx)
    world.drain("ingest")
    assert len(ledger.asked) == 1
    world.clock.advance(DAY)
    reconcile.reconcile_all(world.ctx)
    world.drain("ingest")
    assert len(ledger.asked) == 2


def test_a_shop_that_is_away_is_asked_later_and_one_that_refuses_is_told(
    world: Any, merchant: Any, ledger: Ledger
) -> None:
    ledger.fails = [PlatformUnreachable("down"), CredentialsRefused("the key was rolled")]
    with pytest.raises(RunLater):
        reconcile.reconcile(world.ctx, merchant.id, merchant.connection.id)
    reconcile.reconcile(world.ctx, merchant.id, merchant.connection.id)
    connection = merchant.of(lambda tenant: tenant.connections.get(merchant.connection.id))
    assert "rolled" in connection.problem


def test_a_platform_without_books_has_none(world: Any, merchant: Any) -> None:
    reconcile.reconcile(world.ctx, merchant.id, merchant.connection.id)
    with pytest.raises(reconcile.NoBooks):
        looked(world, merchant)


def test_another_merchants_sale_is_not_ours(world: Any, merchant: Any, ledger: Ledger) -> None:
    other = world.settle(1)
    other.keep("7001")
    ledger.paid("7001", f"{DUE}")
    assert looked(world, merchant) == {"7001": Odd.MISSING}
