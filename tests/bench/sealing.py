"""A sale becomes a sealed document, beside the one RSA signature that cannot be saved."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from cfdi import csd
from cfdi.cadena import cadena_original, cadena_original_oficial
from cfdi.comprobante import Comprobante, Emisor, Receptor
from cfdi.pac.sandbox.authority import Authority, IssuedCsd
from cfdi.seal import seal
from cfdi.xml import build
from hub.domain.compose import compose
from hub.domain.intake import read_sale
from hub.domain.rules import parse
from tests.bench.figures import Figure, percentile

RFC, NOMBRE, CODIGO_POSTAL = "EKU9003173C9", "ESCUELA KEMPER URGATE", "42501"


def three_lines(number: str, paid_at: datetime) -> bytes:
    """The JSON of a sale of three different lines, one of them discounted."""
    lines = [
        _line("Taza de cerámica", 2, "258.00"),
        _line("Playera de algodón", 3, "747.01") | {"discount": "100.00"},
        _line("Envío", 1, "99.00") | {"kind": "shipping"},
    ]
    sale = {"number": number, "paid_at": paid_at.isoformat(), "forma_pago": "04", "lines": lines}
    return json.dumps(sale).encode()


def _line(description: str, quantity: int, total: str) -> dict[str, object]:
    return {"description": description, "quantity": quantity, "total": total, "rate": "0.16"}


def measure(place: Path, times: int) -> Iterator[Figure]:
    now = datetime.now(UTC).replace(microsecond=0)
    issued = Authority.open(place / "authority", now=now).issue_csd(RFC, NOMBRE, now=now)
    pair = csd.check_csd(issued.cer_der, issued.key_der, issued.password, rfc=RFC, now=now)
    sale, rules = read_sale(three_lines("1", now), now=now), parse("")

    def comprobante() -> Comprobante:
        return compose(
            sale,
            rules=rules,
            emisor=Emisor(RFC, NOMBRE, "601"),
            lugar_expedicion=CODIGO_POSTAL,
            receptor=Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03"),
            fecha=now.replace(tzinfo=None),
            serie="F",
            folio="1",
        )

    def document() -> None:
        seal(comprobante(), pair)

    def signature() -> None:
        pair.key.sign(b"||4.0|F|1|", PKCS1v15(), SHA256())

    wholes, bares = _times_ms((document, signature), times)
    whole, bare = median(wholes), median(bares)
    yield Figure("RSA-2048 signature, key in memory", bare, "ms")
    yield Figure("compose + XML + cadena + seal, 3 lines", whole, "ms")
    yield Figure("sealed document ÷ signature", whole / bare, "×", 1.8)
    # Others on the machine empty the caches, which a document needs and a signature does not.
    undisturbed = percentile(wholes, 10) / percentile(bares, 10)
    yield Figure("sealed document ÷ signature, fastest tenth of each", undisturbed, "×")
    # Apart from the signature's turn: a library of this size leaves nothing of ours in the caches.
    ours, second = _medians_ms((document, _satcfdi(issued)), times)
    yield Figure("satcfdi: Comprobante + sign + xml_bytes, 3 lines", second, "ms")
    yield Figure("sealed document ÷ satcfdi's", ours / second, "×")
    root = build(comprobante(), no_certificado=pair.certificate.no_certificado)
    own, official = _medians_ms(
        (lambda: _ignored(cadena_original(root)), lambda: _ignored(cadena_original_oficial(root))),
        times,
    )
    yield Figure("cadena original by SAT's style sheet, 3 lines", official, "ms")
    yield Figure("cadena original ÷ by SAT's style sheet", own / official, "×")


def _ignored(_: str) -> None:
    pass


def _satcfdi(issued: IssuedCsd) -> Callable[[], None]:
    """The same sale by the library whose schemas we use; it rounds its lines to two decimals."""
    from satcfdi.create.cfd import cfdi40  # noqa: PLC0415 # opens its database on import
    from satcfdi.models import Signer  # noqa: PLC0415 # same

    signer = Signer.load(certificate=issued.cer_der, key=issued.key_der, password=issued.password)

    def line(text: str, quantity: int, price: str, discount: str | None) -> object:
        return cfdi40.Concepto(
            clave_prod_serv="01010101",
            cantidad=Decimal(quantity),
            clave_unidad="H87",
            descripcion=text,
            valor_unitario=Decimal(price),
            descuento=None if discount is None else Decimal(discount),
            impuestos=cfdi40.Impuestos(
                traslados=cfdi40.Traslado(
                    impuesto="002", tipo_factor="Tasa", tasa_o_cuota=Decimal("0.160000")
                )
            ),
        )

    def document() -> None:
        made = cfdi40.Comprobante(
            emisor=cfdi40.Emisor(rfc=RFC, nombre=NOMBRE, regimen_fiscal="601"),
            lugar_expedicion=CODIGO_POSTAL,
            receptor=cfdi40.Receptor(
                rfc="CACX7605101P8",
                nombre="XOCHILT CASAS CHAVEZ",
                domicilio_fiscal_receptor="36257",
                regimen_fiscal_receptor="612",
                uso_cfdi="G03",
            ),
            conceptos=[
                line("Taza de cerámica", 2, "111.21", None),
                line("Playera de algodón", 3, "214.66", "86.21"),
                line("Envío", 1, "85.34", None),
            ],
            forma_pago="04",
            metodo_pago="PUE",
            serie="F",
            folio="1",
        )
        made.sign(signer)
        made.xml_bytes()

    return document


def _medians_ms(works: tuple[Callable[[], None], ...], times: int) -> list[float]:
    return [median(mine) for mine in _times_ms(works, times)]


def _times_ms(works: tuple[Callable[[], None], ...], times: int) -> list[list[float]]:
    """Processor time of works that take turns, so that what slows the machine slows both."""
    taken: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(times):
        for work, mine in zip(works, taken, strict=True):
            begun = time.thread_time()
            work()
            mine.append(1000 * (time.thread_time() - begun))
    return taken
