"""One purchase in two invoices: what goes into the first, and a page for each of the two."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import flask
from flask import Blueprint

from hub.domain.purchase import Draft, FieldError, FiscalForm, Purchase
from portal.buyer import forms
from portal.buyer.counter import Answer, Counter, see
from portal.buyer.pages import message

#: Fields of the form are `u0`, `u1`, … in the order of the purchase's lines.
_DIGITS_MAX = 20
#: No more than a CFDI holds of a Cantidad: a quantity has six decimals at most.
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,6})?|\.[0-9]{1,6}")
#: 1,500 is fifteen hundred in Mexico; any other comma stands for the point.
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]{0,6})?")
_UNITS = FieldError(
    "",
    "units",
    "Revisa las cantidades: de cada renglón, entre cero y lo que compraste.",
    "Check the quantities: of each line, between none and what you bought.",
)


def add(made: Blueprint, counter: Counter) -> None:
    """Routes of a purchase that is, or is to be, divided."""
    routes = _Routes(counter)
    made.add_url_rule("/f/<token>/dividir", "dividir", routes.page)
    made.add_url_rule("/f/<token>/dividir", "dividir_en", routes.divide, methods=["POST"])
    made.add_url_rule("/f/<token>/unir", "unir", routes.unite, methods=["POST"])
    made.add_url_rule("/f/<token>/unir", "unir_back", see, methods=["GET"])


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._service = counter.service

    def page(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        draft = self._service.draft(token, {}) if purchase.dividable else None
        if draft is None:
            return see(token)
        return self._page(token, purchase, replace(draft, totals=None, error=None))

    def divide(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        refusal = self._counter.refuse(token, purchase, FiscalForm())
        if refusal is not None:
            return refusal
        empty = self._service.draft(token, {}) if purchase.dividable else None
        if empty is None:
            return see(token)
        if forms.field(flask.request, "accion") == "mitad":
            return self._page(token, purchase, self._service.draft(token, None) or empty)
        return self._divide(token, purchase, empty)

    def _divide(self, token: str, purchase: Purchase, empty: Draft) -> Answer:
        units = _units(empty)
        if units is None:
            return self._page(token, purchase, replace(empty, totals=None, error=_UNITS), 422)
        draft = self._service.draft(token, units) or empty
        if draft.totals is None:
            return self._page(token, purchase, draft, 422)
        shown = forms.field(flask.request, "calculado")
        if forms.field(flask.request, "accion") != "dividir" or shown not in {"", _mark(draft)}:
            return self._page(token, purchase, draft)  # these totals nobody has seen
        error = self._service.divide(token, units, forms.field(flask.request, "vista"))
        if error is None:
            return see(token)
        return self._page(token, self._counter.found(token), replace(draft, error=error), 422)

    def unite(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        refusal = self._counter.refuse(token, purchase, FiscalForm())
        if refusal is not None:
            return refusal
        if purchase.unitable:
            self._service.unite(token)
        return see(token)

    def _page(
        self, token: str, purchase: Purchase, draft: Draft, status: int = 200
    ) -> tuple[str, int]:
        wrong = message(draft.error) if draft.error else ""
        page = self._counter.pages.render(
            "buyer/dividir.html",
            token,
            purchase,
            draft=draft,
            first=[format(one.first.normalize(), "f") for one in draft.portions],
            calculado=_mark(draft),
            problem=wrong,
        )
        return page, status


def _mark(draft: Draft) -> str:
    """Equal for the same division of the same lines."""
    told = " ".join(f"{one.key}:{one.first.normalize():f}" for one in draft.portions)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _units(draft: Draft) -> Mapping[str, Decimal] | None:
    """What was typed, by the lines' keys; None if any of it is no number."""
    found: dict[str, Decimal] = {}
    for place, portion in enumerate(draft.portions):
        typed = forms.field(flask.request, f"u{place}", _DIGITS_MAX).strip()
        typed = typed.replace(",", "" if _THOUSANDS.fullmatch(typed) else ".")
        if typed and not _NUMBER.fullmatch(typed):
            return None
        found[portion.key] = Decimal(typed or "0")
    return found
