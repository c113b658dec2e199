"""The page on which a merchant types a code and the address of a shop, before the shop is asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import flask
from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from connectors import net
from connectors.connecting import CodeRefused, ConnectingRefused, TooManyTries
from connectors.contract import ConnectionInvalid, Connector, PlatformUnreachable
from hub.settings import Settings
from hub.steps import handoff
from hub.steps.context import Context
from portal.buyer.forms import FormSigner, Posting, same_origin
from portal.buyer.forms import field as sent
from portal.buyer.limits import OutcomeLimits
from portal.buyer.pages import message_page
from portal.buyer.settings import PageSettings, Words
from portal.connect import pages
from portal.language import language

Answer = Response | BaseResponse | tuple[Response, int] | tuple[str, int]

#: What can be wrong with the form, in Spanish and English.
INSECURE: Final = Words(
    "Este servicio no tiene una dirección https:// pública (PUBLIC_URL); sin ella tu tienda no "
    "puede mandar las claves. Conéctala con el plug-in o con claves hechas a mano.",
    "This service has no public https:// address (PUBLIC_URL), and a store sends its keys to no "
    "other. Connect it by the plug-in or with keys made by hand.",
)
_STALE: Final = Words(
    "La página estuvo abierta demasiado tiempo. Envíala otra vez.",
    "The page was open for too long. Send it again.",
)
_AWAY: Final = Words(
    "La tienda no responde en esa dirección. Revísala e inténtalo otra vez.",
    "The store does not answer at that address. Check it and try again.",
)
_ADDRESS: Final = Words(
    "No se puede usar esa dirección: escribe la de tu tienda, con https:// y pública.",
    "That address cannot be used: type your store's own, public and with https://.",
)


class AppUnchosen(ConnectingRefused):
    """There are several apps, and none of them was named."""

    status = 422
    code = "app_unchosen"
    message = "Choose the app."
    message_es = "Elige la aplicación."


def cookie_name(nonce: str) -> str:
    """One a hand-off: two at once do not take each other's place."""
    return f"__Host-connect-{hashlib.sha256(nonce.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Consent:
    """The form of one platform. `begun` sends the browser on, from a code and what was typed."""

    ctx: Context
    settings: Settings
    connector: Connector
    title: str
    limits: OutcomeLimits
    begun: Callable[[str, str], Answer]
    #: Apps to choose from, by id; none where there is no choice.
    choices: Callable[[], Mapping[str, str]] = dict

    @property
    def path(self) -> str:
        return f"/connect/{self.connector.platform}"

    @property
    def _signer(self) -> FormSigner:
        return FormSigner(self.settings.secret_key, self.ctx.clock)

    @property
    def _secure(self) -> bool:
        return self.ctx.public_url.startswith("https://")

    def form(self) -> Answer:
        if not self._secure:
            return self.shown(general=INSECURE, status=409)
        return self.shown()

    def begin(self) -> Answer:
        request = flask.request
        origin = PageSettings(self.settings.public_url, self.settings.secret_key).origin
        if not same_origin(request, origin):
            return message_page("ajena", 403)
        if not self._secure:
            return self.shown(general=INSECURE, status=409)
        signed = self._signer.verify(self.path, sent(request, "csrf_token"))
        if signed is not Posting.OURS:
            return self.shown(general=_STALE, status=422)
        return self._tried(sent(request, "code"), sent(request, "store_url", 500))

    def _tried(self, code: str, typed: str) -> Answer:
        try:
            self._welcome(code)
            return self.begun(code, typed)
        except ConnectingRefused as error:
            if isinstance(error, CodeRefused):
                self.limits.wrong_code(flask.request.remote_addr)
            said = Words(error.message_es, error.message)
            place = "app" if isinstance(error, AppUnchosen) else "code"
            return self.shown(place, said, status=error.status)
        except (ConnectionInvalid, net.AddressRefused):
            return self.shown("store_url", _ADDRESS, status=422)
        except PlatformUnreachable:
            return self.shown("store_url", _AWAY, status=422)

    def _welcome(self, code: str) -> None:
        """Before the hub goes anywhere for whoever typed it."""
        if not self.limits.code_allowed(flask.request.remote_addr):
            raise TooManyTries
        if not handoff.code_is_good(self.ctx, code):
            raise CodeRefused

    def sent_on(self, url: str, begun: handoff.Begun) -> Answer:
        """The browser goes where its user agrees, with a cookie that only it can bring back."""
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

    def shown(
        self,
        name: str = "",
        error: Words | None = None,
        *,
        general: Words | None = None,
        status: int = 200,
    ) -> Response:
        private = self.settings.allow_private_hosts
        request = flask.request
        typed: Mapping[str, str] = request.form if request.method == "POST" else request.args
        choices = self.choices()
        app = typed.get("app", "")
        return pages.form(
            self.title,
            self._signer.sign(self.path),
            code=typed.get("code", "")[:100],
            store_url=typed.get("store_url", "")[:500],
            field_errors={name: error[language()]} if error else {},
            general_errors=_said(general),
            status=status,
            onward="https: http:" if private else "https:",
            apps=choices,
            app=app if app in choices else "",
        )


def _said(general: Words | None) -> Sequence[str]:
    return [general[language()]] if general else []
