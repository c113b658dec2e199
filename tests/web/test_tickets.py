"""sale qr and sale ticket: what they print is read again, and holds what it may hold."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from portal import qr
from portal.ticket import printing

HOSTILE = "#panic() ]\n$x$ \\ \"quote\" \x1b@\x1d(k \x00 'María' <b>&amp; ñ 漢字 " + "LARGO" * 40


def read(png: bytes) -> list[str]:
    return [one.text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(png)))]


def a_ticket(**changes: Any) -> printing.Ticket:
    given = {
        "merchant": "Tienda de prueba",
        "code": "7KQ4M2XD",
        "total": "$1,234.50 MXN",
        "until": "30 de noviembre de 2026",
        "address": "https://facturas.example.com/facturar/tienda",
        "short_address": "https://facturas.example.com/facturar/tienda",
    }
    return printing.Ticket(**given | changes)


@pytest.mark.parametrize("millimetres", [58, 80])
def test_the_printed_code_leads_to_the_page_that_asks_for_the_total(millimetres: int) -> None:
    [found] = read(printing.page(a_ticket(), millimetres, kind="png"))
    assert found == "https://facturas.example.com/facturar/tienda?codigo=7KQ4M2XD"
    page = PdfReader(io.BytesIO(printing.page(a_ticket(), millimetres))).pages[0]
    assert abs(float(page.mediabox.width) / 72 * 25.4 - millimetres) < 0.2
    words = page.extract_text().replace("\n", " ")
    for word in ("7KQ4-M2XD", "$1,234.50 MXN", "30 de noviembre", "facturas.example.com/facturar"):
        assert word in words, words


@pytest.mark.parametrize("millimetres", [58, 80])
def test_lines_fit_the_paper(millimetres: int) -> None:
    for one in (a_ticket(), a_ticket(merchant="X" * 200, short_address="https://" + "a" * 150)):
        lines = printing.text(one, millimetres).split("\n")
        assert max(map(len, lines)) <= printing.COLUMNS[millimetres]
    assert "Escanea" not in printing.text(a_ticket())


@pytest.mark.parametrize("millimetres", [58, 80])
def test_a_printer_gets_the_code_and_never_the_total_to_draw(millimetres: int) -> None:
    sent = printing.escpos(a_ticket(), millimetres)
    marker = b"\x1d(k"
    functions = []
    for part in sent.split(marker)[1:]:
        size = int.from_bytes(part[:2], "little")
        functions.append(part[2 : 2 + size])
    assert [one[1] for one in functions] == [65, 67, 69, 80, 81]
    assert functions[3][3:].decode() == a_ticket().scanned
    assert "Código".encode("cp858") in sent
    assert b"1234" not in functions[3]


@pytest.mark.parametrize("language", ["es", "en"])
def test_a_hostile_name_is_text(language: str) -> None:
    one = a_ticket(merchant=HOSTILE, language=language)
    assert b"%PDF" in printing.page(one, 58)[:8]
    assert "#panic()" in printing.text(one)
    sent = printing.escpos(one, 58)
    assert sent.count(b"\x1b@") == 1
    assert sent.count(b"\x1d(k") == 5
    assert b"\x00" not in sent.split(b"\x1d(k")[0]


def test_without_a_deadline_none_is_printed() -> None:
    assert "Plazo" in printing.text(a_ticket())
    assert "Plazo" not in printing.text(a_ticket(until=""))


@pytest.mark.parametrize("url", ["https://a.mx/f/" + "x" * 43, "https://a.mx/f/" + "y" * 200])
def test_a_qr_code_is_read_in_every_form(url: str) -> None:
    assert read(qr.png(url)) == [url]
    assert qr.svg(url).startswith("<svg ")
    rows = qr.text(url).rstrip("\n").split("\n")
    assert len({len(row) for row in rows}) == 1


def test_the_commands_write_what_they_say(site: Any, tmp_path: Path) -> None:
    merchant = site.merchant()
    sale = site.sell(merchant, "PED-1")
    of = ("--merchant", merchant, sale["id"])
    file = tmp_path / "out.png"
    told = site.told("sale", "qr", *of, "--format", "png", "--output", str(file))
    assert read(file.read_bytes()) == [told["link"]] == [sale["link"]]
    told = site.told("sale", "ticket", *of, "--format", "png", "--output", str(file))
    assert read(file.read_bytes()) == [told["link"]]
    address = urlsplit(told["link"])
    assert address.path == f"/facturar/{merchant}"
    assert parse_qs(address.query) == {"codigo": [sale["code"]]}
    # What is scanned opens the page, with the code in its place.
    page = site.client.get(f"{address.path}?{address.query}")
    assert f'value="{sale["code"][:4]}-{sale["code"][4:]}"' in page.text
    assert "232.00" not in told["link"]
    site.told("brand", "address", "add", "--merchant", merchant, "--slug", "mi-tienda")
    shown = site.cli("sale", "ticket", *of).stdout
    assert "/facturar/mi-tienda" in shown
    assert sale["link"] not in shown
    for kind in ("pdf", "png", "escpos"):
        assert site.cli("sale", "ticket", *of, "--format", kind).exit_code == 2
    assert site.cli("sale", "qr", "--merchant", merchant, "nobody").exit_code == 1
