"""The QR on SAT's papers: an address of its validator with the idCIF and the RFC."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL, tidy, well_formed

_HOSTS: Final = frozenset({"siat.sat.gob.mx"})
_PATH: Final = "/app/qr/faces/pages/mobile/validadorqr.jsf"
_ID_CIF: Final = re.compile(r"[0-9]{5,15}")
_LONGEST: Final = 500


def read_qr(text: str) -> tuple[str, str] | None:
    """(RFC, idCIF) of `https://siat.sat.gob.mx/app/qr/…/validadorqr.jsf?D1=10&D2=1&D3={idCIF}_{RFC}`.

    None for every other text. The address is only taken apart, never opened.
    """
    try:
        address = urlsplit(text.strip()[:_LONGEST])
        host = address.hostname
    except ValueError:
        return None
    if address.scheme not in {"http", "https"} or host not in _HOSTS or address.path != _PATH:
        return None
    # An RFC may hold an & that SAT writes into the query as it is: what follows D3= is one value.
    query = address.query.partition("D3=")[2] + address.fragment
    id_cif, _, rfc = query.partition("_")
    rfc = tidy("".join(parse_qs(f"rfc={rfc.replace('&', '%26')}").get("rfc", [])))
    if not _ID_CIF.fullmatch(id_cif) or not owned(rfc):
        return None
    return rfc, id_cif


def owned(rfc: str) -> bool:
    """Whether somebody's: well formed, and not one of the generic ones."""
    return well_formed(rfc) and rfc not in {GENERIC_NATIONAL, GENERIC_FOREIGN}
