"""Several purchases in one invoice: the list, which is the address itself."""

from __future__ import annotations

from typing import Any

import flask
from flask import Blueprint

from hub.domain import ticket
from hub.domain.purchase import FieldError, FiscalForm, Purchase
from portal.buyer import forms
from portal.buyer.counter import Answer, Counter, see
from portal.buyer.pages import message, page_url

#: Longer than any code, total or address of ours with whatever is pasted around it.
_TYPED_MAX = 2000
_NO_CODE = FieldError(
    "codigo",
    "codigo",
    "Escribe el código completo: son 8 letras y números.",
    "Type the whole code: 8 letters and digits.",
)
_NO_TOTAL = FieldError(
    "total",
    "total",
    "Escribe el total con números, por ejemplo 1,234.50.",
    "Type the total in digits, for example 1,234.50.",
)
_WAIT = FieldError(
    "",
    "wait",
    "Ya probaste varias veces. Espera unos minutos y vuelve a intentarlo.",
    "You have tried several times. Wait some minutes and try again.",
)


def add(made: Blueprint, counter: Counter) -> None:
    """Routes of the list of purchases."""
    routes = _Routes(counter)
    made.add_url_rule("/f/<token>/varias", "varias", routes.page)
    made.add_url_rule("/f/<token>/varias", "juntar", routes.change, methods=["POST"])
    made.add_url_rule("/f/<token>/separar", "separar", routes.separate, methods=["POST"])
    made.add_url_rule("/f/<token>/separar", "separar_back", see, methods=["GET"])


def to_list(token: str) -> Answer:
    """To the page where the list is changed, by GET."""
    return flask.redirect(page_url(token, "varias"), 303)


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._service, self._limits = counter.service, counter.limits

    def page(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        if not (purchase.joinable or purchase.apart):
            return see(token)
        return self._page(token, purchase)

    def change(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        typed = {name: forms.field(flask.request, name, _TYPED_MAX) for name in ("codigo", "total")}
        refusal = self._counter.refuse(token, purchase, FiscalForm())
        if refusal is not None:
            return refusal
        if not (purchase.joinable or purchase.apart):
            return see(token)
        place = forms.field(flask.request, "quitar", 3)
        if place:
            known = self._service.take_off(token, int(place)) if place.isdecimal() else None
            return to_list(known or token)
        return self._add(token, purchase, typed)

    def separate(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        refusal = self._counter.refuse(token, purchase, FiscalForm())
        if refusal is not None:
            return refusal
        self._service.separate(token)
        return see(token)

    def _add(self, token: str, purchase: Purchase, typed: dict[str, str]) -> Answer:
        address = flask.request.remote_addr
        code, total = ticket.code(typed["codigo"]), ticket.total(typed["total"])
        by_link = "/f/" in typed["codigo"]
        wrong = [] if by_link else [*[_NO_CODE][: not code], *[_NO_TOTAL][: total is None]]
        if wrong:
            return self._page(token, purchase, typed, wrong, 422)
        # Each link by itself: as one, a stranger's wrong ones would count for everybody's.
        known = typed["codigo"] if by_link else ticket.folded(code)
        with self._limits.ticket(address, known) as trial:
            if trial.wait:
                return self._page(token, purchase, typed, [_WAIT], 429)
            if by_link or total is None:
                joined = self._service.join_link(token, typed["codigo"])
            else:
                joined = self._service.join(token, code, total)
            if joined.token is not None:
                return to_list(joined.token)
            if joined.error is None or joined.error.codigo == "not_found":
                trial.count()
        return self._page(token, purchase, typed, [joined.error] if joined.error else [], 422)

    def _page(
        self,
        token: str,
        purchase: Purchase,
        typed: dict[str, str] | None = None,
        errors: list[FieldError] | None = None,
        status: int = 200,
    ) -> tuple[str, int]:
        listed, problem = self._service.listed(token), self._service.unjoinable(token)
        more: dict[str, Any] = {
            "listed": listed,
            "problem": message(problem) if problem and len(listed) > 1 else "",
            "problems": [message(one.problem) if one.problem else "" for one in listed],
            "typed": typed or {"codigo": "", "total": ""},
            "wrong": {one.campo: message(one) for one in errors or () if one.campo},
            "missed": [message(one) for one in errors or () if not one.campo],
        }
        page = self._counter.pages.render("buyer/varias.html", token, purchase, **more)
        return page, status
