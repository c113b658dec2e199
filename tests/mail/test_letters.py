from __future__ import annotations

import datetime as dt
import html
import io
import re
from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import zxingcpp
from lxml import etree
from PIL import Image

from hub.domain.brand import Brand, Logo
from hub.domain.colors import contrast
from hub.domain.pagina import Pagina
from hub.domain.purchase import Estado, Purchase
from hub.steps.context import Wording
from portal.mail.letters import TemplateLetters
from portal.mail.words import deadline

Purchases = Callable[..., Purchase]
LINK = "https://facturas.example.com/f/" + "Ab-_" * 10 + "abc"
UUID = "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F"
ZONE = ZoneInfo("America/Mexico_City")
LEAVE = "https://facturas.example.com/baja/WyJtMSJd.abc-_"
WRITTEN = ("invitation", "reminder", "invoice", "cancelled")
KINDS = [(kind, language) for kind in WRITTEN for language in ("es", "en")]


def write(kind: str, purchase: Purchase, language: str) -> Wording:
    letters = TemplateLetters()
    if kind == "cancelled":
        return letters.cancelled(purchase, UUID, LINK, language)
    if kind == "invoice":
        return letters.invoice(purchase, LINK, language)
    make = letters.invitation if kind == "invitation" else letters.reminder
    return make(purchase, LINK, language, leave=LEAVE)


def readable(wording: Wording) -> tuple[str, str]:
    """Both bodies as a person reads them, blanks collapsed."""
    stripped = html.unescape(re.sub(r"<[^>]+>", " ", wording.html))
    return " ".join(wording.text.split()), " ".join(stripped.split())


@pytest.mark.parametrize(("kind", "language"), KINDS)
def test_both_bodies_say_the_same_facts(purchase: Purchases, kind: str, language: str) -> None:
    wording = write(kind, purchase(uuid=UUID), language)
    for body in readable(wording):
        assert "ESCUELA KEMPER URGATE" in body
        assert "#1042" in body
        assert ("$1,234.50 MXN" in body) is (kind != "cancelled")
        assert LINK in body
        assert (UUID in body) is (kind in {"invoice", "cancelled"})
        assert (LEAVE in body + wording.html) is (kind in {"invitation", "reminder"})
        assert ("ignor" in body) is (kind != "cancelled")
    assert "#1042" in wording.subject
    assert "ESCUELA KEMPER URGATE" in wording.subject


def test_the_invitation_says_until_when(purchase: Purchases) -> None:
    for body in readable(write("invitation", purchase(), "es")):
        assert "hasta el 30 de noviembre de 2026" in body
    for body in readable(write("invitation", purchase(), "en")):
        assert "until November 30, 2026" in body
    for language in ("es", "en"):
        for body in readable(write("invitation", purchase(deadline_at=None), language)):
            assert "hasta el" not in body
            assert "until" not in body


@pytest.mark.parametrize(
    ("instant", "es"),
    [
        (dt.datetime(2026, 12, 31, 23, 59, 59, tzinfo=ZONE), "31 de diciembre de 2026"),
        (dt.datetime(2027, 1, 1, 0, 0, tzinfo=ZONE), "31 de diciembre de 2026"),
        (dt.datetime(2026, 12, 3, 14, 5, tzinfo=ZONE), "3 de diciembre de 2026, 14:05 h"),
        (None, ""),
    ],
)
def test_the_last_day_is_one_on_which_it_is_still_possible(
    instant: dt.datetime | None, es: str
) -> None:
    assert deadline(instant, "es") == es


@pytest.mark.parametrize(
    ("total", "currency", "written"),
    [
        ("0.05", "MXN", "$0.05 MXN"),
        ("1234567.8", "MXN", "$1,234,567.80 MXN"),
        ("99.90", "USD", "$99.90 USD"),
        ("1500", "JPY", "1,500 JPY"),
        ("10", "EUR", "10.00 EUR"),
    ],
)
def test_money(purchase: Purchases, total: str, currency: str, written: str) -> None:
    wording = write("invoice", purchase(total=Decimal(total), currency=currency), "es")
    for body in readable(wording):
        assert f"por {written}" in body


@pytest.mark.parametrize(("kind", "language"), KINDS)
def test_there_is_one_button_and_no_request_to_anybody(
    purchase: Purchases, kind: str, language: str
) -> None:
    wording = write(kind, purchase(uuid=UUID, sandbox=True), language)
    page = etree.fromstring(wording.html, etree.HTMLParser())
    links = page.xpath("//@href")
    asks = kind in {"invitation", "reminder"}
    assert links == [LINK, LINK, LEAVE][: 3 if asks else 2]
    assert page.xpath("//script | //link | //iframe | //form | //@background") == []
    assert page.xpath("//@src") == (["cid:qr@factura"] if asks else [])
    assert [image.filename for image in wording.images] == (["qr@factura"] if asks else [])
    assert not re.search(r"url\(|@import|expression", wording.html)
    assert set(re.findall(r"https?://[^\s\"<]+", wording.html)) == set(links)
    assert page.xpath("string(/html/@lang)") == language


@pytest.mark.parametrize(("kind", "language"), KINDS)
def test_a_hostile_shop_stays_text(purchase: Purchases, kind: str, language: str) -> None:
    name = "Tienda\r\nBcc: x@example.com <script>alert(1)</script> {{ 7*7 }} {0} \u202e" + "X" * 300
    wording = write(kind, purchase(merchant_name=name, number='"><img src=x>\n\n#1'), language)
    assert "\n" not in wording.subject
    assert "\r" not in wording.subject
    assert len(wording.subject) < 200
    assert "<script" not in wording.html
    assert "<img src=x" not in wording.html
    assert "{{ 7*7 }} {0}" in wording.html
    assert "\u202e" not in wording.text + wording.html
    assert "\nBcc:" not in wording.text
    assert "<script>" in wording.text


@pytest.mark.parametrize(("kind", "language"), KINDS)
def test_a_test_document_says_so_first(purchase: Purchases, kind: str, language: str) -> None:
    mark = {"es": "no tiene validez fiscal", "en": "no fiscal value"}[language]
    plain = write(kind, purchase(), language)
    assert mark not in plain.text + plain.html
    marked = write(kind, purchase(sandbox=True), language)
    assert marked.subject.startswith({"es": "[Prueba] ", "en": "[Test] "}[language])
    assert mark in marked.text.splitlines()[0]
    assert mark in marked.html


def test_a_letter_wears_the_merchants_looks(purchase: Purchases) -> None:
    png = b"\x89PNG"
    brand = Brand(pagina=Pagina(color="#ffdd00"))
    wording = TemplateLetters().invoice(purchase(brand=brand), LINK, "es", logo=png)
    assert [(one.filename, one.content) for one in wording.images] == [("logo@factura", png)]
    page = etree.fromstring(wording.html, etree.HTMLParser())
    assert page.xpath("//img/@src") == ["cid:logo@factura"]
    assert page.xpath("//img/@alt") == ["ESCUELA KEMPER URGATE"]
    button = page.xpath("//td[@bgcolor]")[0]
    written = button.xpath("string(.//a/@style)").partition("font-weight:bold;color:")[2][:7]
    assert contrast(button.get("bgcolor"), written) >= 4.5
    assert "#0b6b54" not in wording.html


@pytest.mark.parametrize(("width", "alone"), [(160, True), (159, False)])
def test_beside_a_logo_that_says_no_name_the_name_is_written(
    purchase: Purchases, width: int, alone: bool
) -> None:
    """As on pages; what is written is not read out twice."""
    brand = Brand(logo=Logo("d", width, 80))
    wording = TemplateLetters().invoice(purchase(brand=brand), LINK, "es", logo=b"\x89PNG")
    page = etree.fromstring(wording.html, etree.HTMLParser())
    written = page.xpath("//div[@class='soft']/text()")
    name = "ESCUELA KEMPER URGATE"
    assert (page.xpath("string(//img/@alt)"), written) == ((name, []) if alone else ("", [name]))


@pytest.mark.parametrize("kind", WRITTEN)
def test_every_text_can_be_read_in_light_and_in_dark(purchase: Purchases, kind: str) -> None:
    """Of the colours in the file, by what each is used for."""
    wording = write(kind, purchase(), "es")
    assert 'name="color-scheme" content="light dark"' in wording.html
    dark = dict(re.findall(r"\.(\w+) \{ (?:background-)?color: (#\w{6})", wording.html))
    for name in ("ink", "soft", "link"):
        assert contrast(dark[name], dark["card"]) >= 4.5, name
    for color in set(re.findall(r"[^-]color:(#\w{6})", wording.html)) - {"#ffffff"}:
        assert contrast(color, "#ffffff") >= 4.5, color


def test_the_code_of_an_invitation_leads_to_its_link(purchase: Purchases) -> None:
    wording = write("invitation", purchase(), "es")
    (image,) = wording.images
    read = zxingcpp.read_barcodes(Image.open(io.BytesIO(image.content)))
    assert [one.text for one in read] == [LINK]


def test_any_other_language_is_spanish(purchase: Purchases) -> None:
    spanish = write("invitation", purchase(), "es")
    for language in ("", "fr", "es-MX", "../../etc"):
        assert write("invitation", purchase(), language) == spanish
    assert write("invitation", purchase(), "en-US") == write("invitation", purchase(), "en")


@pytest.mark.parametrize(
    ("estado", "words"),
    [
        (Estado.ABIERTA, ("pedir una nueva", "a new one")),
        (Estado.CANCELADA, ("ver tu", "see your")),
    ],
)
def test_a_cancellation_says_what_can_be_done_now(
    purchase: Purchases, estado: Estado, words: tuple[str, str]
) -> None:
    for language, said in zip(("es", "en"), words, strict=True):
        for body in readable(write("cancelled", purchase(estado=estado, uuid=None), language)):
            assert said in body
