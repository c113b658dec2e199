"""Personal data and secrets never reach a log, an error page or a number, whatever goes wrong."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import structlog

from hub import log
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
CANARIES = (
    "XAMA620210DQ5",
    "XKARAJAM",
    "canario@example.com",
    "whsec_canary",
    "cs_canary",
    "smtp-canary",
    "pac-canary",
)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Real processes whose output goes to one file."""
    started: list[subprocess.Popen[bytes]] = []
    with (tmp_path / "output").open("wb") as output:

        def start(verb: str, environ: dict[str, str]) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "hub.cli", verb]
            env = {"PATH": os.environ["PATH"], **environ}
            process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=output, stderr=output)
            started.append(process)
            return process

        yield start
        for one in started:
            one.kill()
            one.wait()


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(requests.RequestException):
            if condition():
                return
        time.sleep(0.05)
    pytest.fail("it never came to be")


def spoil(database: Path, sale_id: str) -> None:
    """Change a sealed value: whoever opens it must fail."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE sale SET snapshot_sealed = x'00' WHERE id = ?", (sale_id,))


def test_real_processes_tell_nothing(
    make_site: Callable[..., Any],
    processes: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
    sign: Callable[..., dict[str, str]],
    order: bytes,
) -> None:
    port = str(free_ports())
    site = make_site(
        PORT=port,
        SMTP_URL="smtp://canary:smtp-canary@127.0.0.1:1?starttls=no",
        LOG_LEVEL="debug",
    )
    merchant_id = site.merchant()
    account = ("--provider", "sandbox", "--env", "test", "--url", "http://127.0.0.1:1")
    login = ("--user", "u", "--password", "pac-canary")
    site.told("pac", "set", "--merchant", merchant_id, *account, *login)
    buyer = {"email": "canario@example.com", "rfc": "XAMA620210DQ5"}
    sale = site.sell(merchant_id, "P-1", buyer=buyer)
    spoilt = site.sell(merchant_id, "P-2", buyer=buyer)
    connection = site.connection(merchant_id, secret="whsec_canary")
    spoil(site.var_dir / "hub.sqlite3", spoilt["id"])
    for verb in ("web", "worker"):
        processes(verb, site.environ)
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: requests.get(f"{url}/health", timeout=10).ok)

    pages = []
    for link, status in ((sale["link"], 200), (spoilt["link"], 500)):
        path = "/f/" + link.rpartition("/")[2]
        suffixes = ("", "/estado", "/cfdi.pdf")
        pages += [requests.get(url + path + suffix, timeout=60) for suffix in suffixes]
        assert pages[-3].status_code == status
    page = pages[0].text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    form = {"rfc": "XAMA620210DQ5", "nombre": "ALBA XKARAJAM MENDEZ", "cp": "01219",
            "regimen": "612", "uso": "G03", "correo": "canario@example.com",
            "csrf_token": token[1] if token else ""}  # fmt: skip
    path = "/f/" + sale["link"].rpartition("/")[2]
    assert (
        requests.post(url + path, data=form, timeout=60, allow_redirects=False).status_code == 303
    )
    door = f"{url}/webhooks/woocommerce/{connection}"
    signatures = (sign(order, "whsec_canary"), sign(order, "whsec_canary2"))
    pages += [requests.post(door, data=order, headers=one, timeout=60) for one in signatures]
    output = tmp_path / "output"
    wait_for(lambda: b"job_failed" in output.read_bytes() or b"job_later" in output.read_bytes())
    pages.append(requests.get(f"{url}/metrics", timeout=60))
    pages.append(requests.get(f"{url}/ready", timeout=60))

    said = output.read_text(encoding="utf-8")
    assert "DecryptionFailed" in said
    tokens = [one["link"].rpartition("/")[2] for one in (sale, spoilt)]
    for canary in (*CANARIES, *tokens, *secrets_of(site)):
        assert canary not in said, canary
    for answer in pages[3:]:
        # Who fails on a page is led back to it, by the address that was asked for.
        own = "/".join(urlsplit(answer.url).path.split("/")[:3])
        text = answer.text.replace(f'href="{own}"', "")
        for canary in (*CANARIES, *tokens):
            assert canary not in text or answer.status_code == 200, canary


def secrets_of(site: Any) -> list[str]:
    stored = json.loads((site.var_dir / "keys.json").read_text())
    return [stored["SECRET_KEY"], stored["AUTOFACTURA_KEYS"].partition(":")[2]]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What is logged, as `web` sets it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure("debug")
    yield lambda: capsys.readouterr().err
    root.handlers[:], root.level = handlers, level


def line(told: str) -> str:
    """The event that was logged by a test, whatever threads of earlier ones say meanwhile."""
    events = [str(json.loads(one)["event"]) for one in told.splitlines()]
    return next(one for one in events if one.startswith("said "))


@pytest.mark.parametrize(
    "secret",
    [
        "EKU9003173C9",
        "XAMA620210DQ5",
        "H&E951128469",
        "OÑO120726RX3",
        "ñoñ120726rx3",
        "rfc_EKU9003173C9_x",
        "maría.o'neil+x@correo.example.mx",
        "canario%40example.com",
        "Zt0Xq1w2E3r4T5y6U7i8O9p0a1S2d3F4g5H6j7K8l9_",
        "/f/short-token.x",
        "cs_0123456789abcdef",
        "smtp://me:p%40ss@host",
        "redis://:pässword@host",
        "https://token@host",
        "Bearer abc.def-ghi",
        "Basic dTpw",
    ],
)
def test_what_slips_into_a_message_is_taken_out(told: Callable[[], str], secret: str) -> None:
    logging.getLogger("a.library").warning("said %s, and", secret)
    logging.getLogger("a.library").error("x", extra={"data": secret})
    said = line(told())
    for piece in re.findall(r"[\wñÑ&']{5,}", secret):
        if piece not in {"Bearer", "Basic", "https", "redis", "token"}:
            assert piece not in said


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("/s/shopify/tienda.myshopify.com/5500000000002?c=XPAV284CT", "XPAV284CT"),
        ("/s/shopify/tienda.myshopify.com/5500000000002?c=XPAV284CT", "5500000000002"),
        ("/s/shopify/tienda.myshopify.com%3A443/5500000000002?n=2&c=XPAV284CT", "XPAV284CT"),
        ("/s/shopify/01a1fbdb7ceb7e8bb450f98e5cc15174/55?c=XPAV284CT HTTP/1.1", "XPAV284CT"),
        ("shpss_0123456789abcdef0123456789abcdef", "0123456789abcdef"),
        ("shpca_0123456789abcdef0123456789abcdef", "0123456789abcdef"),
        ("whsec_abc+def/ghiJKL=", "ghiJKL"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJkZXN0IjoiaHR0cHM6Ly90In0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    ],
)
def test_what_shops_are_opened_with_is_taken_out(
    told: Callable[[], str], text: str, secret: str
) -> None:
    logging.getLogger("a.library").warning("said %s and more", text)
    said = line(told())
    assert secret not in said
    assert said.endswith("and more")


def test_ids_hashes_and_plain_words_stay(told: Callable[[], str]) -> None:
    plain = "01a1fbdb7ceb7e8bb450f98e5cc15174 drain-stamp hub.sqlite3 5FB2822E-396D-4725-8521"
    logging.getLogger("a.library").warning(plain)
    assert plain in told()


def test_an_exception_is_told_by_kind_and_place_alone(told: Callable[[], str]) -> None:
    try:
        int("JUAN PEREZ of 5 de Mayo 12")
    except ValueError as error:
        logging.getLogger("a.library").exception("failed")
        structlog.get_logger("ours").error("failed too", exc_info=error)
        structlog.get_logger("ours").exception("failed as well")
    said = told()
    lines = [json.loads(one) for one in said.splitlines()]
    mine = [one for one in lines if one["event"].startswith("failed")]
    assert [one["error"] for one in mine] == ["ValueError"] * 3
    assert all(one["at"][0].startswith("test_no_secret") for one in mine)
    assert "PEREZ" not in said


def test_a_web_process_ends_at_sigterm(
    make_site: Callable[..., Any], processes: Callable[..., subprocess.Popen[bytes]]
) -> None:
    port = str(free_ports())
    process = processes("web", make_site(PORT=port).environ)
    wait_for(lambda: requests.get(f"http://127.0.0.1:{port}/health", timeout=10).ok)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 0
