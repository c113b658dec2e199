"""invite: the buyer of a new, invoiceable sale is told where to get the invoice. Once."""

from __future__ import annotations

from hub.domain.purchase import Estado
from hub.steps.context import Context, Letter
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.steps.mailing import mail_once, message_id


def invite(ctx: Context, merchant_id: str, sale_id: str) -> None:
    """Mail the link, if the sale is still open and has an address. Repeating it changes nothing."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        row, link, issuer = (
            tenant.sales.get(sale_id),
            tenant.links.current(sale_id),
            issuer_of(tenant),
        )
    if row is None or link is None or row.invited_at is not None or not row.sale.buyer.email:
        return
    purchase = purchase_of(ctx, merchant_id, sale_id)
    if purchase.estado is not Estado.ABIERTA:
        return
    url = ctx.link(link.token)
    wording = ctx.letters.invitation(purchase, url, issuer.rules.idioma)
    letter = Letter(
        to=row.sale.buyer.email,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        message_id=message_id(ctx, "invitation", sale_id, row.sale.buyer.email),
        reply_to=issuer.rules.correo,
        sender_name=purchase.merchant_name,
    )
    mail_once(ctx, merchant_id, "invitation", sale_id, letter)
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).sales.mark_invited(sale_id, ctx.clock.now())
