"""The words of the letters, in Spanish or English, as text and as HTML without outside requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from hub.domain.purchase import Estado, Purchase
from hub.steps.context import Wording
from portal.formats import day, money

_LOCALES = {"es": "es_MX", "en": "en_US"}
_SUBJECTS = {
    ("invitation", "es"): "Factura de tu compra {number} en {merchant}",
    ("invitation", "en"): "Invoice for your purchase {number} at {merchant}",
    ("invoice", "es"): "Tu factura de la compra {number} en {merchant}",
    ("invoice", "en"): "Your invoice for purchase {number} at {merchant}",
    ("cancelled", "es"): "Se canceló la factura de tu compra {number} en {merchant}",
    ("cancelled", "en"): "The invoice for your purchase {number} at {merchant} was cancelled",
}
_TEST = {"es": "[Prueba]", "en": "[Test]"}


class TemplateLetters:
    """Implements `Letters` with the templates of this folder."""

    def invitation(self, purchase: Purchase, link: str, language: str) -> Wording:
        return _wording("invitation", purchase, link, language)

    def invoice(self, purchase: Purchase, link: str, language: str) -> Wording:
        return _wording("invoice", purchase, link, language)

    def cancelled(self, purchase: Purchase, uuid: str, link: str, language: str) -> Wording:
        return _wording("cancelled", purchase, link, language, uuid=uuid)


def _wording(
    kind: str, purchase: Purchase, link: str, language: str, *, uuid: str | None = None
) -> Wording:
    """Any language but English is answered in Spanish."""
    language = "en" if language.lower().startswith("en") else "es"
    merchant, number = one_line(purchase.merchant_name, 80), one_line(purchase.number, 40)
    subject = _SUBJECTS[kind, language].format(number=number, merchant=merchant)
    values = {
        "language": language,
        "merchant": merchant,
        "number": number,
        "total": money(purchase.total, purchase.currency),
        "deadline": deadline(purchase.deadline_at, language),
        "link": link,
        "uuid": uuid or purchase.uuid or "",
        "open": purchase.estado is Estado.ABIERTA,
        "sandbox": purchase.sandbox,
    }
    return Wording(
        subject=f"{_TEST[language]} {subject}" if purchase.sandbox else subject,
        text=_templates().get_template(f"{kind}.{language}.txt").render(values),
        html=_templates().get_template(f"{kind}.{language}.html").render(values),
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def deadline(instant: datetime | None, language: str) -> str:
    """The last day in words, with the hour where the day does not count in full; "" if none."""
    if instant is None:
        return ""
    last = instant - timedelta(microseconds=1)
    written = day(last, _LOCALES[language])
    if (last.hour, last.minute) == (23, 59):
        return written
    return f"{written}, {instant:%H:%M}{' h' if language == 'es' else ''}"


def one_line(text: str, longest: int) -> str:
    """Printable characters only, blanks collapsed, cut with an ellipsis."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
