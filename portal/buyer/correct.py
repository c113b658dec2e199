"""After the button: data that are wrong on the invoice, and an address left while one waits."""

from __future__ import annotations

import flask
from flask import Blueprint

from hub.domain.purchase import Estado, FieldError, FiscalForm, Purchase
from portal.buyer import forms
from portal.buyer.counter import Answer, Counter, see
from portal.buyer.pages import message_page
from portal.language import language

_TEMPLATE = "buyer/corregir.html"
_AWAITED = frozenset({Estado.PROCESANDO, Estado.POR_CONFIRMAR, Estado.LISTA})


def add(made: Blueprint, counter: Counter) -> None:
    """`/f/<token>/corregir` and `/f/<token>/aviso`."""
    routes = _Routes(counter)
    made.add_url_rule("/f/<token>/corregir", "corregir", routes.show)
    made.add_url_rule("/f/<token>/corregir", "corrige", routes.send, methods=["POST"])
    made.add_url_rule("/f/<token>/aviso", "aviso", routes.let_know, methods=["POST"])
    made.add_url_rule("/f/<token>/aviso", "aviso_back", routes.back, methods=["GET"])


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._service = counter.service
        self._pages = counter.pages
        self._limits = counter.limits

    def show(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        if not _open(purchase):
            return see(token)
        stamped = self._service.stamped_data(token) if purchase.corrections_left else None
        return self._pages.of(token, purchase, form=stamped or FiscalForm(), template=_TEMPLATE)

    def send(self, token: str) -> Answer:
        """A correction where the rules allow one, else a message to the merchant."""
        purchase = self._counter.found(token)
        form = forms.fiscal_form(flask.request)
        mensaje = forms.field(flask.request, "mensaje", forms.MESSAGE_MAX)[: forms.MESSAGE_MAX]
        refusal = self._counter.refuse(
            token, purchase, form, mensaje=mensaje, template=_TEMPLATE if _open(purchase) else ""
        )
        if refusal is not None:
            return refusal
        if not _open(purchase):
            return see(token)
        errors = forms.too_long(form) or self._sent(token, purchase, form, mensaje)
        if not errors:
            return see(token)
        purchase = self._counter.found(token)
        if not _open(purchase):
            return see(token)
        return (
            self._pages.of(
                token, purchase, form=form, errors=errors, mensaje=mensaje, template=_TEMPLATE
            ),
            422,
        )

    def _sent(
        self, token: str, purchase: Purchase, form: FiscalForm, mensaje: str
    ) -> tuple[FieldError, ...]:
        if purchase.corrections_left:
            return self._service.correct(token, form, mensaje, language())
        asked = {"correo": form.correo, "mensaje": mensaje, "idioma": language()}
        error = self._service.ask(token, asked)
        return (error,) if error else ()

    def let_know(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        form = FiscalForm(correo=forms.field(flask.request, "correo"))
        refusal = self._counter.refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.estado not in _AWAITED or not purchase.proven or purchase.masked_email:
            return see(token)
        with self._limits.letter(token) as trial:
            if trial.wait:
                return message_page("demasiados", 429)
            too_long = forms.too_long(form)
            error = too_long[0] if too_long else self._service.let_know(token, form.correo)
            if error is not None:
                return self._pages.of(token, purchase, form=form, errors=(error,)), 422
            trial.count()
        return see(token)

    def back(self, token: str) -> Answer:
        return see(token)


def _open(purchase: Purchase) -> bool:
    """Whether there is an invoice to ask about, and nothing is asked about it already."""
    return purchase.estado is Estado.LISTA and purchase.proven and purchase.asked_at is None
