"""Language and dates of a merchant's pages and letters, and what is told of data."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.domain.brand import Brand, Logo
from hub.domain.pagina import Pagina
from hub.domain.purchase import Estado
from portal import formats
from portal.mail.letters import TemplateLetters

AT = datetime(2026, 2, 1, 9, 5, tzinfo=ZoneInfo("America/Mexico_City"))


@pytest.mark.parametrize(
    ("style", "locale", "day", "whole"),
    [
        ("largo", "es_MX", "1 de febrero de 2026", "domingo 1 de febrero de 2026 a las 09:05"),
        ("corto", "es_MX", "01/02/2026", "01/02/2026 09:05"),
        ("iso", "es_MX", "2026-02-01", "2026-02-01 09:05"),
        ("largo", "en", "February 1, 2026", "Sunday, February 1, 2026 at 09:05"),
        ("corto", "en", "1 Feb 2026", "1 Feb 2026 09:05"),
        ("iso", "en", "2026-02-01", "2026-02-01 09:05"),
    ],
)
def test_dates_are_written_as_the_merchant_wants(
    style: str, locale: str, day: str, whole: str
) -> None:
    assert formats.day(AT, locale, style) == day
    assert formats.day_and_time(AT, locale, style) == whole


def wearing(kit: Any, estado: Estado = Estado.ABIERTA, language: str = "es", **page: Any) -> str:
    brand = Brand("m1", "Mi Tienda", language=language, pagina=Pagina(**page))
    kit.service.current = kit.purchase(estado, brand=brand)
    return str(kit.path)


def test_dates_of_pages_and_letters_follow_the_rule(kit: Any) -> None:
    path = wearing(kit, formato_fecha="corto")
    text = kit.client.get(path, headers={"Accept-Language": "es"}).text
    assert "18/11/2026" in text
    assert "18 de noviembre" not in text
    letter = TemplateLetters().invitation(kit.service.current, "https://x.example/f/1", "es")
    assert "30/11/2026" in letter.text
    assert "noviembre" not in letter.text


@pytest.mark.parametrize(
    ("asked", "merchants", "shown"),
    [
        ("es", "en", "es-MX"),
        ("en-GB,en", "es", "en"),
        ("fr", "en", "en"),
        ("fr", "es", "es-MX"),
        ("", "en", "en"),
        ("fr, en;q=0.1", "es", "en"),
        ("\x00;;;,q=9", "en", "en"),
    ],
)
def test_the_reader_comes_before_the_merchant(
    kit: Any, asked: str, merchants: str, shown: str
) -> None:
    path = wearing(kit, language=merchants)
    text = kit.client.get(path, headers={"Accept-Language": asked}).text
    assert f'<html lang="{shown}"' in text


@pytest.mark.parametrize("estado", [*Estado])
def test_every_page_is_the_merchants(kit: Any, estado: Estado) -> None:
    wearing(kit, estado, color="#7a1fa2", mensaje="<b>Hola</b>", telefono="(55) 5555-5555")
    text = kit.client.get(kit.path).text
    assert "--accent:#7a1fa2" in text
    assert "&lt;b&gt;Hola&lt;/b&gt;" in text
    assert 'href="tel:' in text
    assert "style=" not in text


def test_a_logo_says_the_name_to_who_does_not_see_it(kit: Any) -> None:
    for logo, alt in ((Logo("d", 300, 80), "Mi &amp; Tienda"), (Logo("d", 80, 80), "")):
        brand = Brand("m1", "Mi & Tienda", logo=logo)
        kit.service.current = kit.purchase(brand=brand)
        text = kit.client.get(kit.path).text
        assert f'src="/assets/brand/m1.d.png" alt="{alt}"' in text
        assert ('<span class="brand-name">Mi &amp; Tienda' in text) is (not alt)


def test_the_notice_is_there_in_every_state_and_says_what_is_not_known(kit: Any) -> None:
    for estado in Estado:
        wearing(kit, estado)
        answer = kit.client.get(f"{kit.path}/privacidad?lang=es")
        assert answer.status_code == 200
        assert "Pídelo al comercio donde compraste." in answer.text
    assert kit.client.get("/f/nobody/privacidad").status_code == 404


def test_texts_of_the_merchant_are_never_markup(kit: Any) -> None:
    nasty = '"><script>alert(1)</script>{{ 7*7 }}'
    wearing(kit, mensaje=nasty, responsable=nasty, domicilio=nasty)
    for path in (kit.path, f"{kit.path}/privacidad"):
        text = kit.client.get(path).text
        assert "<script>alert" not in text
        assert "{{ 7*7 }}" in text


def test_no_template_of_pages_or_letters_names_the_hub() -> None:
    portal = Path(formats.__file__).parent
    files = [*portal.glob("buyer/templates/**/*"), *portal.glob("mail/templates/*")]
    files.append(portal / "design/templates/design/layout.html")
    assert len(files) > 30
    for file in filter(Path.is_file, files):
        assert "autofactura" not in file.read_text(encoding="utf-8").casefold(), file
