"""A service in memory that keeps the promises of `BuyerService`, and an application around it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
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
    #: What a request makes of an open purchase.
    after: Estado = Estado.PROCESANDO
    document: bytes | None = None
    polls: int = 0

    def purchase(self, token: str) -> Purchase | None:
        self.polls += 1
        return self.current if token == TOKEN else None

    def check(self, token: str, form: FiscalForm) -> tuple[FieldError, ...]:
        clean = receptor.normalize(form.rfc, form.nombre, form.cp, form.regimen, form.uso)
        return tuple(
            FieldError(each.path, each.code, each.message_es, each.message_en)
            for each in receptor.check(clean)
        )

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
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
            HomeLink("Compra 1042", Words("Factura esta compra", "Invoice it"), f"/f/{TOKEN}"),
            HomeLink("autofactura sale list", Words("Lista las ventas", "Lists the sales")),
        ),
    )


@pytest.fixture
def service() -> MemoryService:
    return MemoryService()


@pytest.fixture
def settings(clock: Any) -> PageSettings:
    return PageSettings(
        public_url="https://facturas.example.com",
        secret_key="a secret of these tests only",
        test_data=TEST_DATA,
        home=a_home,
        clock=clock,
    )


@pytest.fixture
def app(service: MemoryService, settings: PageSettings) -> flask.Flask:
    app = flask.Flask("portal-under-test")
    app.register_blueprint(blueprint(service, settings))
    return app


@pytest.fixture
def browser_of_flask(app: flask.Flask) -> flask.testing.FlaskClient:
    return app.test_client()
