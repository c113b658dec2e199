"""A service in memory that keeps the promises of `BuyerService`, and an application around it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import flask
import pytest
from waitress.server import create_server

from cfdi import receptor
from hub.domain.purchase import Estado, FieldError, FiscalForm, Purchase, PurchaseLine
from portal.buyer.routes import blueprint
from portal.buyer.settings import Home, HomeLink, HomePart, PageSettings, Words

MEXICO = ZoneInfo("America/Mexico_City")
TOKEN = "kA3-_9ZbQm7Yw2Xc5Vd8Re1Tf4Gg6Hh0Jj2Kk5Ll8Mn"
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
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
    done = estado is Estado.LISTA
    purchase = Purchase(
        estado=estado,
        merchant_id="m1",
        merchant_name="Escuela Kemper Urgate",
        issuer_name="INNOVACION VALOR Y DESARROLLO",
        merchant_rfc="EKU9003173C9",
        number="1042",
        code="7KQ4-M2XD",
        placed_at=datetime(2026, 11, 18, 12, 30, tzinfo=MEXICO),
        currency="MXN",
        lines=(
            PurchaseLine("Playera de algodón, talla M", Decimal("2.000000"), Decimal("696.00")),
            PurchaseLine("Libro de texto", Decimal(1), Decimal("250.00")),
            PurchaseLine("Envío", Decimal(1), Decimal("116.00")),
        ),
        subtotal=Decimal("950.00"),
        taxes=(("IVA 16%", Decimal("112.00")), ("IVA 0%", Decimal("0.00"))),
        refunded=Decimal(0),
        total=Decimal("1062.00"),
        deadline_at=datetime(2026, 11, 30, 23, 59, 59, tzinfo=MEXICO),
        usos=(),
        form=FiscalForm(),
        errors=(),
        uuid=UUID if done else None,
        issued_at=datetime(2026, 11, 20, 12, 1, tzinfo=MEXICO) if done else None,
        masked_email="c•••@example.com" if done else "",
        sandbox=False,
        reason="",
        asked_at=None,
    )
    return replace(purchase, **changes)


@dataclass
class MemoryService:
    """One sale behind one link. Every call that would change something is written down."""

    current: Purchase = field(default_factory=a_purchase)
    requests: list[tuple[FiscalForm, str]] = field(default_factory=list)
    letters: list[tuple[str, str]] = field(default_factory=list)
    questions: list[Mapping[str, str]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    #: What a request makes of an open purchase.
    after: Estado = Estado.PROCESANDO
    document: bytes | None = None
    token: str = TOKEN
    polls: int = 0
    calls: int = 0

    def purchase(self, token: str) -> Purchase | None:
        self.polls += 1
        return self.current if token == self.token else None

    def refresh(self, token: str) -> None:
        self.refreshed.append(token)

    def check(self, token: str, form: FiscalForm) -> tuple[FieldError, ...]:
        clean = receptor.normalize(form.rfc, form.nombre, form.cp, form.regimen, form.uso)
        return tuple(
            FieldError(each.path, each.code, each.message_es, each.message_en)
            for each in receptor.check(clean)
        )

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
        self.calls += 1
        errors = self.check(token, form)
        if not errors and self.current.estado in {Estado.ABIERTA, Estado.RECHAZADA}:
            self.requests.append((form, language))
            self.current = a_purchase(self.after, sandbox=self.current.sandbox)
        return errors

    def xml(self, token: str) -> bytes | None:
        return self.document if self.current.uuid else None

    def pdf(self, token: str) -> bytes | None:
        return b"%PDF-1.7 test" if self.current.uuid else None

    def send_again(self, token: str, correo: str, language: str) -> FieldError | None:
        if "@" not in correo:
            return FieldError(
                "correo", "correo_malformed", "Escribe un correo completo.", "Type a full e-mail."
            )
        self.letters.append((correo, language))
        return None

    def ask(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        if not form["rfc"]:
            return FieldError("rfc", "rfc_missing", "Escribe tu RFC.", "Type your RFC.")
        self.questions.append(form)
        self.current = replace(self.current, asked_at=datetime(2026, 12, 2, 9, 0, tzinfo=MEXICO))
        return None


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

    server = create_server(current, map={}, host="127.0.0.1", port=0, threads=4)
    address = f"http://127.0.0.1:{server.effective_port}"
    kit.remake(public_url=address)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield address
    server.close()
    thread.join(timeout=5)
