"""What a Constancia or a Cédula says of its holder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from cfdi import nombres
from cfdi.catalog_tables import REGIMENES
from cfdi.constancia import layout
from cfdi.constancia.refusals import ConstanciaRefused
from cfdi.constancia.regimenes import fold
from cfdi.constancia.validador import owned, read_qr
from cfdi.rfc import person

_TITLES: Final = (
    "CONSTANCIADESITUACIONFISCAL",
    "CEDULADEDATOSFISCALES",
    "CEDULADEIDENTIFICACIONFISCAL",
)
_LONGEST_NOMBRE: Final = 300
_LONGEST_WORDS: Final = 200
_MOST_REGIMENES: Final = 20


@dataclass(frozen=True, slots=True)
class Constancia:
    """The holder's data as printed; what the paper does not say is empty.

    `nombre` is what a CFDI wants: given names and surnames, or the denominación without its
    `regimen_capital`. `regimenes` are keys of c_RegimenFiscal without an end date;
    `regimenes_unknown` are words no key was found for. `qr_agrees` says that the QR was legible
    and names the same RFC, which makes it no proof. Nothing else of the paper is kept: no CURP,
    no address.
    """

    rfc: str
    id_cif: str = ""
    nombre: str = ""
    regimen_capital: str = ""
    cp: str = ""
    regimenes: tuple[str, ...] = ()
    regimenes_unknown: tuple[str, ...] = ()
    qr_agrees: bool = False

    def as_json(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def of_json(cls, said: object) -> Constancia:
        """What the reading process answered, every value looked at. Raises `ValueError`."""
        said = said if isinstance(said, Mapping) else {}
        made = cls(
            rfc=_like(r"[A-Z0-9&Ñ]{12,13}", said.get("rfc")),
            id_cif=_like(r"[0-9]{0,15}", said.get("id_cif")),
            nombre=_text(said.get("nombre"), _LONGEST_NOMBRE),
            regimen_capital=_text(said.get("regimen_capital"), _LONGEST_NOMBRE),
            cp=_like(r"(?:[0-9]{5})?", said.get("cp")),
            regimenes=tuple(_like("[0-9]{3}", one) for one in _list(said.get("regimenes"))),
            regimenes_unknown=tuple(
                _text(one, _LONGEST_WORDS) for one in _list(said.get("regimenes_unknown"))
            ),
            qr_agrees=said.get("qr_agrees") is True,
        )
        if not owned(made.rfc) or not set(made.regimenes) <= REGIMENES.keys():
            raise ValueError("not a taxpayer's data")
        return made


def of_text(text: str, codes: Iterable[str]) -> Constancia:
    """From the text of all pages and the texts of all codes on them.

    Raises `ConstanciaRefused`: not_a_constancia, rfc_not_found or contradicts_itself.
    """
    titled = fold(text)
    if not any(title in titled for title in _TITLES):
        raise ConstanciaRefused("not_a_constancia")
    found = layout.fields_of(text)
    scanned = {said for said in map(read_qr, codes) if said}
    rfc = _only_one(found.rfcs | {said[0] for said in scanned})
    if not rfc:
        raise ConstanciaRefused("rfc_not_found")
    nombre, capital = _name(found, rfc)
    keys, unknown = layout.regimenes_of(found.regimenes, person(rfc))
    return Constancia(
        rfc=rfc,
        id_cif=_only_one(found.id_cifs | {said[1] for said in scanned}),
        nombre=nombre[:_LONGEST_NOMBRE],
        regimen_capital=capital[:_LONGEST_NOMBRE],
        cp=found.cp,
        regimenes=keys[:_MOST_REGIMENES],
        regimenes_unknown=tuple(words[:_LONGEST_WORDS] for words in unknown[:_MOST_REGIMENES]),
        qr_agrees=bool(scanned),
    )


def of_codes(codes: Iterable[str]) -> Constancia | None:
    """From codes alone, as of a photo: RFC and idCIF. None where none is SAT's."""
    scanned = {said for said in map(read_qr, codes) if said}
    if not scanned:
        return None
    return Constancia(
        rfc=_only_one({said[0] for said in scanned}),
        id_cif=_only_one({said[1] for said in scanned}),
        qr_agrees=True,
    )


def _only_one(said: set[str]) -> str:
    if len(said) > 1:
        raise ConstanciaRefused("contradicts_itself")
    return next(iter(said), "")


def _name(found: layout.Fields, rfc: str) -> tuple[str, str]:
    if person(rfc) == "fisica":
        parts = (found.nombre, found.primer_apellido, found.segundo_apellido)
        said = " ".join(filter(None, parts)) if found.primer_apellido else found.nombre
        return nombres.tidy(said or found.denominacion or found.on_card), ""
    if found.denominacion:
        return nombres.tidy(found.denominacion), nombres.tidy(found.regimen_capital)
    # The card at the top has the name alone: what SAT prints apart is parted here as well.
    nombre, capital = nombres.split_capital(found.nombre or found.on_card)
    return nombre, nombres.tidy(found.regimen_capital) or capital


def _text(said: object, longest: int) -> str:
    if not isinstance(said, str) or len(said) > longest or not said.isprintable():
        raise ValueError("not a text")
    return said


def _like(pattern: str, said: object) -> str:
    if not isinstance(said, str) or not re.fullmatch(pattern, said):
        raise ValueError("not of its form")
    return said


def _list(said: object) -> list[object]:
    if not isinstance(said, list) or len(said) > _MOST_REGIMENES:
        raise ValueError("not a list")
    return said
