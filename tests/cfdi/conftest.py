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
    ACuentaTerceros,
    CfdiRelacionados,
    Comprobante,
    Concepto,
    Emisor,
    Impuesto,
    Impuestos,
    InformacionGlobal,
    Parte,
    Receptor,
    Retencion,
    RetencionTotal,
    TipoFactor,
    Traslado,
)
from cfdi.csd import Certificate, Csd
from cfdi.pagos import DoctoRelacionado, Pago, Pagos, Totales

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
_UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
_PAGOS = Pagos(
    Totales(
        Decimal("1147.50"),
        retenciones_isr=Decimal("12.50"),
        traslados_base_iva16=Decimal("1000.00"),
        traslados_impuesto_iva16=Decimal("160.00"),
        traslados_base_iva_exento=Decimal("5.00"),
    ),
    (
        Pago(
            datetime.fromisoformat("2026-11-19T12:00:00"),
            *("03", "MXN", Decimal(1), Decimal("1147.50")),
            documentos=(
                DoctoRelacionado(
                    *(_UUID, "MXN", Decimal(1), 1, Decimal("1147.50"), Decimal("1147.50")),
                    *(Decimal("0.00"), "02", "F", "7"),
                    traslados=(_iva("1000.00", "160.00"), _exento("5.00")),
                    retenciones=(_RETENCION,),
                ),
            ),
            traslados=(_iva("1000.00", "160.00"), _exento("5.00")),
            retenciones=(RetencionTotal(Impuesto.ISR, Decimal("12.50")),),
            num_operacion="SPEI  0012",
            rfc_emisor_cta_ord="XEXX010101000",
            nom_banco_ord_ext="BANK OF TESTS",
            cta_ordenante="0123456789",
            rfc_emisor_cta_ben="SPR190613I52",
            cta_beneficiario="9876543210",
            tipo_cad_pago="01",
            cert_pago="Q0VSVA==",
            cad_pago="||Pago|Banco  SPEI|300.00||",
            sello_pago="U0VMTE8=",
        ),
    ),
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
    # Every element and attribute there is; SAT's rules do not let them stand together.
    "shapes/every_node": replace(
        _THREE_LINES,
        confirmacion="ECVH1",
        informacion_global=InformacionGlobal("04", "11", 2026),
        relacionados=(
            CfdiRelacionados("04", (_UUID,)),
            CfdiRelacionados("07", (_UUID, _UUID.lower())),
        ),
        emisor=Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601", "0123456789"),
        receptor=Receptor("XEXX010101000", "ÑANDÚ & CO", "42501", "616", "S01", "USA", "121585958"),
        conceptos=(
            replace(
                _THREE_LINES.conceptos[0],
                a_cuenta_terceros=ACuentaTerceros(
                    "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "612", "36257"
                ),
                pedimentos=("15  48  3009  0001234", "15  48  3009  0001235"),
                cuentas_prediales=("15956011002", "A1"),
                retenciones=(_RETENCION,),
                partes=(
                    Parte("51241200", Decimal(1), "Asa", pedimentos=("15  48  3009  0001236",)),
                    Parte(
                        *("51241200", Decimal("1.5"), "Tapa", "055155", "Pieza"),
                        *(Decimal("2.50"), Decimal("3.75")),
                    ),
                ),
            ),
            *_THREE_LINES.conceptos[1:],
        ),
    ),
    "shapes/payment": replace(
        _THREE_LINES,
        tipo_de_comprobante="P",
        forma_pago=None,
        metodo_pago=None,
        moneda="XXX",
        sub_total=Decimal(0),
        total=Decimal(0),
        receptor=replace(_THREE_LINES.receptor, uso_cfdi="CP01"),
        conceptos=(
            replace(
                _concepto("Pago", "0"),
                clave_prod_serv="84111506",
                clave_unidad="ACT",
            ),
        ),
        impuestos=None,
        complementos=(_PAGOS,),
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
            ("Pagos20", "Pagos/Pagos20.xsd"),
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
