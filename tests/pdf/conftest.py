"""Stamped documents to print. Their seals are random bytes: printing does not verify them."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from decimal import Decimal
from xml.sax.saxutils import quoteattr

import pytest

UUID = "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F"


def seal(name: str) -> str:
    return base64.b64encode(random.Random(name).randbytes(256)).decode()


def attributes(**values: str) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())


def concept(price: Decimal, description: str, sku: str, *, discount: Decimal | None = None) -> str:
    base = price - (discount or 0)
    tax = (base * Decimal("0.16")).quantize(Decimal("0.000001"))
    more = {"Descuento": str(discount)} if discount else {}
    head = attributes(
        ClaveProdServ="52161520",
        NoIdentificacion=sku,
        Cantidad="1.000000",
        ClaveUnidad="H87",
        Descripcion=description,
        ValorUnitario=str(price),
        Importe=str(price),
        ObjetoImp="02",
        **more,
    )
    traslado = attributes(
        Base=str(base), Impuesto="002", TipoFactor="Tasa", TasaOCuota="0.160000", Importe=str(tax)
    )
    return (
        f"<cfdi:Concepto {head}><cfdi:Impuestos><cfdi:Traslados><cfdi:Traslado {traslado}/>"
        "</cfdi:Traslados></cfdi:Impuestos></cfdi:Concepto>"
    )


def document(
    lines: int = 1,
    *,
    description: str = "Café de altura, bolsa de 500 g",
    sku: str = "CAF-500",
    issuer: str = "ESCUELA KEMPER URGATE",
    issuer_rfc: str = "EKU9003173C9",
    receiver: str = "XOCHILT CASAS CHAVEZ",
    receiver_rfc: str = "CACX7605101P8",
    discount: Decimal | None = None,
    extra: str = "",
    totals: str | None = None,
    seal_cfd: str | None = None,
    leyenda: str = "",
    **root: str,
) -> bytes:
    price = Decimal("1086.206897")
    subtotal = (price * lines).quantize(Decimal("0.01"))
    off = (discount or Decimal(0)) * lines
    tax = ((subtotal - off) * Decimal("0.16")).quantize(Decimal("0.01"))
    seal_cfd = seal_cfd or seal("cfd")
    head = {
        "Version": "4.0",
        "Serie": "A",
        "Folio": "1042",
        "Fecha": "2026-11-20T12:00:00",
        "FormaPago": "04",
        "NoCertificado": "30001000000500003416",
        "Certificado": "MIIF",
        "SubTotal": str(subtotal),
        "Moneda": "MXN",
        "Total": str(subtotal - off + tax),
        "TipoDeComprobante": "I",
        "Exportacion": "01",
        "MetodoPago": "PUE",
        "LugarExpedicion": "42501",
        "Sello": seal_cfd,
        **({"Descuento": str(off)} if discount else {}),
    } | root
    traslado = attributes(
        Base=str(subtotal - off),
        Impuesto="002",
        TipoFactor="Tasa",
        TasaOCuota="0.160000",
        Importe=str(tax),
    )
    default_totals = (
        f'<cfdi:Impuestos TotalImpuestosTrasladados="{tax}"><cfdi:Traslados>'
        f"<cfdi:Traslado {traslado}/></cfdi:Traslados></cfdi:Impuestos>"
    )
    tfd = attributes(
        Version="1.1",
        UUID=UUID,
        FechaTimbrado="2026-11-20T12:00:07",
        RfcProvCertif="SPR190613I52",
        **({"Leyenda": leyenda} if leyenda else {}),
        SelloCFD=seal_cfd,
        NoCertificadoSAT="30001000000500003456",
        SelloSAT=seal("sat"),
    )
    concepts = "".join(
        concept(price, f"{description} {n}".strip(), sku, discount=discount)
        for n in range(1, lines + 1)
    )
    issuer_node = attributes(Rfc=issuer_rfc, Nombre=issuer, RegimenFiscal="601")
    receiver_node = attributes(
        Rfc=receiver_rfc,
        Nombre=receiver,
        DomicilioFiscalReceptor="36257",
        RegimenFiscalReceptor="612",
        UsoCFDI="G03",
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" {attributes(**head)}>{extra}'
        f"<cfdi:Emisor {issuer_node}/><cfdi:Receptor {receiver_node}/>"
        f"<cfdi:Conceptos>{concepts}</cfdi:Conceptos>"
        f"{default_totals if totals is None else totals}"
        "<cfdi:Complemento><tfd:TimbreFiscalDigital "
        f'xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" {tfd}/></cfdi:Complemento>'
        "</cfdi:Comprobante>"
    ).encode()


@pytest.fixture
def stamped() -> Callable[..., bytes]:
    return document
