"""Reports of mail servers: written down once, and shown to whom they concern; hostile ones."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from hub.domain.purchase import Estado
from hub.steps import deliver, returned, review
from hub.steps.context import PostRefused
from hub.steps.mailing import LETTER_BOUNCED
from hub.steps.returned import LIMIT, NotAReport, read_report

GONE = "Final-Recipient: rfc822; xochilt@example.com\nAction: failed\nStatus: 5.1.1\n"


def report(
    message_id: str,
    recipients: tuple[str, ...] = (GONE,),
    returns: str = "text/rfc822-headers",
) -> bytes:
    """As Postfix writes it: words, fields, the headers or the letter itself."""
    headers = f"From: facturas@hub.example\nMessage-ID: {message_id}\nSubject: Tu factura\n"
    fields = "\n".join(["Reporting-MTA: dns; relay.example\n", *recipients])
    letter = f"{headers}\nhola\n" if returns == "message/rfc822" else headers
    return (
        "From: MAILER-DAEMON@relay.example\nTo: facturas@hub.example\n"
        "Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is the mail system.\n"
        f"--b\nContent-Type: message/delivery-status\n\n{fields}\n"
        f"--b\nContent-Type: {returns}\n\n{letter}\n--b--\n"
    ).encode()


@pytest.fixture
def invoiced(world: Any, merchant: Any) -> Callable[[], str]:
    def make() -> str:
        sale_id = str(merchant.keep())
        merchant.request(sale_id)
        world.quiet()
        return sale_id

    return make


def message_id(world: Any, number: int = -1) -> str:
    return str(world.post.letters[number].message_id)


@pytest.mark.parametrize("returns", ["text/rfc822-headers", "message/rfc822"])
def test_the_buyer_sees_it_and_the_merchant_too(
    world: Any, merchant: Any, invoiced: Any, returns: str
) -> None:
    sale_id = invoiced()
    assert merchant.page(sale_id).undelivered == ""
    content = report(message_id(world), returns=returns)
    for _ in range(3):
        assert returned.returned(world.ctx, content) == "invoice"
    page = merchant.page(sale_id)
    assert page.undelivered == "x•••@example.com"
    (waiting,) = review.waiting(world.ctx, merchant.id)
    assert "x•••@example.com" in waiting.note
    assert "5.1.1" in waiting.note
    (bounce,) = merchant.of(lambda tenant: tenant.bounces.of_sale(sale_id))
    assert bounce.reason == "returned with 5.1.1"
    assert page.askable is False or page.asked_at is None


def test_who_came_by_the_ticket_alone_is_told_nothing(
    world: Any, merchant: Any, invoiced: Any
) -> None:
    from hub.steps import look  # noqa: PLC0415 - of this test only

    sale_id = invoiced()
    returned.returned(world.ctx, report(message_id(world)))
    link = merchant.of(lambda tenant: tenant.links.current(sale_id))
    shown = look.purchase(world.ctx, link.token)
    assert shown is not None
    assert shown.undelivered
    passed = world.ctx.passes.make(merchant.id, [(sale_id, link.generation)], world.clock.now())
    unproven = look.purchase(world.ctx, passed)
    assert unproven is not None
    assert unproven.undelivered == ""


def test_another_address_settles_it(world: Any, merchant: Any, invoiced: Any) -> None:
    sale_id = invoiced()
    returned.returned(world.ctx, report(message_id(world)))
    token = merchant.token(sale_id)
    assert deliver.send_again(world.ctx, token, "otra@example.com", "es") is None
    world.quiet()
    assert merchant.page(sale_id).undelivered == ""
    assert not review.waiting(world.ctx, merchant.id)
    world.clock.advance(60)
    assert returned.returned(world.ctx, report(message_id(world))) == "copy"
    assert merchant.page(sale_id).undelivered == "o•••@example.com"
    assert len(review.waiting(world.ctx, merchant.id)) == 1


def test_a_refusal_at_the_door_is_the_same(world: Any, merchant: Any) -> None:
    world.post.before = [PostRefused("the mail server refused the recipient with 550")]
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.quiet()
    assert not world.post.letters
    page = merchant.page(sale_id)
    assert (page.estado, page.undelivered) == (Estado.LISTA, "x•••@example.com")
    (waiting,) = review.waiting(world.ctx, merchant.id)
    assert "550" in waiting.note
    asks = merchant.of(lambda tenant: tenant.asks.list())
    assert [ask.kind for ask in asks] == [LETTER_BOUNCED]


def test_an_invitation_that_came_back_is_kept_without_a_notice(world: Any, merchant: Any) -> None:
    rules = '[forma_pago]\ndefault = "03"\n[invitaciones]\nrecordatorio_dias = 3\n'
    merchant.change(lambda tenant: tenant.rules.set(rules))
    sale_id = merchant.keep(invite=True)
    assert returned.returned(world.ctx, report(message_id(world))) == "invitation"
    (bounce,) = merchant.of(lambda tenant: tenant.bounces.of_sale(sale_id))
    assert bounce.address == "buyer-7001@example.com"
    assert not review.waiting(world.ctx, merchant.id)
    world.quiet()
    assert len(world.post.letters) == 1  # nor is it reminded


def test_what_was_erased_stays_erased(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep(invite=True)
    returned.returned(world.ctx, report(message_id(world)))
    merchant.change(lambda tenant: tenant.erasures.erase(merchant.connection.id, "7001", sale_id))
    (bounce,) = merchant.of(lambda tenant: tenant.bounces.of_sale(sale_id))
    assert bounce.address == ""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        b"Subject: hola\n\nno report\n",
        report("<x@hub.example>"),
        report("<" + "g" * 40 + "@hub.example>"),
        report("<" + "a" * 40 + "@hub.example>", recipients=()),
        report("<" + "a" * 40 + "@h>", (GONE.replace("failed", "delayed"),)),
        report("<" + "a" * 40 + "@h>", (GONE.replace("failed", "delivered"),)),
        report("<" + "a" * 40 + "@h>", (GONE.replace("Action", "X-Action"),)),
        report("<" + "a" * 40 + "@h>", returns="text/plain"),
        b"x" * (LIMIT + 1),
        b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n\nx\n" * 5000,
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 3000,
        b"Content-Type: message/rfc822\n\n" * 3000,
        b'Content-Type: message/delivery-status; charset="x"\n\n\xff\xfe\n\nAction: failed\n',
    ],
    ids=range(15),
)
def test_what_is_no_report_changes_nothing(content: bytes) -> None:
    began = time.thread_time()  # of the processor, which a busy machine lends to others
    with pytest.raises(NotAReport):
        read_report(content)
    assert time.thread_time() - began < 5


def test_a_report_about_no_letter_of_ours_changes_nothing(world: Any, merchant: Any) -> None:
    assert returned.returned(world.ctx, report("<" + "a" * 40 + "@hub.example>")) is None


def test_a_header_in_the_words_of_a_server_is_not_the_letters() -> None:
    """Only what it returns counts: its own words may hold anything."""
    content = report("<nothing>").replace(
        b"This is the mail system.", b"Message-ID: <" + b"a" * 40 + b"@hub.example>"
    )
    with pytest.raises(NotAReport):
        read_report(content)


def test_bytes_at_random_are_refused_in_order() -> None:
    chance = random.Random(7)
    good = report("<" + "a" * 40 + "@hub.example>")
    assert read_report(good).status == "5.1.1"
    for _ in range(300):
        broken = bytearray(good)
        for _ in range(chance.randrange(1, 30)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        with contextlib.suppress(NotAReport):
            read_report(bytes(broken))


@pytest.mark.parametrize("name", ["exim", "exchange", "gmail"])
def test_reports_as_other_servers_write_them(name: str) -> None:
    ours = "<" + "a" * 40 + "@hub.example>"
    words = {
        "exim": "Action: failed\nFinal-Recipient: rfc822;ana@example.com\nStatus: 5.0.0\n"
        "Remote-MTA: dns; mx.example.com\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n",
        "exchange": "Original-Recipient: rfc822;ana@example.com\n"
        "Final-Recipient: rfc822;ana@example.com\nAction: failed\nStatus: 5.1.10\n",
        "gmail": "Final-Recipient: rfc822; ana@example.com\nAction: failed\nStatus: 5.1.1\n"
        "Last-Attempt-Date: Fri, 20 Nov 2026 10:00:00 -0800 (PST)\n",
    }
    found = read_report(report(ours, (words[name],), "message/rfc822"))
    assert found.message_id == ours
    assert found.status.startswith("5.")


def test_a_letter_of_ours_is_found_by_the_id_it_really_has(
    world: Any, merchant: Any, invoiced: Any, tmp_path: Path
) -> None:
    """What the envelope writes is what the report returns."""
    from hub.work.envelope import Sender, envelope  # noqa: PLC0415 - of this test only

    invoiced()
    sent = envelope(world.post.letters[-1], Sender.read("f@hub.example"), world.clock.now())
    outer = EmailMessage()
    outer.set_content("sorry")
    outer.add_attachment(GONE, subtype="plain")
    content = report("x", returns="message/rfc822").replace(
        b"From: facturas@hub.example\nMessage-ID: x\nSubject: Tu factura\n\nhola\n", sent.content
    )
    assert returned.returned(world.ctx, content) == "invoice"


def test_an_invoice_in_doubt_is_mailed_when_it_is_done(world: Any, merchant: Any) -> None:
    """Nobody has to keep the page open."""
    world.provider.fault("drop_after")
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.drain()
    assert merchant.estado(sale_id) in {Estado.POR_CONFIRMAR, Estado.PROCESANDO}
    assert not world.post.letters
    world.quiet()
    assert merchant.estado(sale_id) is Estado.LISTA
    (letter,) = world.post.to("xochilt@example.com")
    assert len(letter.attachments) == 2
