"""outbox: what an operator sees of promises, and how those given up come back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from hub.clock import SystemClock
from hub.steps.later import MAIL_PAUSE, paused
from hub.store import schema
from hub.work.drain import drain
from hub.work.jobs import Job


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


@pytest.fixture
def untaken(home: Any) -> str:
    """A letter that the mail server does not take, promised just now; its merchant's id."""
    merchant_id: str = home.merchant()
    with home.tenant(merchant_id) as tenant:
        tenant.promise("invite", "sale", queue="mail")

    def refuse(_merchant_id: str, _subject: str) -> None:
        raise paused(SystemClock().now(), MAIL_PAUSE, "letter", "answered 554")

    with home.hub() as hub:
        jobs = {"invite": Job("invite", "mail", refuse, 60)}
        drain(hub.ctx.store, jobs, ["mail"], "w", hub.ctx.clock)
    return merchant_id


def test_a_list_says_when_a_promise_is_due_and_what_it_waits_for(home: Any, untaken: str) -> None:
    (one,) = home.told("outbox", "list")["data"]
    assert (one["error"], one["tries"]) == ("answered 554", 0)
    line = home.run("outbox", "list").output
    assert "answered 554" in line
    assert one["due_at"][:16].replace("T", " ") in line


def test_doctor_sees_letters_that_nobody_takes(home: Any, untaken: str) -> None:
    def letters() -> Any:
        checks = json.loads(home.run("doctor", "--json").stdout)["checks"]
        (one,) = [check for check in checks if check["name"] == "letters"]
        return one

    assert letters()["ok"] is True
    with home.hub() as hub, hub.ctx.store.transaction() as tx:
        earlier = hub.ctx.clock.now() - timedelta(minutes=61)
        tx.session.run(schema.Outbox.update(created_at=earlier))
    assert letters()["ok"] is False
    assert "1 are not taken" in letters()["detail"]
    assert "answered 554" in letters()["detail"]
    with home.hub() as hub, hub.ctx.store.transaction() as tx:
        tomorrow = hub.ctx.clock.now() + timedelta(days=1)
        tx.session.run(schema.Outbox.update(due_at=tomorrow))
    assert letters()["ok"] is True, "a reminder whose day was moved waits for nobody"
