"""Who issues, from where, by which rules: what every step needs to know of a merchant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from cfdi import catalogs
from cfdi.comprobante import Emisor
from hub.domain.rules import Rules, parse
from hub.store.database import Tenant
from hub.store.records import Merchant


@dataclass(frozen=True, slots=True)
class Issuer:
    merchant: Merchant
    rules: Rules
    zone: ZoneInfo

    @property
    def emisor(self) -> Emisor:
        return Emisor(self.merchant.rfc, self.merchant.nombre, self.merchant.regimen)

    @property
    def lugar_expedicion(self) -> str:
        return self.merchant.codigo_postal

    @property
    def lugar_for_foreigners(self) -> str:
        """The place of issue, where buyers without an RFC of Mexico are served; "" elsewhere."""
        return self.lugar_expedicion if self.rules.pagina.extranjeros else ""


def issuer_of(tenant: Tenant) -> Issuer:
    merchant = tenant.merchant()
    return Issuer(merchant, _parsed(tenant.rules.current()), catalogs.zone(merchant.codigo_postal))


#: A text is parsed once a process: rules change rarely and are read with every sale.
_parsed = lru_cache(maxsize=1000)(parse)
