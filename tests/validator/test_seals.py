"""Seal, certificate, time and stamp: one thing wrong each, judged as a provider judges it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

import cfdi
from cfdi.csd import Certificate, Csd, check_csd, open_key
from cfdi.pac.sandbox import tfd
from cfdi.pac.sandbox.authority import Authority
from cfdi.validator.register import CertificateState, Taxpayer
from cfdi.xml import CFDI, TIMBRE, parse

Reseal = Callable[[etree._Element, Csd], bytes]
Issue = Callable[..., Csd]

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
DOCUMENT = f"""<cfdi:Comprobante xmlns:cfdi="{CFDI}" Version="4.0" Fecha="2026-11-20T11:50:00"
 Sello="" NoCertificado="30001000000500003416" Certificado="" FormaPago="03" MetodoPago="PUE"
 SubTotal="100.00" Moneda="MXN" Total="100.00" TipoDeComprobante="I" Exportacion="01"
 LugarExpedicion="06000">
<cfdi:Emisor Rfc="EKU9003173C9" Nombre="ESCUELA KEMPER URGATE" RegimenFiscal="601"/>
<cfdi:Receptor Rfc="CACX7605101P8" Nombre="XOCHILT CASAS CHAVEZ" DomicilioFiscalReceptor="36257"
 RegimenFiscalReceptor="612" UsoCFDI="G03"/>
<cfdi:Conceptos><cfdi:Concepto ClaveProdServ="53102500" Cantidad="1" ClaveUnidad="H87"
 Descripcion="Cinturón" ValorUnitario="100.00" Importe="100.00" ObjetoImp="01"/></cfdi:Conceptos>
</cfdi:Comprobante>"""


@pytest.fixture
def root() -> etree._Element:
    return etree.fromstring(DOCUMENT)


class Lists:
    """A register that says one thing about every certificate and every taxpayer."""

    def __init__(
        self, state: CertificateState | None = None, taxpayer: Taxpayer | None = None
    ) -> None:
        self.state = state
        self.answer = taxpayer or Taxpayer()

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        return self.answer

    def certificate(self, no_certificado: str) -> CertificateState | None:
        return self.state


def codes(xml: bytes, **given: object) -> list[str]:
    return [finding.code for finding in cfdi.validate(xml, **given)]  # type: ignore[arg-type] # as the test says


def test_a_good_document_is_valid_whatever_is_asked(
    root: etree._Element, csd: Csd, reseal: Reseal, authority: Authority
) -> None:
    sealed = reseal(root, csd)
    everything = {"at": NOW, "register": Lists(CertificateState.ACTIVO)}
    assert codes(sealed) == []
    assert codes(sealed, authorities=(authority.root_der,), **everything) == []


@pytest.mark.parametrize(
    ("sello", "code"), [("", "302"), ("ñ", "302"), ("AAAA", "302"), ("A" * 342 + "==", "CFDI40102")]
)
def test_a_seal_of_nothing(
    sello: str, code: str, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    reseal(root, csd)
    root.set("Sello", sello)
    assert codes(etree.tostring(root)) == [code]


def test_a_seal_of_another_document_or_another_key_is_40102(
    root: etree._Element, csd: Csd, issue: Issue, reseal: Reseal
) -> None:
    sealed = reseal(root, csd)
    assert codes(sealed.replace("Cinturón".encode(), b"Cinturon")) == ["CFDI40102"]
    sello = root.get("Sello", "")
    reseal(root, issue("EKU9003173C9", "ESCUELA KEMPER URGATE"))
    root.set("Sello", sello)
    assert codes(etree.tostring(root)) == ["CFDI40102"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Certificado", ""), ("Certificado", "AAAA"), ("NoCertificado", "00001000000000000000")],
)
def test_a_certificate_that_is_none_or_another_is_40106(
    name: str, value: str, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    reseal(root, csd)
    root.set(name, value)
    assert codes(etree.tostring(root)) == ["CFDI40106"]


def test_of_another_taxpayer_is_303_and_an_e_firma_306(
    root: etree._Element, issue: Issue, reseal: Reseal
) -> None:
    assert codes(reseal(root, issue("CACX7605101P8", "XOCHILT CASAS CHAVEZ"))) == ["303"]
    assert codes(reseal(root, issue("EKU9003173C9", "X", unit=None))) == ["306"]


@pytest.mark.parametrize(("life", "found"), [(-20, ["305"]), (-5, []), (60, [])])
def test_validity_is_judged_at_fecha(
    life: int, found: list[str], root: etree._Element, issue: Issue, reseal: Reseal
) -> None:
    """Fecha is ten minutes before now: one that ran out since was valid."""
    csd = issue("EKU9003173C9", "ESCUELA KEMPER URGATE", life=timedelta(minutes=life))
    assert codes(reseal(root, csd), at=NOW) == found
    root.set("Fecha", "2026-11-10T11:50:00")  # before it was issued
    assert codes(reseal(root, csd)) == ["305"]


@pytest.mark.parametrize("state", [CertificateState.REVOCADO, CertificateState.CADUCO])
def test_lcos_word_is_304(
    state: CertificateState, root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    sealed = reseal(root, csd)
    assert codes(sealed, register=Lists(state)) == ["304"]
    assert codes(sealed, register=Lists()) == []


def test_of_another_authority_is_308_only_if_authorities_are_given(
    root: etree._Element, csd: Csd, reseal: Reseal, tmp_path: Path
) -> None:
    stranger = Authority.create(tmp_path / "ca", now=NOW).root_der
    sealed = reseal(root, csd)
    assert codes(sealed, authorities=(stranger,)) == ["308"]
    assert codes(sealed) == []
    assert codes(sealed, authorities=(stranger,), register=Lists(CertificateState.ACTIVO)) == []


def test_an_issuer_outside_of_lco_is_402(root: etree._Element, csd: Csd, reseal: Reseal) -> None:
    sealed = reseal(root, csd)
    assert codes(sealed, register=Lists(taxpayer=Taxpayer(in_lco=False))) == ["402"]


@pytest.mark.parametrize(
    ("fecha", "lugar", "found"),
    [
        ("2026-11-17T12:00:00", "06000", []),
        ("2026-11-17T11:59:59", "06000", ["401"]),
        ("2026-11-20T12:05:00", "06000", []),
        ("2026-11-20T12:05:01", "06000", ["401"]),
        ("2026-11-20T10:05:00", "22000", []),  # Tijuana
        ("2026-11-20T10:05:01", "22000", ["401"]),
        ("2026-11-20T12:00:00", "00001", ["CFDI40126"]),
    ],
)
def test_seventy_two_hours_and_five_minutes(
    fecha: str, lugar: str, found: list[str], root: etree._Element, csd: Csd, reseal: Reseal
) -> None:
    root.attrib.update([("Fecha", fecha), ("LugarExpedicion", lugar)])
    sealed = reseal(root, csd)
    assert codes(sealed, at=NOW) == found
    assert codes(sealed) == [code for code in found if code != "401"]


def test_a_naive_instant_is_local_time(root: etree._Element, csd: Csd, reseal: Reseal) -> None:
    root.set("LugarExpedicion", "22000")
    sealed = reseal(root, csd)  # 11:50 in Tijuana
    noon = datetime(2026, 11, 20, 12, 0)  # noqa: DTZ001 - local on purpose
    assert codes(sealed, at=noon) == []
    assert codes(sealed, at=noon.replace(tzinfo=UTC)) == ["401"]


@pytest.mark.parametrize(
    "at",
    ["2026-11-01T08:30:00+00:00", "2026-11-01T09:30:00+00:00", "2026-11-04T09:30:00+00:00"],
)
def test_the_hour_that_comes_twice_is_either(
    at: str, root: etree._Element, issue: Issue, reseal: Reseal
) -> None:
    """Tijuana leaves summer time at two o'clock of 1 November: 01:30 is 08:30 and 09:30 UTC."""
    root.attrib.update([("Fecha", "2026-11-01T01:30:00"), ("LugarExpedicion", "22000")])
    moment = datetime.fromisoformat(at)
    csd = issue("EKU9003173C9", "ESCUELA KEMPER URGATE", now=moment)
    assert codes(reseal(root, csd), at=moment) == []


def test_before_2012_is_403(root: etree._Element, csd: Csd, reseal: Reseal) -> None:
    root.set("Fecha", "2011-12-31T23:59:59")
    assert codes(reseal(root, csd)) == ["403", "305"]


@pytest.fixture
def stamped(root: etree._Element, csd: Csd, reseal: Reseal, authority: Authority) -> etree._Element:
    return parse(tfd.make(reseal(root, csd), root, authority, NOW).cfdi.encode())


def timbre(root: etree._Element) -> etree._Element:
    return next(root.iter(TIMBRE))


def test_a_stamp_is_verified_not_answered_with_307(
    stamped: etree._Element, authority: Authority
) -> None:
    known = (authority.root_der, authority.pac.der)
    xml = etree.tostring(stamped)
    assert codes(xml, authorities=known) == []
    assert codes(xml, authorities=known, at=NOW + timedelta(days=400)) == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SelloCFD", "AAAA", ["tfd_sello_cfd", "tfd_sello_sat"]),
        ("SelloSAT", "AAAA", ["tfd_sello_sat"]),
        ("UUID", "00000000-0000-4000-8000-000000000000", ["tfd_sello_sat"]),
        ("FechaTimbrado", "2026-11-20T11:44:59", ["tfd_fecha", "tfd_sello_sat"]),
        ("FechaTimbrado", "2026-11-23T11:55:01", ["tfd_fecha", "tfd_sello_sat"]),
        ("FechaTimbrado", "2026-11-20T12:05:01", ["tfd_fecha", "tfd_sello_sat"]),  # to come
        ("UUID", "nonsense", ["301"]),
        ("FechaTimbrado", "2026-02-31T12:00:00", ["301"]),
    ],
)
def test_one_wrong_thing_in_a_stamp(
    name: str, value: str, found: list[str], stamped: etree._Element, authority: Authority
) -> None:
    timbre(stamped).set(name, value)
    known = (authority.root_der, authority.pac.der)
    assert codes(etree.tostring(stamped), authorities=known, at=NOW) == found


@pytest.mark.parametrize(
    ("fecha", "found"), [("2026-11-23T11:55:00", []), ("2026-11-23T11:55:01", ["tfd_fecha"])]
)
def test_a_stamp_is_made_within_72_hours_whatever_the_clock(
    fecha: str, found: list[str], stamped: etree._Element
) -> None:
    timbre(stamped).set("FechaTimbrado", fecha)
    assert codes(etree.tostring(stamped)) == found


def test_two_stamps_are_one_too_many(stamped: etree._Element) -> None:
    node = timbre(stamped)
    node.addnext(etree.fromstring(etree.tostring(node)))
    assert codes(etree.tostring(stamped)) == ["tfd_repeated"]


def test_every_expired_certificate_of_sats_is_read_and_judged_by_its_dates(
    shared: Path, root: etree._Element, reseal: Reseal
) -> None:
    """Names with Ñ and & are what other libraries refuse."""
    folder = shared / "sat/csd"
    rows = json.loads((folder / "certificates.json").read_text())
    listed = {row["file"]: row for row in rows}
    expired = sorted((folder / "expired").glob("*.cer"))
    assert len(expired) == 29
    for path in expired:
        row = listed[f"expired/{path.stem}"]
        found = Certificate.read(path.read_bytes())
        assert (found.rfc, found.no_certificado) == (row["rfc"], row["no"])
        assert found.nombre
        assert found.is_fiel == (row["kind"] == "FIEL")
        csd = Csd(found, open_key(path.with_suffix(".key").read_bytes(), "12345678a"))
        moral = len(found.rfc) == 12
        emisor = root.find(f"{{{CFDI}}}Emisor")
        assert emisor is not None
        emisor.attrib.update([("Rfc", found.rfc), ("RegimenFiscal", "601" if moral else "612")])
        root.set("Fecha", "2026-11-20T11:50:00")
        fiel = ["306"] * found.is_fiel
        assert codes(reseal(root, csd)) == [*fiel, "305"], path.stem
        root.set("Fecha", "2022-06-01T12:00:00")
        assert codes(reseal(root, csd)) == fiel, path.stem


def test_sats_valid_certificates_seal_what_is_valid_now(
    shared: Path, root: etree._Element, reseal: Reseal
) -> None:
    path = shared / "sat/csd/valid/EKU9003173C9_csd_30001000000500003416"
    cer, key = (Path(f"{path}.{end}").read_bytes() for end in ("cer", "key"))
    csd = check_csd(cer, key, "12345678a", rfc="EKU9003173C9", now=NOW)
    assert codes(reseal(root, csd), at=NOW) == []
    assert base64.b64decode(root.get("Certificado", "")) == cer
