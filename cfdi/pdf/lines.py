"""What is printed of each concept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from cfdi.catalogs import OBJETO_IMP, REGIMEN_FISCAL, clave_unidad_nombre
from cfdi.pdf.glyphs import printable
from cfdi.pdf.qr import NAMESPACES
from cfdi.pdf.taxes import tax_line
from cfdi.pdf.text import exact, named, number, plain

Fields = dict[str, Any]
#: Columns of amounts; their figures beyond the cents are printed apart, so they must be as wide.
_AMOUNTS: Final = ("valor_unitario", "descuento", "importe")
#: So many of the widest letters fit into a narrow column.
_NARROW: Final = 5
#: More concepts than these are listed instead of laid out as a table.
LONGEST_TABLE: Final = 300
#: Characters of 6.6 pt fixed pitch in a row of the page.
_PITCHES: Final = 130


def printed_lines(root: etree._Element, label: Mapping[str, str]) -> list[Fields]:
    """The concepts in their order."""
    lines = [_line(line, label) for line in root.iterfind("cfdi:Conceptos/*", NAMESPACES)]
    for column in _AMOUNTS:
        longest = max((len(line[column][1]) for line in lines if line[column]), default=0)
        for line in lines:
            cents, rest = line[column] or ("", "")
            line[column] = (cents, rest, "0" * (longest - len(rest))) if cents else ()
    return lines


def listed_lines(root: etree._Element, label: Mapping[str, str]) -> list[str]:
    """The same, of a document too long for a table: some rows of fixed pitch for each concept.

    Laying out a table of 5,000 tickets takes 6 s and 800 MB.
    """
    return [
        "\n".join(wrapped for row in _rows_of(line, place, label) for wrapped in wrap(row))
        for place, line in enumerate(root.iterfind("cfdi:Conceptos/*", NAMESPACES), 1)
    ]


def wrap(row: str) -> Iterator[str]:
    """At most `_PITCHES` characters each, cut anywhere."""
    for start in range(0, len(row), _PITCHES):
        yield row[start : start + _PITCHES]


def _rows_of(line: etree._Element, place: int, label: Mapping[str, str]) -> Iterator[str]:
    discount = line.get("Descuento")
    amounts = (
        f"{number(line.get('Cantidad', '0'), 0)} {line.get('ClaveUnidad', '')}"
        f" × {number(line.get('ValorUnitario', '0'))} = {number(line.get('Importe', '0'))}"
        + (f" − {number(discount)}" if discount else "")
    )
    facts = (line.get("ClaveProdServ"), line.get("NoIdentificacion"), line.get("Descripcion"))
    text = f"{place:>5}  {' · '.join(printable(fact) for fact in facts if fact)}"
    if len(text) + 2 + len(amounts) <= _PITCHES:
        yield text + amounts.rjust(_PITCHES - len(text))
    else:
        yield text
        yield amounts.rjust(_PITCHES)
    yield " " * 7 + printable(" | ".join(_notes(line, label)))


def _line(line: etree._Element, label: Mapping[str, str]) -> Fields:
    key = line.get("ClaveUnidad", "")
    unit = line.get("Unidad") or clave_unidad_nombre(key) or ""
    discount = line.get("Descuento")
    return {
        "clave": line.get("ClaveProdServ", ""),
        "sku": plain(line.get("NoIdentificacion", ""), _NARROW),
        "descripcion": plain(line.get("Descripcion", "")),
        "notes": [plain(note) for note in _notes(line, label)],
        "cantidad": number(line.get("Cantidad", "0"), 0),
        "unidad": [key, plain(unit, _NARROW)],
        "valor_unitario": exact(line.get("ValorUnitario", "0")),
        "descuento": exact(discount) if discount else None,
        "importe": exact(line.get("Importe", "0")),
    }


def _notes(line: etree._Element, label: Mapping[str, str]) -> Iterator[str]:
    yield named(line.get("ObjetoImp"), OBJETO_IMP) or ""
    for tax in line.iterfind("cfdi:Impuestos/*/*", NAMESPACES):
        yield tax_line(tax, label)
    for third in line.iterfind("cfdi:ACuentaTerceros", NAMESPACES):
        yield _third_party(third, label)
    for customs in line.iterfind("cfdi:InformacionAduanera", NAMESPACES):
        yield f"{label['pedimento']} {customs.get('NumeroPedimento')}"
    for property_ in line.iterfind("cfdi:CuentaPredial", NAMESPACES):
        yield f"{label['predial']} {property_.get('Numero')}"
    for part in line.iterfind("cfdi:Parte", NAMESPACES):
        yield _part(part, label)


def _third_party(third: etree._Element, label: Mapping[str, str]) -> str:
    regimen = third.get("RegimenFiscalACuentaTerceros", "")
    known = REGIMEN_FISCAL.get(regimen)
    return " · ".join(
        (
            f"{label['terceros']}: {third.get('NombreACuentaTerceros')}",
            third.get("RfcACuentaTerceros", ""),
            named(regimen, {regimen: known.nombre} if known else {}) or "",
            f"CP {third.get('DomicilioFiscalACuentaTerceros')}",
        )
    )


def _part(part: etree._Element, label: Mapping[str, str]) -> str:
    quantity = f"{number(part.get('Cantidad', '0'), 0)} {part.get('Unidad', '')}"
    facts = (
        f"{label['parte']}: {quantity}".strip(),
        part.get("Descripcion", ""),
        part.get("ClaveProdServ", ""),
        part.get("NoIdentificacion"),
        *(
            f"{label['pedimento']} {customs.get('NumeroPedimento')}"
            for customs in part.iterfind("cfdi:InformacionAduanera", NAMESPACES)
        ),
    )
    return " · ".join(filter(None, facts))
