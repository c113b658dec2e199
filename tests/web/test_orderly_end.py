"""A process that is told to end does, in seconds and in one piece, whatever a shop is doing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
#: Waitress gives requests in hand 5 s, the store those at work in it 3; the rest is for a machine
#: that is busy. The shop would take forty.
SECONDS = 20.0


@dataclass
class Home:
    """An installation whose shop has sold twice: once known and of old, once unheard of."""

    site: Any
    store: Any
    env: dict[str, str]
    port: int
    page: str
    link: str

    def get(self, path: str) -> int:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=20).status_code

    def answers(self) -> bool:
        try:
            return self.get("/health") == 200
        except requests.RequestException:
            return False


@pytest.fixture
def home(make_site: Callable[..., Any], store: Any) -> Home:
    port = free_ports(3)  # `up` needs those beside it
    site = make_site(ALLOW_PRIVATE_HOSTS="1", PORT=str(port))
    merchant_id = site.merchant()
    code = site.told("connection", "pair", "--merchant", merchant_id)["code"]
    key, secret = store.key()
    body = {"code": code, "store_url": store.url, "key": key, "secret": secret}
    told = site.client.post("/connect/woocommerce/pair", json=body).json

    def link(order: dict[str, Any]) -> str:
        message = f"{order['id']}\n{order['order_key']}".encode()
        mac = hmac.new(told["link_secret"].encode(), message, hashlib.sha256).digest()
        proof = base64.urlsafe_b64encode(mac).decode().rstrip("=")
        return f"/s/woocommerce/{told['connection']}/{order['id']}?c={proof}"

    while site.work():  # the shop's keys are tried
        pass
    page = str(site.client.get(link(store.sell(7001))).headers["Location"])
    with site.hub.ctx.store.transaction() as tx:
        sales = tx.tenant(merchant_id).sales
        row = sales.by_key(told["connection"], "7001")
        sales.keep(
            connection_id=row.connection_id,
            platform=row.platform,
            sale=replace(row.sale, revision=row.sale.revision + 1, unverified=True),
            reasons=(),
            verified_at=None,
        )
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    env = {**kept, **site.environ, "PYTHONFAULTHANDLER": "1"}
    return Home(site, store, env, port, page, link(store.sell(7002)))


@pytest.fixture
def start(home: Home) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def run(*words: str) -> subprocess.Popen[bytes]:
        log = (home.site.var_dir / "process.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", *words],
            env=home.env,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        started.append(process)
        until = time.monotonic() + 60
        while not home.answers():
            assert process.poll() is None, said(home)
            assert time.monotonic() < until, said(home)
            time.sleep(0.1)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()  # a supervisor takes its children with it
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def said(home: Home) -> str:
    text: str = (home.site.var_dir / "process.log").read_text("utf-8", "replace")
    return text[-4000:]


def two_questions(home: Home) -> None:
    """One beside a buyer's page, one by the shop's own link; nobody waits for them any more."""
    asked = len(home.store.asked)
    with ThreadPoolExecutor(2) as visitors:
        statuses = list(visitors.map(home.get, [home.page, home.link]))
    assert statuses == [200, 503]
    assert len(home.store.asked) == asked + 2, home.store.asked


def test_the_web_process_waits_for_no_shop(home: Home, start: Any) -> None:
    web = start("web")
    home.store.slow = 40.0
    two_questions(home)
    began = time.monotonic()
    web.terminate()
    assert (web.wait(60), time.monotonic() - began < SECONDS) == (0, True), said(home)
    assert "Traceback" not in said(home)
    assert "Fatal" not in said(home)


@pytest.mark.parametrize("slow", [2.6, 2.8])
def test_answers_that_come_while_it_ends_do_no_harm(home: Home, start: Any, slow: float) -> None:
    """They find the store open or closed, never half of it."""
    web = start("web")
    home.store.slow = slow
    two_questions(home)
    web.terminate()
    assert web.wait(60) == 0, said(home)
    assert "Fatal" not in said(home)
    checks = json.loads(home.site.cli("doctor", "--json").stdout)["checks"]
    assert all(one["ok"] for one in checks if one["name"] == "invariants")


def test_a_buyer_who_waits_is_answered_first(home: Home, start: Any) -> None:
    web = start("web")
    home.store.slow = 40.0
    with ThreadPoolExecutor(1) as visitors:
        visit = visitors.submit(home.get, home.link)
        until = time.monotonic() + 30
        while "7002" not in "".join(home.store.asked) and time.monotonic() < until:
            time.sleep(0.02)
        began = time.monotonic()
        web.send_signal(signal.SIGINT)
        assert visit.result(20) == 503
    assert (web.wait(60), time.monotonic() - began < SECONDS) == (0, True), said(home)


def test_so_does_the_one_below_a_supervisor(home: Home, start: Any) -> None:
    up = start("up", "--workers", "1")
    home.store.slow = 40.0
    with ThreadPoolExecutor(2) as visitors:
        assert list(visitors.map(home.get, [home.page, home.link])) == [200, 503]
    assert {"7001", "7002"} <= {one.rpartition("/")[2] for one in home.store.asked}
    web = below(up.pid)
    began = time.monotonic()
    up.terminate()
    while web & set(running()) and time.monotonic() - began < 35:
        time.sleep(0.05)
    assert time.monotonic() - began < SECONDS, said(home)
    assert up.wait(60) == 0, said(home)
    assert "Fatal" not in said(home)


def running() -> dict[int, tuple[int, str]]:
    """Parent and command line of the processes of this machine that are no zombies."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return {int(row[0]): (int(row[1]), row[3]) for row in rows if row[2][0] != "Z"}


def below(parent: int) -> set[int]:
    found = {pid for pid, (of, line) in running().items() if of == parent and line.endswith(" web")}
    assert len(found) == 1
    return found
