"""Spanish (Mexico) first, English second: by `?lang=`, by the browser, by the merchant; no cookie.

The texts in templates are the Spanish ones; `locale/en` holds the English ones, kept compiled so
that a clone needs no build step. After a change of texts (a test says what is missing):

    pybabel extract -F portal/locale/babel.cfg -o /tmp/portal.pot --no-location .
    pybabel update -i /tmp/portal.pot -d portal/locale -l en --no-wrap
    pybabel compile -d portal/locale
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import flask
from flask.sansio.app import App
from flask_babel import Babel, get_translations
from markupsafe import Markup

from portal.brand import worn

LANGUAGES = ("es", "en")
_LOCALES = {"es": "es_MX", "en": "en"}
_TRANSLATIONS = Path(__file__).parent / "locale"


def language() -> str:
    """ "es" or "en", for this request."""
    asked = flask.request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    preferred = flask.request.accept_languages.best_match(LANGUAGES)
    return preferred or ("en" if worn().language == "en" else "es")


def locale() -> str:
    """The locale of dates and numbers for this request's language."""
    return _LOCALES[language()]


def init_app(app: App) -> None:
    """Give the application its translations, once however many surfaces ask for them."""
    if "babel" not in app.extensions:
        Babel(
            app,
            default_locale="es_MX",
            default_translation_directories=str(_TRANSLATIONS),
            locale_selector=locale,
        )
        # Flask-Babel looks for the request's translations at each of a page's hundred texts.
        app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of its extension
            lambda text: _translations().ugettext(text),
            lambda one, many, number: _translations().ungettext(one, many, number),
            newstyle=True,
        )
        app.jinja_env.globals["_"] = _text


def _text(text: str, **values: Any) -> Markup:
    """The `_` of the templates, all of which escape; Jinja's own takes three times as long."""
    translations = _translations()
    return _filled(translations, text, values) if values else _fixed(translations, text)


def _filled(translations: Any, text: str, values: Mapping[str, Any]) -> Markup:
    return Markup(translations.ugettext(text)) % values  # noqa: S704 - our own texts; values are escaped


@lru_cache(maxsize=2000)
def _fixed(translations: Any, text: str) -> Markup:
    """A text without values, of which there are as many as the templates have."""
    return _filled(translations, text, {})


def _translations() -> Any:
    """Those of this request's language, looked for once."""
    found = flask.g.get("translations")
    if found is None:
        found = flask.g.translations = get_translations()
    return found
