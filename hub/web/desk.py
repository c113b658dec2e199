"""What the hub does for the shops of one platform: `connectors.connecting.Desk` on the steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from connectors.connecting import (
    App,
    CodeRefused,
    ConnectionUnknown,
    Gap,
    OrderShown,
    Paired,
    SaleShown,
    Standing,
    TooManyTries,
)
from connectors.contract import Connector
from hub.settings import Settings
from hub.steps import connect, health, pairing, staff
from hub.steps.context import Context
from hub.store.records import Connection
from portal.buyer.limits import OutcomeLimits


@dataclass(frozen=True, slots=True)
class HubDesk:
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

    def expect(self, code: str, account: str, address: str | None) -> None:
        with self._counting(address):
            pairing.expect(self.ctx, self.connector.platform, code, account)

    def pair(
        self, code: str, account: str, given: Mapping[str, str], address: str | None
    ) -> Paired:
        with self._counting(address):
            return pairing.redeem(
                self.ctx,
                self.connector,
                code,
                account=account,
                given=given,
                allow_private=self.allow_private,
            )

    @contextmanager
    def _counting(self, address: str | None) -> Iterator[None]:
        """Whoever tries codes is told so after some wrong ones."""
        if not self.limits.code_allowed(address):
            raise TooManyTries
        try:
            yield
        except CodeRefused:
            self.limits.wrong_code(address)
            raise

    def apps(self) -> Sequence[App]:
        return pairing.apps(self.ctx, self.connector.platform)

    def connection_of(self, account: str, app: App) -> str | None:
        with self.ctx.store.reading() as tx:
            found = tx.doors.open_of_app(self.connector.platform, account, app.id)
        return None if found is None else found.id

    def renew(self, connection_id: str, given: Mapping[str, str]) -> None:
        connection = self._open(connection_id)
        pairing.renew(self.ctx, self.connector, connection, given, allow_private=self.allow_private)

    def sales(self, connection_id: str, limit: int) -> Sequence[SaleShown]:
        merchant_id = self._open(connection_id).merchant_id
        return staff.sales(self.ctx, merchant_id, connection_id, limit)

    def gaps(self, connection_id: str) -> Sequence[Gap]:
        return staff.gaps(self.ctx, self._open(connection_id).merchant_id, connection_id)

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
