"""Purchases and data that nobody made: what the gallery shows, and the tests look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hub.domain.brand import Brand
from hub.domain.pagina import Pagina
from hub.domain.purchase import Bought, Estado, FieldError, FiscalForm, Note, Purchase, PurchaseLine

#: In the addresses of made pages; no link of a hub is as short.
TOKEN = "ejemplo"  # noqa: S105 - opens nothing
ZONE = ZoneInfo("America/Mexico_City")
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
#: A taxpayer that SAT made up for tests.
FORM = FiscalForm(
    rfc="CACX7605101P8",
    nombre="XOCHILT CASAS CHAVEZ",
    cp="36257",
    regimen="612",
    uso="G03",
    correo="compras@example.com",
)
OPEN = Purchase(
    estado=Estado.ABIERTA,
    merchant_id="ejemplo",
    merchant_name="Papelería Escuela Kemper",
    issuer_name="ESCUELA KEMPER URGATE",
    merchant_rfc="EKU9003173C9",
    number="1042",
    code="7KQ4-M2XD",
    placed_at=datetime(2026, 11, 18, 12, 30, tzinfo=ZONE),
    currency="MXN",
    lines=(
        PurchaseLine("Playera de algodón, talla M", Decimal(2), Decimal("696.00")),
        PurchaseLine("Libro de texto, segundo grado", Decimal(1), Decimal("250.00")),
        PurchaseLine("Envío", Decimal(1), Decimal("116.00")),
    ),
    subtotal=Decimal("950.00"),
    taxes=(("IVA 16%", Decimal("112.00")), ("IVA 0%", Decimal("0.00"))),
    refunded=Decimal(0),
    total=Decimal("1062.00"),
    deadline_at=datetime(2026, 11, 30, 23, 59, 59, tzinfo=ZONE),
    usos=(),
    form=FiscalForm(),
    errors=(),
    uuid=None,
    issued_at=None,
    masked_email="",
    sandbox=False,
    reason="",
    asked_at=None,
)
DONE = replace(
    OPEN,
    estado=Estado.LISTA,
    uuid=UUID,
    issued_at=datetime(2026, 11, 20, 12, 1, tzinfo=ZONE),
    masked_email="c•••@example.com",
)
NOTE = Note(
    1,
    Decimal("116.00"),
    "MXN",
    "6A1F0C2B-9D57-4E1C-8F0A-3B6D2E4F7A90",
    datetime(2026, 11, 22, 10, 15, tzinfo=ZONE),
)
LONG = replace(
    OPEN,
    merchant_name="Comercializadora de Productos Agropecuarios y Veterinarios del Noroeste",
    issuer_name="COMERCIALIZADORA DE PRODUCTOS AGROPECUARIOS Y VETERINARIOS DEL NOROESTE",
    number="WC-0000000000000000000000000000000000001042",
    lines=tuple(
        PurchaseLine(f"Refacción {n}, con un nombre tan largo como su clave {n:020}", Decimal(n), n)
        for n in (Decimal(each) for each in range(1, 51))
    ),
    total=Decimal("123456789.01"),
    subtotal=Decimal("106428266.39"),
)
REFUSED = (
    FieldError(
        "nombre",
        "CFDI40145",
        "El nombre no es igual al que tiene el SAT. Cópialo de tu constancia.",
        "The name differs from SAT's. Copy it from your tax certificate.",
    ),
    FieldError(
        "cp",
        "CFDI40147",
        "Este código postal no es el de tu domicilio fiscal.",
        "This is not the postal code of your tax address.",
    ),
)
#: With all that a merchant may say of itself.
BRAND = Brand(
    merchant_id="ejemplo",
    name=OPEN.merchant_name,
    issuer_name=OPEN.issuer_name,
    rfc=OPEN.merchant_rfc,
    cp="42501",
    pagina=Pagina(
        color="#7a1fa2",
        mensaje="Si compraste en mostrador, ten tu ticket a la mano.",
        telefono="771 555 0100",
        sitio="https://papeleria.example",
        responsable="Escuela Kemper Urgate",
        domicilio="Calle Uno 10, Centro, 42501",
    ),
)
WRONG_RFC = (
    FieldError(
        "rfc",
        "other_receiver",
        "No es el RFC de esta factura.",
        "This is not the RFC of this invoice.",
    ),
)
#: Two purchases that become one invoice.
GROUP = tuple(Bought(number, OPEN.placed_at, OPEN.lines, OPEN.total) for number in ("1042", "1043"))
JOINED = replace(
    OPEN,
    group=GROUP,
    number="1042, 1043",
    lines=OPEN.lines * 2,
    subtotal=2 * OPEN.subtotal,
    taxes=tuple((label, 2 * amount) for label, amount in OPEN.taxes),
    total=2 * OPEN.total,
)
