"""No more invitations of a merchant: by a mail program in one click, or by a person in two.

A GET changes nothing, so that whoever looks through mails for bad links ends nothing. The token is
the whole proof: RFC 8058 §3.2 has mail programs post without any cookie, page or origin of ours.
"""

from __future__ import annotations

import flask
from flask import Blueprint

from hub.domain.brand import Brand
from portal.brand import is_elsewhere, wear
from portal.buyer.counter import Answer, Counter
from portal.buyer.pages import in_other_language, message_page, words


def add(made: Blueprint, counter: Counter) -> None:
    """`/baja/<token>`."""
    routes = _Routes(counter)
    made.add_url_rule("/baja/<token>", "leaving", routes.ask)
    made.add_url_rule("/baja/<token>", "left", routes.leave, methods=["POST"])


class _Routes:
    def __init__(self, counter: Counter) -> None:
        self._service = counter.service

    def ask(self, token: str) -> Answer:
        return _page(self._service.leaving(token), done=False)

    def leave(self, token: str) -> Answer:
        """Answers at once: RFC 8058 allows no redirect."""
        return _page(self._service.unsubscribe(token), done=True)


def _page(brand: Brand | None, *, done: bool) -> Answer:
    if brand is None or is_elsewhere(brand.merchant_id):
        return message_page("baja_desconocida", 404)
    wear(brand)
    return flask.render_template(
        "buyer/baja.html",
        merchant=brand.name,
        done=done,
        in_other_language="" if done else in_other_language(),
        **words(),
    )
