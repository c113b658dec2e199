"""A mail server or a shop that is away for long costs nothing but time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import CredentialsRefused, PlatformUnreachable, Unfinished
from hub.steps import sweep
from hub.steps.context import PostUnavailable
from hub.steps.mailing import GIVEN_UP_AFTER
from hub.steps.shops import problem_of
from hub.work.jobs import TRIES

DAY = timedelta(days=1).total_seconds()


class Away:
    """An outage: whatever is asked, until it ends."""

    def __init__(self, error: Exception) -> None:
        self.error, self.asked = error, 0

    def pop(self, _index: int) -> Exception:
        self.asked += 1
        return self.error


def dead(world: Any) -> list[Any]:
    with world.store.reading() as tx:
        found: list[Any] = tx.outbox.dead(100)
    return found


def pass_time(world: Any, seconds: float, step: float = 1800) -> None:
    until = world.clock.now() + timedelta(seconds=seconds)
    while world.clock.now() < until:
        world.drain()
        world.clock.advance(step)


class TestMailServer:
    def test_it_comes_back_after_half_a_day(self, world: Any, merchant: Any) -> None:
        world.post.before = Away(PostUnavailable("away"))
        merchant.keep(invite=True)
        pass_time(world, DAY / 2)
        assert world.post.before.asked > TRIES
        assert dead(world) == []
        world.post.before = []
        world.quiet()
        assert len(world.post.letters) == 1

    def test_what_it_will_not_take_for_days_is_given_up(self, world: Any, merchant: Any) -> None:
        world.post.before = Away(PostUnavailable("full"))
        sale_id = merchant.keep(invite=True)
        pass_time(world, GIVEN_UP_AFTER.total_seconds() + DAY, step=DAY / 2)
        asked = world.post.before.asked
        world.quiet()
        assert world.post.before.asked == asked
        assert dead(world) == []
        assert merchant.of(lambda tenant: tenant.sales.get(sale_id)).invited_at is not None


class TestShop:
    @pytest.mark.parametrize(
        "away", [PlatformUnreachable("away"), CredentialsRefused("keys")], ids=["away", "keys"]
    )
    def test_what_a_sweep_found_is_asked_for_until_it_is_there(
        self, world: Any, merchant: Any, make_sale: Any, away: Exception
    ) -> None:
        """`swept_until` has moved on: no later sweep tells of it."""
        world.shop.put(make_sale("missed"))
        world.shop.changed = ["missed"]
        sweep.sweep_all(world.ctx)
        world.drain("ingest", rows=1)
        world.shop.changed, world.shop.away = [], away
        pass_time(world, DAY, step=2400)
        assert dead(world) == []
        world.shop.away = None
        world.quiet()
        assert merchant.sale_id("missed")

    def test_a_list_longer_than_its_time_is_gone_on_with(
        self, world: Any, merchant: Any, make_sale: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was told is promised, and the next sweep begins where this one came to."""
        came_to = world.clock.now() + timedelta(hours=2)
        world.shop.put(make_sale("first"))

        def changed_since(instant: Any, *_: object) -> Any:
            world.shop.asked_since.append(instant)
            yield from ["first"] if len(world.shop.asked_since) == 1 else []
            raise Unfinished(came_to)

        world.clock.advance(DAY)
        monkeypatch.setattr(world.shop, "changed_since", changed_since)
        sweep.sweep_all(world.ctx)
        world.quiet()
        assert merchant.sale_id("first")
        assert problem_of(world.ctx, merchant.connection) == ""
        sweep.sweep_all(world.ctx)
        world.drain("ingest", rows=1)
        assert world.shop.asked_since[1] == came_to - sweep.OVERLAP
        # It came no further: that is an outage, and is said.
        with world.store.reading() as tx:
            connection = tx.tenant(merchant.id).connections.list()[0]
        assert connection.swept_until == came_to
        assert "longer than there is time for" in problem_of(world.ctx, connection)

    def test_a_delivery_that_needs_the_shop_waits_for_it(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        world.shop.away = PlatformUnreachable("away")
        merchant.deliver(b"")
        pass_time(world, DAY / 2)
        assert dead(world) == []
        world.shop.away = None
        world.shop.put(make_sale())
        world.quiet()
        assert merchant.sale_id()

    def test_what_waits_for_a_connector_to_be_installed(
        self, world: Any, merchant: Any, make_sale: Any
    ) -> None:
        ctx = world.ctx
        world.shop.put(make_sale())
        merchant.deliver(b"")
        sweep.sweep_all(ctx)
        world.ctx = replace(ctx, connectors={})
        assert "no connector for 'shop'" in problem_of(world.ctx, merchant.connection)
        pass_time(world, DAY)
        assert dead(world) == []
        world.ctx = ctx
        assert problem_of(world.ctx, merchant.connection) == ""
        world.quiet()
        assert merchant.sale_id()
        assert world.shop.asked_since == [merchant.connection.since]

    def test_it_is_told_at_the_connection_until_it_answers(self, world: Any, merchant: Any) -> None:
        def problem() -> str:
            of = merchant.of(lambda tenant: tenant.connections.get(merchant.connection.id))
            return str(of.problem)

        sweep.sweep_all(world.ctx)
        world.drain()
        last = world.clock.now()
        world.shop.away = PlatformUnreachable("the store answers 503")
        for _ in range(3):
            world.clock.advance(600)
            sweep.sweep_all(world.ctx)
            world.drain()
            assert problem() == f"no answer since {last:%Y-%m-%d %H:%M} UTC: the store answers 503"
        assert dead(world) == []
        world.shop.away = None
        world.quiet()
        assert problem() == ""
