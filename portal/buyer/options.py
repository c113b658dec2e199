"""The choices of the form: every régimen and uso of SAT's catalogs, with whom each one suits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import flask
from jinja2 import Template
from markupsafe import Markup

from cfdi import receptor
from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI
from hub.domain import typed
from hub.domain.purchase import FiscalForm
from portal.language import language

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


@dataclass(frozen=True, slots=True)
class Choices:
    """The lists of one form: all options, and which of them suit what is known already."""

    regimenes: tuple[Group, ...] = field(compare=False)
    usos: tuple[Group, ...] = field(compare=False)
    #: "f" or "m" where the RFC says so, else "".
    persona: str
    #: (group, key) of the one option to mark, though a key may stand in two groups.
    regimen: tuple[str, str] | None
    uso: str
    #: What the lists were made of.
    allowed: tuple[str, ...]
    papers: tuple[str, ...]

    def suits(self, option: Option) -> bool:
        """Whether such a receiver may choose this uso; without a script it is all that filters."""
        key = self.regimen[1] if self.regimen else ""
        return (not self.persona or self.persona in option.personas) and (
            not key or key in option.regimenes.split()
        )


def choices(form: FiscalForm, allowed: tuple[str, ...], papers: tuple[str, ...] = ()) -> Choices:
    """For this form, the usos of the merchant, and the regímenes of a paper that was read."""
    rfc = typed.rfc(form.rfc)
    persona = {13: "f", 12: "m"}.get(len(rfc), "")
    regimen = _marked(typed.regimen(form.regimen), persona)
    groups = regimen_groups()
    if len(papers) > 1:
        on_paper = tuple(
            Option(key, nombre_regimen(key), persona) for key in papers if key in REGIMEN_FISCAL
        )
        groups = (Group("c", on_paper), *groups)
    possible = receptor.usos_for(rfc, regimen[1] if regimen else "", allowed)
    only = possible[0].clave if len(possible) == 1 else ""
    uso = typed.uso(form.uso) or only
    known = uso if uso in USO_CFDI else ""
    return Choices(groups, uso_groups(allowed), persona, regimen, known, allowed, papers)


def rendered(name: str, chosen: Choices) -> Markup:
    """The `<optgroup>`s of "regimenes" or "usos", in the language of this request.

    They say nothing of a person but régimen and uso, and hardly ever differ.
    """
    template = flask.current_app.jinja_env.get_template("buyer/options.html")
    return _rendered(template, name, language(), chosen)


@lru_cache(maxsize=100)
def _rendered(template: Template, name: str, _language: str, chosen: Choices) -> Markup:
    made: Markup = getattr(template.module, name)(chosen)
    return made


def _marked(regimen: str, persona: str) -> tuple[str, str] | None:
    item = REGIMEN_FISCAL.get(regimen)
    if item is None:
        return None
    moral = item.moral and (persona == "m" or not item.fisica)
    return ("m" if moral else "f", regimen)


def nombre_regimen(clave: str) -> str:
    item = REGIMEN_FISCAL.get(clave)
    return item.nombre if item else ""


def nombre_uso(clave: str) -> str:
    item = USO_CFDI.get(clave)
    return item.nombre if item else ""
