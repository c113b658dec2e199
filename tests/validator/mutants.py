"""Hostile and broken documents, made from valid ones by a seeded source of chance."""

from __future__ import annotations

import copy
import random
from typing import Final

from lxml import etree

from tests.validator.bases import BASES, base, put

#: What a number, a date, a key or a text may be written as by somebody who means harm or errs.
VALUES: Final = (
    *("", " ", "0", "-0", "-1", "+1", "1.", ".5", "1e5", "NaN", "Infinity", "1_000", "0x10"),
    *("1" * 18, "1" * 19, "9" * 41, "9" * 5000, "0." + "0" * 60 + "1", "1" * 30 + "." + "9" * 6),
    *(
        "00000",
        "99999",
        "616",
        "XAXX010101000",
        "XEXX010101000",
        "EXT990101NI1",
        "PUBLICO EN GENERAL",
    ),
    *("2026-11-20T12:00:00", "2026-02-31T00:00:00", "2010-01-01T00:00:00", "2099-12-31T23:59:59"),
    *("I", "E", "T", "N", "P", "MXN", "XXX", "USD", "PPD", "PUE", "01", "02", "05", "99"),
    *("Tasa", "Cuota", "Exento", "001", "002", "003", "0.160000", "0.16", "1" * 12 + ".000000"),
    *(
        "á",
        "\u0001b"[1:],
        "ñ" * 400,
        "|",
        "a|b",
        "\u202e",
        "\U0001f600",
        "٣",
        "１２",
        "\u00a0",
        "\u2028",
    ),
    *("x" * 70_000, "MIIF", "====", "A" * 344, "26  47  3807  6003832", "\t\n 1 \r"),
)
_ELEMENTS: Final = (
    *("Impuestos", "Traslados", "Retenciones", "Concepto", "Parte", "Complemento", "Addenda"),
    *("InformacionGlobal", "CfdiRelacionados", "ACuentaTerceros", "Emisor", "Desconocido"),
)
_SPACES: Final = (
    "http://www.sat.gob.mx/cfd/4",
    "http://www.sat.gob.mx/Pagos20",
    "http://www.sat.gob.mx/TimbreFiscalDigital",
    "http://www.sat.gob.mx/implocal",
    "urn:unknown",
    "",
)


def mutant(chance: random.Random) -> bytes:
    """A valid document after up to four changes of its tree, its attributes or its bytes.

    Nobody seals it: the certificate is one that cannot be read.
    """
    root = base(chance.choice(sorted(BASES)), put(NoCertificado="3" * 20, Certificado="MIIF"))
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 4))):
        chance.choice((_attribute, _attribute, _attribute, _structure))(root, chance)
    data = etree.tostring(root, encoding="UTF-8")
    return _bytes(data, chance) if chance.random() < 0.2 else data


def _attribute(root: etree._Element, chance: random.Random) -> None:
    node = chance.choice(list(root.iter(etree.Element)))
    names = list(node.attrib)
    name = chance.choice(names) if names and chance.random() < 0.9 else "Importe"
    if chance.random() < 0.15:
        node.attrib.pop(name, None)
        return
    kept = node.get(name, "")
    other = chance.choice(VALUES)
    node.set(name, chance.choice((other, other, kept + "0", kept[:-1], f" {kept} ", kept[::-1])))


def _structure(root: etree._Element, chance: random.Random) -> None:
    nodes = list(root.iter(etree.Element))
    node, other = chance.choice(nodes), chance.choice(nodes)
    kind = chance.randrange(5)
    above = node.getparent()
    if kind == 0 and above is not None:
        above.remove(node)
    elif kind == 1 and above is not None:
        above.append(copy.deepcopy(node))
    elif kind == 2:
        other.append(copy.deepcopy(node))
    elif kind == 3:
        space, name = chance.choice(_SPACES), chance.choice(_ELEMENTS)
        node.insert(0, etree.Element(f"{{{space}}}{name}" if space else name))
    else:
        node.insert(0, chance.choice((etree.Comment("x"), etree.ProcessingInstruction("x", "y"))))


def _bytes(data: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(data))
    kind = chance.randrange(4)
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    if kind == 2:
        return data[:place] + data[max(0, place - 50) : place] + data[place:]
    return data.replace(b'="', b'="\xff', 1)
