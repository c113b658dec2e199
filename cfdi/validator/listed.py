"""A register from a file that the merchant keeps: one taxpayer a line, columns by name.

The columns are described in docs/fiscal/register.md.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, TypeVar

from cfdi.catalogs import REGIMEN_FISCAL, codigo_postal_exists
from cfdi.rfc import well_formed
from cfdi.validator.register import UNKNOWN, CertificateState, Taxpayer

#: With names of usual length the register then takes about 60 MB.
MAX_TAXPAYERS: Final = 100_000
MAX_LINE: Final = 4096
#: After so many the rest of the file is not read any more.
MAX_ERRORS: Final = 100

COLUMNS: Final = (
    "rfc",
    "nombre",
    "cp",
    "regimenes",
    "retencion",
    "subcontratacion",
    "lco",
    "certificados",
)
_T = TypeVar("_T")
_CERTIFICATE = re.compile(r"(\d{20})=([a-z]+)")
_STATES: Final = frozenset(CertificateState)
_YES_OR_NO: Final[Mapping[str, bool | None]] = {"": None, "si": True, "sí": True, "no": False}
_RETENCION: Final[Mapping[str, Literal["1", "2"] | None]] = {"": None, "1": "1", "2": "2"}


@dataclass(frozen=True, slots=True)
class LineError:
    """`line` counts from 1, the heading. The messages never repeat what stands there."""

    line: int
    message_es: str
    message_en: str


class ListRefused(ValueError):
    """The file cannot be used as it is: each error says in which line and what to do."""

    def __init__(self, errors: tuple[LineError, ...]) -> None:
        first = errors[0]
        super().__init__(f"line {first.line}: {first.message_en} ({len(errors)} in all)")
        self.errors = errors


class _Wrong(Exception):
    """One line's fault."""

    def __init__(self, es: str, en: str) -> None:
        super().__init__(en)
        self.es, self.en = es, en


@dataclass(frozen=True, slots=True)
class _Row:
    rfc: str
    taxpayer: Taxpayer
    certificates: Mapping[str, CertificateState]


class ListedTaxpayers:
    """What a file of taxpayers says. An RFC that is not in it is not known, unless `complete`."""

    def __init__(
        self,
        taxpayers: Mapping[str, Taxpayer],
        certificates: Mapping[str, CertificateState],
        *,
        complete: bool = False,
    ) -> None:
        self._taxpayers = taxpayers
        self._certificates = certificates
        self._complete = complete

    @classmethod
    def read(cls, file: BinaryIO, *, complete: bool = False) -> ListedTaxpayers:
        """From CSV in UTF-8, all of it or nothing. Raises `ListRefused`.

        `complete` is for a file that holds everybody: who is missing then does not exist.
        """
        taxpayers: dict[str, Taxpayer] = {}
        certificates: dict[str, CertificateState] = {}
        errors: list[LineError] = []
        for number, found in _rows(file):
            if isinstance(found, _Wrong):
                errors.append(LineError(number, found.es, found.en))
            elif found.rfc in taxpayers:
                errors.append(_twice(number))
            elif len(taxpayers) == MAX_TAXPAYERS:
                errors.append(_too_many(number))
                break
            else:
                taxpayers[found.rfc] = found.taxpayer
                certificates.update(found.certificates)
            if len(errors) == MAX_ERRORS:
                break
        if errors:
            raise ListRefused(tuple(errors))
        return cls(taxpayers, certificates, complete=complete)

    def __len__(self) -> int:
        return len(self._taxpayers)

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        found = self._taxpayers.get(rfc)
        if found is None:
            return Taxpayer(known=False) if self._complete else UNKNOWN
        return Taxpayer(
            known=True,
            nombre=found.nombre,
            cp=found.cp,
            nombre_matches=_same(nombre, found.nombre),
            cp_matches=_same(cp, found.cp),
            regimenes=found.regimenes,
            retencion=found.retencion,
            subcontratacion=found.subcontratacion,
            in_lco=found.in_lco,
        )

    def certificate(self, no_certificado: str) -> CertificateState | None:
        return self._certificates.get(no_certificado)


def _same(asked: str, listed: str | None) -> bool | None:
    return asked == listed if asked and listed else None


def _rows(file: BinaryIO) -> Iterator[tuple[int, _Row | _Wrong]]:
    """Each line that says something, with its number."""
    columns: tuple[str, ...] | None = None
    separator = ","
    for number, raw in enumerate(_lines(file), start=1):
        try:
            text = _text(raw)
            if columns is None:
                separator = ";" if text.count(";") > text.count(",") else ","
                columns = _heading(_cells(text, separator))
            elif text.strip(f" {separator}"):
                yield number, _row(columns, _cells(text, separator))
        except _Wrong as wrong:
            yield number, wrong
            if columns is None:  # nothing can be said about the rest
                return
    if columns is None:
        yield 1, _Wrong("El archivo está vacío.", "The file is empty.")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE + 1):
        yield line
        if len(line) > MAX_LINE:  # the rest of it would look like lines of their own
            return


def _text(raw: bytes) -> str:
    if len(raw) > MAX_LINE:
        raise _Wrong(
            f"La línea pasa de {MAX_LINE} bytes: el resto del archivo no se leyó.",
            f"The line is longer than {MAX_LINE} bytes: the rest of the file was not read.",
        )
    try:
        text = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise _Wrong(
            "La línea no está en UTF-8. Guarda el archivo como «CSV UTF-8».",
            'The line is not in UTF-8. Save the file as "CSV UTF-8".',
        ) from None
    if "\0" in text or "\r" in text:
        raise _Wrong("La línea tiene caracteres de control.", "The line holds control characters.")
    return text


def _cells(text: str, separator: str) -> list[str]:
    try:
        found = next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error:
        raise _Wrong(
            "Las comillas no cierran. Cada contribuyente va en una sola línea.",
            "The quotes do not close. Each taxpayer is one line.",
        ) from None
    return [cell.strip() for cell in found]


def _heading(cells: Iterable[str]) -> tuple[str, ...]:
    names = tuple(cell.lower() for cell in cells)
    if "rfc" not in names or len(set(names)) < len(names) or not set(names) <= set(COLUMNS):
        known = ", ".join(COLUMNS)
        raise _Wrong(
            f"El encabezado lleva «rfc» y, si quieres, estas columnas una vez: {known}.",
            f'The heading holds "rfc" and, if you like, these columns once each: {known}.',
        )
    return names


def _row(columns: tuple[str, ...], cells: list[str]) -> _Row:
    if len(cells) != len(columns):
        raise _Wrong(
            f"La línea tiene {len(cells)} celdas y el encabezado {len(columns)}.",
            f"The line has {len(cells)} cells and the heading {len(columns)}.",
        )
    cell = dict(zip(columns, cells, strict=True))
    if not well_formed(cell["rfc"]):
        raise _Wrong("El RFC no está bien escrito.", "The RFC is not well formed.")
    cp = cell.get("cp", "")
    if cp and not codigo_postal_exists(cp):
        raise _Wrong(
            "El código postal no existe en c_CodigoPostal (cinco dígitos, con el cero inicial).",
            "The postal code is not in c_CodigoPostal (five digits, with the leading zero).",
        )
    taxpayer = Taxpayer(
        nombre=cell.get("nombre") or None,
        cp=cp or None,
        regimenes=_regimenes(cell.get("regimenes", "")),
        retencion=_one_of(_RETENCION, cell.get("retencion", ""), "retencion", '"1", "2"'),
        subcontratacion=_yes_or_no(cell, "subcontratacion"),
        in_lco=_yes_or_no(cell, "lco"),
    )
    return _Row(cell["rfc"], taxpayer, _certificates(cell.get("certificados", "")))


def _regimenes(text: str) -> frozenset[str]:
    found = frozenset(text.split())
    if not found <= REGIMEN_FISCAL.keys():
        raise _Wrong(
            "Los regímenes son claves de c_RegimenFiscal separadas por espacios.",
            "The regímenes are keys of c_RegimenFiscal with blanks between them.",
        )
    return found


def _certificates(text: str) -> Mapping[str, CertificateState]:
    found: dict[str, CertificateState] = {}
    for word in text.split():
        match = _CERTIFICATE.fullmatch(word)
        if match is None or match.group(2) not in _STATES:
            raise _Wrong(
                "Los certificados van como número=estado, con activo, revocado o caduco.",
                "Certificates are written number=state, with activo, revocado or caduco.",
            )
        found[match.group(1)] = CertificateState(match.group(2))
    return found


def _yes_or_no(cell: Mapping[str, str], name: str) -> bool | None:
    return _one_of(_YES_OR_NO, cell.get(name, "").lower(), name, '"si", "no"')


def _one_of(choice: Mapping[str, _T], text: str, name: str, words: str) -> _T:
    if text not in choice:
        raise _Wrong(
            f"La columna «{name}» lleva {words} o nada.",
            f'Column "{name}" holds {words} or nothing.',
        )
    return choice[text]


def _twice(line: int) -> LineError:
    return LineError(line, "El RFC ya estaba en otra línea.", "The RFC was in another line before.")


def _too_many(line: int) -> LineError:
    return LineError(
        line,
        f"El archivo tiene más de {MAX_TAXPAYERS} contribuyentes.",
        f"The file has more than {MAX_TAXPAYERS} taxpayers.",
    )
