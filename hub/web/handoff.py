"""`/connect/<platform>`: a merchant lets a shop hand its keys over by its own page of consent."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import flask
import structlog
from flask import Blueprint, Response
from werkzeug.wrappers import Response as BaseResponse

from connectors import net
from connectors.connecting import CodeRefused, ConnectingRefused, HandsOver, Malformed, TooManyTries
from connectors.contract import (
    ConnectionFacts,
    ConnectionInvalid,
    Connector,
    DeliveryUnreadable,
    PlatformUnreachable,
    Subscribes,
)
from hub.settings import Settings
from hub.steps import handoff
from hub.steps.context import Context
from hub.web.connect import MAX_BODY, refused
from portal.buyer.forms import FormSigner, Posting, same_origin
from portal.buyer.forms import field as sent
from portal.buyer.limits import OutcomeLimits
from portal.buyer.pages import message_page
from portal.buyer.settings import PageSettings, Words
from portal.connect import pages
from portal.language import language

Answer = Response | BaseResponse | tuple[Response, int] | tuple[str, int]

log = structlog.get_logger(__name__)

AT_ONCE: Final = 3

TEMPLATES = Path(pages.__file__).parent / "templates"

#: What can be wrong with the form, in Spanish and English.
_INSECURE = Words(
    "Este servicio no tiene una dirección https:// pública (PUBLIC_URL); sin ella tu tienda no "
    "puede mandar las claves. Conéctala con el plug-in o con claves hechas a mano.",
    "This service has no public https:// address (PUBLIC_URL), and a store sends its keys to no "
    "other. Connect it by the plug-in or with keys made by hand.",
)
_STALE = Words(
    "La página estuvo abierta demasiado tiempo. Envíala otra vez.",
    "The page was open for too long. Send it again.",
)
_AWAY = Words(
    "La tienda no responde en esa dirección. Revísala e inténtalo otra vez.",
    "The store does not answer at that address. Check it and try again.",
)
_ADDRESS = Words(
    "No se puede usar esa dirección: escribe la de tu tienda, con https:// y pública.",
    "That address cannot be used: type your store's own, public and with https://.",
)


def blueprint(ctx: Context, settings: Settings) -> Blueprint:
    """The form, the way back and the callback of every connector that hands keys over."""
    made = Blueprint("handoff", __name__, template_folder=str(TEMPLATES))
    made.before_request(_bound_the_body)
    limits = OutcomeLimits(settings.redis_url or "")
    for platform, connector in ctx.connectors.items():
        if not isinstance(connector, HandsOver):
            continue
        pages_of = _HandOff(ctx, settings, connector, connector, limits)
        path = f"/connect/{platform}"
        made.add_url_rule(path, f"{platform}_form", pages_of.form)
        made.add_url_rule(path, f"{platform}_begin", pages_of.begin, methods=["POST"])
        made.add_url_rule(f"{path}/return", f"{platform}_return", pages_of.back)
        made.add_url_rule(
            f"{path}/callback", f"{platform}_callback", pages_of.callback, methods=["POST"]
        )
    return made


def _bound_the_body() -> None:
    flask.request.max_content_length = MAX_BODY


def cookie_name(nonce: str) -> str:
    """One a hand-off: two at once do not take each other's place."""
    return f"__Host-connect-{hashlib.sha256(nonce.encode()).hexdigest()[:16]}"


def _sent_by_a_page(request: flask.Request) -> bool:
    """Whether a browser followed another site's redirect or link, not somebody's typing or a
    program that reads addresses again: https://www.w3.org/TR/fetch-metadata/"""
    came_from = request.headers.get("Sec-Fetch-Site", "")
    navigates = request.headers.get("Sec-Fetch-Mode", "") == "navigate"
    return navigates and came_from in {"cross-site", "same-site"}


@dataclass(frozen=True, slots=True)
class _HandOff:
    ctx: Context
    settings: Settings
    connector: Connector
    consent: HandsOver
    limits: OutcomeLimits
    #: Threads of a process that may wait for a shop here, however slowly shops answer.
    seats: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(AT_ONCE)
    )

    @property
    def _path(self) -> str:
        return f"/connect/{self.connector.platform}"

    @property
    def _signer(self) -> FormSigner:
        return FormSigner(self.settings.secret_key, self.ctx.clock)

    @property
    def _secure(self) -> bool:
        return self.ctx.public_url.startswith("https://")

    def form(self) -> Answer:
        if not self._secure:
            return self._form(general=_INSECURE, status=409)
        return self._form()

    def begin(self) -> Answer:
        request = flask.request
        origin = PageSettings(self.settings.public_url, self.settings.secret_key).origin
        if not same_origin(request, origin):
            return message_page("ajena", 403)
        if not self._secure:
            return self._form(general=_INSECURE, status=409)
        signed = self._signer.verify(self._path, sent(request, "csrf_token"))
        if signed is not Posting.OURS:
            return self._form(general=_STALE, status=422)
        return self._tried(sent(request, "code"), sent(request, "store_url", 500))

    def _tried(self, code: str, typed: str) -> Answer:
        try:
            return self._begun(code, typed)
        except ConnectingRefused as error:
            if isinstance(error, CodeRefused):
                self.limits.wrong_code(flask.request.remote_addr)
            said = Words(error.message_es, error.message)
            return self._form("code", said, status=error.status)
        except (ConnectionInvalid, net.AddressRefused):
            return self._form("store_url", _ADDRESS, status=422)
        except PlatformUnreachable:
            return self._form("store_url", _AWAY, status=422)

    def _begun(self, code: str, typed: str) -> Answer:
        if not self.limits.code_allowed(flask.request.remote_addr):
            raise TooManyTries
        # Before the hub goes anywhere for whoever typed it.
        if not handoff.code_is_good(self.ctx, code):
            raise CodeRefused
        begun = handoff.begin(self.ctx, self.connector.platform, code, self._settled(typed))
        base = f"{self.ctx.public_url}{self._path}"
        url = self.consent.consent_url(
            begun.account,
            nonce=begun.nonce,
            return_url=f"{base}/return",
            callback_url=f"{base}/callback",
        )
        answer = flask.redirect(url, 303)
        answer.set_cookie(
            cookie_name(begun.nonce),
            begun.browser,
            max_age=int(handoff.LASTS.total_seconds()),
            secure=True,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def _settled(self, typed: str) -> str:
        """The shop's own address, looked up: its user is sent there, and keys are bound to it."""
        allow_private = self.settings.allow_private_hosts
        account = net.shop_url(typed, allow_private=allow_private)
        if not isinstance(self.connector, Subscribes):
            return account
        if not self.seats.acquire(blocking=False):
            raise TooManyTries
        try:
            return self.connector.settle(
                ConnectionFacts("", account, {"allow_private": allow_private})
            )
        finally:
            self.seats.release()

    def back(self) -> Answer:
        """`GET …/return`: by the browser. Nothing is believed without what it began with."""
        nonce, agreed = self.consent.returned(flask.request.args)
        try:
            outcome = handoff.came_back(
                self.ctx,
                self.connector,
                nonce,
                flask.request.cookies.get(cookie_name(nonce), ""),
                agreed=agreed,
                allow_private=self.settings.allow_private_hosts,
            )
        except ConnectingRefused as error:
            return pages.back("taken", start=self._path, status=error.status)
        strange = outcome is handoff.Returned.UNKNOWN and agreed and _sent_by_a_page(flask.request)
        if strange and handoff.somebody_else_agreed(self.ctx, nonce):
            log.warning("hand_off_by_somebody_else", platform=self.connector.platform)
        waiting = outcome is handoff.Returned.WAITING
        again = flask.request.full_path if waiting else ""
        status = 404 if outcome is handoff.Returned.UNKNOWN else 200
        return pages.back(outcome.value, start=self._path, again=again, status=status)

    def callback(self) -> Answer:
        """`POST …/callback`: by the shop. 200 alone makes it keep the key it made."""
        try:
            nonce, given = self.consent.handed(flask.request.get_data(cache=False))
            self._take(nonce, given)
        except DeliveryUnreadable as error:
            return refused(Malformed(str(error)))
        except ConnectingRefused as error:
            log.warning("keys_refused", platform=self.connector.platform, code=error.code)
            return refused(error)
        return flask.jsonify(received=True), 200

    def _take(self, nonce: str, given: Mapping[str, str]) -> None:
        seat = self.seats.acquire(blocking=False)
        try:
            handoff.keys_came(
                self.ctx,
                self.connector,
                nonce,
                given,
                allow_private=self.settings.allow_private_hosts,
                ask=seat,
            )
        finally:
            if seat:
                self.seats.release()

    def _form(
        self,
        name: str = "",
        error: Words | None = None,
        *,
        general: Words | None = None,
        status: int = 200,
    ) -> Response:
        private = self.settings.allow_private_hosts
        request = flask.request
        typed: Mapping[str, str] = request.form if request.method == "POST" else {}
        return pages.form(
            self.consent.title,
            self._signer.sign(self._path),
            code=typed.get("code", "")[:100],
            store_url=typed.get("store_url", "")[:500],
            field_errors={name: error[language()]} if error else {},
            general_errors=[general[language()]] if general else [],
            status=status,
            onward="https: http:" if private else "https:",
        )
