"""A buyer asks the merchant for what the page cannot do; it waits in the merchant's queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.domain.asks import CAME_BY, LINK, TICKET, WITH_DATA, AskKind
from hub.domain.email import check_email
from hub.domain.purchase import FieldError, field_error
from hub.steps.asked import waits_by_ticket
from hub.steps.context import Context
from hub.steps.look import purchase
from hub.steps.opening import Opened
from hub.store.asks import Ask
from hub.store.database import Tenant

#: Every field of the page's form, as typed: what the merchant needs to issue it.
_LIMITS = {
    "rfc": 30,
    "nombre": 300,
    "cp": 20,
    "regimen": 20,
    "uso": 20,
    "correo": 254,
    "mensaje": 1000,
    "idioma": 20,
}

#: What somebody had asked by a ticket before: nothing of it is lost.
BEFORE: Final = "antes_por_ticket"

NOT_HERE = FieldError(
    "", "not_askable", "Esta compra no necesita solicitud.", "This purchase needs no request."
)
#: A request that nobody could act on would keep a useful one out.
NO_DATA = FieldError(
    "rfc",
    "rfc_missing",
    "Escribe tu RFC. Si no tienes, dile al comercio en el mensaje a nombre de quién va la factura.",
    "Type your RFC. If you have none, tell the merchant in the message whom to invoice.",
)
NO_MESSAGE = FieldError(
    "mensaje",
    "message_missing",
    "Cuéntale al comercio qué pasó o qué necesitas.",
    "Tell the merchant what happened or what you need.",
)


def ask(ctx: Context, token: str, form: Mapping[str, str]) -> FieldError | None:
    """File the request that the state of the purchase allows, once while it is open.

    The link's takes the place of a ticket's, and tells what that one said.
    """
    shown = purchase(ctx, token)
    if shown is None or shown.ask_kind is None:
        return NOT_HERE
    return _file(ctx, token, shown.ask_kind, form)


def dispute(ctx: Context, token: str, form: Mapping[str, str]) -> FieldError | None:
    """Who holds the ticket says that the invoice there is was not asked for by them."""
    return _file(ctx, token, AskKind.DISPUTED, form)


def _file(ctx: Context, token: str, kind: AskKind, form: Mapping[str, str]) -> FieldError | None:
    error = wrong(form)
    if error is None and kind is not AskKind.DISPUTED and not form.get("mensaje", "").strip():
        if kind not in WITH_DATA:
            error = NO_MESSAGE
        elif not form.get("rfc", "").strip():
            error = NO_DATA
    if error is not None:
        return error
    with ctx.store.transaction() as tx:
        found = ctx.opened(tx, token)
        if found is None:
            return NOT_HERE
        tenant = tx.tenant(found.merchant_id)
        filed = {name: form.get(name, "") for name in _LIMITS}
        filed[CAME_BY] = LINK if found.proven else TICKET
        if tenant.asks.is_open(found.sale_id, kind, part=found.part):
            before = _by_ticket(tenant, found, kind) if found.proven else None
            if before is None:
                return None
            tenant.asks.resolve(before.id)
            filed[BEFORE] = _words(before)
        tenant.asks.create(found.sale_id, kind, filed, part=found.part)
    return None


def _by_ticket(tenant: Tenant, found: Opened, kind: AskKind) -> Ask | None:
    """The open request of whoever knew the ticket alone: it keeps nobody out who has the link."""
    return next(
        (
            one
            for one in tenant.asks.of_part(found.sale_id, found.part)
            if one.kind == kind and waits_by_ticket(one)
        ),
        None,
    )


def _words(one: Ask) -> str:
    return "; ".join(f"{name}: {one.form[name]}" for name in _LIMITS if one.form.get(name))


def wrong(form: Mapping[str, str]) -> FieldError | None:
    """What is too long is refused, never cut; an address that nobody could answer to as well."""
    for name, limit in _LIMITS.items():
        if len(form.get(name, "")) > limit:
            return FieldError(
                name, "too_long", f"Máximo {limit} caracteres.", f"At most {limit} characters."
            )
    _, findings = check_email(form.get("correo", ""))
    return field_error(findings[0]) if findings else None
