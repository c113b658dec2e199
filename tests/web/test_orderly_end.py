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
#: A shop that says nothing for so long, and processes that wait for it as long.
SILENT = 3600.0
#: Whoever does not end within so many seconds waits for the shop.
ENDING = 120.0
#: Run by every process of Python that finds it. That nobody has patience with a shop any more is
#: not to be why a process ends, nor a busy machine why a buyer gets no answer.
PATIENT = f"""
from waitress.task import ThreadedTaskDispatcher
from connectors import net
net.READ_SECONDS = net.TOTAL_SECONDS = {SILENT}
from connectors.woocommerce import client
client.ORDER_SECONDS = {SILENT}
ThreadedTaskDispatcher.shutdown.__defaults__ = (True, {ENDING})
"""


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
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=ENDING).status_code

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
    (site.var_dir / "sitecustomize.py").write_text(PATIENT)
    more = {"PYTHONFAULTHANDLER": "1", "PYTHONPATH": f"{site.var_dir}:{ROOT}"}
    env = {**kept, **site.environ, **more}
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
        comes_to_be(lambda: process.poll() is not None or home.answers(), home)
        assert process.poll() is None, said(home)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()  # a supervisor takes its children with it
            try:
                process.wait(ENDING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def said(home: Home) -> str:
    text: str = (home.site.var_dir / "process.log").read_text("utf-8", "replace")
    return text[-4000:]


def comes_to_be(what: Callable[[], object], home: Home) -> None:
    until = time.monotonic() + ENDING
    while not what():
        assert time.monotonic() < until, said(home)
        time.sleep(0.05)


def two_questions(home: Home) -> None:
    """One beside a buyer's page, one by the shop's own link; nobody waits for them any more."""
    home.store.slow = SILENT
    asked = len(home.store.asked)
    with ThreadPoolExecutor(2) as visitors:
        statuses = list(visitors.map(home.get, [home.page, home.link]))
    assert statuses == [200, 503]
    orders = lambda: {one.rpartition("/")[2] for one in home.store.asked[asked:]}  # noqa: E731 - short
    comes_to_be(lambda: {"7001", "7002"} <= orders(), home)


def test_the_web_process_waits_for_no_shop(home: Home, start: Any) -> None:
    web = start("web")
    two_questions(home)
    web.terminate()
    assert web.wait(ENDING) == 0, said(home)
    assert "Traceback" not in said(home)
    assert "Fatal" not in said(home)


@pytest.mark.parametrize("later", [0.0, 0.1, 0.2])
def test_answers_that_come_while_it_ends_do_no_harm(home: Home, start: Any, later: float) -> None:
    """They find the store open or closed, never half of it."""
    web = start("web")
    two_questions(home)
    web.terminate()
    time.sleep(later)
    home.store.slow = 0.0
    assert web.wait(ENDING) == 0, said(home)
    assert "Fatal" not in said(home)
    checks = json.loads(home.site.cli("doctor", "--json").stdout)["checks"]
    assert all(one["ok"] for one in checks if one["name"] == "invariants")


def test_a_buyer_who_waits_is_answered_first(home: Home, start: Any) -> None:
    web = start("web")
    home.store.slow = SILENT
    with ThreadPoolExecutor(1) as visitors:
        visit = visitors.submit(home.get, home.link)
        comes_to_be(lambda: "7002" in "".join(home.store.asked), home)
        web.send_signal(signal.SIGINT)
        assert visit.result(ENDING) == 503
    assert web.wait(ENDING) == 0, said(home)


def test_so_does_the_one_below_a_supervisor(home: Home, start: Any) -> None:
    up = start("up", "--workers", "1")
    two_questions(home)
    web = below(up.pid)
    up.terminate()
    comes_to_be(lambda: not web & set(running()), home)
    assert up.wait(ENDING) == 0, said(home)
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
