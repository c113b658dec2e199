"""The document as Anexo 20 wants it, with SAT's schema and style sheet as judges."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from cfdi import cadena
from cfdi.cadena import cadena_original, cadena_timbre
from cfdi.comprobante import Comprobante
from cfdi.seal import seal
from cfdi.xml import CFDI, XmlRefused, build, parse, serialize
from cfdi.xml.values import escaped

GOLDEN = Path(__file__).parent / "golden"
RECORD = os.environ.get("AUTOFACTURA_RECORD_GOLDEN") == "1"
NUMBER = "00001000000500000001"


def _golden(path: Path, content: bytes) -> bytes:
    """What is on file. Re-recorded only when asked for; its absence is a failure."""
    if RECORD:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return path.read_bytes()


def test_documents_and_their_cadena_are_those_on_file(
    named_document: tuple[str, Comprobante],
) -> None:
    name, document = named_document
    root = build(document, no_certificado=NUMBER)
    xml, text = serialize(root), cadena_original(root).encode()
    assert xml == _golden(GOLDEN / f"{name}.xml", xml)
    assert text == _golden(GOLDEN / f"{name}.cadena", text)


def test_sealed_documents_satisfy_the_official_schema(
    named_document: tuple[str, Comprobante], make_pair: Any, official_xsd: etree.XMLSchema
) -> None:
    _, document = named_document
    sealed = seal(document, make_pair(document.emisor.rfc).csd)
    assert official_xsd.validate(parse(sealed.xml)), official_xsd.error_log


def test_the_reference_schema_agrees(document: Comprobante, pair: Any, shared: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(shared / "sat/xsd/cfdi40-bundle.xsd")))
    assert schema.validate(parse(seal(document, pair.csd).xml)), schema.error_log


def test_a_second_implementation_makes_the_same_cadena(
    named_document: tuple[str, Comprobante], make_pair: Any
) -> None:
    from satcfdi import cfdi as second  # noqa: PLC0415 # opens its database on import

    _, document = named_document
    sealed = seal(document, make_pair(document.emisor.rfc).csd)
    assert second.CFDI.from_string(sealed.xml).cadena_original() == sealed.cadena


def test_attributes_stand_in_the_order_of_anexo_20(document: Comprobante, pair: Any) -> None:
    root = parse(seal(document, pair.csd).xml)
    names = [etree.QName(str(name)).localname for name in root.attrib]
    assert " ".join(names) == (
        "schemaLocation Version Serie Folio Fecha Sello FormaPago NoCertificado Certificado "
        "SubTotal Moneda Total TipoDeComprobante Exportacion MetodoPago LugarExpedicion"
    )


def test_what_is_empty_is_left_out(document: Comprobante) -> None:
    root = build(replace(document, serie="", folio=None, impuestos=None))
    assert not {"Serie", "Folio", "Sello", "Certificado", "Descuento"} & set(root.attrib)
    assert root.find(f"{{{CFDI}}}Impuestos") is None


@pytest.mark.parametrize(
    ("amount", "written"),
    [("1E+3", "1000"), ("0.000001", "0.000001"), ("1E-6", "0.000001"), ("5.10", "5.10")],
)
def test_amounts_are_written_with_the_decimals_they_carry(
    document: Comprobante, amount: str, written: str
) -> None:
    assert build(replace(document, total=Decimal(amount))).get("Total") == written


@pytest.mark.parametrize("amount", ["-0.01", "-0", "NaN", "Infinity"])
def test_amounts_no_document_can_have(document: Comprobante, amount: str) -> None:
    with pytest.raises(ValueError, match="Total"):
        build(replace(document, total=Decimal(amount)))


def test_a_date_with_a_zone_is_not_local_time(document: Comprobante) -> None:
    with pytest.raises(ValueError, match="Fecha"):
        build(replace(document, fecha=datetime(2026, 11, 20, tzinfo=UTC)))


@pytest.mark.parametrize("bad", ["a|b", "a\x00b", "a\x1bb", "a\ufffeb", "a\ud800b"])
def test_characters_sat_refuses_are_named_not_written(document: Comprobante, bad: str) -> None:
    receptor = replace(document.receptor, nombre=bad)
    with pytest.raises(ValueError, match="Nombre") as caught:
        build(replace(document, receptor=receptor))
    assert bad not in str(caught.value)


def test_blanks_are_collapsed_as_the_schema_says(document: Comprobante) -> None:
    concepto = replace(document.conceptos[0], descripcion="  una\n\t taza\u00a0roja ")
    node = build(replace(document, conceptos=(concepto,))).find(f".//{{{CFDI}}}Concepto")
    assert node is not None
    assert node.get("Descripcion") == "una taza\u00a0roja"


def test_markup_in_a_text_stays_text(document: Comprobante) -> None:
    hostile = '"/><cfdi:Concepto x="&amp;]]>'
    concepto = replace(document.conceptos[0], descripcion=hostile)
    read = parse(serialize(build(replace(document, conceptos=(concepto,)))))
    nodes = read.findall(f".//{{{CFDI}}}Concepto")
    assert [node.get("Descripcion") for node in nodes] == [hostile]


_BOMB = b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;">]><a x="&c;">&c;</a>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a>",
        b"<a/><b/>",
        b"not xml",
        _BOMB,
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]><a>&e;</a>',
        _BOMB.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADw-+ACE-DOCTYPE a+AD4-<a/>',
        b"<a>\xff\xfe</a>",
        b"<a>&undefined;</a>",
        b"<a>" + b"<b>" * 300 + b"</b>" * 300 + b"</a>",
        b'<a b="1" b="2"/>',
        b"<a>\x00</a>",
    ],
    ids=range(14),
)
def test_hostile_xml_is_refused(data: bytes) -> None:
    with pytest.raises(XmlRefused) as caught:
        parse(data)
    assert caught.value.__cause__ is None


def test_text_and_oversize_are_refused() -> None:
    with pytest.raises(XmlRefused, match="bytes only"):
        parse("<a/>")  # type: ignore[arg-type] # the point of the test
    with pytest.raises(XmlRefused, match="larger"):
        parse(b"<a>" + b"x" * 100 + b"</a>", max_bytes=100)


def test_a_byte_order_mark_is_no_obstacle() -> None:
    assert parse(b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?><a>\xc3\xb1</a>").text == "ñ"


@pytest.mark.parametrize("target", ["{here}/secret.xml", "http://127.0.0.1:9/x.xml"])
def test_a_running_stylesheet_can_read_nothing(tmp_path: Path, target: str) -> None:
    place = target.format(here=tmp_path)
    (tmp_path / "secret.xml").write_text("<a>secret</a>")
    (tmp_path / "reader.xslt").write_text(
        '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        f'<xsl:template match="/"><xsl:value-of select="document(\'{place}\')"/>'
        "</xsl:template></xsl:stylesheet>"
    )
    with pytest.raises(etree.XSLTApplyError, match="denied"):
        cadena._compiled(str(tmp_path / "reader.xslt"))(etree.fromstring("<a/>"))


def test_cadena_is_the_same_from_many_threads(document: Comprobante) -> None:
    expected = cadena_original(build(document))
    found: list[str] = []

    def work() -> None:
        found.extend(cadena_original(build(document)) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {expected}
    assert len(found) == 400


def test_cadena_of_a_timbre() -> None:
    tfd = etree.fromstring(
        '<x><tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" '
        'Version="1.1" UUID="U" FechaTimbrado="F" RfcProvCertif="R" Leyenda="L  L" SelloCFD="S" '
        'NoCertificadoSAT="N" SelloSAT="not in it"/>tail</x>'
    )[0]
    assert cadena_timbre(tfd) == "||1.1|U|F|R|L L|S|N||"


def test_a_document_of_a_thousand_lines_takes_no_wonder_of_time(document: Comprobante) -> None:
    big = replace(document, conceptos=document.conceptos[:1] * 1000)
    started = time.process_time()
    made = cadena_original(build(big))
    assert time.process_time() - started < 2
    assert made.count("|Café molido|") == 1000


def test_marks_are_escaped_as_libxml2_does_it() -> None:
    text = "<a> & \"b\" 'c' &amp; \t\n\r ]]> ñ"
    node = etree.Element("x", a=text)
    assert etree.tostring(node, encoding="unicode") == f'<x a="{escaped(text)}"/>'
