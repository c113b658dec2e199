"""What every step is given, built once in `hub/wiring.py`. The only way to the outside world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cfdi.pac.contract import Pac
from cfdi.sat.status import SatStatus
from connectors.contract import Connector
from hub.clock import Clock
from hub.domain.purchase import Purchase
from hub.store.database import Store
from hub.store.records import PacAccount


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
    #: More headers, e.g. those of RFC 8058 on invitations.
    headers: Mapping[str, str] = field(default_factory=dict)


class PostRefused(Exception):
    """The mail server said no for good (5xx): trying again would not help."""


class PostUnavailable(Exception):
    """The mail server did not take it now: try again later."""


class PostUncertain(Exception):
    """The connection broke after the letter was handed over: it may have arrived or not."""


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


class Letters(Protocol):
    """The words of the letters, in "es" or "en" (`portal/mail/`)."""

    def invitation(self, purchase: Purchase, link: str, language: str) -> Wording: ...

    def invoice(self, purchase: Purchase, link: str, language: str) -> Wording:
        """With the XML and PDF attached."""
        ...

    def cancelled(self, purchase: Purchase, uuid: str, link: str, language: str) -> Wording:
        """The invoice of that UUID is no longer in force."""
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
    #: Names this process in attempts and leases.
    worker: str

    def link(self, token: str) -> str:
        return f"{self.public_url}/f/{token}"
