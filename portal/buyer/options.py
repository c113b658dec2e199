"""The choices of the form: every régimen and uso of SAT's catalogs, with whom each one suits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from cfdi import receptor
from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI

#: Asked for most; the rest follows in SAT's order.
_USUAL = ("626", "612", "605", "606", "625", "601", "603", "G03", "G01", "S01")


@dataclass(frozen=True, slots=True)
class Option:
    clave: str
    nombre: str
    personas: str  # "f", "m" or "fm"
    regimenes: str = ""  # keys with blanks between; of a uso only


@dataclass(frozen=True, slots=True)
class Group:
    """`name` is a word of the templates, which hold its title in both languages."""

    name: str
    options: tuple[Option, ...]


def _usual_first(options: Iterable[Option]) -> tuple[Option, ...]:
    rank = {clave: place for place, clave in enumerate(_USUAL)}
    return tuple(sorted(options, key=lambda option: rank.get(option.clave, len(rank))))


def _personas(*, fisica: bool, moral: bool) -> str:
    return "f" * fisica + "m" * moral


@lru_cache(maxsize=1)
def regimen_groups() -> tuple[Group, ...]:
    """By kind of person; a régimen of both stands in both."""
    options = _usual_first(
        Option(item.clave, item.nombre, _personas(fisica=item.fisica, moral=item.moral))
        for item in REGIMEN_FISCAL.values()
    )
    return tuple(
        Group(letter, tuple(option for option in options if letter in option.personas))
        for letter in "fm"
    )


_USO_GROUPS: Mapping[str, str] = {"G": "gastos", "I": "inversiones", "D": "deducciones"}


@lru_cache(maxsize=256)
def uso_groups(allowed: tuple[str, ...]) -> tuple[Group, ...]:
    """By purpose; `allowed` are the keys that the merchant offers, none given: all."""
    groups: dict[str, list[Option]] = {
        "gastos": [],
        "otros": [],
        "inversiones": [],
        "deducciones": [],
    }
    for item in receptor.usos_for("", "", allowed):
        option = Option(
            item.clave,
            item.nombre,
            _personas(fisica=item.fisica, moral=item.moral),
            " ".join(sorted(item.regimenes)),
        )
        groups[_USO_GROUPS.get(item.clave[0], "otros")].append(option)
    return tuple(Group(name, _usual_first(found)) for name, found in groups.items() if found)


def selected_regimen(regimen: str, rfc: str) -> tuple[str, str] | None:
    """(group, key) of the one option to mark, though a key may stand in two groups."""
    item = REGIMEN_FISCAL.get(regimen)
    if item is None:
        return None
    length = len(rfc.replace(" ", "").replace("-", ""))
    moral = item.moral and (length == 12 or not item.fisica)
    return ("m" if moral else "f", regimen)


def nombre_regimen(clave: str) -> str:
    item = REGIMEN_FISCAL.get(clave)
    return item.nombre if item else ""


def nombre_uso(clave: str) -> str:
    item = USO_CFDI.get(clave)
    return item.nombre if item else ""
