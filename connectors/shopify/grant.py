"""Connecting a shop by the authorization code: for apps that are not embedded in the admin.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from connectors.connecting import App, Asked, ConnectingRefused, RequestUnsigned
from connectors.contract import CredentialsRefused, PlatformUnreachable
from connectors.shopify import tokens
from connectors.shopify.verify import query_of, query_signed
from hub.clock import Clock

#: read_all_orders is granted by Shopify on request; the app's own page in Shopify names it.
SCOPES: Final = ("read_orders", "write_orders", "read_products", "read_payment_terms")


class NotGranted(ConnectingRefused):
    """The person did not agree, or Shopify gave no key for the code."""

    status = 403
    code = "grant_refused"
    message = "Shopify did not give access to the shop. Try to connect it again."
    message_es = "Shopify no dio acceso a la tienda. Intenta conectarla otra vez."


class NotAnswered(ConnectingRefused):
    """Whether there is a key could not be asked."""

    status = 503
    code = "platform_unreachable"
    message = "Shopify does not answer. Try to connect the shop again in some minutes."
    message_es = "Shopify no responde. Intenta conectar la tienda otra vez en unos minutos."


def grant_url(account: str, *, nonce: str, return_url: str, app: App) -> str:
    """Where somebody of the shop agrees."""
    query = {
        "client_id": app.keys.get("client_id", ""),
        "scope": ",".join(SCOPES),
        "redirect_uri": return_url,
        "state": nonce,
    }
    return f"{tokens.Place.of_app(account, app).url}/admin/oauth/authorize?{urlencode(query)}"


def nonce_of(asked: Asked) -> str:
    return (query_of(asked.target) or {}).get("state", "")


def granted(asked: Asked, account: str, app: App, clock: Clock) -> Mapping[str, str]:
    """Keys for the shop. Only a query that Shopify signed within 90 seconds, for this very shop
    and app, and without a parameter twice is looked at."""
    query = query_of(asked.target)
    if query is None:
        raise RequestUnsigned
    secrets = (app.keys.get(name, "") for name in ("client_secret", "client_secret_before"))
    if not query_signed(query, secrets, asked.received_at):
        raise RequestUnsigned
    if query.get("shop", "") != account:
        raise NotGranted(
            "Shopify answered for another shop than the one that was named.",
            "Shopify respondió por otra tienda que la indicada.",
        )
    if not query.get("code", ""):
        raise NotGranted
    try:
        return tokens.redeemed(tokens.Place.of_app(account, app), app, query["code"], clock)
    except CredentialsRefused:
        raise NotGranted from None
    except PlatformUnreachable:
        raise NotAnswered from None
