"""The ID token with which the page of the app inside Shopify's admin says whose shop it is.

It lives a minute, is signed with the secret of the app, and names the shop. The tokens of checkout
and customer-account extensions are others: they have no issuer, prove no order, and open nothing.
https://shopify.dev/docs/apps/build/authentication-authorization/session-tokens
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from shopify import session_token

from connectors.connecting import App, RequestUnsigned
from connectors.shopify.verify import is_shop

_LONGEST: Final = 8192


class TokenInvalid(RequestUnsigned):
    """No app of ours signed it for a shop, or its minute is over: the page asks for another."""

    code = "session_token_invalid"
    message = "The session of this page is over. Load it again in Shopify."
    message_es = "La sesión de esta página terminó. Vuelve a abrirla en Shopify."


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody of the staff of `shop` looks at the page of `app`."""

    shop: str
    app: App
    user: str  # Shopify's number of the person; "" for none


def visit_of(token: str, apps: Iterable[App]) -> Visit:
    """Who signed in, by the one app that signed. Raises `TokenInvalid`, which tells no value."""
    if 0 < len(token) <= _LONGEST and token.isascii():
        for app in apps:
            if (told := _told(token, app)) is not None:
                return Visit(_shop_of(told), app, str(told.get("sub", "")))
    raise TokenInvalid


def bearer(headers: Mapping[str, str]) -> str:
    """The token of an Authorization header; "" if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _told(token: str, app: App) -> Mapping[str, Any] | None:
    """The claims, if the app signed them lately: `aud`, `exp`, `nbf`, `iss` and `dest` fit."""
    client_id = app.keys.get("client_id", "")
    for name in ("client_secret", "client_secret_before"):
        secret = app.keys.get(name, "")
        if not (client_id and secret):
            continue
        try:
            told: Mapping[str, Any] = session_token.decode_from_header(
                f"{session_token.PREFIX}{token}", client_id, secret
            )
        except (session_token.SessionTokenError, ValueError, TypeError, AttributeError):
            continue  # of claims that are no text, too: the library looks at them unasked
        # It asks for neither, and a token that never ends would be good for ever.
        if "exp" in told and "aud" in told and _is_shop(told):
            return told
    return None


def _is_shop(told: Mapping[str, Any]) -> bool:
    return is_shop(_shop_of(told)) and str(told["dest"]) == f"https://{_shop_of(told)}"


def _shop_of(told: Mapping[str, Any]) -> str:
    return urlsplit(str(told.get("dest", ""))).hostname or ""
