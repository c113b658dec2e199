"""Random documents of every type: written, sealed and read with SAT's style sheet as judge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from cfdi import comprobante as c
from cfdi import pagos as p
from cfdi.cadena import (
    cadena_original,
    cadena_original_oficial,
    cadena_timbre,
    cadena_timbre_oficial,
)
from cfdi.documento import Documento
from cfdi.reading import DocumentUnreadable, read
from cfdi.xml import CFDI, PAGO20, TIMBRE, parse, serialize
from cfdi.xml.writing import Seals, write

SECRET = "SECRETO"
#: What texts are made of: markup, every blank, NBSP, line separators, Ñ, emoji, a lone "]".
ALPHABET = "ab Z9&<>\"'\t\n\r\u00a0\u0085\u2028Ññé😀];-"


def _optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _several(strategy: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[Any]:
    return st.lists(strategy, max_size=most).map(tuple)


texts = st.text(ALPHABET, min_size=1, max_size=12).filter(lambda text: text.strip(" \t\r\n"))
keys = st.text("0123456789ABCÑ&", min_size=1, max_size=6)
amounts = st.builds(
    lambda units, decimals: Decimal(units).scaleb(-decimals),
    st.integers(0, 10**12),
    st.integers(0, 10),
)
moments = st.datetimes(datetime.fromisoformat("2000-01-01")).map(
    lambda at: at.replace(microsecond=0)
)
impuestos, factores = st.sampled_from(c.Impuesto), st.sampled_from(c.TipoFactor)
traslados = st.builds(
    c.Traslado, amounts, impuestos, factores, _optional(amounts), _optional(amounts)
)
retenciones = st.builds(c.Retencion, amounts, impuestos, factores, amounts, amounts)
totals = st.builds(c.RetencionTotal, impuestos, amounts)
pedimentos = _several(st.just("15  48  3009  0001234") | texts)
FOREIGN = (
    b'<ine:INE xmlns:ine="http://www.sat.gob.mx/ine" Version="1.1" TipoProceso="Ordinario"/>',
    b'<iedu:instEducativas xmlns:iedu="http://www.sat.gob.mx/iedu" autRVOE="A  B"/>',
    b'<a:b xmlns:a="urn:a" xmlns:unused="urn:u" z="1" a="2"> text <!-- c --><?p i?>\n<c/></a:b>',
    b'<plain xmlns=""><![CDATA[a<b]]>&amp;</plain>',
    '<d xmlns="urn:d" xmlns:cfdi="http://www.sat.gob.mx/cfd/4"><cfdi:Parte Ñ="😀"/></d>'.encode(),
)
foreign = st.sampled_from(FOREIGN).map(c.Extranjero)


def _conceptos(known: bool) -> st.SearchStrategy[Any]:
    partes = st.builds(
        c.Parte,
        keys,
        amounts,
        texts,
        _optional(texts),
        _optional(texts),
        _optional(amounts),
        _optional(amounts),
        pedimentos,
    )
    return st.builds(
        c.Concepto,
        clave_prod_serv=keys,
        cantidad=amounts,
        clave_unidad=keys,
        descripcion=texts,
        valor_unitario=amounts,
        importe=amounts,
        objeto_imp=keys,
        no_identificacion=_optional(texts),
        unidad=_optional(texts),
        descuento=_optional(amounts),
        traslados=_several(traslados),
        retenciones=_several(retenciones),
        a_cuenta_terceros=_optional(st.builds(c.ACuentaTerceros, keys, texts, keys, keys)),
        pedimentos=pedimentos,
        cuentas_prediales=_several(keys),
        complemento=st.just(()) if known else _several(foreign),
        partes=_several(partes),
    )


_documentos = st.builds(
    p.DoctoRelacionado,
    keys,
    keys,
    _optional(amounts),
    st.integers(1, 999),
    amounts,
    amounts,
    amounts,
    keys,
    _optional(texts),
    _optional(texts),
    _several(traslados),
    _several(retenciones),
)
_pagos = st.builds(
    p.Pago,
    moments,
    keys,
    keys,
    _optional(amounts),
    amounts,
    _several(_documentos),
    _several(traslados),
    _several(totals),
    *[_optional(texts)] * 7,
    cert_pago=_optional(keys),
    cad_pago=_optional(st.just("||a|b  c||") | texts),
    sello_pago=_optional(keys),
)
pagos = st.builds(
    p.Pagos,
    st.builds(p.Totales, amounts, *[_optional(amounts)] * 10),
    _several(_pagos),
    schema_location=_optional(st.just("a b")),
)
sums = st.builds(
    c.Impuestos,
    _several(traslados),
    _several(totals),
    _optional(amounts),
    _optional(amounts),
)


def _comprobantes(known: bool) -> st.SearchStrategy[Any]:
    """`known`: with nothing in them but what Anexo 20 and Pagos 2.0 describe."""
    return st.builds(
        c.Comprobante,
        fecha=moments,
        serie=_optional(texts),
        folio=_optional(texts),
        forma_pago=_optional(keys),
        metodo_pago=_optional(keys),
        moneda=keys,
        tipo_cambio=_optional(amounts),
        sub_total=amounts,
        descuento=_optional(amounts),
        total=amounts,
        lugar_expedicion=keys,
        emisor=st.builds(c.Emisor, keys, texts, keys, _optional(keys)),
        receptor=st.builds(
            c.Receptor, keys, texts, keys, keys, keys, _optional(keys), _optional(texts)
        ),
        conceptos=st.lists(_conceptos(known), min_size=1, max_size=3).map(tuple),
        impuestos=_optional(sums),
        tipo_de_comprobante=st.sampled_from("IETPN"),
        exportacion=keys,
        condiciones_de_pago=_optional(texts),
        confirmacion=_optional(keys),
        informacion_global=_optional(
            st.builds(c.InformacionGlobal, keys, keys, st.integers(2019, 2099))
        ),
        relacionados=_several(st.builds(c.CfdiRelacionados, keys, _several(keys))),
        complementos=_several(pagos, 1) if known else _several(foreign | pagos),
        addenda=_several(foreign),
    )


timbres = st.builds(
    c.Timbre, keys, moments, keys, _optional(texts), keys, keys, keys, _optional(st.just("t x"))
)


@st.composite
def documents(draw: Any, known: bool = False) -> Documento:
    made = draw(_comprobantes(known))
    timbre = draw(_optional(timbres))
    at = draw(st.integers(0, len(made.complementos))) if timbre else None
    location = draw(st.none() | st.just("http://www.sat.gob.mx/cfd/4 x.xsd"))
    return Documento(made, draw(keys), draw(keys), draw(keys), timbre, at, location)


def said(xml: bytes) -> bytes:
    """Exclusive C14N without comments, and without the blanks between SAT's own elements."""
    root = parse(xml)
    for node in list(root.iter()):
        ours = isinstance(node.tag, str) and etree.QName(node).namespace in {CFDI, PAGO20}
        if ours and not any(
            isinstance(above.tag, str) and etree.QName(above).namespace not in {CFDI, PAGO20}
            for above in node.iterancestors()
        ):
            node.text = (node.text or "").strip(" \t\r\n") or None
            for child in node:
                child.tail = (child.tail or "").strip(" \t\r\n") or None
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


@settings(max_examples=60)
@given(documents(known=True))
def test_the_cadena_written_and_the_one_read_are_the_official_one(document: Documento) -> None:
    text = write(document.comprobante, Seals(document.no_certificado))
    root = text.tree()
    assert text.cadena == cadena_original(root) == cadena_original_oficial(root)
    assert text.xml() == serialize(root)


@settings(max_examples=60)
@given(documents())
def test_what_is_written_is_read_back_whole(document: Documento) -> None:
    xml = document.to_xml()
    assert xml == serialize(parse(xml))
    again = read(xml)
    assert said(again.to_xml()) == said(xml)
    assert read(again.to_xml()) == again
    root = parse(xml)
    assert cadena_original(root) == cadena_original_oficial(root)
    for tfd in root.iter(TIMBRE):
        assert cadena_timbre(tfd) == cadena_timbre_oficial(tfd)


def test_values_come_back_as_they_were(document: c.Comprobante) -> None:
    made = Documento(document, "1" * 20, "Q0VS", "U0VMTE8=")
    assert read(made.to_xml()) == Documento(
        document, "1" * 20, "Q0VS", "U0VMTE8=", schema_location=None
    )


def _read_or_none(xml: bytes) -> Documento | None:
    refusal = None
    try:
        return read(xml)
    except DocumentUnreadable as refused:
        refusal = refused
    assert SECRET not in str(refusal)
    assert refusal.__cause__ is None
    return None


# Every change below leaves well-formed XML. `read` may refuse what it makes, by name; it may never
# give back another document.


def _respell(draw: Callable[..., Any], root: etree._Element) -> None:
    """Another spelling of a value: of most it means the same, of some it is none at all."""
    node = draw(st.sampled_from([one for one in root.iter(etree.Element) if one.attrib]))
    name = draw(st.sampled_from(sorted(node.attrib)))
    value = str(node.get(name))
    spellings = [f"0{value}", f"+{value}", f" {value}", f"{value}  x", f"{value}\n", value + "0"]
    spellings += [
        value.lstrip("0") or ".5",
        f"{value}.",
        "",
        " ",
        "-0",
        "1E3",
        "1_0",
        SECRET,
        "a|b",
    ]
    node.set(name, draw(st.sampled_from(spellings)))


def _add_attribute(draw: Callable[..., Any], root: etree._Element) -> None:
    node = draw(st.sampled_from(list(root.iter(etree.Element))))
    names = ["Nuevo", "{urn:x}a", f"{{{CFDI}}}Total", "Version", "Sello", "Leyenda", "Total"]
    names.append("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation")
    node.set(draw(st.sampled_from(names)), SECRET)


def _drop_attribute(draw: Callable[..., Any], root: etree._Element) -> None:
    node = draw(st.sampled_from([one for one in root.iter(etree.Element) if one.attrib]))
    del node.attrib[draw(st.sampled_from(sorted(node.attrib)))]


def _drop(draw: Callable[..., Any], root: etree._Element) -> None:
    node = draw(st.sampled_from(list(root.iter(etree.Element))[1:]))
    parent = node.getparent()
    assert parent is not None
    parent.remove(node)


def _repeat(draw: Callable[..., Any], root: etree._Element) -> None:
    """A copy of an element, anywhere."""
    nodes = list(root.iter(etree.Element))
    one = draw(st.sampled_from(nodes))
    # In ASCII lxml writes the name of an attribute like Año as no parser reads it.
    copy = etree.fromstring(etree.tostring(one, encoding="unicode", with_tail=False))
    parent = draw(st.sampled_from(nodes))
    parent.insert(draw(st.integers(0, len(parent))), copy)


def _insert(draw: Callable[..., Any], root: etree._Element) -> None:
    """Comments, instructions and elements of nobody's."""
    parent = draw(st.sampled_from(list(root.iter(etree.Element))))
    made = draw(
        st.sampled_from(
            [
                etree.Comment(SECRET),
                etree.ProcessingInstruction("p", SECRET),
                etree.Element("{urn:x}Otro", a=SECRET),
                etree.Element(f"{{{CFDI}}}Parte", nsmap={"cfdi": CFDI}),
                etree.Element(f"{{{CFDI}}}Otro", nsmap={"otro": CFDI}),
            ]
        )
    )
    parent.insert(draw(st.integers(0, len(parent))), made)


def _lay_out(draw: Callable[..., Any], root: etree._Element) -> None:
    node = draw(st.sampled_from(list(root.iter(etree.Element))))
    blank = draw(st.sampled_from(["\n  ", "\t", " ", "\u00a0", SECRET]))
    if draw(st.booleans()):
        node.text = blank
    else:
        node.tail = blank if node is not root else None


CHANGES = [_respell, _add_attribute, _drop_attribute, _drop, _repeat, _insert, _lay_out]


@st.composite
def changed(draw: Any) -> bytes:
    root = parse(draw(documents()).to_xml())
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3)):
        change(draw, root)
    return serialize(root)


@settings(max_examples=120)
@given(changed())
def test_no_change_is_lost_in_silence(xml: bytes) -> None:
    document = _read_or_none(xml)
    if document is None:
        return
    again = document.to_xml()
    assert said(again) == said(xml)
    assert cadena_original(parse(again)) == cadena_original(parse(xml))


@settings(max_examples=60)
@given(changed())
def test_whatever_stands_there_the_cadena_is_the_official_one(xml: bytes) -> None:
    root = parse(xml)
    assert cadena_original(root) == cadena_original_oficial(root)


@pytest.mark.parametrize("change", [_respell, _lay_out, _insert])
def test_most_documents_that_are_only_written_otherwise_are_read(change: Any) -> None:
    """Else the tests above would hold for a reader that refuses everything."""
    counted = {"read": 0, "refused": 0}

    @settings(max_examples=120, database=None)
    @given(st.data())
    def count(data: Any) -> None:
        root = parse(data.draw(documents(known=True)).to_xml())
        change(data.draw, root)
        try:
            read(serialize(root))
            counted["read"] += 1
        except DocumentUnreadable:
            counted["refused"] += 1

    count()
    assert counted["read"] >= 3
    assert counted["refused"] >= 3
