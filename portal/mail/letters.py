"""The words of the letters, in Spanish or English, as text and as HTML without outside requests."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from hub.domain.asks import Answer
from hub.domain.colors import palettes
from hub.domain.purchase import Estado, Note, Purchase
from hub.steps.context import Attachment, Short, Wording
from portal import qr
from portal.formats import day, money
from portal.mail import messages
from portal.mail.words import LOCALES, deadline, one_line

_SUBJECTS = {
    ("invitation", "es"): "Factura de tu compra {number} en {merchant}",
    ("invitation", "en"): "Invoice for your purchase {number} at {merchant}",
    ("reminder", "es"): "Último aviso: la factura de tu compra {number} en {merchant}",
    ("reminder", "en"): "Last notice: the invoice for your purchase {number} at {merchant}",
    ("invoice", "es"): "Tu factura de la compra {number} en {merchant}",
    ("invoice", "en"): "Your invoice for purchase {number} at {merchant}",
    ("credit_note", "es"): "Nota de crédito de tu compra {number} en {merchant}",
    ("credit_note", "en"): "Credit note for your purchase {number} at {merchant}",
    ("cancelled", "es"): "Se canceló la factura de tu compra {number} en {merchant}",
    ("cancelled", "en"): "The invoice for your purchase {number} at {merchant} was cancelled",
}
_SUBJECTS |= {
    ("answer", "es"): "{merchant} respondió sobre tu compra {number}",
    ("answer", "en"): "{merchant} answered about your purchase {number}",
}
_TEST = {"es": "[Prueba]", "en": "[Test]"}
#: Of merchants without a colour; that of the pages.
_ACCENT: Final = "#0b6b54"
#: By which the HTML names its images (RFC 2392).
_LOGO: Final = "logo@factura"
_QR: Final = "qr@factura"


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands in a letter beside its words."""

    link: str
    leave: str = ""
    logo: bytes = b""
    with_qr: bool = False

    @property
    def images(self) -> tuple[Attachment, ...]:
        logo = (Attachment(_LOGO, "image/png", self.logo),) if self.logo else ()
        code = qr.png(self.link, pixels=4) if self.with_qr else b""
        return (*logo, Attachment(_QR, "image/png", code)) if code else logo


class TemplateLetters:
    """Implements `Letters` with the templates of this folder."""

    def invitation(
        self, purchase: Purchase, link: str, language: str, *, leave: str = "", logo: bytes = b""
    ) -> Wording:
        return _wording("invitation", purchase, language, _Around(link, leave, logo, with_qr=True))

    def reminder(
        self, purchase: Purchase, link: str, language: str, *, leave: str = "", logo: bytes = b""
    ) -> Wording:
        return _wording("reminder", purchase, language, _Around(link, leave, logo, with_qr=True))

    def invoice(
        self, purchase: Purchase, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        return _wording("invoice", purchase, language, _Around(link, logo=logo))

    def credit_note(
        self, purchase: Purchase, note: Note, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        return _wording("credit_note", purchase, language, _Around(link, logo=logo), note=note)

    def cancelled(
        self, purchase: Purchase, uuid: str, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        return _wording("cancelled", purchase, language, _Around(link, logo=logo), uuid=uuid)

    def answer(
        self, purchase: Purchase, answer: Answer, link: str, language: str, *, logo: bytes = b""
    ) -> Wording:
        return _wording("answer", purchase, language, _Around(link, logo=logo), answer=answer)

    def short(self, occasion: str, purchase: Purchase, link: str, language: str) -> Short:
        return messages.short(occasion, purchase, link, language)


def _wording(
    kind: str,
    purchase: Purchase,
    language: str,
    around: _Around,
    *,
    uuid: str | None = None,
    note: Note | None = None,
    answer: Answer | None = None,
) -> Wording:
    """Any language but English is answered in Spanish."""
    language = "en" if language.lower().startswith("en") else "es"
    merchant, number = one_line(purchase.merchant_name, 80), one_line(purchase.number, 40)
    subject = _SUBJECTS[kind, language].format(number=number, merchant=merchant)
    images, dates = around.images, purchase.brand.pagina.formato_fecha
    light, dark = palettes(purchase.brand.pagina.color or _ACCENT)
    values = {
        "language": language,
        "merchant": merchant,
        "number": number,
        "placed": day(purchase.placed_at, LOCALES[language], dates),
        "total": money(purchase.total, purchase.currency),
        "deadline": deadline(purchase.deadline_at, language, dates),
        "link": around.link,
        "leave": around.leave,
        "accent": light.accent,
        "on_accent": light.on_accent,
        "dark_accent": dark.accent,
        "uuid": note.uuid if note else uuid or purchase.uuid or "",
        "given_back": money(note.total, note.currency) if note else "",
        "outcome": answer.outcome if answer else "",
        "answer": answer.text.splitlines() if answer else [],
        "asked": day(answer.asked_at, LOCALES[language], dates) if answer else "",
        "open": purchase.estado is Estado.ABIERTA,
        "refused": purchase.estado is Estado.RECHAZADA and not purchase.amounts_changed,
        "sandbox": purchase.sandbox,
        **{name.partition("@")[0]: name for name in (_LOGO, _QR)
           if any(image.filename == name for image in images)},
    }  # fmt: skip
    shown = purchase.brand.logo
    values = {"logo": "", "qr": "", "logo_says_name": shown is None or shown.wide, **values}
    return Wording(
        subject=f"{_TEST[language]} {subject}" if purchase.sandbox else subject,
        text=_templates().get_template(f"{kind}.{language}.txt").render(values),
        html=_templates().get_template(f"{kind}.{language}.html").render(values),
        images=images,
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
