"""The words of short messages, and what fills the templates that WhatsApp asks for."""

from __future__ import annotations

import unicodedata
from typing import Final

from hub.domain.purchase import Purchase
from hub.steps.context import Short
from portal.formats import money
from portal.mail.words import deadline, one_line

_TEXTS: Final = {
    ("invitation", "es"): "{merchant}: pide la factura de tu compra {number} por {total}{until}",
    ("invitation", "en"): "{merchant}: get the invoice of your purchase {number}, {total}{until}",
    ("reminder", "es"): "{merchant}: falta poco para pedir la factura de tu compra {number}{until}",
    ("reminder", "en"): "{merchant}: little time is left to invoice your purchase {number}{until}",
}
_UNTIL: Final = {"es": ", hasta el {day}", "en": ", until {day}"}
_TEST: Final = {"es": "[Prueba] ", "en": "[Test] "}
#: What a template shows where there is no deadline; WhatsApp takes no empty parameter.
_ALWAYS: Final = {"es": "cuando quieras", "en": "any time"}
#: Beyond ASCII, of what Spanish needs: https://www.3gpp.org/dynareport/23038.htm (6.2.1)
_IN_GSM: Final = frozenset("ñÑéÉüÜ¿¡")


def short(occasion: str, purchase: Purchase, link: str, language: str) -> Short:
    """One line and the link; the parameters are merchant, purchase, amount and last day."""
    language = "en" if language.lower().startswith("en") else "es"
    merchant, number = one_line(purchase.merchant_name, 40), one_line(purchase.number, 30)
    total = money(purchase.total, purchase.currency).replace("\u00a0", " ")
    last = deadline(purchase.deadline_at, language, purchase.brand.pagina.formato_fecha)
    words = _TEXTS[occasion, language].format(
        merchant=merchant,
        number=number,
        total=total,
        until=_UNTIL[language].format(day=last) if last else "",
    )
    text = f"{_TEST[language] if purchase.sandbox else ''}{words}: {link}"
    return Short(in_gsm(text), (merchant, number, total, last or _ALWAYS[language]))


def in_gsm(text: str) -> str:
    """Without accents that no SMS of 160 characters can hold: each of them would make it three."""
    return "".join(c if c.isascii() or c in _IN_GSM else _plain(c) for c in text)


def _plain(character: str) -> str:
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
