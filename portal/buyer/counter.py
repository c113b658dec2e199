"""What every route of the buyer's page needs: the purchase behind a token, and whose form it is."""

from __future__ import annotations

from typing import Any

import flask
from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from hub.domain.purchase import FiscalForm, Purchase, Visit
from portal.brand import house, is_elsewhere, wear
from portal.buyer import forms
from portal.buyer.forms import FormSigner, Posting
from portal.buyer.limits import OutcomeLimits
from portal.buyer.pages import Pages, message_page, page_url
from portal.buyer.service import BuyerService
from portal.buyer.settings import PageSettings

Answer = Response | BaseResponse | str | tuple[str, int]


class LinkUnknown(Exception):
    """There is no such link. It holds nothing: the answer is the same for all of them."""


class Counter:
    """One application's buyer's page: its service, its limits, its signature on forms."""

    def __init__(self, service: BuyerService, settings: PageSettings) -> None:
        self.service = service
        self.settings = settings
        self.signer = FormSigner(settings.secret_key, settings.clock)
        self.pages = Pages(settings, self.signer)
        self.limits = OutcomeLimits(settings.redis_url)

    def found(self, token: str) -> Purchase:
        """Raises `LinkUnknown`."""
        purchase = self.service.purchase(token)
        if purchase is None or is_elsewhere(purchase.merchant_id):
            raise LinkUnknown
        wear(purchase.brand)
        return purchase

    def visited(self, token: str, *, asks: bool) -> Visit:
        """The same for somebody who opens the page, `asks` as of the service's."""
        here = house()
        visit = self.service.visit(token, asks=asks, of=here.merchant_id if here else None)
        if visit is None:
            raise LinkUnknown
        wear(visit.purchase.brand)
        return visit

    @property
    def origin(self) -> str:
        """The only one that may post to the pages of this request."""
        here = house()
        return here.origin if here else self.settings.origin

    def refuse(
        self, token: str, purchase: Purchase, form: FiscalForm, **more: Any
    ) -> Answer | None:
        """The answer to a form that was not posted by our own page of late; None if it was.

        `more` is passed on to `Pages.of`.
        """
        if not forms.same_origin(flask.request, self.origin):
            return message_page("ajena", 403)
        posting = self.signer.verify(token, forms.field(flask.request, "csrf_token"))
        if posting is Posting.OURS:
            return None
        return self.pages.of(token, purchase, form=form, stale=True, **more), 422


def see(token: str, **query: Any) -> BaseResponse:
    """To the page of the purchase, by GET."""
    return flask.redirect(page_url(token, **query), 303)
