"""deliver: the stamped document goes to the buyer's mailbox, if one was given."""

from __future__ import annotations

from cfdi import pdf
from hub.domain.email import EMAIL_MISSING, check_email
from hub.domain.purchase import FieldError, field_error
from hub.domain.states import State
from hub.steps.context import Attachment, Context, Letter
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.steps.mailing import mail_once, message_id
from hub.store.records import Invoice, Stamp


def deliver(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Mail XML and PDF once. Without an address the link alone serves, and that is fine.

    One that was cancelled before it could be mailed is not mailed any more.
    """
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        invoice, stamp = tenant.invoices.get(invoice_id), tenant.invoices.stamp_of(invoice_id)
    if invoice is None or stamp is None or invoice.delivered_at is not None:
        return
    if invoice.receptor.correo and invoice.state is not State.CANCELLED:
        letter = _letter(
            ctx,
            merchant_id,
            invoice,
            stamp,
            invoice.receptor.correo,
            language=invoice.language,
            known_as=message_id(ctx, "invoice", stamp.uuid, invoice.receptor.correo),
        )
        mail_once(ctx, merchant_id, "invoice", invoice_id, letter)
    with ctx.store.transaction() as tx:
        tx.tenant(merchant_id).invoices.delivered(invoice_id, ctx.clock.now())


def send_again(ctx: Context, token: str, correo: str, language: str) -> FieldError | None:
    """The holder of the link has it mailed to an address. At most ten different ones a sale."""
    address, findings = check_email(correo)
    if findings or not address:
        return field_error((*findings, EMAIL_MISSING)[0])
    with ctx.store.transaction() as tx:
        found = tx.doors.link(token)
        if found is None:
            return NO_INVOICE
        tenant = tx.tenant(found[0])
        invoice = tenant.invoices.for_sale(found[1])
        if invoice is None or invoice.uuid is None or invoice.state is State.CANCELLED:
            return NO_INVOICE
        copy = tenant.mails.ask(invoice.id, address, language)
        if copy is None:
            return TOO_MANY_ADDRESSES
        tenant.promise("send_copy", copy.id, queue="mail")
    return None


def send_copy(ctx: Context, merchant_id: str, copy_id: str) -> None:
    """Mail the document to who asked for it, once each time it was asked for."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        copy = tenant.mails.copy(copy_id)
        invoice = tenant.invoices.get(copy.invoice_id) if copy else None
        stamp = tenant.invoices.stamp_of(copy.invoice_id) if copy else None
    if copy is None or invoice is None or stamp is None or invoice.state is State.CANCELLED:
        return
    letter = _letter(
        ctx,
        merchant_id,
        invoice,
        stamp,
        copy.address,
        language=copy.language,
        known_as=message_id(ctx, "copy", copy.id, copy.address),
    )
    mail_once(ctx, merchant_id, "copy", copy.id, letter)


def _letter(
    ctx: Context,
    merchant_id: str,
    invoice: Invoice,
    stamp: Stamp,
    address: str,
    *,
    language: str,
    known_as: str,
) -> Letter:
    sale_id = invoice.sale_ids[0]
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        issuer = issuer_of(tenant)
        link = tenant.links.current(sale_id)
    purchase = purchase_of(ctx, merchant_id, sale_id)
    wording = ctx.letters.invoice(purchase, ctx.link(link.token) if link else "", language)
    return Letter(
        to=address,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        message_id=known_as,
        reply_to=issuer.rules.correo,
        sender_name=issuer.rules.nombre or issuer.merchant.nombre,
        attachments=(
            Attachment(f"{stamp.uuid}.xml", "application/xml", stamp.xml),
            Attachment(f"{stamp.uuid}.pdf", "application/pdf", print_of(invoice, stamp)),
        ),
    )


def print_of(invoice: Invoice, stamp: Stamp) -> bytes:
    """The printed representation, made anew from the stamped XML whenever it is asked for."""
    return pdf.render(
        stamp.xml,
        sandbox=invoice.environment != "live",
        cancelled=invoice.state is State.CANCELLED,
        language=invoice.language,
    )


NO_INVOICE = FieldError(
    "correo",
    "no_invoice",
    "Todavía no hay una factura que enviar.",
    "There is no invoice to send yet.",
)
TOO_MANY_ADDRESSES = FieldError(
    "correo",
    "too_many_addresses",
    "Ya se envió a varios correos. Descarga tu factura con los botones de esta página.",
    "It was already sent to several addresses. Download your invoice with this page's buttons.",
)
