"""From a purchase to HTML: one template an estado, nothing decided here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import flask

from cfdi import receptor
from cfdi.rfc import GENERIC_FOREIGN, tidy
from hub.domain.purchase import Estado, FieldError, FiscalForm, Purchase, field_error
from hub.domain.receiver import Receiver, is_foreign
from portal import formats
from portal.brand import worn
from portal.buyer import options, suggestions
from portal.buyer.forms import FIELDS, FormSigner
from portal.buyer.settings import PageSettings
from portal.language import LANGUAGES, language, locale

#: What the summary of errors has a place to lead to.
POINTED_AT = (*FIELDS, "constancia", "mensaje")
#: In these the buyer can (still or again) ask for the invoice.
FORM_ESTADOS = frozenset({Estado.ABIERTA, Estado.RECHAZADA})

_TEMPLATES = {estado: f"buyer/{estado.value}.html" for estado in Estado} | {
    Estado.RECHAZADA: "buyer/abierta.html"
}
_LINES_SHOWN = 4


class Pages:
    def __init__(self, settings: PageSettings, signer: FormSigner) -> None:
        self._settings = settings
        self._signer = signer

    def of(
        self,
        token: str,
        purchase: Purchase,
        *,
        form: FiscalForm | None = None,
        errors: Sequence[FieldError] = (),
        template: str = "",
        **more: Any,
    ) -> str:
        """The page of this purchase's estado, with what was typed and what is wrong with it.

        With `template` another page about the same purchase.
        """
        name = template or _template(purchase)
        return self._render(name, token, purchase, form or purchase.form, errors, **more)

    def review(self, token: str, purchase: Purchase, given: FiscalForm, found: Receiver) -> str:
        """What would be stamped, before it is, with what may be meant instead."""
        clean = found.receptor
        form = FiscalForm(
            clean.rfc,
            clean.nombre,
            clean.domicilio_fiscal,
            clean.regimen_fiscal,
            clean.uso_cfdi,
            found.correo,
            given.vista,
        )
        foreign = clean.rfc == GENERIC_FOREIGN
        return self._render(
            "buyer/revisar.html",
            token,
            purchase,
            form,
            (),
            receptor=clean,
            rfc_was_read=not foreign and tidy(given.rfc) != clean.rfc,
            doubts=[(each.path, message(field_error(each))) for each in receptor.warn(clean)],
            offers=() if foreign else suggestions.before(clean),
            nombre_regimen=options.nombre_regimen(clean.regimen_fiscal),
            nombre_uso=options.nombre_uso(clean.uso_cfdi),
        )

    def render(
        self,
        template: str,
        token: str,
        purchase: Purchase,
        *,
        errors: Sequence[FieldError] = (),
        **more: Any,
    ) -> str:
        """Another page about this purchase."""
        return self._render(template, token, purchase, FiscalForm(), errors, **more)

    def _render(
        self,
        template: str,
        token: str,
        purchase: Purchase,
        form: FiscalForm,
        errors: Sequence[FieldError],
        **more: Any,
    ) -> str:
        by_field = {error.campo: message(error) for error in reversed(errors)}
        more.setdefault("offers", suggestions.after(form, errors))
        more.setdefault("paper", None)
        fresh = form is purchase.form and purchase.estado is Estado.ABIERTA
        papers = more["paper"].regimenes if more["paper"] else ()
        return flask.render_template(
            template,
            purchase=purchase,
            form=form,
            field_errors={name: by_field[name] for name in POINTED_AT if name in by_field},
            general_errors=[message(error) for error in errors if error.campo not in POINTED_AT],
            csrf_token=self._signer.sign(token),
            page_url=lambda endpoint="page", **query: page_url(token, endpoint, **query),
            choices=options.choices(form, purchase.usos, papers),
            foreign=purchase.brand.pagina.extranjeros and is_foreign(form),
            # Nothing in it was typed here: what this browser kept may take its place.
            fresh=fresh,
            known=fresh and bool(form.rfc or form.nombre),
            draft_key=hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:16],
            test_data=self._settings.test_data if purchase.sandbox else None,
            lines_shown=_LINES_SHOWN,
            token=token,
            days_left=self._days_left(purchase.deadline_at),
            **words(),
            **more,
        )

    def _days_left(self, deadline_at: datetime | None) -> int | None:
        """Calendar days in the zone of the place of issue; 0 is today."""
        if deadline_at is None:
            return None
        today = self._settings.clock.now().astimezone(deadline_at.tzinfo).date()
        return (deadline_at.date() - today).days


def _template(purchase: Purchase) -> str:
    if purchase.estado is Estado.LISTA and not purchase.proven:
        return "buyer/facturada.html"
    return _TEMPLATES[purchase.estado]


def page_url(token: str, endpoint: str = "page", **query: Any) -> str:
    """Relative to the host, keeping a language that was chosen by hand."""
    asked = flask.request.args.get("lang")
    if asked in LANGUAGES:
        query.setdefault("lang", asked)
    values: dict[str, Any] = {"token": token, **query}
    return flask.url_for(f"buyer.{endpoint}", **values)


def message_page(name: str, status: int) -> tuple[str, int]:
    """A page without any purchase: unknown link, too many tries, a failure of ours."""
    # Other addresses have tokens as well, which lead to no purchase.
    of_purchase = flask.request.path.startswith("/f/") and name != "desconocida"
    token = (flask.request.view_args or {}).get("token") if of_purchase else None
    back = page_url(token) if token else ""
    # Whatever is asked of a link that is unknown has one answer, to the last byte.
    again = name == "desconocida" or flask.request.method in {"GET", "HEAD"}
    other = in_other_language() if again else ""
    page = flask.render_template(
        f"buyer/{name}.html", back=back, in_other_language=other, **words()
    )
    return page, status


def in_other_language(*kept: str) -> str:
    """This address with what is `kept` of its query, in the other language.

    Without its path, which may hold a token. Of use where it may be asked for by GET.
    """
    query = {name: flask.request.args[name] for name in kept if name in flask.request.args}
    return "?" + urlencode({**query, "lang": "es" if language() == "en" else "en"})


def words() -> dict[str, Any]:
    """What every template formats and says with."""
    chosen, dates = locale(), worn().pagina.formato_fecha
    return {
        "language": language(),
        "money": formats.money,
        "plain": formats.plain_money,
        "quantity": lambda value: formats.quantity(value, chosen),
        "day": lambda instant: formats.day(instant, chosen, dates),
        "day_and_time": lambda instant: formats.day_and_time(instant, chosen, dates),
    }


def message(error: FieldError) -> str:
    """What is wrong, in this request's language."""
    return error.mensaje_en if language() == "en" else error.mensaje_es
