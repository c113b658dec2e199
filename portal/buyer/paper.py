"""A Constancia or Cédula de Datos Fiscales that fills the form: a shortcut, never a condition.

The file is looked at in memory and forgotten with the answer. The bound on the whole body is below
what the web server and the form parser keep in memory, so that nothing of it is ever on a disk of
ours: https://docs.pylonsproject.org/projects/waitress/en/stable/arguments.html (`inbuf_overflow`),
https://werkzeug.palletsprojects.com/en/stable/http/#module-werkzeug.formparser (500 KB).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import flask
from flask import Blueprint
from werkzeug.exceptions import RequestEntityTooLarge

from cfdi import constancia
from cfdi.constancia import Constancia, ConstanciaRefused
from hub.domain.purchase import FieldError, FiscalForm
from portal.buyer import forms
from portal.buyer.counter import Answer, Counter, see
from portal.buyer.pages import FORM_ESTADOS, message_page

BODY_MAX = 480 * 1024
#: Two at a time in this process; the page's threads do not queue for a third.
_SEATS = threading.BoundedSemaphore(2)

_NO_FILE = FieldError(
    "constancia",
    "no_file",
    "Elige primero el archivo de tu constancia o una foto de su código QR.",
    "First choose the file of your certificate or a photo of its QR code.",
)
_TOO_LARGE = FieldError(
    "constancia",
    "too_large",
    "El archivo es demasiado grande para leerlo aquí (máximo 450 KB). Usa el PDF que descargaste "
    "del SAT, sin escanear. También puedes escribir tus datos en el formulario.",
    "The file is too large to be read here (450 KB at most). Use the PDF that was downloaded from "
    "SAT, not a scan. The data can be typed into the form as well.",
)
_TOO_MANY = FieldError(
    "constancia",
    "too_many",
    "Ya leímos varios archivos desde esta conexión. Escribe tus datos en el formulario.",
    "Several files were read from this connection already. Type your data into the form.",
)


@dataclass(frozen=True, slots=True)
class Read:
    """What was read, for the page to say; `regimenes` are those of the paper."""

    rfc: str
    complete: bool
    regimenes: tuple[str, ...]


def add(made: Blueprint, counter: Counter) -> None:
    """The route that takes the file, and the way back for whoever reloads its address."""
    routes = _Routes(counter)
    path = "/f/<token>/constancia"
    made.add_url_rule(path, "constancia", routes.constancia, methods=["POST"])
    made.add_url_rule(path, "constancia_back", see, methods=["GET"])


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._pages = counter.pages
        self._limits = counter.limits

    def constancia(self, token: str) -> Answer:
        purchase = self._counter.found(token)
        try:
            form = forms.fiscal_form(flask.request)
        except RequestEntityTooLarge:
            if not forms.same_origin(flask.request, self._counter.origin):
                return message_page("ajena", 403)
            return self._pages.of(token, purchase, errors=(_TOO_LARGE,)), 413
        refusal = self._counter.refuse(token, purchase, form)
        if refusal is not None:
            return refusal
        if purchase.estado not in FORM_ESTADOS or not purchase.brand.pagina.constancia:
            return see(token)
        try:
            found = _found(self._data())
        except _NotRead as reason:
            return self._pages.of(token, purchase, form=form, errors=(reason.error,)), 422
        read = Read(found.rfc, bool(found.nombre), found.regimenes)
        return self._pages.of(token, purchase, form=_filled(form, found), paper=read)

    def _data(self) -> bytes:
        file = flask.request.files.get("constancia")
        data = file.read() if file else b""
        if not data:
            raise _NotRead(_NO_FILE)
        if not self._limits.paper_allowed(flask.request.remote_addr):
            raise _NotRead(_TOO_MANY)
        return data


class _NotRead(Exception):
    """Nothing was read; `error` says why, and nothing of the file."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(error.codigo)
        self.error = error


def _found(data: bytes) -> Constancia:
    """Raises `_NotRead`."""
    try:
        return _read(data)
    except ConstanciaRefused as refused:
        raise _NotRead(
            FieldError("constancia", refused.code, refused.message_es, refused.message_en)
        ) from None


def _read(data: bytes) -> Constancia:
    if not _SEATS.acquire(blocking=False):
        raise ConstanciaRefused("busy")
    try:
        is_pdf = b"%PDF-" in data[:1024]
        return constancia.read(data) if is_pdf else constancia.read_photo(data)
    finally:
        _SEATS.release()


def _filled(form: FiscalForm, found: Constancia) -> FiscalForm:
    """The paper's word over what was typed, where it has one; a uso it never has.

    Of several regímenes none is chosen: only the buyer knows for which one this purchase is.
    """
    one = found.regimenes[0] if len(found.regimenes) == 1 else ""
    named = bool(found.nombre)  # of a code alone only the RFC is known
    return replace(
        form,
        rfc=found.rfc,
        nombre=found.nombre or form.nombre,
        cp=found.cp or form.cp,
        regimen=one or ("" if named and form.regimen not in found.regimenes else form.regimen),
    )
