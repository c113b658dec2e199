"""What the buyer's page is told by whoever mounts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hub.clock import Clock, SystemClock
from hub.domain.purchase import FiscalForm
from portal.brand import Brands, NoBrands


@dataclass(frozen=True, slots=True)
class Words:
    """A text in both languages of the pages."""

    es: str
    en: str

    def __getitem__(self, language: str) -> str:
        return self.en if language == "en" else self.es


@dataclass(frozen=True, slots=True)
class HomePart:
    """A part of this installation and how it is: `ok` None where nobody knows."""

    name: Words
    detail: Words
    ok: bool | None = None


@dataclass(frozen=True, slots=True)
class HomeLink:
    """Where to go next. Without `url` the title is shown as a command to type."""

    title: Words
    detail: Words
    url: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The page at `/`, for whoever runs this installation and has just opened it."""

    title: Words
    intro: Words
    parts: tuple[HomePart, ...] = ()
    links: tuple[HomeLink, ...] = ()


def plain_home() -> Home:
    """What a visitor may know: nothing of how this installation is."""
    return Home(
        Words("Facturación en línea", "Online invoicing"),
        Words(
            "Este servicio emite facturas (CFDI 4.0) de compras pagadas. Abre el enlace que te "
            "envió el comercio.",
            "This service issues Mexican invoices (CFDI 4.0) of paid purchases. Open the link the "
            "merchant sent you.",
        ),
    )


@dataclass(frozen=True, slots=True)
class PageSettings:
    """`public_url` is absolute; its origin is the only one that may post to the page."""

    public_url: str
    secret_key: str
    #: Fiscal data of a test taxpayer: offered on sandbox pages only.
    test_data: FiscalForm | None = None
    brands: Brands = field(default_factory=NoBrands)
    #: Where wrong tokens are counted; empty: in this process.
    redis_url: str = ""
    home: Callable[[], Home] = plain_home
    clock: Clock = field(default_factory=SystemClock)

    @property
    def origin(self) -> str:
        """As a browser writes it: lower case, without the scheme's own port."""
        parts = urlsplit(self.public_url.lower())
        own_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
        return f"{parts.scheme}://{parts.netloc.removesuffix(own_port)}"
