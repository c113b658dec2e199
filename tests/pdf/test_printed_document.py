from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from pypdf import PdfReader

from cfdi.pdf import NotPrintable, render
from cfdi.xml import XmlRefused

Stamped = Callable[..., bytes]
UUID = "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F"
MARK = "SIN VALIDEZ FISCAL — DOCUMENTO DE PRUEBA"
LEGEND = "Este documento es una representación impresa de un CFDI"


def pages(pdf: bytes) -> list[str]:
    """The text of each page, blanks collapsed and line breaks of narrow columns joined."""
    return [
        " ".join(page.extract_text().replace("\u200b", "").split())
        for page in PdfReader(io.BytesIO(pdf)).pages
    ]


def solid(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_everything_that_must_be_printed_is_there(stamped: Stamped) -> None:
    xml = stamped(CondicionesDePago="Contado")
    (page,) = pages(render(xml, sandbox=False))
    for text in (
        *("ESCUELA KEMPER URGATE", "EKU9003173C9", "601 – General de Ley Personas Morales"),
        *("XOCHILT CASAS CHAVEZ", "CACX7605101P8", "36257", "G03 – Gastos en general"),
        *("A-1042", UUID, "2026-11-20 12:00:00", "2026-11-20 12:00:07", "42501"),
        *("52161520", "CAF-500", "H87", "Pieza", "Café de altura", "1,086.206897"),
        *("02 – Sí objeto de impuesto", "002 IVA 16 %", "173.79", "1,086.21", "1,260.00 MXN"),
        *("MIL DOSCIENTOS SESENTA PESOS 00/100 M.N.", "04 – Tarjeta de crédito", "Contado"),
        *("PUE – Pago en una sola exhibición", "MXN – Peso mexicano", "I – Ingreso"),
        *("30001000000500003416", "30001000000500003456", "SPR190613I52", LEGEND, "Página 1 de 1"),
    ):
        assert solid(text) in solid(page), text
    assert "612 – Personas Físicas con Actividades Empresariales y Profesionales" in page
    assert MARK not in page


def test_both_seals_and_the_cadena_are_printed_whole(stamped: Stamped) -> None:
    (page,) = pages(render(stamped(leyenda="Leyenda del PAC"), sandbox=False))
    text = solid(page)
    seals = re.findall(rb'Sello(?:CFD|SAT)="([^"]+)"', stamped())
    assert len(seals) == 2
    for seal in seals:
        assert seal.decode() in text
    cadena = (
        f"||1.1|{UUID}|2026-11-20T12:00:07|SPR190613I52|Leyenda del PAC|{seals[0].decode()}"
        "|30001000000500003456||"
    )
    assert solid(cadena) in text


def test_the_same_document_makes_the_same_bytes(stamped: Stamped) -> None:
    first = render(stamped(2), sandbox=True)
    render(stamped(1), sandbox=False)
    assert render(stamped(2), sandbox=True) == first
    assert render(stamped(2), sandbox=False) != first


def test_many_lines_make_numbered_pages_with_the_header_repeated(stamped: Stamped) -> None:
    printed = pages(render(stamped(60), sandbox=True))
    assert len(printed) >= 3
    for number, page in enumerate(printed, 1):
        assert f"Página {number} de {len(printed)}" in page
        assert MARK in page
        assert LEGEND in page
        assert UUID in page
    for page in printed[:-1]:
        assert "Valor unitario" in page
    joined = " ".join(printed)
    for line in range(1, 61):
        assert f"500 g {line} " in joined


HOSTILE = [
    '#let x = 1; #panic("no") #import "x.typ"',
    "$a^2$ *bold* _it_ `raw` <lbl> @ref // /* \\ \" ' [c] {d} ~ -- --- = - + /",
    "#read(\"/etc/passwd\") #sys.inputs #image('x')",
    "{{ 7 * 7 }} %s %(x)s ${jndi} <script>alert(1)</script> &amp;",
    "שלום עולם و مرحبا",
    "😀 👩‍👩‍👧 café ñandú ﷽",
    "W" * 900,
    "a\u202egnirts\u2066x",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text(stamped: Stamped, text: str) -> None:
    xml = stamped(2, description=text, sku=text[:100], issuer=text[:250], receiver=text[:250])
    printed = solid("".join(pages(render(xml, sandbox=True))))
    assert "1,260.00" not in printed
    assert solid("2,520.00 MXN") in printed
    if text.isascii():
        assert solid(text) in printed


def test_direction_marks_cannot_turn_a_number_round(stamped: Stamped) -> None:
    pdf = render(stamped(description="a\u202egnirts"), sandbox=False)
    assert "agnirts" in pages(pdf)[0]


def test_a_long_word_is_broken_within_its_column(stamped: Stamped) -> None:
    """A row of 900 letters on one line would run over the numbers and off the page."""
    xml = stamped(description="W" * 900, sku="9" * 100, receiver="M" * 250, issuer="M" * 250)
    text = "\n".join(
        page.extract_text().replace("\u200b", "")
        for page in PdfReader(io.BytesIO(render(xml, sandbox=True))).pages
    )
    assert max(map(len, re.findall(r"W+", text))) <= 48
    assert max(map(len, re.findall(r"M{5,}", text))) <= 48
    assert max(map(len, re.findall(r"9{10,}", text))) <= 20
    assert sum(map(len, re.findall(r"W{5,}", text))) == 900
    assert f"{'M' * 38}…" in text  # the running header takes one line


def test_a_discount_has_its_column(stamped: Stamped) -> None:
    (page,) = pages(render(stamped(discount=Decimal("86.21")), sandbox=False))
    assert page.count("Descuento") == 2
    assert "−86.21" in page


def test_foreign_currency_shows_its_rate(stamped: Stamped) -> None:
    (page,) = pages(render(stamped(Moneda="USD", TipoCambio="17.123400"), sandbox=False))
    assert "1 USD = 17.1234 MXN" in page
    assert "DÓLARES 00/100 USD" in page


def test_taxes_of_every_kind_are_named(stamped: Stamped) -> None:
    totals = (
        "<cfdi:Impuestos><cfdi:Retenciones>"
        '<cfdi:Retencion Impuesto="001" Importe="10.00"/></cfdi:Retenciones><cfdi:Traslados>'
        '<cfdi:Traslado Base="100.00" Impuesto="002" TipoFactor="Exento"/>'
        '<cfdi:Traslado Base="5.00" Impuesto="003" TipoFactor="Cuota" TasaOCuota="5.234300" '
        'Importe="26.17"/><cfdi:Traslado Base="50.00" Impuesto="003" TipoFactor="Tasa" '
        'TasaOCuota="0.265000" Importe="13.25"/></cfdi:Traslados></cfdi:Impuestos>'
    )
    (page,) = pages(render(stamped(totals=totals), sandbox=False))
    for text in (
        "Retención 001 ISR −10.00",
        "002 IVA exento (base 100.00) 0",
        "003 IEPS cuota 5.2343 (base 5.00) 26.17",
        "003 IEPS 26.5 % (base 50.00) 13.25",
    ):
        assert solid(text) in solid(page), text


def test_relations_and_global_information_are_printed(stamped: Stamped) -> None:
    extra = (
        '<cfdi:InformacionGlobal Periodicidad="04" Meses="11" Año="2026"/>'
        f'<cfdi:CfdiRelacionados TipoRelacion="04"><cfdi:CfdiRelacionado UUID="{UUID}"/>'
        "</cfdi:CfdiRelacionados>"
    )
    (page,) = pages(render(stamped(extra=extra), sandbox=False))
    assert "04 – Mensual, 11/2026" in page
    assert "04 – Sustitución de los CFDI previos" in page


def test_english_keeps_the_legend_in_spanish(stamped: Stamped) -> None:
    (page,) = pages(render(stamped(), sandbox=True, language="en"))
    assert "Issued" in page
    assert LEGEND in page
    assert MARK in page
    assert "Page 1 of 1" in page
    assert "Receptor" not in page


def test_an_unknown_language_is_spanish(stamped: Stamped) -> None:
    assert render(stamped(), sandbox=False, language="fr") == render(stamped(), sandbox=False)


def test_metadata_says_what_it_is_and_no_path(stamped: Stamped) -> None:
    pdf = render(stamped(), sandbox=False)
    info = PdfReader(io.BytesIO(pdf)).metadata
    assert info is not None
    assert info.title == f"Factura {UUID}"
    assert info.author == "ESCUELA KEMPER URGATE"
    # 12:00:07 in Pachuca is 18:00:07 in UTC.
    assert info.creation_date is not None
    assert info.creation_date.isoformat() == "2026-11-20T18:00:07+00:00"
    assert b"cfdi.typ" not in pdf
    assert b"/work" not in pdf
    assert b"/home" not in pdf


def test_an_unknown_postal_code_or_key_does_not_prevent_printing(stamped: Stamped) -> None:
    xml = stamped(LugarExpedicion="99998", FormaPago="77", Moneda="ZZZ")
    (page,) = pages(render(xml, sandbox=False))
    assert "99998" in page
    assert "77" in page


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ((b"<tfd:TimbreFiscalDigital", b"<tfd:Otro"), "not stamped"),
        ((b"<cfdi:Emisor", b"<cfdi:Otro"), "Emisor"),
        ((b'TipoDeComprobante="I"', b'TipoDeComprobante="N"'), "type I"),
        ((b'TipoDeComprobante="I"', b'TipoDeComprobante="P"'), "payments"),
        ((b'/cfd/4"', b'/cfd/3"'), "CFDI 4.0"),
        ((b'FechaTimbrado="2026', b'FechaTimbrado="hoy'), "cannot be printed"),
        ((b' Total="1260.00"', b' Total="mucho"'), "cannot be printed"),
    ],
)
def test_what_is_no_stamped_invoice_is_refused(
    stamped: Stamped, broken: tuple[bytes, bytes], message: str
) -> None:
    xml = stamped()
    assert broken[0] in xml
    with pytest.raises(NotPrintable, match=message):
        render(xml.replace(*broken), sandbox=False)


def test_bytes_that_are_no_xml_are_refused() -> None:
    for junk in (b"", b"%PDF-1.7", b"<a", b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"):
        with pytest.raises(XmlRefused):
            render(junk, sandbox=False)


def test_threads_share_the_compiler(stamped: Stamped) -> None:
    """A web process prints in several threads; the compiler itself refuses to be shared."""
    xmls = [stamped(Folio=str(number)) for number in range(8)]
    printed: dict[int, bytes] = {}

    def work(number: int) -> None:
        printed[number] = render(xmls[number], sandbox=False)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [f"A-{number}" in pages(printed[number])[0] for number in range(8)] == [True] * 8


@pytest.mark.parametrize(
    "written", ["1E999999", "NaN", "sNaN", "Infinity", "1_000", "1,000.00", "١٢٣", "", "9" * 40]
)
@pytest.mark.parametrize("where", ["SubTotal", "Total"])
def test_an_amount_that_is_none_is_refused_at_once(
    stamped: Stamped, where: str, written: str
) -> None:
    with pytest.raises(NotPrintable, match="digits with a point"):
        render(stamped(**{where: written}), sandbox=False)


def test_a_currency_of_thousandths_is_printed(stamped: Stamped) -> None:
    printed = render(
        stamped(Moneda="KWD", TipoCambio="58.1", SubTotal="1200.125", Total="1392.145"),
        sandbox=False,
    )
    text = " ".join(pages(printed)[0].split())
    assert "1,392.145 KWD" in text
    assert "145/1000 KWD" in text


@pytest.mark.parametrize("letter", ["W", "i", "Ñ"])
def test_a_stock_keeping_number_stays_in_its_column(stamped: Stamped, letter: str) -> None:
    """The description begins where the column ends."""
    page = PdfReader(io.BytesIO(render(stamped(sku=letter * 100), sandbox=False))).pages[0]
    found: list[tuple[float, str]] = []
    page.extract_text(visitor_text=lambda text, _, matrix, __, ___: found.append((matrix[4], text)))
    rows = [text.strip() for _, text in found if letter * 5 in text]
    assert rows
    assert max(map(len, rows)) <= (5 if letter == "W" else 40)
