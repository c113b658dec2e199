"""The same page for a platform that sends its user back with a code that is changed for keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import flask
import structlog

from connectors.abilities import Subscribes
from connectors.connecting import (
    App,
    ConnectedElsewhere,
    ConnectingRefused,
    Grants,
    TooManyTries,
)
from connectors.contract import ConnectionFacts, Connector, PlatformUnreachable
from hub.settings import Settings
from hub.steps import handoff
from hub.steps.context import Context
from hub.steps.pairing import apps
from hub.web.asked import Seats, asked
from hub.web.consent import Answer, AppUnchosen, Consent, cookie_name
from portal.buyer.limits import OutcomeLimits
from portal.buyer.settings import Words
from portal.connect import pages

log = structlog.get_logger(__name__)

AT_ONCE: Final = 3

_NO_APP: Final = Words(
    "Quien opera este servicio todavía no registró su aplicación. Pídele que lo haga "
    "(autofactura app add).",
    "Whoever runs this service has not registered its app yet. Ask for it (autofactura app add).",
)


@dataclass(frozen=True, slots=True)
class Granting:
    ctx: Context
    settings: Settings
    connector: Connector
    consent: Grants
    limits: OutcomeLimits
    seats: Seats = field(default_factory=lambda: Seats(AT_ONCE))

    @property
    def _consent(self) -> Consent:
        return Consent(
            self.ctx,
            self.settings,
            self.connector,
            self.consent.title,
            self.limits,
            self._begun,
            self._choices,
        )

    def form(self) -> Answer:
        if not self._apps():
            return self._consent.shown(general=_NO_APP, status=409)
        return self._consent.form()

    def begin(self) -> Answer:
        if not self._apps():
            return self._consent.shown(general=_NO_APP, status=409)
        return self._consent.begin()

    def _apps(self) -> Mapping[str, App]:
        return {app.id: app for app in apps(self.ctx, self.connector.platform)}

    def _choices(self) -> Mapping[str, str]:
        """What an app is called: by its operator ("name" among its keys), else its client id."""
        found = self._apps()
        if len(found) < 2:
            return {}
        return {app.id: app.keys.get("name") or app.keys["client_id"] for app in found.values()}

    def _begun(self, code: str, typed: str) -> Answer:
        app = self._chosen(flask.request.form.get("app", ""))
        begun = handoff.begin(
            self.ctx, self.connector.platform, code, self._settled(typed), app_id=app.id
        )
        base = f"{self.ctx.public_url}{self._consent.path}"
        url = self.consent.grant_url(
            begun.account, nonce=begun.nonce, return_url=f"{base}/return", app=app
        )
        return self._consent.sent_on(url, begun)

    def _chosen(self, app_id: str) -> App:
        found = self._apps()
        if app_id in found:
            return found[app_id]
        if len(found) != 1:
            raise AppUnchosen
        return next(iter(found.values()))

    def _settled(self, typed: str) -> str:
        """What was typed in the platform's one spelling, looked up where it can be."""
        if not isinstance(self.connector, Subscribes):
            return typed.strip()
        settings = {"allow_private": self.settings.allow_private_hosts}
        with self.seats.taken():
            return self.connector.settle(ConnectionFacts("", typed.strip(), settings))

    def back(self) -> Answer:
        """`GET …/return`: by the browser. Nothing is believed without what it began with."""
        question = asked(self.ctx.clock.now())
        nonce = self.consent.nonce_of(question)
        start = self._consent.path
        try:
            with self.seats.taken():
                outcome = handoff.granted(
                    self.ctx,
                    self.connector,
                    self.consent,
                    question,
                    nonce=nonce,
                    browser=flask.request.cookies.get(cookie_name(nonce), ""),
                    allow_private=self.settings.allow_private_hosts,
                )
        except TooManyTries:
            again = flask.request.full_path
            return pages.back("waiting", start=start, again=again)
        except ConnectingRefused as error:
            log.warning("grant_refused", platform=self.connector.platform, code=error.code)
            taken = isinstance(error, ConnectedElsewhere)
            return pages.back("taken" if taken else "failed", start=start, status=error.status)
        except PlatformUnreachable:
            return pages.back("waiting", start=start, again=flask.request.full_path)
        again = flask.request.full_path if outcome is handoff.Returned.WAITING else ""
        status = 404 if outcome is handoff.Returned.UNKNOWN else 200
        return pages.back(outcome.value, start=start, again=again, status=status)
