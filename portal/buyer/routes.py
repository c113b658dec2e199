"""The buyer's page at `/f/<token>`: shows the purchase, takes five fiscal data, gives the invoice.

No cookie, no state changed by a GET, and no word about a purchase to whoever has not its link.
"""

from __future__ import annotations

import logging
import re
from dataclasses import asdict, replace
from pathlib import Path

import flask
from flask import Blueprint, Response
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException

from cfdi.pdf.qr import verification_url
from hub.domain.purchase import Estado, FieldError, FiscalForm, Purchase
from hub.log import places
from portal import brand
from portal import language as languages
from portal.brand import house, is_elsewhere, worn
from portal.buyer import (
    bundle,
    correct,
    dividing,
    filling,
    find,
    forms,
    options,
    paper,
    privacy,
    together,
    unsubscribe,
)
from portal.buyer.counter import Answer, Counter, LinkUnknown, see
from portal.buyer.pages import message, message_page, page_url, words
from portal.buyer.service import BuyerService
from portal.buyer.settings import PageSettings
from portal.design import assets
from portal.headers import secure
from portal.language import language
from portal.visitors import looks

_log = logging.getLogger(__name__)
#: What mail programs and people leave at the end of a copied link; no token has any of it.
_TAIL = re.compile(r"[^A-Za-z0-9_-]+$")
_OURS = ("/f/", "/facturar/", "/baja/")
#: Seconds after which it is worth asking again.
_AGAIN_AFTER = {Estado.PROCESANDO: 2, Estado.POR_CONFIRMAR: 15}
_UUID = re.compile(r"[0-9A-Fa-f-]{36}")


def blueprint(service: BuyerService, settings: PageSettings) -> Blueprint:
    """Everything under `/f/` and the page at `/`."""
    counter = Counter(service, settings)
    routes = _Routes(counter)
    made = Blueprint("buyer", __name__, template_folder="templates")
    made.add_url_rule("/", "home", routes.home)
    made.add_url_rule("/f/<token>", "page", routes.page)
    made.add_url_rule("/f/<token>/estado", "estado", routes.estado)
    made.add_url_rule("/f/<token>/cfdi.xml", "xml", routes.xml)
    made.add_url_rule("/f/<token>/cfdi.pdf", "pdf", routes.pdf)
    made.add_url_rule("/f/<token>/nota/<int:number>.xml", "note_xml", routes.note_xml)
    made.add_url_rule("/f/<token>/nota/<int:number>.pdf", "note_pdf", routes.note_pdf)
    made.add_url_rule("/f/<token>/sat", "sat", routes.sat)
    made.add_url_rule("/f/<token>/correo", "correo", routes.correo, methods=["POST"])
    made.add_url_rule("/f/<token>/solicitud", "solicitud", routes.solicitud, methods=["POST"])
    for path in ("correo", "solicitud"):  # a reload of the address of a page with errors
        made.add_url_rule(f"/f/<token>/{path}", f"{path}_back", routes.back, methods=["GET"])
    filling.add(made, counter)
    paper.add(made, counter)
    find.add(made, counter)
    together.add(made, counter)
    dividing.add(made, counter)
    privacy.add(made, counter)
    unsubscribe.add(made, counter)
    correct.add(made, counter)
    bundle.add(made, counter)
    made.before_request(_bound_the_body)
    made.after_app_request(_secure_ours)
    made.register_error_handler(LinkUnknown, routes.unknown)
    made.register_error_handler(HTTPException, _refused)
    made.register_error_handler(Exception, _failed)
    made.record_once(_set_up)
    made.record_once(lambda state: brand.init_app(state.app, settings.brands, settings.public_url))
    return made


def _set_up(state: BlueprintSetupState) -> None:
    languages.init_app(state.app)
    state.app.jinja_env.globals["option_list"] = options.rendered
    shelf = assets.init_app(state.app)
    scripts = Path(__file__).with_name("script")
    parts = (scripts / f"{part}.js" for part in ("sending", "fields", "memory", "waiting"))
    shelf.add(assets.load("buyer.js", assets.COPY, *parts))
    shelf.add(assets.load("camera.js", scripts / "camera.js"))
    shelf.add(assets.load("bundle.js", scripts / "bundle.js"))


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._service = counter.service
        self._settings = counter.settings
        self._pages = counter.pages
        self._limits = counter.limits

    def home(self) -> Answer:
        if house() is not None:
            return flask.redirect("/facturar")
        return flask.render_template("buyer/home.html", home=self._settings.home(), **words())

    def page(self, token: str) -> Answer:
        clean = _TAIL.sub("", token)
        if clean and clean != token:
            return flask.redirect(page_url(clean))
        visit = self._counter.visited(token, asks=looks(flask.request))
        if visit.moved is not None:
            return flask.redirect(page_url(visit.moved), 303)
        purchase = visit.purchase
        if purchase.apart:
            return together.to_list(token)
        if purchase.parts:
            origin = self._counter.origin
            return self._pages.render("buyer/partes.html", token, purchase, origin=origin)
        form, test = None, self._settings.test_data
        if "prueba" in flask.request.args and purchase.sandbox and test:
            form = replace(test, correo=purchase.form.correo)  # where the documents go is no test
        elif "vacio" in flask.request.args:
            form = FiscalForm()
        return self._pages.of(
            token,
            purchase,
            form=form,
            errors=() if form else purchase.errors,
            sent="enviada" in flask.request.args,
        )

    def estado(self, token: str) -> Answer:
        """For programs and for the page's own script. Wrong tokens count, but are never limited."""
        word = self._service.word(token)
        if word is None or is_elsewhere(word.merchant_id):
            self._limits.wrong_token(flask.request.remote_addr)
            error = {"code": "not_found", "message": "There is no such link."}
            return flask.make_response(flask.jsonify({"error": error}), 404)
        answer = flask.jsonify(
            estado=word.estado.value,
            uuid=word.uuid,
            errores=[_error_json(error) for error in word.errors],
        )
        if word.estado in _AGAIN_AFTER:
            answer.headers["Retry-After"] = str(_AGAIN_AFTER[word.estado])
        return answer

    def xml(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        document = self._service.xml(token)
        return _download(purchase.uuid, document, "xml", "application/xml")

    def pdf(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        document = self._service.pdf(token)
        return _download(purchase.uuid, document, "pdf", "application/pdf")

    def note_xml(self, token: str, number: int) -> Answer:
        uuid = _note(self._counter.found(token), number)
        document = self._service.note_xml(token, number) if uuid else None
        return _download(uuid, document, "xml", "application/xml")

    def note_pdf(self, token: str, number: int) -> Answer:
        uuid = _note(self._counter.found(token), number)
        document = self._service.note_pdf(token, number) if uuid else None
        return _download(uuid, document, "pdf", "application/pdf")

    def sat(self, token: str) -> Answer:
        """To the SAT's own page about this invoice; the address needs the stamped document."""
        self._counter.found(token)
        document = self._service.xml(token)
        if document is None:
            return message_page("sin_documento", 404)
        return flask.redirect(verification_url(document))

    def correo(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        correo = forms.field(flask.request, "correo")
        form = FiscalForm(correo=correo)
        refusal = self._counter.refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.estado is not Estado.LISTA:
            return see(token)
        with self._limits.letter(token) as trial:
            if trial.wait:
                return message_page("demasiados", 429)
            too_long = forms.too_long(form)
            error = too_long[0] if too_long else self._service.send_again(token, correo, language())
            if error is not None:
                return self._pages.of(token, purchase, form=form, errors=(error,)), 422
            trial.count()
        return see(token, enviada=1)

    def solicitud(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        form = forms.fiscal_form(flask.request)
        mensaje = forms.field(flask.request, "mensaje", forms.MESSAGE_MAX)[: forms.MESSAGE_MAX]
        refusal = self._counter.refuse(token, purchase, form, mensaje=mensaje)
        if refusal is not None:
            return refusal
        if not purchase.askable or purchase.asked_at is not None:
            return see(token)
        errors = forms.too_long(form)
        if not errors:
            asked = asdict(form) | {"mensaje": mensaje, "idioma": language()}
            del asked["vista"]
            error = self._service.ask(token, asked)
            if error is None:
                return see(token)
            errors = (error,)
        return self._pages.of(token, purchase, form=form, errors=errors, mensaje=mensaje), 422

    def back(self, token: str) -> Answer:
        return see(token)

    def unknown(self, _error: Exception) -> Answer:
        if self._limits.wrong_token(flask.request.remote_addr):
            return message_page("desconocida", 404)
        return message_page("demasiados", 429)


def _note(purchase: Purchase, number: int) -> str | None:
    return next((one.uuid for one in purchase.notes if one.number == number), None)


def _download(uuid: str | None, document: bytes | None, ending: str, content_type: str) -> Answer:
    if document is None:
        return message_page("sin_documento", 404)
    named = uuid and _UUID.fullmatch(uuid)
    response = Response(document, mimetype=content_type)
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{named[0] if named else 'cfdi'}.{ending}"
    )
    return response


def _error_json(error: FieldError) -> dict[str, str]:
    return {"campo": error.campo, "codigo": error.codigo, "mensaje": message(error)}


def _bound_the_body() -> None:
    paper_comes = flask.request.endpoint == "buyer.constancia"
    flask.request.max_content_length = paper.BODY_MAX if paper_comes else forms.BODY_MAX


def _secure_ours(response: Response) -> Response:
    path = flask.request.path
    if path in {"/", "/facturar", "/robots.txt"} or path.startswith(_OURS):
        secure(response, worn().pagina.marcos)
        response.vary.add("Accept-Language")
    return response


def _refused(error: HTTPException) -> Answer:
    return message_page("rehusada", error.code or 400)


def _failed(error: Exception) -> Answer:
    """Logged by place and kind only: the address holds the token, a message may hold data."""
    place = " < ".join(places(error))
    _log.error("buyer's page failed: %s at %s", type(error).__name__, place)
    return message_page("falla", 500)
