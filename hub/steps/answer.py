"""answer: the merchant says something to a buyer who asked, on the page and in a letter."""

from __future__ import annotations

from hub.domain.asks import CAME_BY, LINK, Answer
from hub.domain.email import check_email
from hub.steps.context import Context, Letter
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.steps.mailing import mail_once, message_id
from hub.steps.notices import NOTICES
from hub.steps.review import NotResolvable
from hub.store.asks import Ask

#: What fits a letter and a page.
LONGEST = 2000


def resolve(ctx: Context, merchant_id: str, ask_id: str, outcome: str, text: str = "") -> None:
    """End a request or a notice. Raises `NotResolvable`.

    `outcome`: "done", "declined" or "answered"; of a buyer's request the page shows it.
    """
    text = text.strip()
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        ask = tenant.asks.get(ask_id)
        if ask is None or ask.resolved_at is not None:
            raise NotResolvable(f"the merchant has no open request {ask_id!r}: `review list`")
        if ask.kind in NOTICES:
            if text or outcome != "done":
                raise NotResolvable("no buyer asked this: end it with --done alone")
            tenant.asks.resolve(ask_id)
            return
        if not text and outcome != "done":
            raise NotResolvable("say why with --answer: the buyer reads it")
        if len(text) > LONGEST:
            raise NotResolvable(f"an answer has {LONGEST} characters at most")
        tenant.asks.resolve(ask_id, outcome, text)
        if _address(ask):
            tenant.promise("tell_answer", ask_id, queue="mail")


def tell_answer(ctx: Context, merchant_id: str, ask_id: str) -> None:
    """Mail it once, where an address was given and not erased since."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        ask = tenant.asks.get(ask_id)
        if ask is None or ask.resolved_at is None or not ask.outcome or not _address(ask):
            return
        issuer, link = issuer_of(tenant), tenant.links.current(ask.sale_id, ask.part)
    # Whoever came by a ticket is told where to look for it, never the link.
    known = link is not None and ask.form.get(CAME_BY) == LINK
    url = ctx.link(link) if link and known else f"{ctx.public_url}/facturar/{merchant_id}"
    wording = ctx.letters.answer(
        purchase_of(ctx, merchant_id, ask.sale_id),
        Answer(ask.outcome, ask.answer, ask.created_at, ask.resolved_at),
        url,
        ask.form.get("idioma", "es"),
    )
    address = _address(ask)
    letter = Letter(
        to=address,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        message_id=message_id(ctx, "answer", ask_id, address),
        reply_to=issuer.rules.correo,
        sender_name=issuer.rules.nombre or issuer.merchant.nombre,
        images=wording.images,
    )
    mail_once(ctx, merchant_id, "answer", ask_id, letter, sale_id=ask.sale_id)


def _address(ask: Ask) -> str:
    """As it was typed, if it is one."""
    address, wrong = check_email(ask.form.get("correo", ""))
    return "" if wrong else address
