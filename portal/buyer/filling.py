"""The form: looked over, shown as it would be stamped, corrected, and at last asked for."""

from __future__ import annotations

from dataclasses import replace

import flask
from flask import Blueprint

from cfdi.rfc import GENERIC_FOREIGN
from hub.domain.purchase import FiscalForm, Purchase, field_error
from portal.buyer import forms
from portal.buyer.counter import Answer, Counter, see
from portal.buyer.find import proven
from portal.buyer.pages import FORM_ESTADOS
from portal.language import language


def add(made: Blueprint, counter: Counter) -> None:
    """The route of the form."""
    routes = _Routes(counter)
    made.add_url_rule("/f/<token>", "submit", routes.submit, methods=["POST"])


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._service = counter.service
        self._pages = counter.pages

    def submit(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        form, action = forms.fiscal_form(flask.request), forms.field(flask.request, "accion")
        refusal = self._counter.refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.parts or purchase.estado not in FORM_ESTADOS:
            return see(token)
        if action == "revisar":
            return self._review(token, purchase, form)
        if action in {"", "generar"}:
            return self._issue(token, form)
        # "corregir", or a word we do not know: never an invoice
        return self._pages.of(token, purchase, form=_turned(form, action))

    def _review(self, token: str, purchase: Purchase, form: FiscalForm) -> Answer:
        errors = forms.too_long(form)
        given = None if errors else self._service.examine(token, form)
        if given is not None and not given.findings:
            return self._pages.review(token, purchase, form, given)
        errors = errors or tuple(map(field_error, given.findings if given else ()))
        return self._pages.of(token, purchase, form=form, errors=errors), 422

    def _issue(self, token: str, form: FiscalForm) -> Answer:
        errors = forms.too_long(form) or self._service.request(token, form, language())
        if not errors:
            return proven(self._counter, token, form)
        purchase = self._counter.found(token)  # its amounts may be others now
        if purchase.estado not in FORM_ESTADOS:
            return see(token)
        return self._pages.of(token, purchase, form=form, errors=errors), 422


def _turned(form: FiscalForm, action: str) -> FiscalForm:
    """The form of a foreigner, or that of everybody else again; name and address stay."""
    if action == "extranjero":
        return replace(form, rfc=GENERIC_FOREIGN, cp="", regimen="", uso="")
    if action == "con_rfc":
        return replace(form, rfc="", cp="", regimen="", uso="")
    return form
