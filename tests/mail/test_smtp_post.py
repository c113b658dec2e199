from __future__ import annotations

import socket
import traceback
from collections.abc import Callable

import pytest

from hub.steps.context import Attachment, Letter, PostRefused, PostUnavailable, PostUncertain
from hub.work.post import SmtpPost

Letters = Callable[..., Letter]
Posts = Callable[..., SmtpPost]
LOGIN = "buzon%40example.com:s3cr3to%3A%20%2F%40%3F%23@"


def everything_said(error: BaseException) -> str:
    """What a log with traceback would show of it."""
    shown = "".join(traceback.format_exception(error))
    return f"{shown} {error!r} {error.__cause__!r} {error.__context__!r}"


def test_a_letter_arrives_whole(smtp, letter: Letters, post: Posts) -> None:
    post(smtp.url()).send(letter(headers={"List-Unsubscribe": "<https://example.com/u>"}))
    (envelope,), (message,) = smtp.envelopes, smtp.messages
    assert envelope.mail_from == "facturas@hub.example.com"
    assert envelope.rcpt_tos == ["compras@example.com"]
    assert message["From"] == "Tienda Ñandú <facturas@hub.example.com>"
    assert message["To"] == "compras@example.com"
    assert message["Reply-To"] == "Tienda Ñandú <tienda@example.com>"
    assert message["Subject"] == "Factura de tu compra #1042"
    assert message["Message-ID"] == "<inv-1.letter@facturas.example>"
    assert message["Date"] == "Fri, 20 Nov 2026 18:00:00 +0000"
    assert message["List-Unsubscribe"] == "<https://example.com/u>"
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content() == "Hola: aquí está tu factura.\r\n"
    assert "aquí está" in html.get_content()
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "A-1042.xml"
    assert attachment.get_content_type() == "application/xml"
    assert attachment.get_content() == b"<?xml?>\n<a/>"


def test_five_megabytes_arrive(smtp, letter: Letters, post: Posts) -> None:
    content = bytes(range(256)) * 4096 * 5
    attached = Attachment("Factura Ñ.pdf", "application/pdf", content)
    post(smtp.url()).send(letter(attachments=(attached,)))
    (attachment,) = smtp.messages[0].iter_attachments()
    assert attachment.get_filename() == "Factura Ñ.pdf"
    assert attachment.get_content() == content


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"rcpt": "550 5.1.1 no such user compras@example.com"}, PostRefused),
        ({"rcpt": "451 4.7.1 greylisted"}, PostUnavailable),
        ({"data": "554 5.6.0 not wanted"}, PostRefused),
        ({"data": "452 4.3.1 disk full"}, PostUnavailable),
        ({"mail": "550 5.7.1 sender not allowed"}, PostUnavailable),
        ({"mail": "552 5.3.4 too large"}, PostRefused),
        ({"rcpt": "421 4.3.2 shutting down"}, PostUnavailable),
        ({"drop_at": "mail"}, PostUnavailable),
        ({"drop_at": "rcpt"}, PostUnavailable),
        # The letter was handed over and nobody said what became of it.
        ({"drop_at": "data"}, PostUncertain),
    ],
)
def test_each_answer_says_whether_to_try_again(
    smtp, letter: Letters, post: Posts, answers: dict[str, str], kind: type[Exception]
) -> None:
    for name, answer in answers.items():
        setattr(smtp, name, answer)
    sender = post(smtp.url())
    with pytest.raises((PostRefused, PostUnavailable, PostUncertain)) as caught:
        sender.send(letter())
    assert type(caught.value) is kind
    said = everything_said(caught.value)
    assert "compras" not in said
    assert "facturas@" not in said
    for name in answers:
        setattr(smtp, name, "250 OK" if name == "data" else "")
    sender.send(letter())
    assert len(smtp.envelopes) == 1


def test_a_slow_server_is_given_up(smtp, letter: Letters, post: Posts) -> None:
    """It never answers to the letter, and to all before it as soon as the machine lets it."""
    smtp.delay = 600.0
    for seconds in (0.2, 2, 20, 120):
        with pytest.raises((PostUnavailable, PostUncertain)) as caught:
            post(smtp.url(), timeout=seconds).send(letter())
        if caught.type is PostUncertain:
            break  # else it did not come to the letter in time
    assert caught.type is PostUncertain
    assert "no answer in time" in str(caught.value)


def test_nobody_listening(letter: Letters, post: Posts) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(PostUnavailable, match="ConnectionRefused"):
            post(f"smtp://127.0.0.1:{port}").send(letter())


def test_a_burst_shares_a_connection_and_a_later_letter_takes_a_new_one(
    smtp, letter: Letters, post: Posts, clock
) -> None:
    sender = post(smtp.url())
    sender.send(letter())
    sender.send(letter())
    assert smtp.sessions == 1
    clock.advance(60)
    sender.send(letter())
    assert smtp.sessions == 2
    assert len(smtp.envelopes) == 3
    sender.close()
    sender.close()


def test_a_connection_that_died_in_a_burst_is_replaced(smtp, letter: Letters, post: Posts) -> None:
    sender = post(smtp.url())
    sender.send(letter())
    assert sender._open is not None
    assert sender._open.sock is not None
    sender._open.sock.shutdown(socket.SHUT_RDWR)
    sender.send(letter())
    assert smtp.sessions == 2
    assert len(smtp.envelopes) == 2


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # on loopback that is fine
def test_login(smtp_with_login, letter: Letters, post: Posts) -> None:
    url = smtp_with_login.url("?starttls=no", LOGIN)
    post(url).send(letter())
    assert len(smtp_with_login.envelopes) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_wrong_password_is_never_shown(smtp_with_login, letter: Letters, post: Posts) -> None:
    url = smtp_with_login.url("?starttls=no", "buzon%40example.com:otra-clave@")
    sender = post(url)
    with pytest.raises(PostUnavailable, match="535") as caught:
        sender.send(letter())
    said = everything_said(caught.value) + repr(sender._server)
    assert "otra-clave" not in said
    assert "SMTP_URL" in str(caught.value)


def test_starttls(smtp_with_starttls, certificate, letter: Letters, post: Posts) -> None:
    url = smtp_with_starttls.url("?starttls=required")
    post(url, tls=certificate.trusted()).send(letter())
    assert smtp_with_starttls.over_tls == [True]


def test_a_certificate_nobody_vouches_for_is_not_trusted(
    smtp_with_starttls, letter: Letters, post: Posts
) -> None:
    with pytest.raises(PostUnavailable, match="certificate is not trusted"):
        post(smtp_with_starttls.url("?starttls=required")).send(letter())


def test_starttls_is_not_given_up_when_the_server_does_not_offer_it(
    smtp, letter: Letters, post: Posts
) -> None:
    with pytest.raises(PostUnavailable, match="STARTTLS"):
        post(smtp.url("?starttls=required")).send(letter())
    assert smtp.envelopes == []


@pytest.mark.parametrize(
    ("to", "arrives_at"),
    [
        ("niño@example.com", "niño@example.com"),
        ("compras@ñandú.example", "compras@xn--and-6ma2c.example"),
        ("niño@ñandú.example", "niño@xn--and-6ma2c.example"),
    ],
)
def test_addresses_beyond_ascii(
    smtp, letter: Letters, post: Posts, to: str, arrives_at: str
) -> None:
    post(smtp.url()).send(letter(to=to))
    (envelope,), (message,) = smtp.envelopes, smtp.messages
    assert envelope.rcpt_tos == [arrives_at]
    assert ("SMTPUTF8" in envelope.mail_options) is not arrives_at.isascii()
    assert message["To"] == arrives_at


def test_a_server_without_smtputf8_cannot_take_such_an_address(
    smtp_without_utf8, letter: Letters, post: Posts
) -> None:
    sender = post(smtp_without_utf8.url())
    with pytest.raises(PostRefused, match="non-ASCII"):
        sender.send(letter(to="niño@example.com"))
    sender.send(letter(to="compras@ñandú.example"))
    assert len(smtp_without_utf8.envelopes) == 1
