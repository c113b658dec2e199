"""The buyer's page at `/f/<token>`: shows the purchase, takes five fiscal data, gives the invoice.

No cookie, no state changed by a GET, and no word about a purchase to whoever has not its link.
"""

from __future__ import annotations

import logging
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import flask
from flask import Blueprint, Response
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from cfdi.pdf.qr import verification_url
from hub.domain.purchase import ASKABLE, Estado, FieldError, FiscalForm, Purchase
from hub.log import places
from portal import language as languages
from portal.buyer import forms
from portal.buyer.forms import FormSigner, Posting
from portal.buyer.limits import OutcomeLimits
from portal.buyer.pages import (
    FORM_ESTADOS,
    Pages,
    message,
    message_page,
    page_url,
    words,
)
from portal.buyer.service import BuyerService
from portal.buyer.settings import PageSettings
from portal.design import assets
from portal.headers import secure
from portal.language import language

Answer = Response | BaseResponse | str | tuple[str, int]

_log = logging.getLogger(__name__)
#: What mail programs and people leave at the end of a copied link; no token has any of it.
_TAIL = re.compile(r"[^A-Za-z0-9_-]+$")
_UUID = re.compile(r"[0-9A-Fa-f-]{36}")


class LinkUnknown(Exception):
    """There is no such link. It holds nothing: the answer is the same for all of them."""


def blueprint(service: BuyerService, settings: PageSettings) -> Blueprint:
    """Everything under `/f/` and the page at `/`."""
    routes = _Routes(service, settings)
    made = Blueprint("buyer", __name__, template_folder="templates")
    made.add_url_rule("/", "home", routes.home)
    made.add_url_rule("/f/<token>", "page", routes.page)
    made.add_url_rule("/f/<token>", "submit", routes.submit, methods=["POST"])
    made.add_url_rule("/f/<token>/estado", "estado", routes.estado)
    made.add_url_rule("/f/<token>/cfdi.xml", "xml", routes.xml)
    made.add_url_rule("/f/<token>/cfdi.pdf", "pdf", routes.pdf)
    made.add_url_rule("/f/<token>/sat", "sat", routes.sat)
    made.add_url_rule("/f/<token>/correo", "correo", routes.correo, methods=["POST"])
    made.add_url_rule("/f/<token>/solicitud", "solicitud", routes.solicitud, methods=["POST"])
    for path in ("correo", "solicitud"):  # a reload of the address of a page with errors
        made.add_url_rule(f"/f/<token>/{path}", f"{path}_back", routes.back, methods=["GET"])
    made.before_request(_bound_the_body)
    made.after_app_request(_secure_ours)
    made.register_error_handler(LinkUnknown, routes.unknown)
    made.register_error_handler(HTTPException, _refused)
    made.register_error_handler(Exception, _failed)
    made.record_once(_set_up)
    return made


def _set_up(state: BlueprintSetupState) -> None:
    languages.init_app(state.app)
    shelf = assets.init_app(state.app)
    shelf.add(assets.load("buyer.js", Path(__file__).with_name("buyer.js")))


class _Routes:
    def __init__(self, service: BuyerService, settings: PageSettings) -> None:
        self._service = service
        self._settings = settings
        self._signer = FormSigner(settings.secret_key, settings.clock)
        self._pages = Pages(settings, self._signer)
        self._limits = OutcomeLimits(settings.redis_url)

    def home(self) -> str:
        return flask.render_template("buyer/home.html", home=self._settings.home(), **words())

    def page(self, token: str) -> Answer:
        clean = _TAIL.sub("", token)
        if clean and clean != token:
            return flask.redirect(page_url(clean))
        self._service.refresh(token)
        purchase = self._found(token)
        form = None
        if "prueba" in flask.request.args and purchase.sandbox:
            form = self._settings.test_data
        return self._pages.of(
            token,
            purchase,
            form=form,
            errors=() if form else purchase.errors,
            sent="enviada" in flask.request.args,
        )

    def submit(self, token: str) -> Answer:
        purchase = self._found(token)
        form, action = forms.fiscal_form(flask.request), forms.field(flask.request, "accion")
        refusal = self._refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.estado not in FORM_ESTADOS:
            return _see(token)
        if action == "revisar":
            errors = forms.too_long(form) or self._service.check(token, form)
            if not errors:
                return self._pages.review(token, purchase, form)
        elif action in {"", "generar"}:
            errors = forms.too_long(form) or self._service.request(token, form, language())
            purchase = self._found(token)  # its amounts may be others now
            if not errors or purchase.estado not in FORM_ESTADOS:
                return _see(token)
        else:  # "corregir", or a word we do not know: never an invoice
            return self._pages.of(token, purchase, form=form)
        return self._pages.of(token, purchase, form=form, errors=errors), 422

    def estado(self, token: str) -> Answer:
        """For programs and for the page's own script. Wrong tokens count, but are never limited."""
        purchase = self._service.purchase(token)
        if purchase is None:
            self._limits.wrong_token(flask.request.remote_addr)
            error = {"code": "not_found", "message": "There is no such link."}
            return flask.make_response(flask.jsonify({"error": error}), 404)
        return flask.jsonify(
            estado=purchase.estado.value,
            uuid=purchase.uuid,
            errores=[_error_json(error) for error in purchase.errors],
        )

    def xml(self, token: str) -> Answer:
        purchase = self._found(token)
        return _download(purchase, self._service.xml(token), "xml", "application/xml")

    def pdf(self, token: str) -> Answer:
        purchase = self._found(token)
        return _download(purchase, self._service.pdf(token), "pdf", "application/pdf")

    def sat(self, token: str) -> Answer:
        """To the SAT's own page about this invoice; the address needs the stamped document."""
        self._found(token)
        document = self._service.xml(token)
        if document is None:
            return message_page("sin_documento", 404)
        return flask.redirect(verification_url(document))

    def correo(self, token: str) -> Answer:
        purchase = self._found(token)
        correo = forms.field(flask.request, "correo")
        form = FiscalForm(correo=correo)
        refusal = self._refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.estado is not Estado.LISTA:
            return _see(token)
        if not self._limits.letter_allowed(token):
            return message_page("demasiados", 429)
        too_long = forms.too_long(form)
        error = too_long[0] if too_long else self._service.send_again(token, correo, language())
        if error is not None:
            return self._pages.of(token, purchase, form=form, errors=(error,)), 422
        self._limits.letter(token)
        return _see(token, enviada=1)

    def solicitud(self, token: str) -> Answer:
        purchase = self._found(token)
        form = forms.fiscal_form(flask.request)
        mensaje = forms.field(flask.request, "mensaje", forms.MESSAGE_MAX)[: forms.MESSAGE_MAX]
        refusal = self._refuse(token, purchase, form, mensaje=mensaje)
        if refusal is not None:
            return refusal
        if purchase.estado not in ASKABLE or purchase.asked_at is not None:
            return _see(token)
        errors = forms.too_long(form)
        if not errors:
            asked = asdict(form) | {"mensaje": mensaje, "idioma": language()}
            del asked["vista"]
            error = self._service.ask(token, asked)
            if error is None:
                return _see(token)
            errors = (error,)
        return self._pages.of(token, purchase, form=form, errors=errors, mensaje=mensaje), 422

    def back(self, token: str) -> Answer:
        return _see(token)

    def unknown(self, _error: Exception) -> Answer:
        if self._limits.wrong_token(flask.request.remote_addr):
            return message_page("desconocida", 404)
        return message_page("demasiados", 429)

    def _found(self, token: str) -> Purchase:
        purchase = self._service.purchase(token)
        if purchase is None:
            raise LinkUnknown
        flask.g.frame_ancestors = self._settings.frame_ancestors(purchase.merchant_id)
        return purchase

    def _refuse(
        self, token: str, purchase: Purchase, form: FiscalForm, **more: Any
    ) -> Answer | None:
        """The answer to a form that was not posted by our own page of late; None if it was."""
        if not forms.same_origin(flask.request, self._settings.origin):
            return message_page("ajena", 403)
        posting = self._signer.verify(token, forms.field(flask.request, "csrf_token"))
        if posting is Posting.OURS:
            return None
        return self._pages.of(token, purchase, form=form, stale=True, **more), 422


def _see(token: str, **query: Any) -> BaseResponse:
    return flask.redirect(page_url(token, **query), 303)


def _download(purchase: Purchase, document: bytes | None, ending: str, content_type: str) -> Answer:
    if document is None:
        return message_page("sin_documento", 404)
    named = purchase.uuid and _UUID.fullmatch(purchase.uuid)
    response = Response(document, mimetype=content_type)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{named[0] if named else 'cfdi'}.{ending}"
    )
    return response


def _error_json(error: FieldError) -> dict[str, str]:
    return {"campo": error.campo, "codigo": error.codigo, "mensaje": message(error)}


def _bound_the_body() -> None:
    flask.request.max_content_length = forms.BODY_MAX


def _secure_ours(response: Response) -> Response:
    path = flask.request.path
    if path == "/" or path.startswith("/f/"):
        secure(response, flask.g.get("frame_ancestors", ()))
        response.vary.add("Accept-Language")
    return response


def _refused(error: HTTPException) -> Answer:
    return message_page("rehusada", error.code or 400)


def _failed(error: Exception) -> Answer:
    """Logged by place and kind only: the address holds the token, a message may hold data."""
    place = " < ".join(places(error))
    _log.error("buyer's page failed: %s at %s", type(error).__name__, place)
    return message_page("falla", 500)
