"""Documents of SAT's fictitious taxpayers, and certificates shaped like SAT's made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from cfdi.comprobante import (
    Comprobante,
    Concepto,
    Emisor,
    Impuesto,
    Impuestos,
    Receptor,
    Retencion,
    RetencionTotal,
    TipoFactor,
    Traslado,
)
from cfdi.csd import Certificate, Csd

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def _iva(base: str, importe: str, tasa: str = "0.160000") -> Traslado:
    return Traslado(Decimal(base), Impuesto.IVA, TipoFactor.TASA, Decimal(tasa), Decimal(importe))


def _exento(base: str) -> Traslado:
    return Traslado(Decimal(base), Impuesto.IVA, TipoFactor.EXENTO)


def _concepto(descripcion: str, importe: str, *traslados: Traslado, **more: object) -> Concepto:
    plain = Concepto(
        clave_prod_serv="01010101",
        cantidad=Decimal(1),
        clave_unidad="H87",
        descripcion=descripcion,
        valor_unitario=Decimal(importe),
        importe=Decimal(importe),
        objeto_imp="02" if traslados else "01",
        traslados=traslados,
    )
    return replace(plain, **more)  # type: ignore[arg-type] # fields by name


_THREE_LINES = Comprobante(
    fecha=datetime.fromisoformat("2026-11-20T12:00:00"),
    serie="F",
    folio="101",
    forma_pago="03",
    metodo_pago="PUE",
    moneda="MXN",
    tipo_cambio=None,
    sub_total=Decimal("300.00"),
    descuento=None,
    total=Decimal("348.00"),
    lugar_expedicion="42501",
    emisor=Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
    receptor=Receptor("MISC491214B86", "CECILIA MIRANDA SANCHEZ", "01010", "605", "S01"),
    conceptos=tuple(
        _concepto(text, "100.000000", _iva("100.000000", "16.000000"))
        for text in ("Café molido", "Taza", "Envío")
    ),
    impuestos=Impuestos((_iva("300.00", "48.00"),), total_trasladados=Decimal("48.00")),
)
_RETENCION = Retencion(
    Decimal("1000.00"), Impuesto.ISR, TipoFactor.TASA, Decimal("0.012500"), Decimal("12.50")
)
DOCUMENTS = {
    "three_lines": _THREE_LINES,
    "discount_exempt_ieps": replace(
        _THREE_LINES,
        sub_total=Decimal("250.00"),
        descuento=Decimal("10.00"),
        total=Decimal("262.75"),
        conceptos=(
            _concepto(
                'Dulces & chocolates <100 g> "ñ"',
                "100.00",
                _iva("97.20", "15.55"),
                Traslado(
                    Decimal("90.00"),
                    Impuesto.IEPS,
                    TipoFactor.TASA,
                    Decimal("0.080000"),
                    Decimal("7.20"),
                ),
                descuento=Decimal("10.00"),
                no_identificacion="SKU-1",
                unidad="Pieza",
            ),
            _concepto("Libro", "100.00", _exento("100.00")),
            _concepto("Propina", "50.00"),
        ),
        impuestos=Impuestos(
            (
                _iva("97.20", "15.55"),
                Traslado(
                    Decimal("90.00"),
                    Impuesto.IEPS,
                    TipoFactor.TASA,
                    Decimal("0.080000"),
                    Decimal("7.20"),
                ),
                _exento("100.00"),
            ),
            total_trasladados=Decimal("22.75"),
        ),
        condiciones_de_pago="Contado",
    ),
    "withheld": replace(
        _THREE_LINES,
        emisor=Emisor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "626"),
        receptor=Receptor("H&E951128469", "HERRERIA & ELECTRICOS", "06002", "601", "G03"),
        sub_total=Decimal("1000.00"),
        total=Decimal("1147.50"),
        conceptos=(
            _concepto(
                "Servicio",
                "1000.00",
                _iva("1000.00", "160.00"),
                retenciones=(_RETENCION,),
            ),
        ),
        impuestos=Impuestos(
            (_iva("1000.00", "160.00"),),
            (RetencionTotal(Impuesto.ISR, Decimal("12.50")),),
            Decimal("160.00"),
            Decimal("12.50"),
        ),
    ),
    "dollars_no_serie": replace(
        _THREE_LINES,
        serie=None,
        folio="",
        moneda="USD",
        tipo_cambio=Decimal("18.5012"),
        receptor=Receptor("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA", "86991", "601", "G03"),
    ),
    "no_tax": replace(
        _THREE_LINES,
        sub_total=Decimal("50.00"),
        total=Decimal("50.00"),
        conceptos=(_concepto("Donativo", "50.00"),),
        impuestos=None,
    ),
}


@pytest.fixture
def document() -> Comprobante:
    """Three lines with IVA."""
    return _THREE_LINES


@pytest.fixture(params=sorted(DOCUMENTS))
def named_document(request: pytest.FixtureRequest) -> tuple[str, Comprobante]:
    return request.param, DOCUMENTS[request.param]


@pytest.fixture(scope="session")
def official_xsd() -> etree.XMLSchema:
    """SAT's schemas of the CFDI and the TFD with all catalogs, as satcfdi ships them."""
    site = files("satcfdi").joinpath("transform/schemas/www.sat.gob.mx/sitio_internet/cfd")
    imports = "".join(
        f'<xs:import namespace="http://www.sat.gob.mx/{name}" schemaLocation="{site}/{path}"/>'
        for name, path in (
            ("cfd/4", "4/cfdv40.xsd"),
            ("TimbreFiscalDigital", "TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd"),
        )
    )
    schema = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(schema))


@dataclass(frozen=True)
class Pair:
    """A certificate and its key as a merchant would upload them."""

    cer: bytes = field(repr=False)
    key: bytes = field(repr=False)
    private: rsa.RSAPrivateKey = field(repr=False)

    @property
    def csd(self) -> Csd:
        return Csd(Certificate.read(self.cer), self.private)


PASSWORD = "contraseña 1"


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def _name(common: str, *, rfc: str = "", unit: str = "") -> x509.Name:
    attributes = [
        x509.NameAttribute(NameOID.COMMON_NAME, common),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, common),
    ]
    if rfc:
        # cryptography writes a uniqueIdentifier as a bit string only; the OID is mended below.
        attributes.append(x509.NameAttribute(NameOID.DN_QUALIFIER, f"{rfc} / VADA800927DJ3"))
    if unit:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name(attributes)


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def make_pair(private_key: rsa.RSAPrivateKey) -> Callable[..., Pair]:
    """Issue a certificate in SAT's shape, signed by the session's own key."""

    def make(
        rfc: str = "EKU9003173C9",
        *,
        number: str = "00001000000500000001",
        issuer: str = "AC DE PRUEBA",
        unit: str = "Sucursal 1",
        enciphers: bool = False,
        not_before: datetime = NOW - timedelta(days=1),
        not_after: datetime = NOW + timedelta(days=365),
        key: rsa.RSAPrivateKey = private_key,
    ) -> Pair:
        built = (
            x509.CertificateBuilder()
            .subject_name(_name("ESCUELA KEMPER URGATE SA DE CV", rfc=rfc, unit=unit))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(int.from_bytes(number.encode(), "big"))
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    content_commitment=True,
                    key_encipherment=False,
                    data_encipherment=enciphers,
                    key_agreement=enciphers,
                    key_cert_sign=False,
                    crl_sign=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .sign(private_key, hashes.SHA256())
        )
        tbs = built.tbs_certificate_bytes.replace(b"\x06\x03\x55\x04\x2e", b"\x06\x03\x55\x04\x2d")
        signature = private_key.sign(tbs, padding.PKCS1v15(), hashes.SHA256())
        algorithm = bytes.fromhex("300d06092a864886f70d01010b0500")  # sha256WithRSAEncryption
        cer = _der(0x30, tbs, algorithm, _der(0x03, b"\x00", signature))
        return Pair(
            cer,
            key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(PASSWORD.encode()),
            ),
            key,
        )

    return make


@pytest.fixture(scope="session")
def pair(make_pair: Callable[..., Pair]) -> Pair:
    return make_pair()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def password() -> str:
    return PASSWORD
