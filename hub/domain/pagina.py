"""What a merchant decided about the buyer's page: `[pagina]` of its rules, see docs/rules.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Pagina:
    """Each field is the key of its name; name, address and language stand in `Rules` itself."""

    #: The merchant's colour, `#rrggbb`; it is made readable in `hub.domain.colors`.
    color: str = ""
    #: A word of the merchant to its buyers.
    mensaje: str = ""
    telefono: str = ""
    #: The shop's address, https.
    sitio: str = ""
    #: The whole privacy notice, https; and who answers for the data and where, for the short one.
    aviso_privacidad: str = ""
    responsable: str = ""
    domicilio: str = ""
    #: Origins that may show the page in a frame.
    marcos: tuple[str, ...] = ()
    #: "largo" (21 de noviembre de 2026), "corto" (21/11/2026) or "iso" (2026-11-21).
    formato_fecha: str = "largo"
    #: Whether buyers may put several purchases into one CFDI, and one into two.
    juntar: bool = True
    dividir: bool = False
    extranjeros: bool = True
    #: Whether the form offers to read a Constancia de Situación Fiscal.
    constancia: bool = True
    #: How often, and for how many days after the stamp, a buyer may correct the data.
    correcciones: int = 0
    correcciones_dias: int = 30
    #: Whether an RFC is looked up at the PAC before it is stamped.
    validar_rfc: bool = True


def pagina_of(section: Mapping[str, Any]) -> Pagina:
    """What a valid `[pagina]` says; the defaults for what it does not."""
    told = {one.name: section[one.name] for one in fields(Pagina) if one.name in section}
    if "marcos" in told:
        told["marcos"] = tuple(told["marcos"])
    return Pagina(**told)
