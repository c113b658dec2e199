"""Whatever the bytes are, the answer is a tuple of findings, soon."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from cfdi.findings import Finding
from cfdi.validator import MOST_FINDINGS, validate
from cfdi.xml import CFDI
from tests.validator.bases import BASES, base, concepto, put
from tests.validator.mutants import mutant

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
Sealed = Callable[[etree._Element], bytes]
#: Of the processor: far above what any of them needs, far below what would stop a service.
PATIENCE_SECONDS = 5


def answered(data: bytes) -> tuple[Finding, ...]:
    begun = time.thread_time()
    found = validate(data, at=NOW)
    assert time.thread_time() - begun < PATIENCE_SECONDS
    assert len(found) <= MOST_FINDINGS
    for one in found:
        assert isinstance(one, Finding)
        assert one.code
        assert one.path.startswith("Comprobante") or (one.code, one.path) == ("301", "")
    return found


@pytest.mark.parametrize("seed", range(8))
def test_mutants_of_valid_documents(seed: int) -> None:
    chance = random.Random(seed)
    # None is sealed, so each has at least that finding.
    found = [answered(mutant(chance)) for _ in range(400)]
    assert all(found)
    judged = [codes for each in found if "301" not in (codes := {one.code for one in each})]
    assert len(judged) > 50, "too few get as far as the rules"


@given(data=st.binary(max_size=400))
@settings(max_examples=300)
def test_random_bytes(data: bytes) -> None:
    assert answered(data)


@given(
    name=st.sampled_from(sorted(BASES)),
    attribute=st.sampled_from(["Total", "SubTotal", "TipoCambio", "Descuento"]),
    value=st.one_of(st.decimals(), st.integers(), st.text(max_size=60)),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_number(name: str, attribute: str, value: object, sealed: Sealed) -> None:
    root = base(name)
    try:
        root.set(attribute, f"{value}")
    except ValueError:  # no XML
        return
    answered(sealed(root))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\xef\xbb\xbf",
        "<cfdi/>".encode("utf-16"),
        b"<?xml version='1.0' encoding='latin-1'?><a>\xe9</a>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b"<a>" * 100_000,
        b"<a>" * 200 + b"</a>" * 200,
        f'<Comprobante xmlns="{CFDI}"/>'.encode(),
        f'<Comprobante xmlns="{CFDI}">{"<Comprobante>" * 240}{"</Comprobante>" * 240}'
        "</Comprobante>".encode(),
        f'<Comprobante xmlns="{CFDI}" Serie="{"x" * 12_000_000}"/>'.encode(),
        b"<a/>" + b" " * 17_000_000,
        f'<c:Comprobante xmlns:c="{CFDI}" xmlns:y="urn:y" y:z="1"><c:A/></c:Comprobante>'.encode(),
    ],
    ids=lambda data: data[:24].decode("latin-1"),
)
def test_what_is_no_cfdi_is_301(data: bytes) -> None:
    assert {one.code for one in answered(data)} == {"301"}


@pytest.mark.parametrize("data", [None, "text", 1, bytearray(b"<a/>")])
def test_what_is_not_even_bytes_is_301(data: object) -> None:
    assert [one.code for one in validate(data)] == ["301"]  # type: ignore[arg-type] # on purpose


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE c [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE c [<!ENTITY % a SYSTEM "http://127.0.0.1:9/a">%a;]>',
        '<!DOCTYPE c SYSTEM "http://127.0.0.1:9/a.dtd">',
    ],
)
def test_entities_are_refused_in_a_document_that_is_valid_without(
    bomb: str, sealed: Sealed
) -> None:
    data = sealed(base("sale"))
    assert answered(data) == ()
    head, _, body = data.partition(b"\n")
    assert [one.code for one in answered(head + bomb.encode() + body)] == ["301"]


def test_a_number_of_any_length_is_301_at_its_place(sealed: Sealed) -> None:
    """SAT's XSD sets no end to a TipoCambio or a Cantidad."""
    huge = "1" + "0" * 60
    data = sealed(base("sale", put("Conceptos/Concepto", Cantidad=huge)))
    assert [(one.code, one.path) for one in answered(data)] == [
        ("301", "Comprobante/Conceptos/Concepto[1]/@Cantidad")
    ]


def test_ten_thousand_bad_lines_are_not_ten_thousand_findings(sealed: Sealed) -> None:
    root = base("untaxed")
    conceptos = root.find(f"{{{CFDI}}}Conceptos")
    bad = concepto("100.00", objeto="09", cantidad="3", clave="00000000")
    holder = etree.fromstring(f'<x xmlns:cfdi="{CFDI}">{bad * 10_000}</x>')
    for line in list(holder):
        conceptos.append(line)
    found = answered(sealed(root))
    assert 100 <= len(found) <= MOST_FINDINGS
    assert {"CFDI40162", "CFDI40167", "CFDI40170"} <= {one.code for one in found}


def _with_many_errors(good_lines: int) -> bytes:
    root = base("untaxed", put(NoCertificado="3" * 20, Certificado="MIIF", Sello="MIIF"))
    document = etree.tostring(root, encoding="unicode")
    start, end = document.index("<cfdi:Concepto "), document.index("</cfdi:Conceptos>")
    lines = concepto("100.00", objeto="01") * good_lines + "<cfdi:Concepto/>" * 120_000
    return f"{document[:start]}{lines}{document[end:]}".encode()


def test_a_million_errors_are_answered_soon() -> None:
    """libxml2 alone would need hours to say where each of them is."""
    found = answered(_with_many_errors(1))
    assert {one.code for one in found} == {"301"}
    told = {one.path for one in found}
    assert "Comprobante/Conceptos/Concepto[2]/@Cantidad" in told
    # What is wrong only because it was cut is not told.
    assert {path.count("/") for path in told} == {3}


def test_a_document_that_grows_when_it_is_written_again_is_answered() -> None:
    grows = 'Serie="F" CondicionesDePago=\'' + '"' * 9_500_000 + "'"
    document = _with_many_errors(1).replace(b'Serie="F"', grows.encode(), 1)
    assert {one.code for one in validate(document, at=NOW)} == {"301"}


def test_a_million_errors_behind_many_lines_are_told_of_the_whole() -> None:
    found = answered(_with_many_errors(3_000))
    assert [(one.code, one.path) for one in found] == [("301", "Comprobante")]


def test_what_a_document_lacks_only_because_it_was_cut_is_not_told() -> None:
    one = (
        '<cfdi:CfdiRelacionados TipoRelacion="01"><cfdi:CfdiRelacionado UUID="{}"/>'
        "</cfdi:CfdiRelacionados>"
    )
    related = one.format("no") + one.format("11111111-2222-4333-8444-555555555555") * 2_000
    document = _with_many_errors(1).decode().replace("<cfdi:Emisor", f"{related}<cfdi:Emisor", 1)
    found = answered(document.encode())
    assert [(one.code, one.path) for one in found] == [
        ("301", "Comprobante/CfdiRelacionados[1]/CfdiRelacionado[1]/@UUID")
    ]


def test_an_error_behind_many_lines_is_told_at_its_place(sealed: Sealed) -> None:
    root = base("untaxed", put(SubTotal="300000.00", Total="300000.00"))
    conceptos = root.find(f"{{{CFDI}}}Conceptos")
    good = concepto("100.00", objeto="01") * 2_999
    for line in list(etree.fromstring(f'<x xmlns:cfdi="{CFDI}">{good}</x>')):
        conceptos.append(line)
    assert answered(sealed(root)) == ()
    conceptos[2_999].set("Cantidad", "0")
    assert [(one.code, one.path) for one in answered(sealed(root))] == [
        ("301", "Comprobante/Conceptos/Concepto[3000]/@Cantidad")
    ]


@pytest.mark.parametrize("addendas", [1, 2])
def test_an_addenda_stands_at_the_end_and_once(addendas: int, sealed: Sealed) -> None:
    root = base("sale")
    root.extend(etree.Element(f"{{{CFDI}}}Addenda") for _ in range(addendas))
    root[-1].append(etree.Element("pedido"))
    document = sealed(root)
    assert [one.code for one in answered(document)] == ["301"] * (addendas - 1)
    last = root[-1]
    root.insert(0, last)
    assert {one.code for one in answered(sealed(root))} == {"301"}


def test_threads_do_not_disturb_one_another(sealed: Sealed) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - this test alone

    documents = [sealed(base(name)) for name in sorted(BASES)]
    broken = [sealed(base(name, put(Fecha="2026-13-20T12:00:00"))) for name in sorted(BASES)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(validate, [*documents, *broken] * 8))
    half = len(documents)
    for start in range(0, len(found), 2 * half):
        assert found[start : start + half] == [()] * half
        assert all(each[0].code == "CFDI40101" for each in found[start + half : start + 2 * half])
