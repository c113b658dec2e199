"""From a purchase to HTML: one template an estado, nothing decided here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import flask

from cfdi import receptor
from hub.domain.purchase import Estado, FieldError, FiscalForm, Purchase
from portal import formats
from portal.buyer import options
from portal.buyer.forms import FIELDS, FormSigner
from portal.buyer.settings import PageSettings
from portal.language import LANGUAGES, language, locale

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
        **more: Any,
    ) -> str:
        """The page of this purchase's estado, with what was typed and what is wrong with it."""
        return self._render(
            _TEMPLATES[purchase.estado], token, purchase, form or purchase.form, errors, **more
        )

    def review(self, token: str, purchase: Purchase, form: FiscalForm) -> str:
        """What would be stamped, before it is."""
        clean = receptor.normalize(form.rfc, form.nombre, form.cp, form.regimen, form.uso)
        return self._render(
            "buyer/revisar.html",
            token,
            purchase,
            form,
            (),
            receptor=clean,
            warnings=[
                each.message_en if language() == "en" else each.message_es
                for each in receptor.warn(clean)
            ],
            nombre_regimen=options.nombre_regimen(clean.regimen_fiscal),
            nombre_uso=options.nombre_uso(clean.uso_cfdi),
        )

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
        return flask.render_template(
            template,
            purchase=purchase,
            form=form,
            field_errors={name: by_field[name] for name in FIELDS if name in by_field},
            general_errors=[message(error) for error in errors if error.campo not in FIELDS],
            csrf_token=self._signer.sign(token),
            page_url=lambda endpoint="page", **query: page_url(token, endpoint, **query),
            regimen_groups=options.regimen_groups(),
            regimen_selected=options.selected_regimen(form.regimen, form.rfc),
            uso_groups=options.uso_groups(purchase.usos),
            test_data=self._settings.test_data if purchase.sandbox else None,
            lines_shown=_LINES_SHOWN,
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


def page_url(token: str, endpoint: str = "page", **query: Any) -> str:
    """Relative to the host, keeping a language that was chosen by hand."""
    asked = flask.request.args.get("lang")
    if asked in LANGUAGES:
        query.setdefault("lang", asked)
    values: dict[str, Any] = {"token": token, **query}
    return flask.url_for(f"buyer.{endpoint}", **values)


def message_page(name: str, status: int) -> tuple[str, int]:
    """A page without any purchase: unknown link, too many tries, a failure of ours."""
    return flask.render_template(f"buyer/{name}.html", **words()), status


def words() -> dict[str, Any]:
    """What every template formats and says with."""
    chosen = locale()
    return {
        "language": language(),
        "money": formats.money,
        "plain": formats.plain_money,
        "quantity": lambda value: formats.quantity(value, chosen),
        "day": lambda instant: formats.day(instant, chosen),
        "day_and_time": lambda instant: formats.day_and_time(instant, chosen),
    }


def message(error: FieldError) -> str:
    """What is wrong, in this request's language."""
    return error.mensaje_en if language() == "en" else error.mensaje_es
