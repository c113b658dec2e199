"""What the app's page asks of the hub. Every answer is for one shop: that of the page's token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from connectors.connecting import (
    Asked,
    ConnectionUnknown,
    Desk,
    Malformed,
    Page,
    Route,
    Standing,
)
from connectors.contract import CredentialsRefused, PlatformUnreachable
from connectors.shopify import tokens
from connectors.shopify.grant import NotAnswered, NotGranted
from connectors.shopify.home.page import page, refused, snippet
from connectors.shopify.session import Visit, bearer, visit_of
from connectors.shopify.verify import is_shop, query_of, query_signed
from hub.clock import Clock

#: Rows of the page's table.
SALES: Final = 20


class Home:
    """The routes of the page, with the clock that the keys of a shop are dated by."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.routes: Final = (
            Route("GET", "/app", shell),
            Route("GET", "/app/state", self.state),
            Route("POST", "/app/pair", self.pair),
            Route("POST", "/app/disconnect", disconnect),
        )

    def state(self, asked: Asked, desk: Desk) -> Mapping[str, Any]:
        """How the shop stands. One whose keys were lost gets new ones by this very visit."""
        visit = _visit(asked, desk)
        connection = desk.connection_of(visit.shop, visit.app)
        if connection is None:
            return {"connected": False, "shop": visit.shop}
        standing = desk.standing(connection)
        if standing.keys == "refused":
            desk.renew(connection, self._exchanged(visit, asked))
            standing = desk.standing(connection)
        return _told(desk, visit, connection, standing)

    def pair(self, asked: Asked, desk: Desk) -> Mapping[str, Any]:
        """Connect the shop to the merchant who made the code.

        It is tried before keys are asked for: new ones end those of the connection that there is.
        """
        visit, code = _visit(asked, desk), _text(asked, "code")
        desk.expect(code, visit.shop, asked.address)
        given = {**self._exchanged(visit, asked), "app": visit.app.id}
        paired = desk.pair(code, visit.shop, given, asked.address)
        return _told(desk, visit, paired.connection_id, desk.standing(paired.connection_id))

    def _exchanged(self, visit: Visit, asked: Asked) -> Mapping[str, str]:
        """Keys for the shop in exchange for the token of whoever looks at its page."""
        place = tokens.Place.of_app(visit.shop, visit.app)
        try:
            return tokens.exchanged(place, visit.app, bearer(asked.headers), self._clock)
        except CredentialsRefused:
            raise NotGranted from None
        except PlatformUnreachable:
            raise NotAnswered from None


def shell(asked: Asked, desk: Desk) -> Page:
    """The page itself. It holds no data; which app it is of, the signature of its address tells.

    Shopify loads the same address again when the merchant reloads the admin, so its age says
    nothing: the token that the page asks for afterwards lives a minute.
    """
    query = query_of(asked.target) or {}
    shop, locale = query.get("shop", ""), query.get("locale", "")
    if not is_shop(shop):
        return refused(locale)
    for app in desk.apps():
        secrets = (app.keys.get(name, "") for name in ("client_secret", "client_secret_before"))
        if query_signed(query, secrets, asked.received_at, ever=True):
            return page(shop, app.keys["client_id"], locale)
    return refused(locale)


def disconnect(asked: Asked, desk: Desk) -> Mapping[str, Any]:
    visit = _visit(asked, desk)
    connection = desk.connection_of(visit.shop, visit.app)
    if connection is None:
        raise ConnectionUnknown
    desk.disconnect(connection, tidied=False)
    return {"connected": False, "shop": visit.shop}


def _visit(asked: Asked, desk: Desk) -> Visit:
    return visit_of(bearer(asked.headers), desk.apps())


def _text(asked: Asked, name: str) -> str:
    try:
        told = json.loads(asked.body)
    except (ValueError, RecursionError):
        raise Malformed from None
    value = told.get(name) if isinstance(told, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= 100:
        raise Malformed
    return value


def _instant(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _told(desk: Desk, visit: Visit, connection: str, standing: Standing) -> Mapping[str, Any]:
    _, window, window_es = standing.window
    return {
        "connected": True,
        "shop": visit.shop,
        "merchant": standing.merchant_name,
        "state": standing.state,
        "keys": standing.keys,
        "window": window,
        "window_es": window_es,
        "last_delivery_at": _instant(standing.last_delivery_at),
        "last_fetch_at": _instant(standing.last_fetch_at),
        "problems": [
            {"code": one.code, "message": one.message, "message_es": one.message_es}
            for one in standing.problems
        ],
        "snippet": snippet(desk.public_url, visit.shop),
        "gaps": [
            {"description": one.description, "sku": one.sku, "sales": one.sales}
            for one in desk.gaps(connection)
        ],
        "sales": [
            {
                "number": one.number,
                "placed_at": _instant(one.placed_at),
                "total": f"{one.total:f}",
                "currency": one.currency,
                "estado": one.estado,
                "link": one.link,
            }
            for one in desk.sales(connection, SALES)
        ],
    }
