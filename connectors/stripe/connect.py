"""What a merchant gives, and how an account is spelled: `acct_…/live`, `acct_…/test`.

One account in one mode is one connection: the objects of the two modes are strangers to each other.
An account whose name nobody told yet stands under a name made of its key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from connectors import net
from connectors.contract import ConnectionInvalid

#: Where a merchant reads the name of the account in the address.
DASHBOARD: Final = "dashboard.stripe.com"
_SPELLED: Final = re.compile(r"(acct_[A-Za-z0-9]{1,60}|key-[0-9a-f]{16})(?:/(live|test))?")
_WITHIN: Final = re.compile(r"/(acct_[A-Za-z0-9]{1,60})(?:/|$)")
_KEY: Final = re.compile(r"(rk|sk|pk)_(live|test)_[A-Za-z0-9_]{1,255}")
_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/=_-]{1,255}")


@dataclass(frozen=True, slots=True)
class Named:
    """`base` is set only where the API is asked elsewhere than at Stripe: in tests and demos."""

    name: str
    mode: str  # "live", "test", or "" while it is not known
    base: str = ""

    @property
    def spelled(self) -> str:
        return "/".join(part for part in (self.base, self.name, self.mode) if part)

    @property
    def is_known(self) -> bool:
        return self.name.startswith("acct_")


def named(text: str, *, allow_private: bool) -> Named | None:
    """The account as it was spelled; None if it is none."""
    text, base = text.strip(), ""
    if "://" in text:
        try:
            parts = urlsplit(text)
            base = net.shop_url(f"{parts.scheme}://{parts.netloc}", allow_private=allow_private)
        except (ValueError, net.AddressRefused):
            return None
        if parts.hostname == DASHBOARD:
            within, base = _WITHIN.search(parts.path), ""
            text = within.group(1) if within else ""
        elif not allow_private:
            return None
        else:
            text = parts.path.strip("/")
    match = _SPELLED.fullmatch(text)
    return Named(match.group(1), match.group(2) or "", base) if match else None


def configure(
    account: str, given: Mapping[str, str], *, allow_private: bool
) -> tuple[str, Mapping[str, str]]:
    """The account as it is spelled, and the credentials. Raises `ConnectionInvalid`."""
    key, secret = given.get("key", "").strip(), given.get("webhook_secret", "").strip()
    if given.get("secret"):
        raise ConnectionInvalid("Stripe has one key and no secret to it: give it as --key rk_…")
    if not (key or secret):
        raise ConnectionInvalid(
            "a restricted key is needed (--key rk_…): dashboard.stripe.com/apikeys"
        )
    mode = _mode(key, forced=given.get("allow_secret_key") == "yes") if key else ""
    if secret and not _SECRET.fullmatch(secret):
        raise ConnectionInvalid("the signing secret of a webhook endpoint begins with whsec_")
    known = _account(account, key or secret, allow_private=allow_private)
    if mode and known.mode and known.mode != mode:
        raise ConnectionInvalid(f"this is a key of {mode} mode, and the account one of another")
    spelled = Named(known.name, known.mode or mode, known.base).spelled
    return spelled, {
        name: value for name, value in (("key", key), ("webhook_secret", secret)) if value
    }


def _mode(key: str, *, forced: bool) -> str:
    match = _KEY.fullmatch(key)
    if match is None:
        raise ConnectionInvalid("this is no key of Stripe: a restricted one begins with rk_")
    kind, mode = match.groups()
    if kind == "pk":
        raise ConnectionInvalid("this is the publishable key, which can read nothing: give rk_…")
    if kind == "sk" and not forced:
        raise ConnectionInvalid(
            "this is the secret key, which can move your money. Give a restricted key (rk_…); "
            "whoever wants this one all the same says --given allow_secret_key=yes"
        )
    return mode


def _account(account: str, secret: str, *, allow_private: bool) -> Named:
    """Without a name of its own: after its key, until Stripe says whose key it is."""
    provisional = f"key-{hashlib.sha256(secret.encode()).hexdigest()[:16]}"
    text = account.strip()
    if not text:
        return Named(provisional, "")
    found = named(text, allow_private=allow_private)
    if found is None and allow_private and "://" in text and urlsplit(text).path in {"", "/"}:
        found = named(f"{text.rstrip('/')}/{provisional}", allow_private=allow_private)
    if found is None:
        raise ConnectionInvalid(
            "the account (--url) is acct_…, as in the address of the dashboard; or leave it out"
        )
    return found
