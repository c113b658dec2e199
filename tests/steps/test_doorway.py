"""A connection's keys are known for a moment, and no longer."""

from __future__ import annotations

from typing import Any

from hub.steps.doorway import LASTING_SECONDS, Doorways


def test_a_new_secret_holds_after_a_moment(world: Any, merchant: Any) -> None:
    doorways = Doorways(world.ctx)
    connection_id = merchant.connection.id
    old = dict(doorways.find(connection_id).current())
    credentials = merchant.of(lambda tenant: tenant.connections.credentials(connection_id))
    assert credentials.rotate(old, {"secret": "new"})
    assert dict(doorways.find(connection_id).current()) == old
    world.clock.advance(LASTING_SECONDS)
    assert dict(doorways.find(connection_id).current()) == {"secret": "new"}


def test_nobody_is_known_by_a_wrong_id(world: Any, merchant: Any) -> None:
    doorways = Doorways(world.ctx)
    assert doorways.find("0" * 32) is None
    door = doorways.find(merchant.connection.id)
    assert door.connection.merchant_id == merchant.id
    assert not door.rotate(door.current(), {"secret": "other"})


def test_its_keys_are_not_shown(world: Any, merchant: Any) -> None:
    door = Doorways(world.ctx).find(merchant.connection.id)
    assert all(secret not in repr(door) for secret in door.current().values())
