"""Find the fields in the text of a paper, in whichever order a program took it off the page.

SAT prints tables of two columns, "label: value". Programs give label and value on one line, on
two, all labels before all values, or without the blanks between; a long name runs over two lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Final

from cfdi.catalog_tables import REGIMENES
from cfdi.constancia.regimenes import keys_of
from cfdi.constancia.validador import owned
from cfdi.rfc import tidy as tidy_rfc

#: Field → its labels. The ones of "" end the value before them, and are of no further use.
_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "rfc": ("RFC", "R.F.C.", "Registro Federal de Contribuyentes"),
    "id_cif": ("idCIF",),
    "denominacion": (
        "Denominación/Razón Social",
        "Denominación o Razón Social",
        "Nombre, denominación o razón social",
        "Razón Social",
        "Denominación",
    ),
    "nombre": ("Nombre (s)", "Nombres", "Nombre"),
    "primer_apellido": ("Primer Apellido", "Apellido Paterno"),
    "segundo_apellido": ("Segundo Apellido", "Apellido Materno"),
    "regimen_capital": ("Régimen Capital", "Régimen de Capital"),
    "cp": ("Código Postal", "Código Postal del Domicilio Fiscal", "Domicilio Fiscal", "C.P."),
    "regimenes": ("Regímenes", "Régimen", "Regímenes Fiscales", "Régimen Fiscal"),
    "": (
        *("CURP", "Nombre Comercial", "Fecha inicio de operaciones", "Estatus en el padrón"),
        *("Fecha de último cambio de estado", "Tipo de Vialidad", "Nombre de Vialidad"),
        *("Número Exterior", "Número Interior", "Nombre de la Colonia", "Nombre de la Localidad"),
        *("Nombre del Municipio o Demarcación Territorial", "Nombre de la Entidad Federativa"),
        *("Entre Calle", "Y Calle", "Correo Electrónico", "Tel. Fijo Lada", "Tel. Móvil Lada"),
        *("Número", "Estado del domicilio", "Estado del contribuyente en el domicilio"),
        *("Actividades Económicas", "Obligaciones", "Datos de Identificación del Contribuyente"),
        *("Características Fiscales", "Sello Digital", "Cadena Original Sello", "Uso de CFDI"),
        *("Uso del CFDI", "Fecha de emisión", "Situación del contribuyente", "Contacto"),
    ),
}
#: Headings, which have no colon.
_HEADINGS: Final = (
    *("Datos del domicilio registrado", "Datos de Ubicación", "Lugar y Fecha de Emisión"),
    *("Constancia de Situación Fiscal", "Cédula de Identificación Fiscal", "Sus datos personales"),
    *("Cédula de Datos Fiscales", "Valida tu información", "Cadena Original Sello"),
    "Datos de Identificación del Contribuyente",
)
_PLAIN: Final = str.maketrans("ÁÉÍÓÚÜáéíóúü", "AEIOUUaeiouu")
_FIELD_OF: Final = {
    re.sub(r"\W", "", label.translate(_PLAIN)).upper(): name
    for name, labels in _LABELS.items()
    for label in labels
}
_PAGE: Final = re.compile(r"P[áa]gina\s*\[?\s*\d+\s*\]?\s*de\s*\[?\s*\d+\s*\]?", re.IGNORECASE)
_RFC: Final = re.compile(r"(?<![A-Z0-9&Ñ])[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}(?![A-Z0-9])", re.ASCII)
_CARD: Final = re.compile(
    r"Registro Federal de Contribuyentes\s(.{2,400}?)\sNombre, denominacion o razon\s+social",
    re.IGNORECASE | re.DOTALL,
)
_DATE: Final = re.compile(r"(\d{2}[/-]\d{2}[/-]\d{4}|\d{1,2} DE [A-Z]{4,10} DE \d{4})")
_HEADER: Final = re.compile(r"Fecha\s+(?:de\s+)?(?:Inicio|Fin|Alta|T[ée]rmino)\b", re.IGNORECASE)
_HEAD_OF_COLUMN: Final = re.compile(r"[\s|]*(?:R[ée]gimen(?:es)?)?[\s:|]*", re.IGNORECASE)
_ONE_PERIOD: Final = 2
_HEADING: Final = "-"
_SHORTEST_BLOCK: Final = 4
#: More lines than this no name of a régimen has.
_MOST_LINES: Final = 4


@dataclass(slots=True)
class Fields:
    """As printed, blanks put in order. `on_card` is the name at the top of the first page."""

    rfcs: set[str] = field(default_factory=set)
    id_cifs: set[str] = field(default_factory=set)
    denominacion: str = ""
    nombre: str = ""
    primer_apellido: str = ""
    segundo_apellido: str = ""
    regimen_capital: str = ""
    cp: str = ""
    regimenes: str = ""
    on_card: str = ""


def fields_of(text: str) -> Fields:
    """What stands after each label. A field that is not found is empty."""
    text = _PAGE.sub(" ", unicodedata.normalize("NFC", text).replace("\xa0", " "))
    found = Fields(rfcs={rfc for rfc in _RFC.findall(text) if owned(rfc)})
    if card := _CARD.search(text.translate(_PLAIN)):
        found.on_card = _line(text[slice(*card.span(1))])
    for name, value in _in_their_places(list(_labelled(text))):
        _take(found, name, value)
    return found


def _take(found: Fields, name: str, value: str) -> None:
    """The first value of each field counts; what contradicts it is told by the sets."""
    if name == "rfc":
        rfc = tidy_rfc(value[:20])
        if owned(rfc):
            found.rfcs.add(rfc)
    elif name == "id_cif":
        if digits := re.match(r"\D{0,3}(\d{5,15})(?!\d)", value):
            found.id_cifs.add(digits[1])
    elif name == "cp":
        if digits := re.match(r"\D{0,5}(\d{5})(?!\d)", value):
            found.cp = found.cp or digits[1]
    elif name == "regimenes":
        found.regimenes = f"{found.regimenes}\n{value}".strip()
    elif name and not getattr(found, name):
        setattr(found, name, _line(value))


def _line(value: str) -> str:
    """In one line, of characters that are seen: fonts bring icons and controls of their own."""
    return " ".join("".join(map(_seen, value)).split())


def _seen(character: str) -> str:
    if character.isprintable():
        return character
    return "" if unicodedata.category(character) == "Cf" else " "


def _spelled(label: str) -> str:
    """However it is broken and spaced, with its accents or without."""
    letters = (re.escape(letter) for letter in label.translate(_PLAIN) if letter not in " ,.")
    return r"[\s,.]*".join(letters)


@cache
def _labels() -> re.Pattern[str]:
    every = sorted((label for labels in _LABELS.values() for label in labels), key=len)
    named = "|".join(_spelled(label) for label in reversed(every))
    headed = "|".join(map(_spelled, _HEADINGS))
    # A Cédula has labels without a colon as well: they are alone on their line.
    return re.compile(
        rf"(?<![a-z])(?:(?P<label>{named})[\s.]*:|^[ \t]*(?P<alone>{named})[ \t]*$|{headed})",
        re.IGNORECASE | re.MULTILINE,
    )


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    """(field, all that stands between its label and the next)."""
    plain = text.translate(_PLAIN)
    alone = "DATOSFISCALES" in re.sub(r"\W", "", plain).upper()
    hits = [hit for hit in _labels().finditer(plain) if alone or not hit["alone"]]
    for hit, after in pairwise([*hits, None]):
        assert hit is not None  # noqa: S101 # only the last of the row is, which is never first
        label = re.sub(r"\W", "", hit["label"] or hit["alone"] or "").upper()
        end = after.start() if after else len(text)
        yield _FIELD_OF[label] if label else _HEADING, text[hit.end() : end].strip()


def _in_their_places(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Where all labels came before all values, each value back behind its own label."""
    block: list[str] = []
    for name, value in pairs:
        if name == _HEADING:
            continue
        block.append(name)
        lines = [line for line in value.splitlines() if line.strip()]
        if not lines:
            continue
        if len(block) >= _SHORTEST_BLOCK and block[0] == "rfc":
            yield from zip(block, lines, strict=False) if len(block) == len(lines) else ()
        else:
            yield name, value
        block = []


def regimenes_of(section: str, person: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(keys in force, words without a key) of the table of regímenes.

    One that has an end date is over. One that is not for such a person is not believed.
    """
    keys: list[str] = []
    unknown: list[str] = []
    rows = list(_rows(_HEADER.sub(" ", section)))
    for number, (words, dates) in enumerate(rows):
        named, left = _named(words)
        if left and not named and number + 1 < len(rows):
            named, left = _continued(rows, number)
        if len(named) == 1 and dates >= _ONE_PERIOD:
            continue
        believed = [key for key in named if person is None or _is_for(key, person)]
        keys += believed
        unknown += [REGIMENES[key][0] for key in named if key not in believed]
        unknown += [left] if left else []
    return tuple(dict.fromkeys(keys)), tuple(dict.fromkeys(unknown))


def _rows(section: str) -> Iterator[tuple[str, int]]:
    """Words with the number of dates after them."""
    words, dates = "", 0
    for piece in _DATE.split(section):
        if _DATE.fullmatch(piece):
            dates += 1
        elif piece.strip():
            if words:
                yield words, dates
            words, dates = piece, 0
    if words:
        yield words, dates


def _named(words: str) -> tuple[tuple[str, ...], str]:
    """The regímenes at the end of the words, and the lines before that are none."""
    lines = [line for line in words.splitlines() if not _HEAD_OF_COLUMN.fullmatch(line)]
    for start in range(len(lines)):
        if keys := keys_of(" ".join(lines[start:])):
            return keys, _line(" ".join(lines[:start]))
    return (), _line(" ".join(lines))


def _continued(rows: list[tuple[str, int]], number: int) -> tuple[tuple[str, ...], str]:
    """A name whose last lines came after its dates: they are taken from the next row."""
    words, (below, dates) = rows[number][0], rows[number + 1]
    lines = [line for line in below.splitlines() if line.strip()]
    for taken in range(1, min(len(lines), _MOST_LINES) + 1):
        named, left = _named("\n".join((words, *lines[:taken])))
        if named:
            rows[number + 1] = ("\n".join(lines[taken:]), dates)
            return named, left
    return (), _line(words)


def _is_for(key: str, person: str) -> bool:
    _, fisica, moral = REGIMENES[key]
    return moral if person == "moral" else fisica
