"""Short messages: what one SMS can hold, and what WhatsApp takes as a parameter."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.domain.purchase import Purchase
from portal.mail.letters import TemplateLetters
from portal.mail.messages import in_gsm

Purchases = Callable[..., Purchase]
LINK = "https://facturas.example.com/f/" + "Ab-_" * 10 + "abc"
KINDS = [(occasion, lang) for occasion in ("invitation", "reminder") for lang in ("es", "en")]


@pytest.mark.parametrize(("occasion", "language"), KINDS)
def test_a_message_says_who_what_until_when_and_where(
    purchase: Purchases, occasion: str, language: str
) -> None:
    short = TemplateLetters().short(occasion, purchase(), LINK, language)
    assert short.text.startswith("ESCUELA KEMPER URGATE: ")
    assert short.text.endswith(f": {LINK}")
    assert "#1042" in short.text
    assert ("30 de noviembre de 2026" if language == "es" else "November 30, 2026") in short.text
    assert short.parameters[:3] == ("ESCUELA KEMPER URGATE", "#1042", "$1,234.50 MXN")
    assert len(short.text) <= 306  # two SMS


@pytest.mark.parametrize(("occasion", "language"), KINDS)
def test_no_character_makes_an_sms_three(purchase: Purchases, occasion: str, language: str) -> None:
    name = "Café Ñandú Própolis “El Águila” 日本 🎉"
    short = TemplateLetters().short(occasion, purchase(merchant_name=name), LINK, language)
    assert short.text.startswith("Café Ñandú Propolis El Aguila".replace("ú", "u"))
    allowed = set("ñÑéÉüÜ¿¡")
    assert all(c.isascii() or c in allowed for c in short.text)
    assert short.parameters[0] == name  # WhatsApp takes any of them


@pytest.mark.parametrize(("occasion", "language"), KINDS)
def test_a_template_has_no_empty_or_broken_parameter(
    purchase: Purchases, occasion: str, language: str
) -> None:
    """Meta refuses line breaks, tabs and four spaces in a row."""
    hostile = purchase(
        merchant_name="A\n\t    B" * 50, number="#\r\n1     2" * 20, deadline_at=None
    )
    short = TemplateLetters().short(occasion, hostile, LINK, language)
    assert all(short.parameters)
    assert all("\n" not in one and "\t" not in one and "  " not in one for one in short.parameters)
    assert len(short.text) < 400


def test_a_test_document_says_so(purchase: Purchases) -> None:
    assert (
        TemplateLetters()
        .short("invitation", purchase(sandbox=True), LINK, "es")
        .text.startswith("[Prueba] ")
    )


def test_accents_go_and_letters_stay() -> None:
    assert in_gsm("áéíóúüñ ÁÉÍÓÚÜÑ ç…") == "aéiouüñ AÉIOUÜÑ c..."
