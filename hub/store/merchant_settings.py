"""What a merchant has set up: rules, certificates, PAC accounts."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import datetime

from hub.store import schema
from hub.store.records import CsdRow, PacAccount
from hub.store.session import Scope


class Rules:
    """Every text that was ever set is kept; the newest counts."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def current(self) -> str:
        """The TOML text, "" if none was set."""
        newest = self._newest()
        return "" if newest is None else newest.toml

    def set(self, toml: str) -> int:
        """The number of the new version, counting from 1."""
        newest = self._newest()
        version = 1 if newest is None else newest.version + 1
        self._scope.add(
            schema.Rules, version=version, toml=toml, created_at=self._scope.clock.now()
        )
        return version

    def _newest(self) -> schema.Rules | None:
        return self._scope.find(schema.Rules, "ORDER BY version DESC")


class Csd:
    """Certificates with their keys; the key is sealed at rest."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def add(  # noqa: PLR0917 - one record, in its order
        self,
        no_certificado: str,
        certificate_der: bytes,
        key_der: bytes,
        not_before: datetime,
        not_after: datetime,
        authority: str,
    ) -> CsdRow:
        row_id = self._scope.clock.new_id()
        self._scope.add(
            schema.Csd,
            id=row_id,
            no_certificado=no_certificado,
            certificate_der=certificate_der,
            key_sealed=self._scope.seal("csd.key", row_id, key_der),
            not_before=not_before,
            not_after=not_after,
            authority=authority,
            created_at=self._scope.clock.now(),
        )
        return self._record(self._scope.get(schema.Csd, id=row_id))

    def active(self, at: datetime) -> CsdRow | None:
        """Of those valid at that instant the one that begins last; of equals the newest here."""
        newest = self._active(at)
        return None if newest is None else self._record(newest)

    def active_until(self, at: datetime) -> datetime | None:
        """When the one in use at that instant expires. Its key stays sealed."""
        newest = self._active(at)
        return None if newest is None else newest.not_after

    def _active(self, at: datetime) -> schema.Csd | None:
        csd = schema.Csd
        rows = self._scope.rows(csd, csd.not_before <= at, csd.not_after >= at)
        return max(rows, key=lambda row: (row.not_before, row.id), default=None)

    def list(self) -> builtins.list[CsdRow]:
        """Oldest first."""
        return [self._record(row) for row in self._scope.rows(schema.Csd, order=schema.Csd.id)]

    def _record(self, row: schema.Csd) -> CsdRow:
        return CsdRow(
            id=row.id,
            no_certificado=row.no_certificado,
            certificate_der=row.certificate_der,
            key_der=self._scope.open("csd.key", row.id, row.key_sealed),
            not_before=row.not_before,
            not_after=row.not_after,
            authority=row.authority,
        )


class Pac:
    """PAC accounts. One is active; the others stay, because sent documents are pinned to theirs."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def set(self, provider: str, environment: str, settings: Mapping[str, str]) -> PacAccount:
        """Add an account and make it the active one."""
        pac, row_id = schema.PacAccount, self._scope.clock.new_id()
        self._scope.change(pac, pac.active == True, active=False)  # noqa: E712 - SQL, not Python
        self._scope.add(
            pac,
            id=row_id,
            provider=provider,
            environment=environment,
            settings_sealed=self._scope.seal_json("pac.settings", row_id, dict(settings)),
            active=True,
            created_at=self._scope.clock.now(),
        )
        return PacAccount(row_id, provider, environment, dict(settings))

    def active(self) -> PacAccount | None:
        row = self._scope.find(schema.PacAccount, active=True)
        return None if row is None else self._record(row)

    def get(self, account_id: str) -> PacAccount | None:
        row = self._scope.find(schema.PacAccount, id=account_id)
        return None if row is None else self._record(row)

    def _record(self, row: schema.PacAccount) -> PacAccount:
        settings = self._scope.open_json("pac.settings", row.id, row.settings_sealed)
        return PacAccount(row.id, row.provider, row.environment, settings)
