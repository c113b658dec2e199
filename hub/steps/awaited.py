"""awaited: whoever waits for an invoice leaves an address, to be told when it is done."""

from __future__ import annotations

from hub.domain.email import needed_email
from hub.domain.purchase import FieldError, field_error
from hub.domain.states import State
from hub.steps.context import Context
from hub.steps.deliver import NO_INVOICE, TOO_MANY_ADDRESSES, promise_copy
from hub.steps.look import behind

_OVER = frozenset({State.REJECTED, State.CANCELLED, State.SUPERSEDED, State.CANCELLING})


def let_know(ctx: Context, token: str, correo: str) -> FieldError | None:
    """The invoice is mailed there once it is stamped; at once if it is and was mailed nowhere.

    Only where the buyer gave no address before, and only to the holder of a link. The address is
    no part of the document, which stays as it was sealed.
    """
    address, findings = needed_email(correo)
    if findings:
        return field_error(findings[0])
    with ctx.store.transaction() as tx:
        found = behind(ctx, tx, token)
        if found is None:
            return NO_INVOICE
        tenant, invoice = found
        if invoice.state in _OVER:
            return NO_INVOICE
        if invoice.receptor.correo or tenant.invoices.mail_to(invoice.id, address):
            return None
        # It was stamped meanwhile, and there was no address to mail it to.
        asked = promise_copy(tenant, invoice, address, invoice.language)
    return None if asked else TOO_MANY_ADDRESSES
