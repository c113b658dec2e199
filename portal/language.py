"""Spanish (Mexico) first, English second: by `?lang=`, then by the browser; no cookie.

The texts in templates are the Spanish ones; `locale/en` holds the English ones, kept compiled so
that a clone needs no build step. After a change of texts (a test says what is missing):

    pybabel extract -F portal/locale/babel.cfg -o /tmp/portal.pot --no-location .
    pybabel update -i /tmp/portal.pot -d portal/locale -l en --no-wrap
    pybabel compile -d portal/locale
"""

from __future__ import annotations

from pathlib import Path

import flask
from flask.sansio.app import App
from flask_babel import Babel

LANGUAGES = ("es", "en")
_LOCALES = {"es": "es_MX", "en": "en"}
_TRANSLATIONS = Path(__file__).parent / "locale"


def language() -> str:
    """ "es" or "en", for this request."""
    asked = flask.request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return flask.request.accept_languages.best_match(LANGUAGES) or "es"


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
