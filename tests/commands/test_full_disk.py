"""A disk that is full: what is said of it, and that nothing is left behind."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub import log
from hub.commands import examination
from hub.store.errors import StoreUnavailable

#: The index of a log (-shm) has this size at least: files may be as large and no larger.
FULL = 32_768


@contextmanager
def full() -> Iterator[None]:
    """No file of this process grows beyond `FULL`; Python ignores the signal that tells of it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def examined(home: Any) -> dict[str, Any]:
    checks = json.loads(home.run("doctor", "--json").stdout)["checks"]
    (one,) = [check for check in checks if check["name"] == "writing"]
    return dict(one)


def test_doctor_sees_that_nothing_can_be_written(home: Any, monkeypatch: Any) -> None:
    merchant_id = home.merchant()
    with home.hub() as hub:  # who holds the database open keeps its log from being emptied
        with hub.ctx.store.transaction() as tx:
            for number in range(100):
                tx.tenant(merchant_id).promise("sweep", f"{number:0500}", queue="ingest")
        assert examined(home)["ok"] is True
        assert (home.var_dir / "hub.sqlite3-wal").stat().st_size > FULL
        with full():
            told = examined(home)
    assert told["ok"] is False
    assert "takes nothing: disk I/O error" in told["detail"]
    monkeypatch.setattr(examination, "LEAST_FREE_MB", 10**9)
    assert examined(home)["ok"] is False


def test_a_copy_that_has_no_room_leaves_nothing(home: Any, tmp_path: Path) -> None:
    home.merchant()
    target = tmp_path / "copy.sqlite3"
    with full():
        error = home.refused("backup", "--to", str(target))
    assert error["code"] == "store_unavailable"
    assert not target.exists()
    assert home.told("backup", "--to", str(target))["bytes"] > FULL


def test_what_filled_up_is_told_by_its_name(home: Any) -> None:
    """SQLite ends the transaction by itself; that is no reason to speak of anything else."""
    merchant_id = home.merchant()
    with home.hub() as hub:
        with hub.ctx.store.transaction() as tx:
            tx.session.engine.db.execute_sql("PRAGMA max_page_count = 1")  # as many as there are

        def fill() -> None:
            with hub.ctx.store.transaction() as tx:
                for number in range(2_000):
                    tx.tenant(merchant_id).promise("sweep", f"{number:0500}", queue="ingest")

        with pytest.raises(StoreUnavailable) as caught:
            fill()
        told = log._placing(None, "", {"exc_info": caught.value})
        assert (told["error"], told["reason"]) == ("StoreUnavailable", "database or disk is full")
        with hub.ctx.store.transaction() as tx:
            tx.session.engine.db.execute_sql("PRAGMA max_page_count = 1000000")
        fill()
