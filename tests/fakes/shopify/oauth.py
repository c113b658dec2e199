"""Tokens as Shopify gives them: one in force for an app and a shop, an hour long, with its refresh.

https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
HOUR, LIFE, RETRIES = timedelta(hours=1), timedelta(days=90), timedelta(days=30)
Answer = tuple[int, dict[str, Any]]


@dataclass
class FakeApp:
    client_id: str
    client_secret: str
    #: While the secret is being replaced both are good.
    client_secret_before: str = ""
    #: PEM of the public half, of an app that signs assertions.
    public_key: str = ""
    #: What app/shopify.app.toml asks for.
    scopes: tuple[str, ...] = (
        "read_orders",
        "write_orders",
        "read_products",
        "read_payment_terms",
    )


@dataclass
class Pair:
    access: str
    refresh: str
    expires_at: datetime | None
    refresh_expires_at: datetime
    #: The refresh token that was given for it; good again until this pair is used.
    before: str = ""
    used: bool = False


@dataclass
class Tokens:
    """Of all apps and shops."""

    now: Callable[[], datetime]
    apps: dict[str, FakeApp] = field(default_factory=dict)
    installed: set[tuple[str, str]] = field(default_factory=set)
    pairs: dict[tuple[str, str], Pair] = field(default_factory=dict)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    assertions: set[str] = field(default_factory=set)
    #: What was asked, by its grant.
    grants: list[str] = field(default_factory=list)
    #: Left out of the next answers, e.g. "expires_in".
    silent: set[str] = field(default_factory=set)
    made: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, shop: str, asked: Mapping[str, Any]) -> Answer:
        with self.lock:
            grant = str(asked.get("grant_type", "authorization_code"))
            self.grants.append(grant.rsplit(":", 1)[-1])
            app = self.apps.get(str(asked.get("client_id", "")))
            if app is None or (app.client_id, shop) not in self.installed:
                return 400, {"error": "application_cannot_be_found"}
            if grant == "client_credentials":
                return self._asserted(app, shop, asked)
            good = {app.client_secret, app.client_secret_before} - {""}
            if asked.get("client_secret") not in good:
                return 400, {"error": "invalid_client"}
            if grant == EXCHANGE:
                return self._exchanged(app, shop, asked)
            if grant == "refresh_token":
                return self._refreshed(app, shop, asked)
            return self._redeemed(app, shop, asked)

    def opens(self, shop: str, access: str) -> FakeApp | None:
        """The app whose token in force this is."""
        with self.lock:
            for (client_id, of), pair in self.pairs.items():
                if of == shop and hmac.compare_digest(pair.access, access):
                    if pair.expires_at is None or pair.expires_at <= self.now():
                        return None
                    pair.used = True
                    return self.apps[client_id]
        return None

    def install(self, app: FakeApp, shop: str) -> None:
        self.apps[app.client_id] = app
        self.installed.add((app.client_id, shop))

    def uninstall(self, app: FakeApp, shop: str) -> None:
        """Every token is dead at once."""
        with self.lock:
            self.installed.discard((app.client_id, shop))
            self.pairs.pop((app.client_id, shop), None)

    def revoke(self, app: FakeApp, shop: str) -> None:
        """As if another installation with the same client id had asked for a token."""
        with self.lock:
            self.pairs.pop((app.client_id, shop), None)

    def expire(self, app: FakeApp, shop: str) -> None:
        """The access token alone, before it says so."""
        self.pairs[app.client_id, shop].expires_at = self.now()

    def id_token(self, app: FakeApp, shop: str, **claims: Any) -> str:
        """As App Bridge hands it out; it lives a minute."""
        now = int(self.now().timestamp())
        told = {
            "iss": f"https://{shop}/admin",
            "dest": f"https://{shop}",
            "aud": app.client_id,
            "sub": "42",
            "exp": now + 60,
            "nbf": now - 1,
            "iat": now - 1,
            "jti": self._new("jti"),
            "sid": "sid-1",
        }
        told = {name: value for name, value in (told | claims).items() if value is not None}
        return jwt.encode(told, app.client_secret, algorithm="HS256")

    def agree(self, app: FakeApp, shop: str, *, state: str, now: datetime) -> str:
        """The query with which a person comes back who agreed, signed."""
        self.install(app, shop)
        code = self._new("code")
        self.codes[code] = (app.client_id, shop)
        query = {
            "code": code,
            "host": "YWRtaW4uc2hvcGlmeS5jb20",
            "shop": shop,
            "state": state,
            "timestamp": str(int(now.timestamp())),
        }
        return urlencode({**query, "hmac": query_hmac(query, app.client_secret)})

    def _exchanged(self, app: FakeApp, shop: str, asked: Mapping[str, Any]) -> Answer:
        try:
            told = jwt.decode(
                str(asked.get("subject_token", "")),
                app.client_secret,
                algorithms=["HS256"],
                audience=app.client_id,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return 400, {"error": "invalid_subject_token"}
        late = told["exp"] <= self.now().timestamp()
        if late or told["dest"] != f"https://{shop}":
            return 400, {"error": "invalid_subject_token"}
        return self._given(app, shop, forever=asked.get("expiring") != "1")

    def _redeemed(self, app: FakeApp, shop: str, asked: Mapping[str, Any]) -> Answer:
        if self.codes.pop(str(asked.get("code", "")), None) != (app.client_id, shop):
            return 400, {"error": "invalid_request"}
        return self._given(app, shop, forever=asked.get("expiring") != "1")

    def _refreshed(self, app: FakeApp, shop: str, asked: Mapping[str, Any]) -> Answer:
        pair, given = self.pairs.get((app.client_id, shop)), str(asked.get("refresh_token", ""))
        if pair is None or not given:
            return 400, {"error": "invalid_grant"}
        again = given == pair.before and not pair.used
        if not (given == pair.refresh or again) or pair.refresh_expires_at <= self.now():
            return 400, {"error": "invalid_grant"}
        return self._given(app, shop, before=given)

    def _asserted(self, app: FakeApp, shop: str, asked: Mapping[str, Any]) -> Answer:
        try:
            told = jwt.decode(
                str(asked.get("client_assertion", "")),
                app.public_key,
                algorithms=["RS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            return 400, {"error": "invalid_client"}
        right = told["iss"] == app.client_id and told["exp"] > self.now().timestamp()
        fits = str(told["aud"]).endswith(f"{shop}/admin/oauth/access_token")
        if not (right and fits) or told["jti"] in self.assertions:
            return 400, {"error": "invalid_client"}
        self.assertions.add(told["jti"])
        status, given = self._given(app, shop)
        return status, {k: v for k, v in given.items() if not k.startswith("refresh")}

    def _given(self, app: FakeApp, shop: str, *, before: str = "", forever: bool = False) -> Answer:
        now = self.now()
        pair = Pair(
            self._new("shpat"),
            self._new("shprt"),
            None if forever else now + HOUR,
            now + LIFE,
            before,
        )
        self.pairs[app.client_id, shop] = pair
        told: dict[str, Any] = {"access_token": pair.access, "scope": ",".join(app.scopes)}
        if not forever:
            told |= {
                "expires_in": int(HOUR.total_seconds()),
                "refresh_token": pair.refresh,
                "refresh_token_expires_in": int(LIFE.total_seconds()),
            }
        return 200, {name: value for name, value in told.items() if name not in self.silent}

    def _new(self, kind: str) -> str:
        self.made += 1
        return f"{kind}_{self.made:08d}{'x' * 20}"


def query_hmac(query: Mapping[str, str], secret: str) -> str:
    told = "&".join(f"{name}={value}" for name, value in sorted(query.items()))
    return hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()
