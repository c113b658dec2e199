from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import Clock
from hub.steps.context import Attachment, Letter
from hub.work.envelope import AddressUnusable, Sender, envelope

Letters = Callable[..., Letter]
SENDER = Sender.read("facturas@hub.example.com")
HEADERS = {
    *("from", "to", "reply-to", "subject", "date", "message-id", "auto-submitted"),
    *("mime-version", "content-type"),
}


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


@pytest.mark.parametrize(
    "hostile",
    [
        "Tienda\r\nBcc: otro@example.com",
        "Tienda\nBcc: otro@example.com\n\ncuerpo",
        "Tienda\u2028Bcc: otro@example.com",
        "Tienda\x00\x0b\x0c\x85Bcc: otro@example.com",
        "=?utf-8?q?x=0D=0ABcc:_otro=40example.com?=",
        '"><script> \\" , otro@example.com <otro@example.com>',
    ],
)
def test_no_text_can_add_a_header_or_a_recipient(
    letter: Letters, clock: Clock, hostile: str
) -> None:
    attached = Attachment(hostile, "application/pdf", b"%PDF")
    message = envelope(
        letter(subject=hostile, sender_name=hostile, message_id=hostile, attachments=(attached,)),
        SENDER,
        clock.now(),
    )
    read = parsed(message.content)
    assert {name.lower() for name in read} == HEADERS
    assert [address.addr_spec for address in read["To"].addresses] == ["compras@example.com"]
    assert [a.addr_spec for a in read["From"].addresses] == ["facturas@hub.example.com"]
    assert "\n" not in str(read["Subject"])
    assert message.to == "compras@example.com"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_is_carried_without_a_new_header(letter: Letters, clock: Clock, text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    made = envelope(letter(subject=text, sender_name=text, text=text), SENDER, clock.now())
    read = parsed(made.content)
    assert {name.lower() for name in read} == HEADERS
    assert len(list(read.walk())) == 5


def test_the_text_cannot_end_its_part(letter: Letters, clock: Clock) -> None:
    """The boundaries are known in advance; quoted-printable keeps them out of the text."""
    first = envelope(letter(), SENDER, clock.now()).content
    boundary = parsed(first).get_boundary()
    body = f"x\r\n--{boundary}\r\nContent-Type: text/html\r\n\r\n<b>y</b>\r\n--{boundary}--\r\n"
    read = parsed(envelope(letter(text=body), SENDER, clock.now()).content)
    assert read.get_boundary() == boundary
    assert len(list(read.walk())) == 5
    text = read.get_body(("plain",))
    assert text is not None
    assert "<b>y</b>" in text.get_content()


def test_the_same_letter_makes_the_same_bytes(letter: Letters, clock: Clock) -> None:
    assert envelope(letter(), SENDER, clock.now()) == envelope(letter(), SENDER, clock.now())


def test_images_stand_beside_the_html_that_shows_them(letter: Letters, clock: Clock) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    images = (Attachment("qr@factura", "image/png", png),)
    read = parsed(envelope(letter(images=images), SENDER, clock.now()).content)
    kinds = [part.get_content_type() for part in read.walk()]
    assert kinds == [
        *("multipart/mixed", "multipart/alternative", "text/plain", "multipart/related"),
        *("text/html", "image/png", "application/xml"),
    ]
    image = next(part for part in read.walk() if part.get_content_type() == "image/png")
    assert image["Content-ID"] == "<qr@factura>"
    assert image.get_content_disposition() == "inline"
    assert image.get_payload(decode=True) == png
    html, text = read.get_body(("html",)), read.get_body(("plain",))
    assert html is not None
    assert text is not None
    assert [part.get_filename() for part in read.iter_attachments()] == ["A-1042.xml"]


def test_the_address_to_unsubscribe_is_one_line_as_it_is(letter: Letters, clock: Clock) -> None:
    """The email package would make encoded words of it, which no mail program can follow."""
    url = "<https://hub.example.com/baja/" + "Ab-_" * 60 + ".xyz>"
    headers = {"List-Unsubscribe": url, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    lines = envelope(letter(headers=headers), SENDER, clock.now()).content.split(b"\r\n")
    assert f"List-Unsubscribe: {url}".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert all(len(line) <= 998 for line in lines)


@pytest.mark.parametrize("header", ["Bcc", "X Y", "X:Y", "", "Ñ", "To\r\nBcc"])
def test_more_headers_have_plain_new_names(letter: Letters, clock: Clock, header: str) -> None:
    if header == "Bcc":
        header = "To"
    with pytest.raises(ValueError, match="header of this name"):
        envelope(letter(headers={header: "x"}), SENDER, clock.now())


@pytest.mark.parametrize(
    "to",
    [
        *("", "x", "@example.com", "a@", "a b@example.com", "a@b@example.com", "a@ex ample.com"),
        *("a@example.com\r\nBcc: b@example.com", "a@example.com,b@example.com", "<a@example.com>"),
        *(
            "A <a@example.com>",
            "a@example..com",
            "a@.com",
            "a@" + "x" * 64 + ".com",
            "a" * 65 + "@b.mx",
        ),
        *("a@example.com\n", "a\u0000@example.com", "a@[127.0.0.1]", "a@" + "ñ" * 300),
        *("=?utf-8?q?a=0D=0ABcc=3Ab?=@example.com", "a@=?utf-8?q?=0D=0A?=.example"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(
    letter: Letters, clock: Clock, to: str
) -> None:
    with pytest.raises(AddressUnusable) as caught:
        envelope(letter(to=to), SENDER, clock.now())
    assert "example" not in str(caught.value)


def test_a_reply_to_that_is_no_address_is_left_out(letter: Letters, clock: Clock) -> None:
    for reply_to in ("", "tienda", "a@example.com\r\nBcc: b@example.com"):
        made = envelope(letter(reply_to=reply_to), SENDER, clock.now())
        assert parsed(made.content)["Reply-To"] is None


def test_mail_from_may_have_a_name(letter: Letters, clock: Clock) -> None:
    sender = Sender.read("Facturación Ñ <facturas@hub.example.com>")
    assert sender == Sender("Facturación Ñ", "facturas@hub.example.com")
    read = parsed(envelope(letter(sender_name=""), sender, clock.now()).content)
    assert read["From"] == "Facturación Ñ <facturas@hub.example.com>"
    for wrong in ("", "facturas", "ñ@example.com", "a@b, c@d"):
        with pytest.raises(AddressUnusable):
            Sender.read(wrong)
