"""Ways to a purchase without its link: the code and the total of a ticket, and what has then to be
proved before anything personal is shown."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import flask
from flask import Blueprint, Response

from hub.domain import ticket
from hub.domain.brand import Brand
from hub.domain.purchase import Estado, FieldError, FiscalForm, Purchase
from portal import qr
from portal.brand import house, is_elsewhere, wear, worn
from portal.buyer import forms
from portal.buyer.counter import Answer, Counter, LinkUnknown, see
from portal.buyer.forms import Posting
from portal.buyer.pages import message_page, words
from portal.headers import WITH_CAMERA
from portal.language import LANGUAGES, language

#: Longer than any code or total with whatever is pasted around it.
_TYPED_MAX = 100
_OTHER_RFC = FieldError(
    "rfc",
    "rfc_other",
    "Con ese RFC no podemos mostrarla. Revisa que sea el que diste al facturar.",
    "We cannot show it with that RFC. Check that it is the one you gave for the invoice.",
)
_WAIT = FieldError(
    "rfc",
    "rfc_wait",
    "Ya probaste varias veces. Espera una hora, o pide que te la reenviemos.",
    "You have tried several times. Wait an hour, or ask us to send it again.",
)


def add(made: Blueprint, counter: Counter) -> None:
    """Routes of `/facturar`, and those of whoever came by it."""
    search, holder = _Search(counter), _Holder(counter)
    rules: tuple[tuple[str, dict[str, str]], ...] = (
        ("/facturar", {"merchant": ""}),
        ("/facturar/<merchant>", {}),
    )
    for path, defaults in rules:
        made.add_url_rule(path, "facturar", search.form, defaults=defaults)
        made.add_url_rule(path, "buscar", search.search, methods=["POST"], defaults=defaults)
    made.add_url_rule("/robots.txt", "robots", _robots)
    made.add_url_rule("/f/<token>/qr.svg", "qr", holder.qr)
    for path, act in (
        ("probar", holder.prove),
        ("reenviar", holder.resend),
        ("no-fui-yo", holder.dispute),
    ):
        endpoint = path.replace("-", "_")
        made.add_url_rule(f"/f/<token>/{path}", endpoint, act, methods=["POST"])
        made.add_url_rule(f"/f/<token>/{path}", f"{endpoint}_back", see, methods=["GET"])


def proven(counter: Counter, token: str, form: FiscalForm) -> Answer:
    """To the page of the invoice, for whoever has just typed the data that it is made out to."""
    purchase = counter.found(token)
    if purchase.proven:
        return see(token)
    with counter.limits.proof(_address(), _sale(purchase)) as trial:
        link = None if trial.wait else counter.service.prove(token, form.rfc, form.nombre)
        if link is None:
            trial.count()
    return see(link or token)


class _Search:
    """The form for code and total, of one merchant or of all."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def form(self, merchant: str) -> Answer:
        seller = self._seller(merchant)
        given = flask.request.args.get("codigo", "")[:_TYPED_MAX]
        return self._page(seller, merchant, ticket.shown(ticket.code(given)) or given, "")

    def search(self, merchant: str) -> Answer:
        seller = self._seller(merchant)
        typed = [forms.field(flask.request, name, _TYPED_MAX) for name in ("codigo", "total")]
        if not forms.same_origin(flask.request, self._counter.origin):
            return message_page("ajena", 403)
        posting = self._counter.signer.verify(
            _form_name(seller), forms.field(flask.request, "csrf_token")
        )
        if posting is not Posting.OURS:
            return self._page(seller, merchant, *typed, status=422, stale=True)
        code, total = ticket.code(typed[0]), ticket.total(typed[1])
        if not code or total is None:
            wrong = {"codigo": not code, "total": total is None}
            return self._page(seller, merchant, *typed, status=422, wrong=wrong)
        return self._found(seller, merchant, code, total, typed)

    def _found(
        self, seller: Brand | None, merchant: str, code: str, total: Decimal, typed: list[str]
    ) -> Answer:
        # Counted before anything is looked up: else who guesses would be let in by the first
        # right one, and many at once by as many as ask together.
        with self._counter.limits.ticket(_address(), ticket.folded(code)) as trial:
            if trial.wait:
                answer = self._page(
                    seller, merchant, *typed, status=429, minutes=math.ceil(trial.wait / 60)
                )
                answer.headers["Retry-After"] = str(trial.wait)
                return answer
            token = self._counter.service.find(code, total, seller.merchant_id if seller else None)
            if token is None:
                trial.count()
        if token is not None:
            return see(token)
        return self._page(seller, merchant, *typed, status=404, missed=True)

    def _seller(self, name: str) -> Brand | None:
        """None for the page of all merchants. Raises `LinkUnknown`."""
        if not name:
            return worn() if house() is not None else None
        seller = self._counter.service.seller(name)
        if seller is None or is_elsewhere(seller.merchant_id):
            raise LinkUnknown
        wear(seller)
        return seller

    def _page(
        self,
        seller: Brand | None,
        merchant: str,
        code: str,
        total: str,
        *,
        status: int = 200,
        **more: Any,
    ) -> Response:
        text = flask.render_template(
            "buyer/facturar.html",
            seller=seller,
            code=code,
            total=total,
            csrf_token=self._counter.signer.sign(_form_name(seller)),
            here=lambda endpoint="facturar", **query: _here(endpoint, merchant, **query),
            **words(),
            **more,
        )
        response = flask.make_response(text, status)
        response.headers.update(WITH_CAMERA)
        return response


class _Holder:
    """What whoever holds a ticket may do about an invoice that is there already."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._service, self._limits = counter.service, counter.limits

    def qr(self, token: str) -> Answer:
        """The page's own address, to open it on the phone; of a link only, a pass ends too soon."""
        if not self._counter.found(token).proven:
            raise LinkUnknown
        address = self._counter.origin + flask.url_for("buyer.page", token=token)
        return Response(qr.svg(address), mimetype="image/svg+xml")

    def prove(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        rfc = forms.field(flask.request, "rfc")
        form = FiscalForm(rfc=rfc)
        refusal = self._counter.refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.proven:
            return see(token)
        with self._limits.proof(_address(), _sale(purchase)) as trial:
            if trial.wait:
                return self._counter.pages.of(token, purchase, form=form, errors=(_WAIT,)), 429
            link = self._service.prove(token, rfc) if len(rfc) <= forms.FIELD_MAX else None
            if link is not None:
                return see(link)
            trial.count()
        return self._counter.pages.of(token, purchase, form=form, errors=(_OTHER_RFC,)), 422

    def resend(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        refusal = self._counter.refuse(token, purchase, FiscalForm())
        if refusal is not None:
            return refusal
        if purchase.proven or purchase.estado is not Estado.LISTA:
            return see(token)
        if not self._limits.resend(_sale(purchase)):
            return message_page("demasiados", 429)
        self._service.resend(token)
        return see(token, reenviada=1)

    def dispute(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        form = FiscalForm(correo=forms.field(flask.request, "correo"))
        mensaje = forms.field(flask.request, "mensaje", forms.MESSAGE_MAX)[: forms.MESSAGE_MAX]
        refusal = self._counter.refuse(token, purchase, form, mensaje=mensaje)
        if refusal is not None:
            return refusal
        if purchase.proven or purchase.estado is not Estado.LISTA:
            return see(token)
        asked = {"correo": form.correo, "mensaje": mensaje, "idioma": language()}
        error = self._service.dispute(token, asked)
        if error is None:
            return see(token, avisado=1)
        page = self._counter.pages.of(token, purchase, form=form, errors=(error,), mensaje=mensaje)
        return page, 422


def _form_name(seller: Brand | None) -> str:
    """What the form's signature is bound to, where other forms have a token."""
    return f"facturar/{seller.merchant_id if seller else ''}"


def _here(endpoint: str, merchant: str, **query: Any) -> str:
    asked = flask.request.args.get("lang")
    if asked in LANGUAGES:
        query.setdefault("lang", asked)
    return flask.url_for(f"buyer.{endpoint}", merchant=merchant, **query)


def _sale(purchase: Purchase) -> str:
    """What tries are counted for: several together and parts of one have no code of a ticket."""
    named = purchase.code or f"{purchase.number}/{purchase.part}"
    return f"{purchase.merchant_id}/{named}"


def _address() -> str | None:
    return flask.request.remote_addr


def _robots() -> Response:
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")
