"""Documents that refer to others: a substitute names what it replaces."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from cfdi.comprobante import CfdiRelacionados, Comprobante
from cfdi.documents.refused import DocumentRefused

#: "Sustitución de los CFDI previos".
SUSTITUYE: Final = "04"
_UUID: Final = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
#: c_TipoRelacion.
_TIPOS: Final = frozenset({"01", "02", "03", "04", "05", "06", "07"})


def relacionar(comprobante: Comprobante, tipo_relacion: str, *uuids: str) -> Comprobante:
    """The document, referring to these others too; UUIDs are written in capitals.

    One node a kind of relation. Raises `DocumentRefused` for an unknown kind, what is no UUID, or
    one that is already stated.
    """
    given = tuple(uuid.upper() for uuid in uuids)
    if tipo_relacion not in _TIPOS or not given or not all(map(_UUID.fullmatch, given)):
        raise DocumentRefused("relation")
    nodes = list(comprobante.relacionados)
    stated = [uuid.upper() for node in nodes for uuid in node.uuids]
    if len({*stated, *given}) != len(stated) + len(given):
        raise DocumentRefused("relation")
    for place, node in enumerate(nodes):
        if node.tipo_relacion == tipo_relacion:
            nodes[place] = replace(node, uuids=(*node.uuids, *given))
            break
    else:
        nodes.append(CfdiRelacionados(tipo_relacion, given))
    return replace(comprobante, relacionados=tuple(nodes))


def sustitucion(nuevo: Comprobante, uuid: str) -> Comprobante:
    """The corrected document as the substitute of the stamped one: relation 04 to its UUID.

    It is stamped first; then the old one is cancelled with motivo 01, naming this one's UUID.
    Raises `DocumentRefused`.
    """
    return relacionar(nuevo, SUSTITUYE, uuid)
