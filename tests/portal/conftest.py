"""A service in memory that keeps the promises of `BuyerService`, and an application around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import flask
import pytest

from hub.domain.asks import WITH_DATA
from hub.domain.brand import Brand
from hub.domain.purchase import (
    Estado,
    FieldError,
    FiscalForm,
    Paper,
    Purchase,
    PurchaseLine,
    Visit,
    Word,
    field_error,
)
from hub.domain.receiver import Receiver, examined
from hub.domain.rules import Rules
from portal.buyer.routes import blueprint
from portal.buyer.settings import Home, HomeLink, HomePart, PageSettings, Words
from portal.design.made import DONE, OPEN, UUID
from tests.waitresses import on_waitress

MEXICO = ZoneInfo("America/Mexico_City")
TOKEN = "kA3-_9ZbQm7Yw2Xc5Vd8Re1Tf4Gg6Hh0Jj2Kk5Ll8Mn"
LEAVING = "WyJtMSJd.aGVsbG8-_"
#: Of the link that whoever proves the receiver's RFC is led to.
PROVEN = "pRoVeN-_9ZbQm7Yw2Xc5Vd8Re1Tf4Gg6Hh0Jj2Kk5Ll8"
TEST_DATA = FiscalForm(
    rfc="EKU9003173C9",
    nombre="ESCUELA KEMPER URGATE",
    cp="42501",
    regimen="601",
    uso="G03",
    correo="",
)
GOOD = {
    "rfc": "EKU9003173C9",
    "nombre": "ESCUELA KEMPER URGATE",
    "cp": "42501",
    "regimen": "601",
    "uso": "G03",
    "correo": "compras@example.com",
}


def a_purchase(estado: Estado = Estado.ABIERTA, **changes: Any) -> Purchase:
    """The gallery's, of a merchant whose buyers know it by another name than SAT does."""
    made = DONE if estado is Estado.LISTA else OPEN
    purchase = replace(
        made,
        estado=estado,
        merchant_id="m1",
        merchant_name="Escuela Kemper Urgate",
        issuer_name="INNOVACION VALOR Y DESARROLLO",
        lines=(
            PurchaseLine("Playera de algodón, talla M", Decimal("2.000000"), Decimal("696.00")),
            PurchaseLine("Libro de texto", Decimal(1), Decimal("250.00")),
            PurchaseLine("Envío", Decimal(1), Decimal("116.00")),
        ),
    )
    return replace(purchase, **changes)


@dataclass
class MemoryService:
    """One sale behind one link. Every call that would change something is written down."""

    current: Purchase = field(default_factory=a_purchase)
    requests: list[tuple[FiscalForm, str]] = field(default_factory=list)
    letters: list[tuple[str, str]] = field(default_factory=list)
    questions: list[Mapping[str, str]] = field(default_factory=list)
    looked: list[tuple[str, Decimal, str | None]] = field(default_factory=list)
    proofs: list[tuple[str, str]] = field(default_factory=list)
    resent: list[str] = field(default_factory=list)
    disputes: list[Mapping[str, str]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    corrections: list[tuple[FiscalForm, str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    bundles: list[list[str]] = field(default_factory=list)
    #: The token of the page that took this one's place.
    place: str | None = None
    #: What a request makes of an open purchase.
    after: Estado = Estado.PROCESANDO
    document: bytes | None = None
    token: str = TOKEN
    left: int = 0
    polls: int = 0
    calls: int = 0

    def purchase(self, token: str) -> Purchase | None:
        self.polls += 1
        return self.current if token == self.token else None

    def word(self, token: str) -> Word | None:
        found = self.purchase(token)
        return Word(found.merchant_id, found.estado, found.uuid, found.errors) if found else None

    def visit(self, token: str, *, asks: bool = True, of: str | None = None) -> Visit | None:
        if asks:
            self.refreshed.append(token)
        purchase = self.purchase(token)
        ours = purchase is not None and of in {None, purchase.merchant_id}
        return Visit(purchase, self.place) if purchase is not None and ours else None

    def examine(self, token: str, form: FiscalForm) -> Receiver | None:
        return examined(form, Rules(usos=self.current.usos), "42501")

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
        self.calls += 1
        errors = tuple(map(field_error, examined(form, Rules(), "42501").findings))
        if not errors and self.current.estado in {Estado.ABIERTA, Estado.RECHAZADA}:
            self.requests.append((form, language))
            self.current = a_purchase(self.after, sandbox=self.current.sandbox)
        return errors

    def xml(self, token: str) -> bytes | None:
        return self.document if self.current.uuid else None

    def pdf(self, token: str) -> bytes | None:
        return b"%PDF-1.7 test" if self.current.uuid else None

    def note_xml(self, token: str, number: int) -> bytes | None:
        return f"<nota-{number}/>".encode()

    def note_pdf(self, token: str, number: int) -> bytes | None:
        return f"%PDF nota {number}".encode()

    def send_again(self, token: str, correo: str, language: str) -> FieldError | None:
        if "@" not in correo:
            return FieldError(
                "correo", "correo_malformed", "Escribe un correo completo.", "Type a full e-mail."
            )
        self.letters.append((correo, language))
        return None

    def seller(self, name: str) -> Brand | None:
        return Brand(name, self.current.merchant_name) if name == "m1" else None

    def find(self, code: str, total: Decimal, merchant_id: str | None) -> str | None:
        self.looked.append((code, total, merchant_id))
        named = self.current.code.replace("-", ""), self.current.total
        return self.token if (code, total) == named else None

    def prove(self, token: str, rfc: str, nombre: str = "") -> str | None:
        self.proofs.append((rfc, nombre))
        return PROVEN if rfc == GOOD["rfc"] else None

    def resend(self, token: str) -> None:
        self.resent.append(token)

    def dispute(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        self.disputes.append(form)
        return None

    def leaving(self, token: str) -> Brand | None:
        return self.current.brand if token == LEAVING else None

    def unsubscribe(self, token: str) -> Brand | None:
        if token == LEAVING:
            self.left += 1
        return self.leaving(token)

    def ask(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        if self.current.ask_kind not in WITH_DATA:
            if not form["mensaje"].strip():
                return FieldError("mensaje", "message_missing", "Cuéntale.", "Tell it.")
        elif not form["rfc"]:
            return FieldError("rfc", "rfc_missing", "Escribe tu RFC.", "Type your RFC.")
        self.questions.append(form)
        self.current = replace(self.current, asked_at=datetime(2026, 12, 2, 9, 0, tzinfo=MEXICO))
        return None

    def stamped_data(self, token: str) -> FiscalForm | None:
        return FiscalForm(**GOOD) if self.current.uuid else None

    def correct(
        self, token: str, form: FiscalForm, mensaje: str, language: str
    ) -> tuple[FieldError, ...]:
        errors = tuple(map(field_error, examined(form, Rules(), "42501").findings))
        if not errors:
            self.corrections.append((form, mensaje, language))
            self.current = replace(
                self.current, asked_at=datetime(2026, 12, 2, 9, 0, tzinfo=MEXICO),
                asked_kind="correction", corrections_left=0,
            )  # fmt: skip
        return errors

    def let_know(self, token: str, correo: str) -> FieldError | None:
        if "@" not in correo:
            return FieldError("correo", "email_invalid", "Revisa el correo.", "Check the address.")
        self.told.append(correo)
        self.current = replace(self.current, masked_email=f"{correo[0]}•••@example.com")
        return None

    def bundle(self, token: str, others: Sequence[str]) -> Iterator[Paper] | None:
        if self.current.uuid is None:
            return None
        self.bundles.append(list(others))
        return iter([Paper("a.xml", b"<a/>"), Paper("a.pdf", b"%PDF")])


def a_home() -> Home:
    return Home(
        Words("El hub está funcionando", "The hub is running"),
        Words("Aquí ves qué funciona y por dónde seguir.", "What runs, and where to go next."),
        (
            HomePart(Words("Servidor web", "Web server"), Words("Responde", "Answers"), ok=True),
            HomePart(
                Words("Redis", "Redis"), Words("No hay: se consulta", "None: polling"), ok=False
            ),
        ),
        (
            HomeLink(
                Words("Compra 1042", "Purchase 1042"),
                Words("Factura esta compra", "Invoice it"),
                f"/f/{TOKEN}",
            ),
            HomeLink(
                Words("autofactura sale list", "autofactura sale list"),
                Words("Lista las ventas", "Lists the sales"),
            ),
        ),
    )


STAMPED = f"""<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Total="1062.00"
 Sello="AAAAAAAABBBBBB=="><cfdi:Emisor Rfc="EKU9003173C9"/><cfdi:Receptor Rfc="EKU9003173C9"/>
 <cfdi:Complemento><tfd:TimbreFiscalDigital UUID="{UUID}"
 xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital"/></cfdi:Complemento></cfdi:Comprobante>"""


class Kit:
    """One link, its service, and a client of the application around them."""

    path = f"/f/{TOKEN}"
    token = TOKEN
    uuid = UUID
    good = GOOD
    test_data = TEST_DATA
    purchase = staticmethod(a_purchase)

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.service = MemoryService(document=STAMPED.encode())
        self.settings = PageSettings(
            public_url="https://facturas.example.com",
            secret_key="a secret of these tests only",
            test_data=TEST_DATA,
            home=a_home,
            clock=clock,
        )
        self.remake()

    def remake(self, **changes: Any) -> None:
        """Another application with other settings around the same service."""
        self.settings = replace(self.settings, **changes)
        self.app = flask.Flask("portal-under-test")
        self.app.register_blueprint(blueprint(self.service, self.settings))
        self.client = self.app.test_client()

    def signed(self) -> dict[str, str]:
        """The hidden field of the form as the page shows it now."""
        text = self.client.get(f"/f/{self.service.token}").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', text)
        return {"csrf_token": found[1] if found else ""}

    def post(self, data: Mapping[str, str], path: str = "", **more: Any) -> Any:
        """As a browser does: look at the page, then send its form."""
        query = more.pop("query", "")
        return self.client.post(self.path + path + query, data={**self.signed(), **data}, **more)

    def token_of_service(self, token: str) -> None:
        self.service.token = token


@pytest.fixture
def kit(clock: Any) -> Kit:
    return Kit(clock)


@pytest.fixture
def served(kit: Kit) -> Iterator[str]:
    """The application on a socket of this machine; yields its address."""

    def current(environ: Any, start_response: Any) -> Any:
        return kit.app(environ, start_response)

    with on_waitress(current) as address:
        kit.remake(public_url=address)
        yield address
