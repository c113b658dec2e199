"""outbox: what an operator sees of promises, and how those given up come back."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def buried(home: Any) -> str:
    """A promise that was given up; its id."""
    merchant_id = home.merchant()
    with home.tenant(merchant_id) as tenant:
        tenant.promise("sweep", "gone", queue="ingest")
    with home.hub() as hub, hub.ctx.store.transaction() as tx:
        row = tx.outbox.claim(["ingest"], "w", 60)
        tx.outbox.bury(row, "KeyError at sweep.py:1")
        return str(row.id)


def test_a_promise_that_waits_is_listed_and_is_not_dead(home: Any) -> None:
    merchant_id = home.merchant()
    with home.tenant(merchant_id) as tenant:
        tenant.promise("sweep", "later", queue="ingest")
    (one,) = home.told("outbox", "list")["data"]
    assert (one["merchant"], one["job"], one["subject"]) == (merchant_id, "sweep", "later")
    assert home.told("outbox", "list", "--dead") == {"data": []}
    assert home.run("outbox", "list", "--dead").output == "nothing\n"


@pytest.mark.parametrize("by_id", [True, False])
def test_what_was_given_up_is_shown_and_revived(home: Any, buried: str, by_id: bool) -> None:
    assert home.told("outbox", "list")["data"] == []
    (one,) = home.told("outbox", "list", "--dead")["data"]
    assert (one["id"], one["error"], one["tries"]) == (buried, "KeyError at sweep.py:1", 1)
    doctor = home.run("doctor").output
    assert "1 promises were given up" in doctor
    assert "outbox revive --all" in doctor
    assert home.told("outbox", "revive", buried if by_id else "--all") == {"revived": 1}
    assert home.told("outbox", "list", "--dead")["data"] == []
    (one,) = home.told("outbox", "list")["data"]
    assert (one["id"], one["tries"], one["error"]) == (buried, 0, "")
    assert home.told("outbox", "revive", "--all") == {"revived": 0}


def test_what_was_not_given_up_is_not_revived(home: Any, buried: str) -> None:
    assert home.refused("outbox", "revive", "unknown")["code"] == "promise_not_found"
    home.told("outbox", "revive", buried)
    assert home.refused("outbox", "revive", buried)["code"] == "promise_not_found"
    assert home.run("outbox", "revive").exit_code == 2
    assert home.run("outbox", "revive", buried, "--all").exit_code == 2
