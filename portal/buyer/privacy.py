"""The short privacy notice, made of what the merchant's rules say.

Articles 15 and 16 II of the Ley Federal de Protección de Datos Personales en Posesión de los
Particulares (DOF 2025-03-20): who is responsible and where, which data, what for, how to limit
their use, and where the whole notice is.
https://www.diputados.gob.mx/LeyesBiblio/pdf/LFPDPPP.pdf
"""

from __future__ import annotations

import flask
from flask import Blueprint

from hub.domain.brand import Brand
from portal.brand import is_elsewhere, wear, worn
from portal.buyer.counter import Answer, Counter, LinkUnknown
from portal.buyer.pages import page_url, words


def add(made: Blueprint, counter: Counter) -> None:
    """The notice beside a purchase, and beside the search for one."""
    notices = _Notices(counter)
    made.add_url_rule("/f/<token>/privacidad", "privacidad", notices.of_purchase)
    made.add_url_rule("/facturar/<merchant>/privacidad", "privacidad_de", notices.of_merchant)


class _Notices:
    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def of_purchase(self, token: str) -> Answer:
        self._counter.found(token)
        return _page(worn(), page_url(token))

    def of_merchant(self, merchant: str) -> Answer:
        brand = self._counter.service.seller(merchant)
        if brand is None or is_elsewhere(brand.merchant_id):
            raise LinkUnknown
        wear(brand)
        return _page(brand, flask.url_for("buyer.facturar", merchant=merchant))


def _page(brand: Brand, back: str) -> str:
    return flask.render_template("buyer/privacidad.html", brand=brand, back=back, **words())
