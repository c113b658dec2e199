"""A letter as the bytes of an Internet message (RFC 5322). Nothing in it can add a header."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, getaddresses

from hub.steps.context import Letter

#: One address, unquoted. "=?" would be taken for an encoded word (see `one_line`).
_ADDRESS = re.compile(
    r"(?!.*=\?)[^\s<>()\[\]\\,;:\"@\x00-\x20\x7f]{1,64}@[^\s<>()\[\]\\,;:\"@_/\x00-\x20\x7f]{1,255}"
)
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


class _Whole(UnstructuredHeader, BaseHeader):
    """A header of addresses of pages: never broken into encoded words, which the email package does
    to what is longer than a line and which no mail program takes for an address."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Whole)


class AddressUnusable(ValueError):
    """Not an address mail can be sent to or from. The message never repeats it."""


@dataclass(frozen=True, slots=True)
class Sender:
    """MAIL_FROM: the address, and the name used where a letter gives none."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]

    @classmethod
    def read(cls, mail_from: str) -> Sender:
        """From ``Name <address>`` or an address. Raises `AddressUnusable`."""
        mailboxes = getaddresses([mail_from])
        name, address = mailboxes[0] if len(mailboxes) == 1 else ("", "")
        usable = ascii_domain(address)
        if not usable.isascii():
            raise AddressUnusable("the address of MAIL_FROM must be ASCII before its @")
        return cls(one_line(name), usable)


@dataclass(frozen=True, slots=True)
class Envelope:
    sender: str
    to: str
    content: bytes
    needs_smtputf8: bool  # RFC 6531: the address has characters beyond ASCII before its @


def envelope(letter: Letter, sender: Sender, now: datetime) -> Envelope:
    """The letter, ready to be sent. The same letter at the same time makes the same bytes.

    Raises `AddressUnusable` for the recipient; a Reply-To that is no address is left out.
    """
    to = ascii_domain(letter.to)
    wide = not to.isascii()
    message = EmailMessage(policy=SMTP.clone(utf8=wide, header_factory=_HEADERS))
    message["From"] = _mailbox(sender.address, one_line(letter.sender_name) or sender.name)
    message["To"] = _mailbox(to)
    _reply_to(message, letter)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{re.sub(r'[^A-Za-z0-9.@_+-]', '', letter.message_id)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers to this
    for name, value in letter.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name in message:
            raise ValueError("a letter cannot have a header of this name")
        message[name] = one_line(value)
    _fill(message, letter)
    return Envelope(sender.address, to, message.as_bytes(), wide)


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII (IDNA). Raises `AddressUnusable`."""
    if not _ADDRESS.fullmatch(address):
        raise AddressUnusable("not an e-mail address")
    local, _, domain = address.rpartition("@")
    try:
        ascii_name = domain.encode("idna").decode("ascii")
    except UnicodeError:
        ascii_name = ""
    if not ascii_name:
        raise AddressUnusable("the domain of the e-mail address cannot exist")
    return f"{local}@{ascii_name}"


def one_line(text: str) -> str:
    """Safe as a header's value: no line breaks, no control characters, no encoded words.

    The email package decodes what looks like an encoded word (RFC 2047), line breaks included, and
    may then write them out: =?utf-8?q?=0D=0ABcc:...?= would be a header of its own.
    """
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.replace("=?", "= ?").split())


def _mailbox(address: str, name: str = "") -> Address:
    local, _, domain = address.rpartition("@")
    return Address(name, local, domain)


def _reply_to(message: EmailMessage, letter: Letter) -> None:
    try:
        reply_to = ascii_domain(letter.reply_to)
    except AddressUnusable:
        return
    if reply_to.isascii():
        message["Reply-To"] = _mailbox(reply_to, one_line(letter.sender_name))


def _show(message: EmailMessage, letter: Letter) -> None:
    """Put the images beside the HTML that shows them (RFC 2387)."""
    html = message.get_body(("html",))
    if html is None:
        return
    for image in letter.images:
        maintype, _, subtype = image.content_type.partition("/")
        html.add_related(
            image.content,
            maintype=maintype,
            subtype=subtype,
            cid=f"<{image.filename}>",
            disposition="inline",
        )


def _fill(message: EmailMessage, letter: Letter) -> None:
    # Quoted-printable writes = as =3D, so no text can hold a boundary, which has a plain one.
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    _show(message, letter)
    for attachment in letter.attachments:
        maintype, _, subtype = attachment.content_type.partition(";")[0].strip().partition("/")
        message.add_attachment(
            attachment.content,
            maintype=maintype,
            subtype=subtype,
            filename=one_line(attachment.filename),
        )
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            seed = hashlib.sha256(f"{number}:{letter.message_id}".encode()).hexdigest()
            part.set_boundary(f"=_{seed[:40]}")
