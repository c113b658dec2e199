"""The HTML of the app's page: a shell without data, which Shopify alone may frame.

Everything it shows it asks for with a token of the person who looks at it (`routes.py`).
https://shopify.dev/docs/apps/build/security/set-up-iframe-protection
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from connectors.connecting import Page
from connectors.shopify.packaging import APP, PLACEHOLDER

_FOLDER: Final = Path(__file__).parent
_LANGUAGES: Final = ("es", "en")
#: Where App Bridge comes from; Shopify wants it from there and nowhere else.
_CDN: Final = "https://cdn.shopify.com"
_SNIPPET: Final = APP / "email" / "factura.liquid"
#: Where the e-mail's snippet names the shop.
_SNIPPET_SHOP: Final = "tienda.myshopify.com"
_REFUSED: Final = {
    "es": "Abre esta página desde las aplicaciones de tu tienda en Shopify.",
    "en": "Open this page from the apps of your store in Shopify.",
}


def page(shop: str, client_id: str, locale: str) -> Page:
    """The page for one shop, in the language of whoever looks at it."""
    language = _language(locale)
    html = _template().render(
        language=language,
        client_id=client_id,
        words=SimpleNamespace(**_words()[language]),
        words_json=_json(_words()[language]),
        css=Markup(_css()),  # noqa: S704 - our own file
        js=Markup(_js()),  # noqa: S704 - our own file
    )
    return Page(html, headers=_headers(f"https://{shop} https://admin.shopify.com"))


def refused(locale: str) -> Page:
    """For a visit that Shopify did not make; nobody may frame it."""
    language = _language(locale)
    html = (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>Shopify</title>'
        f"{_REFUSED[language]}"
    )
    return Page(html, 401, _headers("'none'"))


def _language(locale: str) -> str:
    return "en" if locale.lower().startswith("en") else "es"


def snippet(hub: str, shop: str) -> str:
    """What a merchant pastes into the template of the confirmation e-mail."""
    text = _SNIPPET.read_text("utf-8").replace(PLACEHOLDER, hub).replace(_SNIPPET_SHOP, shop)
    return text.partition("%}\n")[2] if text.startswith("{% comment") else text


def _headers(ancestors: str) -> dict[str, str]:
    policy = (
        "default-src 'none'",
        f"script-src {_CDN} '{_hash(_js())}'",
        "style-src 'unsafe-inline'",  # App Bridge brings styles of its own into the page
        f"connect-src 'self' {_CDN} https://*.shopify.com https://*.shopifysvc.com",
        f"img-src data: {_CDN}",
        f"font-src {_CDN}",
        "form-action 'none'",
        "base-uri 'none'",
        f"frame-ancestors {ancestors}",
    )
    return {"Content-Security-Policy": "; ".join(policy), "Cache-Control": "no-store"}


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string((_FOLDER / "page.html").read_text("utf-8"))


@cache
def _css() -> str:
    return (_FOLDER / "home.css").read_text("utf-8")


@cache
def _js() -> str:
    return (_FOLDER / "home.js").read_text("utf-8")


@cache
def _words() -> dict[str, dict[str, str]]:
    words: dict[str, dict[str, str]] = json.loads((_FOLDER / "words.json").read_text("utf-8"))
    return {language: words[language] for language in _LANGUAGES}


def _json(words: dict[str, str]) -> Markup:
    """Inside a script element only `<` could end it."""
    return Markup(json.dumps(words, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - escaped here
