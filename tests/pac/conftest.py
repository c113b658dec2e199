"""A sandbox provider over a real socket, and documents for it."""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from waitress.server import create_server

from cfdi.cadena import cadena_original
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
from cfdi.csd import Csd, check_csd
from cfdi.pac.sandbox.app import application
from cfdi.pac.sandbox.authority import Authority
from cfdi.seal import seal
from cfdi.xml import build, serialize

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
#: NOW less ten minutes in Mexico City.
FECHA = datetime(2026, 11, 20, 11, 50)  # noqa: DTZ001 - local, as a CFDI writes it
FOLIOS = itertools.count(2)
IVA = TipoFactor.TASA


def line(net: str, tax: str) -> Concepto:
    return Concepto(
        clave_prod_serv="53102500",
        cantidad=Decimal(1),
        clave_unidad="H87",
        descripcion="Cinturón de piel",
        valor_unitario=Decimal(net),
        importe=Decimal(net),
        objeto_imp="02",
        traslados=(Traslado(Decimal(net), Impuesto.IVA, IVA, Decimal("0.160000"), Decimal(tax)),),
    )


def comprobante(*, folio: str = "1", fecha: datetime = FECHA) -> Comprobante:
    """Three lines, 348.00 with IVA."""
    return Comprobante(
        fecha=fecha,
        serie="A",
        folio=folio,
        forma_pago="03",
        metodo_pago="PUE",
        moneda="MXN",
        tipo_cambio=None,
        sub_total=Decimal("300.00"),
        descuento=None,
        total=Decimal("348.00"),
        lugar_expedicion="06000",
        emisor=Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
        receptor=Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03"),
        conceptos=tuple(line("100.000000", "16.000000") for _ in range(3)),
        impuestos=Impuestos(
            traslados=(
                Traslado(
                    Decimal("300.00"), Impuesto.IVA, IVA, Decimal("0.160000"), Decimal("48.00")
                ),
            ),
            total_trasladados=Decimal("48.00"),
        ),
    )


def resealed(root: etree._Element, csd: Csd) -> bytes:
    """Any XML with an honest seal."""
    root.set("NoCertificado", csd.certificate.no_certificado)
    root.set("Certificado", base64.b64encode(csd.certificate.der).decode())
    signature = csd.key.sign(cadena_original(root).encode(), PKCS1v15(), SHA256())
    root.set("Sello", base64.b64encode(signature).decode())
    return serialize(root)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority") / "ca", now=NOW)


@pytest.fixture(scope="session")
def csd(authority: Authority) -> Csd:
    issued = authority.issue_csd("EKU9003173C9", "ESCUELA KEMPER URGATE", now=NOW)
    return check_csd(issued.cer_der, issued.key_der, issued.password, rfc="EKU9003173C9", now=NOW)


@dataclass
class Time:
    """The sandbox's clock. Sleeping in it is real, but short."""

    instant: datetime = NOW

    def now(self) -> datetime:
        return self.instant

    def pass_by(self, span: timedelta) -> None:
        self.instant += span


@dataclass
class Server:
    """A running sandbox."""

    url: str
    time: Time

    def fault(self, mode: str, times: int = 1, seconds: float = 0) -> None:
        wish = {"mode": mode, "times": times, "seconds": seconds}
        requests.post(f"{self.url}/sandbox/faults", json=wish, timeout=5).raise_for_status()

    def stamps(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = requests.get(f"{self.url}/sandbox/stamps", timeout=5).json()
        return found

    def uuids_of(self, sealed: bytes) -> list[str]:
        sha256 = hashlib.sha256(sealed).hexdigest()
        return [stamp["uuid"] for stamp in self.stamps() if stamp["sha256"] == sha256]


@pytest.fixture(scope="session")
def running(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    time = Time()
    state: Path = tmp_path_factory.mktemp("sandbox") / "state.db"
    app = application(state, authority, now=time.now)
    server = create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield Server(f"http://127.0.0.1:{server.effective_port}", time)
    with suppress(OSError):  # the loop may wake and close before it is woken
        server.trigger.pull_trigger(server.close)
    thread.join(timeout=10)


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The sandbox without faults and with its clock at `NOW`."""
    running.time.instant = NOW
    yield running
    requests.delete(f"{running.url}/sandbox/faults", timeout=5).raise_for_status()


@pytest.fixture
def document(csd: Csd) -> Callable[[], tuple[bytes, str]]:
    """A new sealed document and its hash at each call."""

    def new() -> tuple[bytes, str]:
        sealed = seal(comprobante(folio=str(next(FOLIOS))), csd)
        return sealed.xml, sealed.sha256

    return new


@pytest.fixture
def root() -> etree._Element:
    """A document that is good in everything, not yet sealed."""
    return build(comprobante())


@pytest.fixture(scope="session")
def reseal() -> Callable[[etree._Element, Csd], bytes]:
    return resealed


@pytest.fixture
def seal_by() -> Callable[[Authority], tuple[bytes, str]]:
    """A document sealed with a certificate of some authority, and its hash."""

    def make(authority: Authority) -> tuple[bytes, str]:
        made = authority.issue_csd("EKU9003173C9", "ESCUELA KEMPER URGATE", now=NOW)
        csd = check_csd(made.cer_der, made.key_der, made.password, rfc="EKU9003173C9", now=NOW)
        sealed = seal(comprobante(folio=str(next(FOLIOS))), csd)
        return sealed.xml, sealed.sha256

    return make
