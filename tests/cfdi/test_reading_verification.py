"""Documents read as data, refused by name, verified, and given an Addenda."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

import cfdi
from cfdi.cadena import cadena_original, cadena_original_oficial, cadena_timbre
from cfdi.comprobante import Comprobante, Extranjero
from cfdi.consulta import verification_url
from cfdi.pac.timbrado import with_timbre
from cfdi.reading import DocumentUnreadable, read
from cfdi.seal import seal
from cfdi.verification import Verification, verify
from cfdi.xml import add_addenda, build, parse, serialize
from cfdi.xml.spelling import AmountAsWritten, TextAsWritten

SAT_NUMBER = "30001000000500003456"
ADDENDA = Extranjero(b'<a:b xmlns:a="urn:a" c="1"> <!-- kept --> </a:b>')


@pytest.fixture
def stamped(document: Comprobante, pair: Any, make_pair: Any) -> bytes:
    sealed = seal(document, pair.csd)
    sat = make_pair("SPR190613I52", number=SAT_NUMBER)
    tfd = etree.fromstring(
        '<tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" '
        'Version="1.1" UUID="5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F" SelloSAT="-" '
        'FechaTimbrado="2026-11-20T12:00:30" RfcProvCertif="SPR190613I52" '
        f'SelloCFD="{sealed.sello}" NoCertificadoSAT="{SAT_NUMBER}"/>'
    )
    tfd.set("SelloSAT", _signed(sat, cadena_timbre(tfd)))
    return with_timbre(sealed.xml, etree.tostring(tfd))


def _signed(pair: Any, cadena: str) -> str:
    return base64.b64encode(pair.private.sign(cadena.encode(), PKCS1v15(), SHA256())).decode()


def test_both_seals_of_a_stamped_document(stamped: bytes, make_pair: Any) -> None:
    known = {SAT_NUMBER: make_pair("SPR190613I52", number=SAT_NUMBER).cer}
    assert verify(stamped, sat_certificates=known) == Verification(True, True, sat=True)
    assert verify(stamped) == Verification(True, True, sat=None)
    assert cfdi.verify is verify


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'Total="348.00"', b'Total="349.00"', Verification(False, True, sat=True)),
        (b'UUID="5B', b'UUID="6B', Verification(True, True, sat=False)),
        (b'SelloCFD="', b'SelloCFD="A', Verification(True, False, sat=False)),
        (b'NoCertificadoSAT="3', b'NoCertificadoSAT="4', Verification(True, True, sat=None)),
        (b"<tfd:Timbre", b"<tfd:Otro", Verification(True, False, sat=None)),
        (b'Certificado="M', b'Certificado="!', Verification(False, True, sat=True)),
    ],
)
def test_what_was_changed_is_seen(
    stamped: bytes, make_pair: Any, old: bytes, new: bytes, expected: Verification
) -> None:
    assert old in stamped
    known = {SAT_NUMBER: make_pair("SPR190613I52", number=SAT_NUMBER).cer}
    assert verify(stamped.replace(old, new), sat_certificates=known) == expected


def test_a_seal_of_another_taxpayer_is_not_the_issuers(document: Comprobante, pair: Any) -> None:
    """The seal may be good for what it signs: what counts is whose certificate it is."""
    stranger = replace(document, emisor=replace(document.emisor, rfc="CACX7605101P8"))
    root = build(stranger, no_certificado=pair.csd.certificate.no_certificado)
    root.set("Certificado", base64.b64encode(pair.csd.certificate.der).decode())
    root.set("Sello", _signed(pair, cadena_original(root)))
    assert verify(serialize(root)).issuer is False


def test_an_addenda_comes_after_the_stamp_and_changes_no_byte(stamped: bytes) -> None:
    made = add_addenda(stamped, [ADDENDA])
    head, tail = stamped[: -len(b"</cfdi:Comprobante>")], b"</cfdi:Comprobante>"
    assert made == head + b"<cfdi:Addenda>" + ADDENDA.xml + b"</cfdi:Addenda>" + tail
    document = read(made)
    assert document.timbre is not None
    assert [b"<!-- kept -->" in one.xml for one in document.comprobante.addenda] == [True]
    assert verify(made).issuer
    assert add_addenda(stamped, []) == stamped
    with pytest.raises(ValueError, match="already"):
        add_addenda(made, [ADDENDA])


def test_an_addenda_is_never_part_of_what_is_sealed(document: Comprobante, pair: Any) -> None:
    sealed = seal(replace(document, addenda=(ADDENDA,)), pair.csd)
    assert b"Addenda" not in sealed.xml
    with pytest.raises(ValueError, match="stamped"):
        add_addenda(sealed.xml, [ADDENDA])


def test_an_addenda_does_not_land_in_a_comment(stamped: bytes) -> None:
    with pytest.raises(ValueError, match="does not end"):
        add_addenda(stamped + b"<!-- </cfdi:Comprobante> -->", [ADDENDA])


@pytest.mark.parametrize("bad", [b"</cfdi:Addenda><x/>", b"<a/><b/>", b"text", b"<!DOCTYPE a><a/>"])
def test_a_foreign_part_cannot_break_out(document: Comprobante, stamped: bytes, bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"well-formed|document type"):
        add_addenda(stamped, [Extranjero(bad)])
    with pytest.raises(ValueError, match=r"well-formed|document type"):
        build(replace(document, complementos=(Extranjero(bad),)))


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"", "xml"),
        (b"<a", "xml"),
        (b"<!DOCTYPE a><a/>", "xml"),
        (b"<a>" + b"<b/>" * 700_000 + b"</a>", "xml"),
        (b"<a/>", "not_cfdi"),
        (b'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/3" Version="3.3"/>', "version"),
        (b'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Version="3.3"/>', "version"),
        (b'<Comprobante xmlns="http://www.sat.gob.mx/cfd/4" Version="4.0"/>', "structure"),
        (
            b'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Version="4.0"/>',
            "structure",
        ),
    ],
)
def test_other_documents_are_refused_by_name(xml: bytes, reason: str) -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        read(xml)
    assert caught.value.reason == reason


def test_text_is_not_bytes() -> None:
    with pytest.raises(DocumentUnreadable, match="bytes only"):
        read("<a/>")  # type: ignore[arg-type] # the point of the test


def test_spellings_are_kept_beside_the_value(document: Comprobante) -> None:
    xml = serialize(build(document)).replace(b'Total="348.00"', b'Total="0348.00"')
    xml = xml.replace(b'Descripcion="Taza"', b'Descripcion=" Taza  "')
    made = read(xml)
    assert made.to_xml() == xml
    total, texto = made.comprobante.total, made.comprobante.conceptos[1].descripcion
    assert total == Decimal("348.00")
    assert texto == "Taza"
    assert isinstance(total, AmountAsWritten)
    assert isinstance(texto, TextAsWritten)
    assert str(total + 0) == "348.00"


@pytest.mark.parametrize("bad", ["-1", "1e3", "NaN", "1_0", "", "١", ". "])
def test_no_amount_is_made_of_what_is_none(bad: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        AmountAsWritten(bad)


def _hostile(inside: bytes, root: bytes = b"") -> bytes:
    return (
        b'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Version="4.0" '
        + root
        + b">"
        + inside
        + b"</cfdi:Comprobante>"
    )


@pytest.mark.parametrize(
    "xml",
    [
        _hostile(b"<cfdi:Emisor/>" * 300_000),
        _hostile(b"", b" ".join(b'a%d=""' % n for n in range(300_000))),
        _hostile(b"<cfdi:Addenda/>", b" ".join(b'xmlns:a%d="u"' % n for n in range(100_000))),
        _hostile(b"", b'Total="' + b"9" * 9_000_000 + b'"'),
        _hostile(b"", b'Serie="' + b" x" * 4_000_000 + b'"'),
    ],
    ids=["elements", "attributes", "namespaces", "digits", "blanks"],
)
def test_hostile_documents_take_no_wonder_of_time(xml: bytes) -> None:
    started = time.process_time()
    with pytest.raises(DocumentUnreadable):
        read(xml)
    assert time.process_time() - started < 5


def test_many_foreign_parts_under_many_namespaces_are_refused_early(stamped: bytes) -> None:
    """Each part is kept with every namespace in scope: their product is what must be bounded."""
    spaces = b" ".join(b'xmlns:n%d="urn:%s"' % (n, b"x" * 1000) for n in range(90))
    parts = b"<cfdi:Addenda>" + b"<x/>" * 100_000 + b"</cfdi:Addenda></cfdi:Comprobante>"
    xml = stamped.replace(b"<cfdi:Comprobante ", b"<cfdi:Comprobante " + spaces + b" ")
    started = time.process_time()
    with pytest.raises(DocumentUnreadable, match="too much"):
        read(xml.replace(b"</cfdi:Comprobante>", parts))
    assert time.process_time() - started < 5


def test_the_qr_text_needs_no_pdf(stamped: bytes) -> None:
    assert verification_url(stamped).startswith("https://verificacfdi.facturaelectronica.sat")


def test_a_second_reader_reads_the_same(named_document: tuple[str, Comprobante]) -> None:
    from satcfdi import cfdi as second  # noqa: PLC0415 # opens its database on import

    _, document = named_document
    xml = serialize(build(document, no_certificado="1" * 20, certificado="Q0VS"))
    ours, theirs = read(xml).comprobante, second.CFDI.from_string(xml)
    assert ours.total == theirs["Total"]
    assert ours.emisor.rfc == theirs["Emisor"]["Rfc"]
    assert [one.importe for one in ours.conceptos] == [
        one["Importe"] for one in theirs["Conceptos"]
    ]


def test_every_public_name_is_there() -> None:
    assert all(getattr(cfdi, name) is not None for name in cfdi.__all__)
    with pytest.raises(AttributeError, match="no attribute"):
        cfdi.nothing_of_this_name  # noqa: B018 # the point of the test
    assert parse(serialize(parse(b"<a/>"))).tag == "a"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"<cfdi:Conceptos>", b"<cfdi:Conceptos><?pi x?>", "processing instruction"),
        (b"<cfdi:Conceptos>", b"<cfdi:Conceptos>x", "text outside"),
        (b"<cfdi:Emisor ", b'<o:Emisor xmlns:o="http://www.sat.gob.mx/cfd/4" ', "prefix"),
        (b"<cfdi:Emisor ", b'<cfdi:Emisor Otro="1" ', "schema does not know"),
        (b"<cfdi:Emisor ", b"<cfdi:Otro/><cfdi:Emisor ", "Emisor is missing or not in its place"),
        (b'Impuesto="002"', b'Impuesto="009"', "Traslado.1./@Impuesto: not a value"),
        (b'Impuesto="002"', b'Impuesto=" 002"', "Traslado.1./@Impuesto: blanks"),
        (b'Serie="F"', b'Serie=" "', "@Serie: not a value"),
        (b'Fecha="2026-11-20', b'Fecha="2026-11-31', "@Fecha: not a value"),
        (b'Rfc="EKU9003173C9" ', b"", "Emisor/@Rfc: is missing"),
    ],
)
def test_what_cannot_be_kept_is_named(stamped: bytes, old: bytes, new: bytes, why: str) -> None:
    assert old in stamped
    with pytest.raises(DocumentUnreadable, match=why):
        read(stamped.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</cfdi:Complemento>", b"text</cfdi:Complemento>"),
        (b'"/></cfdi:Complemento>', b'">text</tfd:TimbreFiscalDigital></cfdi:Complemento>'),
        (b'"/></cfdi:Complemento>', b'"><x>a</x></tfd:TimbreFiscalDigital></cfdi:Complemento>'),
        (b"</cfdi:Complemento>", b"<x>a<y/>b</x></cfdi:Complemento>"),
        (b"</cfdi:Concepto>", b"<cfdi:Parte><cfdi:Parte/></cfdi:Parte></cfdi:Concepto>"),
    ],
)
def test_the_cadena_of_odd_documents_is_the_official_one(
    stamped: bytes, old: bytes, new: bytes
) -> None:
    """Where SAT's style sheet has no template libxslt copies what text there is."""
    assert old in stamped
    root = parse(stamped.replace(old, new, 1))
    assert cadena_original(root) == cadena_original_oficial(root)
