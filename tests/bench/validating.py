"""A sealed document judged by every rule of SAT's, seal and certificate included."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median

from cfdi.comprobante import (
    Comprobante,
    Concepto,
    Emisor,
    Impuesto,
    Impuestos,
    Receptor,
    TipoFactor,
    Traslado,
)
from cfdi.csd import check_csd
from cfdi.pac.sandbox.authority import Authority
from cfdi.seal import seal
from cfdi.validator import validate
from tests.bench.figures import Figure

RFC, NOMBRE, CODIGO_POSTAL = "EKU9003173C9", "ESCUELA KEMPER URGATE", "42501"
RATE = Decimal("0.160000")


def measure(place: Path, times: int) -> Iterator[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    issued = Authority.open(place / "authority", now=now).issue_csd(RFC, NOMBRE, now=now)
    pair = check_csd(issued.cer_der, issued.key_der, issued.password, rfc=RFC, now=now)
    few, many = (seal(_lines(count, now), pair).xml for count in (3, 2000))
    yield Figure("validate, 3 lines, p50", _median_ms(few, times), "ms", 8)
    yield Figure("validate, 2,000 lines, p50", _median_ms(many, max(3, times // 50)), "ms")


def _lines(count: int, now: datetime) -> Comprobante:
    """So many lines of 100 pesos with IVA."""
    net, tax = Decimal("100.000000"), Decimal("16.000000")
    line = Concepto(
        clave_prod_serv="53102500",
        cantidad=Decimal(1),
        clave_unidad="H87",
        descripcion="Taza de cerámica",
        valor_unitario=net,
        importe=net,
        objeto_imp="02",
        traslados=(Traslado(net, Impuesto.IVA, TipoFactor.TASA, RATE, tax),),
    )
    sub_total, taxes = (each.quantize(Decimal("0.01")) * count for each in (net, tax))
    return Comprobante(
        fecha=now.replace(tzinfo=None),
        serie="F",
        folio="1",
        forma_pago="03",
        metodo_pago="PUE",
        moneda="MXN",
        tipo_cambio=None,
        sub_total=sub_total,
        descuento=None,
        total=sub_total + taxes,
        lugar_expedicion=CODIGO_POSTAL,
        emisor=Emisor(RFC, NOMBRE, "601"),
        receptor=Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03"),
        conceptos=tuple(copy.copy(line) for _ in range(count)),
        impuestos=Impuestos(
            (Traslado(sub_total, Impuesto.IVA, TipoFactor.TASA, RATE, taxes),),
            total_trasladados=taxes,
        ),
    )


def _median_ms(xml: bytes, times: int) -> float:
    """Processor time, once the schema is compiled."""
    if found := validate(xml):
        raise RuntimeError(f"the document is not valid: {found[0].code}")
    taken = []
    for _ in range(times):
        begun = time.thread_time()
        validate(xml)
        taken.append(1000 * (time.thread_time() - begun))
    return median(taken)
