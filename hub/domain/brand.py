"""How a merchant looks to its buyers: what stands on pages, in letters and on documents."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.domain.pagina import Pagina


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that was kept: PNG, made anew from the merchant's own (`hub.domain.logo`)."""

    digest: str  # of its bytes; names it in addresses
    width: int  # pixels, twice those on the page
    height: int

    @property
    def wide(self) -> bool:
        """Probably says the name: it needs none beside it."""
        return self.width >= 2 * self.height


@dataclass(frozen=True, slots=True)
class Brand:
    """What a page needs to look like a merchant's, whatever it is about. Empty: nobody's."""

    merchant_id: str = ""
    name: str = ""  # what buyers know the merchant by
    issuer_name: str = ""  # as registered with SAT
    rfc: str = ""
    cp: str = ""  # of the place of issue
    correo: str = ""  # to which buyers answer; "" if the merchant gave none
    language: str = "es"
    pagina: Pagina = field(default_factory=Pagina)
    logo: Logo | None = None

    @property
    def logo_url(self) -> str:
        """Relative to the host; "" without a logo."""
        return f"/assets/brand/{self.merchant_id}.{self.logo.digest}.png" if self.logo else ""
