"""What every step is given, built once in `hub/wiring.py`. The only way to the outside world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cfdi.pac.contract import Pac
from cfdi.sat.status import SatStatus
from connectors.contract import Connector
from hub.clock import Clock
from hub.domain.addresses import origin_at
from hub.domain.asks import Answer
from hub.domain.purchase import Note, Purchase
from hub.steps.opening import Opened, Passes, opened
from hub.store.database import Store, Transaction
from hub.store.records import LinkRow, PacAccount


@dataclass(frozen=True, slots=True)
class Attachment:
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail. The same letter has the same `message_id`, so that a repeat is recognised."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    reply_to: str = ""
    sender_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    #: Shown within the HTML, which names each by its file name (`cid:`).
    images: tuple[Attachment, ...] = ()
    #: More headers, e.g. those of RFC 8058 on invitations.
    headers: Mapping[str, str] = field(default_factory=dict)


class PostRefused(Exception):
    """The mail server said no for good (5xx): trying again would not help."""


class PostUnavailable(Exception):
    """The server did not take it now: try again later. The message is for logs: it says why,
    without any address, name or key."""


class PostUncertain(Exception):
    """The connection broke after the letter was handed over: it may have arrived or not."""


class ChannelBroken(Exception):
    """It was surely not sent, and will not be until a person mends the channel. The message says
    what, without any address or key."""


@dataclass(frozen=True, slots=True)
class Message:
    """A short message. Each channel uses of it what it can carry."""

    to: str = field(repr=False)  # E.164
    text: str = field(repr=False)
    #: What a template that was agreed with the provider is filled with, in its order.
    parameters: tuple[str, ...] = field(repr=False)
    #: The end of the link, for the button of such a template.
    token: str = field(repr=False)
    #: "invitation" or "reminder".
    occasion: str
    #: What a provider that tells of the message later says then: its Message-ID.
    reference: str = ""


class Messenger(Protocol):
    """Sends messages by one channel of a merchant."""

    def send(self, message: Message) -> None:
        """Raises `PostRefused`, `PostUnavailable`, `PostUncertain` or `ChannelBroken`."""
        ...


def no_messenger(kind: str, settings: Mapping[str, str]) -> Messenger:  # noqa: ARG001 - as others
    """Where no channels are wired: none of them works."""
    raise ChannelBroken("channels are not set up in this process")


class Post(Protocol):
    """Sends letters: by SMTP, or into `VAR_DIR/mail/` as .eml files."""

    def send(self, letter: Letter) -> None:
        """Raises `PostRefused`, `PostUnavailable` or `PostUncertain`."""
        ...


@dataclass(frozen=True, slots=True)
class Wording:
    subject: str
    text: str
    html: str
    images: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Short:
    """The words of a message, and what fills a template of the same words."""

    text: str
    parameters: tuple[str, ...]


class Letters(Protocol):
    """The words of the letters, in "es" or "en" (`portal/mail/`). `logo`: PNG, or nothing."""

    def invitation(
        self, purchase: Purchase, link: str, language: str, *, leave: str = "", logo: bytes = b""
    ) -> Wording:
        """`leave`: the address at which its reader says that no more of them are wanted."""
        ...

    def reminder(
        self, purchase: Purchase, link: str, language: str, *, leave: str = "", logo: bytes = b""
    ) -> Wording:
        """The deadline is near."""
        ...

    def invoice(
        self, purchase: Purchase, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        """With the XML and PDF attached."""
        ...

    def credit_note(
        self, purchase: Purchase, note: Note, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        """With the XML and PDF of the note attached."""
        ...

    def cancelled(
        self, purchase: Purchase, uuid: str, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        """The invoice of that UUID is no longer in force."""
        ...

    def answer(
        self, purchase: Purchase, answer: Answer, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        """The merchant answered to what the buyer asked on the page."""
        ...

    def short(self, occasion: str, purchase: Purchase, link: str, language: str) -> Short:
        """An invitation or a reminder as a message."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    store: Store
    clock: Clock
    connectors: Mapping[str, Connector]
    #: The provider of an account; keeps clients (connections, breaker) from one call to the next.
    pac: Callable[[PacAccount], Pac]
    #: SAT's status service for documents of that account; None where SAT never hears of them.
    sat: Callable[[PacAccount], SatStatus | None]
    post: Post
    letters: Letters
    #: Absolute, without a trailing slash. Links are built from this, never from a Host header.
    public_url: str
    mail_from: str
    #: Opens the buyers' addresses that are signed and not kept.
    passes: Passes
    #: Names this process in attempts and leases.
    worker: str
    #: What sends by a channel of these settings. Raises `ChannelBroken`.
    messenger: Callable[[str, Mapping[str, str]], Messenger] = no_messenger

    def link(self, link: LinkRow) -> str:
        """The buyer's address, under the merchant's own host where it has one."""
        return f"{self.origin(link.host)}/f/{link.token}"

    def origin(self, host: str) -> str:
        """Where pages are under a merchant's own host; without one, the hub's."""
        return origin_at(self.public_url, host)

    def opened(self, tx: Transaction, token: str) -> Opened | None:
        """What a buyer's address opens; None if nothing."""
        return opened(tx, self.passes, token, self.clock.now())
