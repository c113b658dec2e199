"""A sending whose worker died is looked at after its own lease, not after the outbox's claim."""

from __future__ import annotations

from typing import Any

import pytest

from hub.domain.states import State
from hub.steps import stamp, sweep


@pytest.fixture
def lost(world: Any, merchant: Any) -> str:
    """A sale whose worker died while the provider had the document."""
    sale_id = str(merchant.keep("lost"))
    merchant.request(sale_id)
    world.kill.arm(0, "after_send")
    started = world.clock.now()
    assert world.die(world.drain)
    world.clock.instant = started
    return sale_id


def test_it_is_promised_again_once_its_lease_is_over(world: Any, merchant: Any, lost: str) -> None:
    lease = stamp.lease(world.terms).total_seconds()
    world.clock.advance(lease - 0.5)
    sweep.nudge_lost(world.ctx)
    assert world.drain("stamp") == 0
    assert merchant.state(lost) is State.SENDING
    world.clock.advance(0.5)
    sweep.nudge_lost(world.ctx)
    sweep.nudge_lost(world.ctx)
    assert world.drain("stamp") == 1
    assert merchant.state(lost) is State.UNKNOWN
    world.quiet()
    assert merchant.state(lost) is State.STAMPED
    assert len(world.provider.stamps()) == 1


def test_what_is_in_any_other_state_is_left_alone(world: Any, merchant: Any, lost: str) -> None:
    world.clock.advance(3600)
    world.quiet()
    requested = merchant.keep("requested")
    merchant.request(requested)
    with world.store.transaction() as tx:
        tx.outbox.done(tx.outbox.claim(["stamp"], "gone", 60))
    world.clock.advance(3600)
    sweep.nudge_lost(world.ctx)
    assert world.drain("stamp") == 0
