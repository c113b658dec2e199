"""Emisor, rows CFDI40140 and CFDI40141. What SAT's list says of him is asked in `register`."""

from __future__ import annotations

from collections.abc import Iterator

from cfdi.catalogs import REGIMEN_FISCAL
from cfdi.validator.document import Document, text
from cfdi.validator.persona import is_for
from cfdi.validator.rule import rule


@rule("CFDI40140")
def regimen(doc: Document) -> Iterator[str]:
    if text(doc.emisor, "RegimenFiscal") not in REGIMEN_FISCAL:
        yield doc.path(doc.emisor, "RegimenFiscal")


@rule("CFDI40141", unless=("CFDI40140",))
def regimen_of_such_a_person(doc: Document) -> Iterator[str]:
    found = REGIMEN_FISCAL[text(doc.emisor, "RegimenFiscal")]
    if not is_for(found, text(doc.emisor, "Rfc")):
        yield doc.path(doc.emisor, "RegimenFiscal")
