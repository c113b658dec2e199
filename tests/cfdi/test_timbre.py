"""A stamp is believed only if it is of the document we sent."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from cfdi.cadena import cadena_timbre
from cfdi.comprobante import Comprobante
from cfdi.seal import Sealed, seal
from cfdi.timbre import AFTER_NOW, BEFORE_FECHA, Timbre, TimbreInvalid, accept, read
from cfdi.xml import CFDI, TFD, parse, serialize

UUID = "6e9a2c1f-6a4f-4c0a-9b6e-1f0d0a5b7c3d"
CENTER = ZoneInfo("America/Mexico_City")
TIJUANA = ZoneInfo("America/Tijuana")
SAT_NUMBER = "00001000000500000009"


def _stamp(sealed: Sealed, key: Any, **attributes: str) -> bytes:
    """What a PAC gives back: the document with a TFD in a Complemento."""
    root = parse(sealed.xml)
    values = {
        "Version": "1.1",
        "UUID": UUID,
        "FechaTimbrado": "2026-11-20T12:00:05",
        "RfcProvCertif": "SPR190613I52",
        "SelloCFD": sealed.sello,
        "NoCertificadoSAT": SAT_NUMBER,
        "SelloSAT": "-",
        **attributes,
    }
    complemento = etree.SubElement(root, f"{{{CFDI}}}Complemento")
    tfd = etree.SubElement(complemento, f"{{{TFD}}}TimbreFiscalDigital", nsmap={"tfd": TFD})
    for name, value in values.items():
        tfd.set(name, value)
    if "SelloSAT" not in attributes:
        signature = key.sign(cadena_timbre(tfd).encode(), PKCS1v15(), SHA256())
        tfd.set("SelloSAT", base64.b64encode(signature).decode())
    return serialize(root)


@pytest.fixture
def sealed(document: Comprobante, pair: Any) -> Sealed:
    return seal(document, pair.csd)


@pytest.fixture
def stamped(sealed: Sealed, private_key: Any) -> bytes:
    return _stamp(sealed, private_key)


def _reason(stamped: bytes, sealed: Sealed, now: datetime, **more: Any) -> str:
    with pytest.raises(TimbreInvalid) as caught:
        accept(stamped, sealed.xml, now=now, **{"zone": CENTER, **more})
    assert str(caught.value)
    return caught.value.reason


def test_a_good_stamp_is_accepted(
    stamped: bytes, sealed: Sealed, now: datetime, official_xsd: etree.XMLSchema
) -> None:
    accepted = accept(stamped, sealed.xml, now=now, zone=CENTER)
    assert official_xsd.validate(parse(stamped)), official_xsd.error_log
    assert accepted.timbre == read(stamped)
    assert accepted.timbre.uuid == UUID
    assert accepted.stamped_at.isoformat() == "2026-11-20T18:00:05+00:00"
    assert accepted.xml is stamped
    assert not accepted.sat_verified


def test_what_is_read(sealed: Sealed) -> None:
    read_back = read(_stamp(sealed, None, SelloSAT="abc", Leyenda="Aviso"))
    assert read_back == Timbre(
        uuid=UUID,
        fecha_timbrado=datetime.fromisoformat("2026-11-20T12:00:05"),
        rfc_prov_certif="SPR190613I52",
        leyenda="Aviso",
        sello_cfd=sealed.sello,
        no_certificado_sat=SAT_NUMBER,
        sello_sat="abc",
    )


def test_the_seal_of_sat_is_verified_where_its_certificate_is_known(
    stamped: bytes, sealed: Sealed, private_key: Any, make_pair: Any, now: datetime
) -> None:
    known = {SAT_NUMBER: make_pair("SAT970701NN3", number=SAT_NUMBER).cer}
    good = accept(stamped, sealed.xml, now=now, zone=CENTER, sat_certificates=known)
    assert good.sat_verified
    forged = _stamp(sealed, private_key, SelloSAT=sealed.sello)
    assert _reason(forged, sealed, now, sat_certificates=known) == "sello_sat"
    other = {"00001000000500000008": known[SAT_NUMBER]}
    assert not accept(forged, sealed.xml, now=now, zone=CENTER, sat_certificates=other).sat_verified


def test_layout_of_the_pac_does_not_matter(stamped: bytes, sealed: Sealed, now: datetime) -> None:
    root = parse(stamped)
    etree.indent(root)
    pretty = serialize(root).replace(
        b"<cfdi:Comprobante ", b'<cfdi:Comprobante xmlns:pago20="http://www.sat.gob.mx/Pagos20" '
    )
    pretty = pretty.replace(b"cfdv40.xsd", b"cfdv40.xsd http://www.sat.gob.mx/Pagos20 x.xsd", 1)
    assert pretty != stamped
    assert accept(pretty, sealed.xml, now=now, zone=CENTER).timbre.uuid == UUID


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'Total="348.00"', b'Total="348.01"'),
        (b'Folio="101"', b'Folio="102"'),
        (b"CECILIA MIRANDA", b"CECILIA  MIRANDA"),
        (b'Exportacion="01"', b""),
        (b"</cfdi:Conceptos>", b"</cfdi:Conceptos><!-- x -->"),
        (b"</cfdi:Complemento>", b"<a/></cfdi:Complemento>"),
        (b"</cfdi:Comprobante>", b"<cfdi:Addenda/></cfdi:Comprobante>"),
        (b"<cfdi:Complemento>", b"<cfdi:Complemento/><cfdi:Complemento>"),
        (b"<cfdi:Conceptos>", b"<cfdi:Conceptos>text"),
    ],
)
def test_a_document_that_says_something_else_is_refused(
    stamped: bytes, sealed: Sealed, now: datetime, old: bytes, new: bytes
) -> None:
    changed = stamped.replace(old, new, 1)
    assert changed != stamped
    assert _reason(changed, sealed, now) == "document_changed"


def test_the_stamp_of_another_document_is_refused(
    document: Comprobante, sealed: Sealed, pair: Any, private_key: Any, now: datetime
) -> None:
    other = seal(replace(document, folio="999"), pair.csd)
    assert _reason(_stamp(other, private_key), sealed, now) == "sello_cfd"
    # Our seal on another's document: the seal alone proves nothing.
    grafted = _stamp(other, private_key, SelloCFD=sealed.sello)
    assert _reason(grafted, sealed, now) == "document_changed"


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"UUID": ""}, "timbre_malformed"),
        ({"UUID": UUID + "0"}, "timbre_malformed"),
        ({"UUID": UUID.replace("-", "")}, "timbre_malformed"),
        ({"UUID": UUID + "\n"}, "timbre_malformed"),
        ({"Version": "1.0"}, "timbre_malformed"),
        ({"SelloSAT": " "}, "timbre_malformed"),
        ({"RfcProvCertif": ""}, "timbre_malformed"),
        ({"SelloCFD": ""}, "timbre_malformed"),
        ({"FechaTimbrado": "2026-11-20"}, "timbre_malformed"),
        ({"FechaTimbrado": "2026-11-31T12:00:05"}, "timbre_malformed"),
        ({"FechaTimbrado": "2026-11-20T12:00:05Z"}, "timbre_malformed"),
        ({"FechaTimbrado": "9026-11-20T12:00:05"}, "timbre_malformed"),
    ],
)
def test_a_malformed_stamp_is_refused(
    sealed: Sealed, private_key: Any, now: datetime, attributes: dict[str, str], reason: str
) -> None:
    assert _reason(_stamp(sealed, private_key, **attributes), sealed, now) == reason


def test_there_is_one_stamp_and_in_its_place(stamped: bytes, sealed: Sealed, now: datetime) -> None:
    assert _reason(sealed.xml, sealed, now) == "no_timbre"
    start, end = stamped.index(b"<tfd:"), stamped.index(b"</cfdi:Complemento>")
    tfd = stamped[start:end]
    assert _reason(stamped.replace(tfd, tfd + tfd), sealed, now) == "no_timbre"
    moved = stamped.replace(b"cfdi:Complemento>", b"cfdi:Addenda>")
    assert _reason(moved, sealed, now) == "no_timbre"


@pytest.mark.parametrize("data", [b"", b"<a/>", b"{}", b"\x00" * 10, b"<!DOCTYPE a><a/>"])
def test_an_answer_that_is_no_cfdi(data: bytes, sealed: Sealed, now: datetime) -> None:
    assert _reason(data, sealed, now) == "unreadable"
    with pytest.raises(TimbreInvalid):
        read(data)


FECHA = datetime.fromisoformat("2026-11-20T12:00:00")


@pytest.mark.parametrize(
    ("shift", "good"),
    [
        (-BEFORE_FECHA - timedelta(seconds=1), False),
        (-BEFORE_FECHA, True),
        (AFTER_NOW, True),
        (AFTER_NOW + timedelta(seconds=1), False),
        (-timedelta(days=365), False),
    ],
)
def test_the_stamp_lies_between_fecha_and_now(
    sealed: Sealed, private_key: Any, now: datetime, shift: timedelta, good: bool
) -> None:
    """Fecha and now are the same instant here: 12:00 in the Center, 18:00 UTC."""
    written = (FECHA + shift).isoformat()
    stamped = _stamp(sealed, private_key, FechaTimbrado=written)
    if good:
        assert accept(stamped, sealed.xml, now=now, zone=CENTER).stamped_at == now + shift
    else:
        assert _reason(stamped, sealed, now) == "fecha_timbrado"


@pytest.mark.parametrize(
    ("written", "good"),
    [("2026-11-20T12:00:05", True), ("2026-11-20T14:00:05", True), ("2026-11-20T13:00:05", False)],
    ids=["local time", "time of the Center", "neither"],
)
def test_the_stamp_of_a_shop_in_tijuana(
    sealed: Sealed, private_key: Any, now: datetime, written: str, good: bool
) -> None:
    """Noon in Tijuana is 14:00 in the Center: both readings of FechaTimbrado are in use."""
    later = now + timedelta(hours=2)
    stamped = _stamp(sealed, private_key, FechaTimbrado=written)
    if good:
        accepted = accept(stamped, sealed.xml, now=later, zone=TIJUANA)
        assert accepted.stamped_at == later + timedelta(seconds=5)
    else:
        assert _reason(stamped, sealed, later, zone=TIJUANA) == "fecha_timbrado"


def test_the_hour_that_comes_twice_at_the_border(
    document: Comprobante, pair: Any, private_key: Any
) -> None:
    """Sealed at 1:59 of summer time, stamped a minute later, when clocks say 1:00 again."""
    sealed = seal(replace(document, fecha=datetime.fromisoformat("2026-11-01T01:59:30")), pair.csd)
    stamped = _stamp(sealed, private_key, FechaTimbrado="2026-11-01T01:00:30")
    now = datetime.fromisoformat("2026-11-01T09:01:00+00:00")
    accepted = accept(stamped, sealed.xml, now=now, zone=TIJUANA)
    assert accepted.stamped_at.isoformat() == "2026-11-01T09:00:30+00:00"
