"""`/connect/<platform>/…`: what shops ask of the hub, as their connectors declare it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, jsonify, request

from connectors.connecting import (
    Asked,
    CodeRefused,
    ConnectingRefused,
    ConnectionUnknown,
    OrderShown,
    Paired,
    Route,
    Speaks,
    Standing,
    TooManyTries,
)
from connectors.contract import Connector
from hub.settings import Settings
from hub.steps import connect, health, pairing
from hub.steps.context import Context
from hub.store.records import Connection
from portal.buyer.limits import OutcomeLimits

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024


def blueprint(ctx: Context, settings: Settings) -> Blueprint:
    """One rule for each route of each installed connector."""
    made = Blueprint("connect", __name__)
    limits = OutcomeLimits(settings.redis_url or "")
    made.before_request(_bound_the_body)
    for platform, connector in ctx.connectors.items():
        if not isinstance(connector, Speaks):
            continue
        desk = HubDesk(ctx, settings, connector, limits)
        for number, route in enumerate(connector.routes):
            made.add_url_rule(
                f"/connect/{platform}{route.path}",
                f"{platform}_{number}",
                _Answering(ctx, desk, route),
                methods=[route.method],
            )
    return made


@dataclass(frozen=True, slots=True)
class _Answering:
    ctx: Context
    desk: HubDesk
    route: Route

    @property
    def __name__(self) -> str:
        return "connect"

    def __call__(self, **values: str) -> tuple[Response, int]:
        query = request.query_string.decode("ascii", "replace")
        asked = Asked(
            method=request.method,
            target=request.path + (f"?{query}" if query else ""),
            headers={name.lower(): value for name, value in request.headers},
            body=request.get_data(cache=False),
            values=values,
            address=request.remote_addr,
            received_at=self.ctx.clock.now(),
        )
        try:
            return jsonify(self.route.answer(asked, self.desk)), 200
        except ConnectingRefused as error:
            return refused(error)


def refused(error: ConnectingRefused) -> tuple[Response, int]:
    told = {"code": error.code, "message": error.message, "message_es": error.message_es}
    return jsonify(error=told), error.status


def _bound_the_body() -> None:
    request.max_content_length = MAX_BODY


@dataclass(frozen=True, slots=True)
class HubDesk:
    """`connectors.connecting.Desk` on the steps, for one platform."""

    ctx: Context
    settings: Settings
    connector: Connector
    limits: OutcomeLimits

    @property
    def public_url(self) -> str:
        return self.ctx.public_url

    @property
    def allow_private(self) -> bool:
        return self.settings.allow_private_hosts

    def pair(
        self, code: str, account: str, given: Mapping[str, str], address: str | None
    ) -> Paired:
        if not self.limits.code_allowed(address):
            raise TooManyTries
        try:
            return pairing.redeem(
                self.ctx,
                self.connector,
                code,
                account=account,
                given=given,
                allow_private=self.allow_private,
            )
        except CodeRefused:
            self.limits.wrong_code(address)
            raise

    def secrets(self, connection_id: str) -> Mapping[str, str]:
        connection = self._open(connection_id)
        with self.ctx.store.reading() as tx:
            tenant = tx.tenant(connection.merchant_id)
            return tenant.connections.credentials(connection_id).current()

    def standing(self, connection_id: str) -> Standing:
        return health.standing(self.ctx, self._open(connection_id).merchant_id, connection_id)

    def order(self, connection_id: str, order_id: str) -> OrderShown:
        connection = self._open(connection_id)
        return health.order_shown(self.ctx, connection.merchant_id, connection, order_id)

    def disconnect(self, connection_id: str, *, tidied: bool) -> None:
        merchant_id = self._open(connection_id).merchant_id
        connect.disconnect(self.ctx, merchant_id, connection_id, tidied=tidied)

    def _open(self, connection_id: str) -> Connection:
        with self.ctx.store.reading() as tx:
            connection = tx.doors.connection(connection_id)
            if connection is None or connection.platform != self.connector.platform:
                raise ConnectionUnknown
            bond = tx.tenant(connection.merchant_id).bonds.get(connection_id)
        if bond is not None and bond.state == "closed":
            raise ConnectionUnknown
        return connection
