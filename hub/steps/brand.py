"""What buyers see of a merchant, and the hosts and names by which they find it."""

from __future__ import annotations

from dataclasses import dataclass

from cfdi import pdf
from hub.domain.brand import Brand
from hub.steps.context import Context
from hub.steps.issuer import Issuer, issuer_of
from hub.store.brand import PAGE, PRINT
from hub.store.database import Tenant


def brand_of(tenant: Tenant, issuer: Issuer | None = None) -> Brand:
    """`issuer`: this merchant's, where it was read already."""
    issuer = issuer or issuer_of(tenant)
    merchant, rules = issuer.merchant, issuer.rules
    return Brand(
        merchant_id=merchant.id,
        name=rules.nombre or merchant.nombre,
        issuer_name=merchant.nombre,
        rfc=merchant.rfc,
        cp=merchant.codigo_postal,
        correo=rules.correo,
        language=rules.idioma,
        pagina=rules.pagina,
        logo=tenant.logos.facts(),
    )


def paper(tenant: Tenant) -> pdf.Brand:
    """What the printed document shows of its issuer."""
    return pdf.Brand(tenant.logos.image(PRINT) or b"", issuer_of(tenant).rules.pagina.color)


def paper_behind(ctx: Context, token: str) -> pdf.Brand:
    """Of the merchant of a buyer's address."""
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        return paper(tx.tenant(found.merchant_id)) if found else pdf.Brand()


@dataclass(frozen=True, slots=True)
class Brands:
    """`portal.brand.Brands` on the real store."""

    ctx: Context

    def at_host(self, host: str) -> Brand | None:
        with self.ctx.store.reading() as tx:
            merchant_id = tx.doors.merchant_of_host(host)
            return brand_of(tx.tenant(merchant_id)) if merchant_id else None

    def logo(self, merchant_id: str) -> tuple[str, bytes] | None:
        with self.ctx.store.reading() as tx:
            if tx.merchants.get(merchant_id) is None:
                return None
            logos = tx.tenant(merchant_id).logos
            facts, image = logos.facts(), logos.image(PAGE)
        return (facts.digest, image) if facts and image else None
