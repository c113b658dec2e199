"""Stands in for SAT's list of registered RFCs: its fictitious taxpayers, and whoever is added.

The taxpayers are those that SAT and the providers publish for tests, with SAT's own spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from cfdi.catalogs import codigo_postal_exists
from cfdi.pac.sandbox.memory import Taxpayer

TEST_TAXPAYERS: Final[tuple[Taxpayer, ...]] = tuple(
    Taxpayer(*row)
    for row in (
        ("EKU9003173C9", "ESCUELA KEMPER URGATE", "42501", "601"),
        ("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "62661", "601"),
        ("H&E951128469", "HERRERIA & ELECTRICOS", "06002", "601"),
        ("IVD920810GU2", "INNOVACION VALOR Y DESARROLLO", "63901", "601"),
        ("IXS7607092R5", "INTERNACIONAL XIMBO Y SABORES", "23004", "601"),
        ("JES900109Q90", "JIMENEZ ESTRADA SALAS", "37161", "601"),
        ("KIJ0906199R1", "KERNEL INDUSTIA JUGUETERA", "28971", "601"),
        ("L&O950913MSA", "LUCES & OBRAS", "60922", "601"),
        ("OÑO120726RX3", "ORGANICOS ÑAVEZ OSORIO", "40501", "601"),
        ("S&S051221SE2", "S & SOFTWARE", "76022", "601"),
        ("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA", "86991", "601"),
        ("XIA190128J61", "XENON INDUSTRIAL ARTICLES", "76343", "601"),
        ("ZUÑ920208KL4", "ZAPATERIA URTADO ÑERI", "34541", "601"),
        ("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612"),
        ("FUNK671228PH6", "KARLA FUENTE NOLASCO", "01160", "612"),
        ("IAÑL750210963", "LUIS IAN ÑUZCO", "85256", "612"),
        ("JUFA7608212V6", "ADRIANA JUAREZ FERNANDEZ", "01160", "612"),
        ("KAHO641101B39", "OSCAR KALA HAAK", "76074", "612"),
        ("KICR630120NX3", "RODRIGO KITIA CASTRO", "36246", "612"),
        ("MISC491214B86", "CECILIA MIRANDA SANCHEZ", "01010", "612"),
        ("RAQÑ7701212M3", "ÑEVES RAMIREZ QUEZADA", "78905", "612"),
        ("WATM640917J45", "MARIA WATEMBER TORRES", "43543", "612"),
        ("WERX631016S30", "XAIME WEIR ROJO", "01279", "612"),
        ("XAMA620210DQ5", "ALBA XKARAJAM MENDEZ", "01219", "612"),
        ("XIQB891116QE4", "BERENICE XIMO QUEZADA", "40968", "612"),
        ("XOJI740919U48", "INGRID XODAR JIMENEZ", "76028", "612"),
    )
)


class Register:
    """`added` is asked at each look-up, so that a taxpayer can be added while it runs."""

    def __init__(self, added: Callable[[], Iterable[Taxpayer]] = tuple) -> None:
        self._added = added

    def find(self, rfc: str) -> Taxpayer | None:
        return self._all().get(rfc)

    def knows_name(self, nombre: str) -> bool:
        """Whether somebody might be called so.

        SAT's list holds millions of names: one that shares a word with a name here counts as
        somebody's, so that a misspelt name gets the answer it would really get.
        """
        words = set(nombre.split())
        return any(words & set(taxpayer.nombre.split()) for taxpayer in self._all().values())

    def knows_codigo_postal(self, cp: str) -> bool:
        """Whether some taxpayer lives there: in a country of millions, wherever the code exists."""
        return codigo_postal_exists(cp)

    def _all(self) -> dict[str, Taxpayer]:
        return {taxpayer.rfc: taxpayer for taxpayer in (*TEST_TAXPAYERS, *self._added())}
