"""deliver: the stamped document goes to the buyer's mailbox, if one was given."""

from __future__ import annotations

from cfdi import pdf
from hub.domain.email import check_email, needed_email
from hub.domain.purchase import FieldError, Note, field_error
from hub.domain.states import State
from hub.steps.brand import paper
from hub.steps.context import Attachment, Context, Letter
from hub.steps.customers import is_unasked
from hub.steps.issuer import issuer_of
from hub.steps.look import behind, link_of_invoice, purchase_of_invoice
from hub.steps.mailing import mail_once, message_id
from hub.store.database import Tenant
from hub.store.records import Invoice, Stamp


def deliver(ctx: Context, merchant_id: str, invoice_id: str) -> None:
    """Mail XML and PDF once. Without an address the link alone serves, and that is fine.

    One that was cancelled before it could be mailed is not mailed any more. Of one that nobody
    asked for, whoever paid hears as well.
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
        mail_once(ctx, merchant_id, "invoice", invoice_id, letter, sale_id=invoice.sale_ids[0])
    with ctx.store.transaction() as tx:
        tenant = tx.tenant(merchant_id)
        if not invoice.receptor.correo and tenant.invoices.has_address(invoice_id):
            tenant.promise("deliver", invoice_id, queue="mail")
            return  # left on the page meanwhile
        first = tenant.invoices.delivered(invoice_id, ctx.clock.now())
        if first and invoice.state is not State.CANCELLED:
            _tell_who_paid(tenant, invoice)


def _tell_who_paid(tenant: Tenant, invoice: Invoice) -> None:
    """The data, and the address in them, were given for another purchase by whoever held its link,
    which can be passed on: the address that the shop has of this purchase's buyer gets a copy."""
    row = tenant.sales.get(invoice.sale_ids[0])
    address, wrong = check_email(row.sale.buyer.email if row is not None else "")
    told = address.casefold() in {"", invoice.receptor.correo.casefold()}
    if wrong or told or not is_unasked(tenant, invoice.id):
        return
    promise_copy(tenant, invoice, address, invoice.language)


def promise_copy(tenant: Tenant, invoice: Invoice, address: str, language: str) -> bool:
    """The document is mailed to this address as well; False if it went to too many others."""
    copy = tenant.mails.ask(invoice.id, address, language)
    if copy is not None:
        tenant.promise("send_copy", copy.id, queue="mail")
    return copy is not None


def send_again(ctx: Context, token: str, correo: str, language: str) -> FieldError | None:
    """The holder of the link has it mailed to an address. At most ten different ones a sale."""
    address, findings = needed_email(correo)
    if findings:
        return field_error(findings[0])
    with ctx.store.transaction() as tx:
        found = behind(ctx, tx, token)
        if found is None:
            return NO_INVOICE
        tenant, invoice = found
        if invoice.uuid is None or invoice.state is State.CANCELLED:
            return NO_INVOICE
        asked = promise_copy(tenant, invoice, address, language)
    return None if asked else TOO_MANY_ADDRESSES


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
    mail_once(ctx, merchant_id, "copy", copy.id, letter, sale_id=invoice.sale_ids[0])


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
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        issuer, looks = issuer_of(tenant), paper(tenant)
        link = link_of_invoice(tenant, invoice)
    purchase = purchase_of_invoice(ctx, merchant_id, invoice)
    url = ctx.link(link) if link else ""
    if invoice.is_note:
        issued_at = stamp.stamped_at.astimezone(issuer.zone)
        note = Note(0, invoice.total, invoice.currency, stamp.uuid, issued_at)
        wording = ctx.letters.credit_note(purchase, note, url, language, logo=looks.logo)
    else:
        wording = ctx.letters.invoice(purchase, url, language, logo=looks.logo)
    return Letter(
        to=address,
        subject=wording.subject,
        text=wording.text,
        html=wording.html,
        images=wording.images,
        message_id=known_as,
        reply_to=issuer.rules.correo,
        sender_name=issuer.rules.nombre or issuer.merchant.nombre,
        attachments=(
            Attachment(f"{stamp.uuid}.xml", "application/xml", stamp.xml),
            Attachment(f"{stamp.uuid}.pdf", "application/pdf", print_of(invoice, stamp, looks)),
        ),
    )


def print_of(invoice: Invoice, stamp: Stamp, brand: pdf.Brand) -> bytes:
    """The printed representation, made anew from the stamped XML whenever it is asked for."""
    return pdf.render(
        stamp.xml,
        sandbox=invoice.environment != "live",
        cancelled=invoice.state is State.CANCELLED,
        language=invoice.language,
        brand=brand,
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
