"""A buyer asks the merchant for what the page cannot do; it waits in the merchant's queue."""

from __future__ import annotations

from collections.abc import Mapping

from hub.domain.purchase import ASKABLE, FieldError
from hub.steps.context import Context
from hub.steps.look import purchase
from hub.steps.notices import NOTICES

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

NOT_HERE = FieldError(
    "", "not_askable", "Esta compra no necesita solicitud.", "This purchase needs no request."
)


def ask(ctx: Context, token: str, form: Mapping[str, str]) -> FieldError | None:
    """File the request, once a sale. What is too long is refused, never cut."""
    shown = purchase(ctx, token)
    if shown is None or shown.estado not in ASKABLE:
        return NOT_HERE
    for name, limit in _LIMITS.items():
        if len(form.get(name, "")) > limit:
            return FieldError(
                name, "too_long", f"Máximo {limit} caracteres.", f"At most {limit} characters."
            )
    with ctx.store.transaction() as tx:
        found = tx.doors.link(token)
        if found is None:
            return NOT_HERE
        asks = tx.tenant(found[0]).asks
        if asks.of_sale(found[1], besides=NOTICES) is None:
            asks.create(
                found[1], shown.estado.value, {name: form.get(name, "") for name in _LIMITS}
            )
    return None
