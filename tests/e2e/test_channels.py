"""From a sale to the buyer's mailbox and telephone, on the real processes, which are killed."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from tests.e2e.conftest import PATIENCE
from tests.fakes.messages.server import Provider, running

pytestmark = pytest.mark.slow

RULES = """\
[ventana]
dias = 30
[canales]
invitacion = ["sms", "correo"]
modo = "todos"
"""


@pytest.fixture(scope="module")
def phones() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture(scope="module")
def home(install: Any) -> Any:
    return install(ALLOW_PRIVATE_HOSTS="1")


@pytest.fixture(scope="module")
def merchant(home: Any, phones: Provider) -> str:
    merchant = str(home.merchant(rules=RULES).merchant_id)
    words = ("channel", "set", "--merchant", merchant, "--kind", "sms", "--url-file", "-")
    home.cli(*words, stdin=phones.sms["url"])
    return merchant


def sell(home: Any, merchant: str, number: int) -> dict[str, Any]:
    paid_at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    sale = {
        "number": f"C-{number}",
        "paid_at": paid_at,
        "forma_pago": "03",
        "buyer": {"email": f"c{number}@example.com", "phone": f"55 1234 {number:04d}"},
        "lines": [{"description": "Taza", "quantity": 1, "total": "116.00", "rate": "0.16"}],
    }
    words = ("sale", "create", "--merchant", merchant, "--file", "-")
    return dict(home.cli(*words, stdin=json.dumps(sale)))


def test_one_click_ends_the_invitations_and_no_invoice(
    home: Any,
    merchant: str,
    phones: Provider,
    mail_server: Any,
    eventually: Any,
    buyer: dict[str, str],
    link_of: Any,
) -> None:
    made = sell(home, merchant, 1)
    (invitation,) = eventually(lambda: mail_server.letters("c1@example.com"))
    eventually(lambda: phones.got)
    assert phones.numbers() == ["525512340001"]
    assert made["link"] in phones.got[0].body["message"]

    leave = str(invitation["List-Unsubscribe"]).strip("<>")
    assert invitation["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert requests.get(leave, timeout=60).status_code == 200
    one_click = {"List-Unsubscribe": "One-Click"}
    for _ in range(2):
        assert requests.post(leave, data=one_click, timeout=60).status_code == 200
    assert requests.post(leave[:-2], data=one_click, timeout=60).status_code == 404

    link = link_of(made)
    assert link.send(buyer | {"correo": "c1@example.com"}).status_code == 303
    assert link.settled()["estado"] == "lista"
    invoice = eventually(lambda: mail_server.letters("c1@example.com")[1:])[0]
    assert invoice["List-Unsubscribe"] is None
    assert len(list(invoice.iter_attachments())) == 2
    show_its_images(invitation)

    returned = home.cli("mail", "bounce", "--file", "-", stdin=report(invoice))
    assert returned == {"kind": "invoice"}
    assert "No pudimos entregar" in requests.get(link.url, timeout=60).text
    waiting = home.cli("review", "list", "--merchant", merchant)["data"]
    assert len(waiting) == 1
    assert "c•••@example.com" in json.dumps(waiting, ensure_ascii=False)
    assert "c1@example.com" not in home.log()


def show_its_images(letter: EmailMessage) -> None:
    html = letter.get_body(("html",))
    assert html is not None
    shown = {part["Content-ID"] for part in letter.walk() if part["Content-ID"]}
    assert shown == {"<qr@factura>"}
    assert 'src="cid:qr@factura"' in html.get_content()


def report(letter: EmailMessage) -> str:
    return (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
        "Final-Recipient: rfc822; c1@example.com\nAction: failed\nStatus: 5.1.1\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {letter['Message-ID']}\n--b--\n"
    )


def forget_the_dead(home: Any) -> None:
    """What killed workers hold is free at once, not after the four minutes of an invitation."""
    with closing(sqlite3.connect(home.var_dir / "hub.sqlite3", timeout=60)) as db, db:
        db.execute("UPDATE outbox SET claimed_until = 1 WHERE state = 'claimed'")
        db.execute("UPDATE lease SET expires_at = 1")


def test_workers_killed_while_messages_are_on_their_way(
    home: Any, merchant: str, phones: Provider, mail_server: Any, eventually: Any
) -> None:
    """Whatever the provider has, no number rings twice; every letter comes, some perhaps twice."""
    phones.got.clear()
    on_its_way, over = threading.Event(), threading.Event()

    def hold() -> None:
        on_its_way.set()
        over.wait(PATIENCE)

    phones.on_message = hold
    numbers = range(10, 14)
    for number in numbers:
        on_its_way.clear()
        over.clear()
        sell(home, merchant, number)
        assert on_its_way.wait(PATIENCE)
        home.kill("hub.cli worker")
        forget_the_dead(home)
        over.set()
    phones.on_message = lambda: None

    def all_mailed() -> bool:
        return all(mail_server.letters(f"c{number}@example.com") for number in numbers)

    eventually(all_mailed, 1.0)
    rung = Counter(phones.numbers())
    assert rung == Counter(f"52551234{number:04d}" for number in numbers)
    letters = [mail_server.letters(f"c{number}@example.com") for number in numbers]
    assert all(len(some) <= 2 for some in letters)
    assert all(len({one["Message-ID"] for one in some}) == 1 for some in letters)
    home.healthy()
