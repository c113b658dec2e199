"""The Timbre Fiscal Digital of a document that is stamped already. The XSD judged its structure.

SAT has no codes for what can be wrong in one, because providers only make them; these are ours:

* ``tfd_repeated``: there is more than one;
* ``tfd_sello_cfd``: SelloCFD is not the document's Sello, so it belongs to another document;
* ``tfd_fecha``: FechaTimbrado is not within 72 hours of Fecha, or is still to come;
* ``tfd_sello_sat``: SelloSAT is not of the certificate that was given under its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

from lxml import etree

from cfdi.cadena import cadena_timbre
from cfdi.csd import Certificate, CsdRefused
from cfdi.seal import signed
from cfdi.validator.document import Document, path_of, text
from cfdi.validator.reloj import AHEAD, OLDEST, instants_of_fecha
from cfdi.validator.rule import Needs, rule
from cfdi.xml import TIMBRE

_CENTER: Final = ZoneInfo("America/Mexico_City")


@rule("tfd_repeated")
def one_alone(doc: Document) -> Iterator[str]:
    for node in _timbres(doc)[1:]:
        yield path_of(node)


@rule("tfd_sello_cfd")
def of_this_document(doc: Document) -> Iterator[str]:
    for node in _timbres(doc)[:1]:
        if text(node, "SelloCFD") != text(doc.root, "Sello"):
            yield path_of(node, "SelloCFD")


@rule("tfd_fecha")
def stamped_in_time(doc: Document) -> Iterator[str]:
    for node in _timbres(doc)[:1]:
        pairs = list(product(_instants_of_stamp(doc, node), instants_of_fecha(doc)))
        if pairs and not any(_in_time(stamped - fecha) for stamped, fecha in pairs):
            yield path_of(node, "FechaTimbrado")


@rule("tfd_fecha", needs=Needs.CLOCK, unless=("tfd_fecha",))
def not_to_come(doc: Document) -> Iterator[str]:
    for node in _timbres(doc)[:1]:
        if doc.at is not None and min(_instants_of_stamp(doc, node)) > doc.at + AHEAD:
            yield path_of(node, "FechaTimbrado")


@rule("tfd_sello_sat", needs=Needs.AUTHORITIES)
def sealed_by_the_provider(doc: Document) -> Iterator[str]:
    for node in _timbres(doc)[:1]:
        known = _certificate(doc, text(node, "NoCertificadoSAT"))
        if known is not None and not signed(known, text(node, "SelloSAT"), cadena_timbre(node)):
            yield path_of(node, "SelloSAT")


def _timbres(doc: Document) -> list[etree._Element]:
    return [node for node in doc.complements if node.tag == TIMBRE]


def _instants_of_stamp(doc: Document, node: etree._Element) -> tuple[datetime, ...]:
    """The TFD's XSD puts FechaTimbrado in the Center's time, RMF 2.7.2.9 in that of
    LugarExpedicion, and providers do either; the hour after summer time comes twice."""
    written = datetime.fromisoformat(text(node, "FechaTimbrado"))
    zones, folds = (_CENTER, doc.zone), (0, 1)
    return tuple(
        written.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        for zone, fold in product(zones, folds)
    )


def _in_time(after: timedelta) -> bool:
    return -AHEAD <= after <= OLDEST + AHEAD


def _certificate(doc: Document, no_certificado: str) -> Certificate | None:
    """The one of this number among those given; roots, which have no number of SAT's, are not."""
    for given in doc.authorities:
        try:
            found = Certificate.read(given)
        except CsdRefused:
            continue
        if found.no_certificado == no_certificado:
            return found
    return None
