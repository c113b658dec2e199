"""The receiver's five data: put in order, and checked with every rule that needs no list of SAT's.

Whether the RFC is registered, under that name and postal code, only a PAC can say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

from cfdi import iniciales, nombres
from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI, RegimenFiscal, UsoCfdi, codigo_postal_exists
from cfdi.comprobante import Receptor
from cfdi.findings import Finding, at_form
from cfdi.rfc import (
    GENERIC_FOREIGN,
    GENERIC_NATIONAL,
    check_digit_matches,
    person,
    well_formed,
)
from cfdi.rfc import tidy as tidy_rfc

GENERIC_NAME = "PUBLICO EN GENERAL"

_NOMBRE_MAX = 300
#: Control, surrogate, private use, unassigned: nothing a name is written with.
_NOT_TEXT = {"Cc", "Cs", "Co", "Cn"}
#: Only other kinds of document have these: payments and payroll.
_USOS_OF_OTHER_DOCUMENTS = {"CP01", "CN01"}


def normalize(rfc: str, nombre: str, cp: str, regimen: str, uso: str) -> Receptor:
    """As SAT writes it: NFC, capitals, single blanks, no invisible characters.

    Ñ, & and accents stay: SAT compares the name with its register exactly.
    """
    return Receptor(
        rfc=tidy_rfc(rfc),
        nombre=nombres.tidy(nombre),
        domicilio_fiscal=_clave(cp),
        regimen_fiscal=_clave(regimen),
        uso_cfdi=_clave(uso),
    )


def foreigner(nombre: str, lugar_expedicion: str) -> Receptor:
    """Who has no Mexican RFC: the generic one, with all that SAT wants beside it.

    CFDI40149: the postal code of the place of issue. CFDI40159: régimen 616. CFDI40161: S01.
    """
    return Receptor(GENERIC_FOREIGN, nombres.tidy(nombre), lugar_expedicion, "616", "S01")


def check(receptor: Receptor, *, foreign: bool = False) -> tuple[Finding, ...]:
    """What a PAC would surely refuse, all of it at once, in the order of the form.

    `foreign`: they were made by `foreigner`, whose generic RFC is as it should be.
    """
    return (
        *(() if foreign else _rfc(receptor.rfc)),
        *_nombre(receptor.nombre),
        *_cp(receptor.domicilio_fiscal),
        *_regimen(receptor),
        *_uso(receptor),
    )


def warn(receptor: Receptor) -> tuple[Finding, ...]:
    """What looks wrong but may be right: for a person to look at again, never to block."""
    doubts = []
    if well_formed(receptor.rfc) and not check_digit_matches(receptor.rfc):
        doubts.append(at_form("rfc_check_digit"))
    if person(receptor.rfc) == "moral" and nombres.split_capital(receptor.nombre)[1]:
        doubts.append(at_form("nombre_capital"))
    elif not iniciales.fits(receptor.nombre, receptor.rfc):
        doubts.append(at_form("nombre_unlike_rfc"))
    return tuple(doubts)


def usos_for(rfc_or_person: str, regimen: str, allowed: Iterable[str] = ()) -> tuple[UsoCfdi, ...]:
    """The uses open to such a receiver, of those the merchant allows (all if it names none).

    Without a régimen ("") all regímenes count.
    """
    kind, wanted = _kind(rfc_or_person), frozenset(allowed)
    return tuple(
        uso
        for uso in USO_CFDI.values()
        if _is_for(uso, kind)
        and uso.clave not in _USOS_OF_OTHER_DOCUMENTS
        and (not regimen or regimen in uso.regimenes)
        and (not wanted or uso.clave in wanted)
    )


def _clave(text: str) -> str:
    """A key or a postal code: full-width digits are digits, and nothing stands between them."""
    text = unicodedata.normalize("NFKC", text[: nombres.LONGEST_INPUT]).upper()
    joined = (c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", "".join(joined))


def _rfc(rfc: str) -> Iterator[Finding]:
    if not rfc:
        yield at_form("rfc_missing")
    elif rfc in {GENERIC_NATIONAL, GENERIC_FOREIGN}:
        yield at_form("rfc_generic")
    elif not well_formed(rfc):
        yield at_form("rfc_malformed")


def _nombre(nombre: str) -> Iterator[Finding]:
    if not nombre:
        yield at_form("nombre_missing")
    elif len(nombre) > _NOMBRE_MAX:
        yield at_form("nombre_too_long")
    elif "|" in nombre or any(unicodedata.category(c) in _NOT_TEXT for c in nombre):
        yield at_form("nombre_characters")
    elif nombres.without_accents(nombre) == GENERIC_NAME:
        yield at_form("CFDI40146")


def _cp(cp: str) -> Iterator[Finding]:
    if not re.fullmatch("[0-9]{5}", cp):
        yield at_form("cp_malformed")
    elif not codigo_postal_exists(cp):
        yield at_form("CFDI40147")


def _regimen(receptor: Receptor) -> Iterator[Finding]:
    regimen = REGIMEN_FISCAL.get(receptor.regimen_fiscal)
    if regimen is None:
        yield at_form("CFDI40157")
    elif not _is_for(regimen, person(receptor.rfc)):
        yield at_form("CFDI40158")


def _uso(receptor: Receptor) -> Iterator[Finding]:
    uso = USO_CFDI.get(receptor.uso_cfdi)
    if uso is None or uso.clave in _USOS_OF_OTHER_DOCUMENTS:
        yield at_form("CFDI40160")
        return
    # A wrong régimen is said at its own field; one mistake is not told twice.
    known = receptor.regimen_fiscal in REGIMEN_FISCAL
    if not _is_for(uso, person(receptor.rfc)) or (
        known and receptor.regimen_fiscal not in uso.regimenes
    ):
        yield at_form("CFDI40161")


def _kind(rfc_or_person: str) -> str | None:
    return rfc_or_person if rfc_or_person in {"fisica", "moral"} else person(rfc_or_person)


def _is_for(item: RegimenFiscal | UsoCfdi, kind: str | None) -> bool:
    return kind is None or (item.moral if kind == "moral" else item.fisica)
