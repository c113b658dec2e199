"""One letter, sent once: at most one repeat, and only after a crash at the worst moment."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final

import structlog

from hub.steps.context import Context, Letter, PostRefused, PostUnavailable
from hub.steps.later import MAIL_PAUSE, paused

log = structlog.get_logger()

#: Started this often without knowing the end: the mail server may have taken it each time.
MAX_DOUBTFUL_TRIES = 2
#: A letter that the server would not take for so long is given up. Mail servers themselves return
#: it after four or five days (RFC 5321 §4.5.4.1); here the page tells the buyer all the same.
GIVEN_UP_AFTER: Final = timedelta(days=3)


def mail_once(ctx: Context, merchant_id: str, kind: str, subject: str, letter: Letter) -> bool:
    """Whether the letter was handed over, now or before.

    Raises `RunLater` when the server surely did not take it, for three days. Of any other failure
    nobody knows, so that try counts. A refusal for good is logged and remembered; the link on the
    page still serves the buyer.
    """
    with ctx.store.transaction() as tx:
        mails = tx.tenant(merchant_id).mails
        if mails.was_sent(kind, subject, letter.message_id):
            return True
        if mails.begin(kind, subject, letter.message_id) > MAX_DOUBTFUL_TRIES:
            log.warning("mail_given_up", kind=kind, subject=subject, reason="doubtful tries")
            return False
    try:
        ctx.post.send(letter)
    except PostRefused:
        log.warning("mail_refused", kind=kind, subject=subject)
        _settle(ctx, merchant_id, kind, subject, letter.message_id)
        return False
    except PostUnavailable:
        with ctx.store.transaction() as tx:
            since = tx.tenant(merchant_id).mails.not_sent(kind, subject, letter.message_id)
        if ctx.clock.now() - since < GIVEN_UP_AFTER:
            reason = "the mail server does not take letters"
            raise paused(ctx.clock.now(), MAIL_PAUSE, letter.message_id, reason) from None
        log.warning("mail_given_up", kind=kind, subject=subject, reason="not taken for days")
        return False
    _settle(ctx, merchant_id, kind, subject, letter.message_id)
    return True


def message_id(ctx: Context, kind: str, subject: str, address: str) -> str:
    """The same for the same letter, so that a mail server or reader recognises a repeat."""
    digest = hashlib.sha256(f"{kind}\0{subject}\0{address}".encode()).hexdigest()[:40]
    return f"<{digest}@{ctx.mail_from.partition('@')[2]}>"


def _settle(ctx: Context, merchant_id: str, kind: str, subject: str, message_id: str) -> None:
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).mails.sent(kind, subject, message_id, ctx.clock.now())
