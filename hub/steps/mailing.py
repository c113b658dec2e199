"""One letter, sent once: at most one repeat, and only after a crash at the worst moment."""

from __future__ import annotations

import structlog

from hub.steps.context import Context, Letter, PostRefused, PostUnavailable

log = structlog.get_logger()

#: Started this often without knowing the end: the mail server may have taken it each time.
MAX_DOUBTFUL_TRIES = 2


def mail_once(ctx: Context, merchant_id: str, kind: str, subject: str, letter: Letter) -> bool:
    """Whether the letter was handed over, now or before.

    Raises `PostUnavailable` when the server surely did not take it: the row will come back. Of any
    other failure nobody knows, so that try counts. A refusal for good is logged and remembered; the
    link on the page still serves the buyer.
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
            tx.tenant(merchant_id).mails.not_sent(kind, subject, letter.message_id)
        raise
    _settle(ctx, merchant_id, kind, subject, letter.message_id)
    return True


def _settle(ctx: Context, merchant_id: str, kind: str, subject: str, message_id: str) -> None:
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).mails.sent(kind, subject, message_id, ctx.clock.now())
