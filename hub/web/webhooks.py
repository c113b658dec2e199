"""`POST /webhooks/…`: verified, on disk, 200. Nothing else happens here."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Blueprint, Response, request

from connectors.abilities import Locates
from connectors.contract import Connector, Delivery, SignatureInvalid
from hub.steps.context import Context
from hub.steps.doorway import Doorways
from hub.steps.receive import Received, receive, receive_for_account
from hub.steps.shops import ConnectorMissing
from hub.web.bodies import delivered, plain
from hub.web.metrics import RECEIVED

log = structlog.get_logger()


def blueprint(ctx: Context) -> Blueprint:
    webhooks = Blueprint("webhooks", __name__)
    doorways = Doorways(ctx)
    offices: dict[str, tuple[Connector, Locates]] = {
        name: (one, one) for name, one in ctx.connectors.items() if isinstance(one, Locates)
    }

    @webhooks.post("/webhooks/<platform>/<connection>")
    def webhook(platform: str, connection: str) -> Response:
        def take(delivery: Delivery) -> Received | None:
            door = doorways.find(connection)
            if door is None or door.connection.platform != platform:
                return None
            return receive(ctx, door, delivery)

        return _answer(ctx, platform, connection, take)

    @webhooks.post("/webhooks/<platform>")
    def webhook_of_all(platform: str) -> Response:
        def take(delivery: Delivery) -> Received | None:
            known = offices.get(platform)
            if known is None:
                return None
            return receive_for_account(ctx, doorways, *known, delivery)

        return _answer(ctx, platform, "", take)

    return webhooks


def _answer(
    ctx: Context, platform: str, connection_id: str, take: Callable[[Delivery], Received | None]
) -> Response:
    """200 filed, duplicate or no use; 401 signature; 404 connection; 411, 413 size; 503 not stored.

    Exactly 200 on success: WooCommerce takes anything else on its greeting for a failure, see
    connectors/woocommerce/README.md.
    """
    body = delivered()
    if isinstance(body, Response):
        return body
    try:
        headers = {name.lower(): value for name, value in request.headers}
        received = take(Delivery(headers, body, ctx.clock.now()))
    except SignatureInvalid:
        RECEIVED.labels(platform, "refused").inc()
        return plain(401, "signature")
    except Exception as error:
        missing = isinstance(error, ConnectorMissing)
        event = "connector_missing" if missing else "webhook_not_stored"
        log.error(event, platform=platform, connection=connection_id, exc_info=error)
        return plain(503, "not stored, please send it again")
    if received is None:
        return plain(404, "no such connection" if connection_id else "no such platform")
    RECEIVED.labels(platform, received.value).inc()
    return plain(200, received.value)
