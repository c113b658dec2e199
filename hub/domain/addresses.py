"""Names by which a merchant's page is reached beside its id: a short name, a host of its own."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

#: Shorter than an id (32), which a short name is therefore never taken for.
_SLUG: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{1,28}[a-z0-9])")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HOST_MAX: Final = 253


class AddressInvalid(ValueError):
    """Not a name that a page can be reached by. The message says what is."""


def slug(text: str) -> str:
    """A short name in the form in which it is kept. Raises `AddressInvalid`."""
    clean = text.strip().lower()
    if not _SLUG.fullmatch(clean) or "--" in clean:
        raise AddressInvalid("a short name is 3 to 30 letters a-z, digits and single hyphens")
    return clean


def host(text: str) -> str:
    """A host as browsers send it (lower case, Punycode). Raises `AddressInvalid`."""
    clean = text.strip().rstrip(".").lower()
    if not clean.isascii():
        clean = _punycode(clean)
    labels = clean.split(".")
    named = len(clean) <= _HOST_MAX and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    if not named or _is_number(clean):
        raise AddressInvalid(
            "a host is a name with a dot, without scheme, port or path, such as "
            "facturas.mitienda.mx"
        )
    return clean


def host_of(header: str) -> str:
    """The name in a Host header; "" for what is none."""
    try:
        return host(urlsplit(f"//{header}").hostname or "")
    except ValueError:
        return ""


def origin_at(public_url: str, own_host: str) -> str:
    """Where pages are under a host of the merchant's: scheme and port stay those of the hub."""
    if not own_host:
        return public_url
    parts = urlsplit(public_url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{own_host}{port}"


def _punycode(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return ""


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return name.rpartition(".")[2].isdigit()
    return True
