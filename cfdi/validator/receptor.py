"""Receptor, rows CFDI40146 to CFDI40161. What SAT's list says of him is asked in `register`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cfdi.catalogs import FORMATO_DE_REGISTRO, PAIS, REGIMEN_FISCAL, USO_CFDI
from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL
from cfdi.validator.comprobante import COMERCIO_EXTERIOR
from cfdi.validator.document import Document, text
from cfdi.validator.persona import GENERIC, PUBLICO_EN_GENERAL, is_for
from cfdi.validator.rule import rule

_WITHOUT_OBLIGATIONS: Final = "616"
_WITHOUT_EFFECT: Final = "S01"


@rule("CFDI40146")
def nobody_else_is_everybody(doc: Document) -> Iterator[str]:
    named_so = text(doc.receptor, "Nombre") == PUBLICO_EN_GENERAL
    if named_so and text(doc.receptor, "Rfc") != GENERIC_NATIONAL:
        yield doc.path(doc.receptor, "Rfc")


@rule("CFDI40149")
def domicilio_of_generic(doc: Document) -> Iterator[str]:
    domicilio = text(doc.receptor, "DomicilioFiscalReceptor")
    if _is_generic(doc) and domicilio != text(doc.root, "LugarExpedicion"):
        yield doc.path(doc.receptor, "DomicilioFiscalReceptor")


@rule("CFDI40150")
def residencia(doc: Document) -> Iterator[str]:
    if _has(doc, "ResidenciaFiscal") and text(doc.receptor, "ResidenciaFiscal") not in PAIS:
        yield doc.path(doc.receptor, "ResidenciaFiscal")


@rule("CFDI40151", unless=("CFDI40150",))
def no_residencia_of_a_mexican(doc: Document) -> Iterator[str]:
    if _has(doc, "ResidenciaFiscal") and not _is_foreign(doc):
        yield doc.path(doc.receptor, "ResidenciaFiscal")


@rule("CFDI40152", unless=("CFDI40151",))
def residencia_elsewhere(doc: Document) -> Iterator[str]:
    if text(doc.receptor, "ResidenciaFiscal") == "MEX":
        yield doc.path(doc.receptor, "ResidenciaFiscal")


@rule("CFDI40153")
def residencia_of_a_foreigner(doc: Document) -> Iterator[str]:
    wanted = _has(doc, "NumRegIdTrib") or doc.has_complement(*COMERCIO_EXTERIOR)
    if _is_foreign(doc) and wanted and not _has(doc, "ResidenciaFiscal"):
        yield doc.path(doc.receptor, "ResidenciaFiscal")


@rule("CFDI40154")
def no_foreign_number_of_a_mexican(doc: Document) -> Iterator[str]:
    if _has(doc, "NumRegIdTrib") and not _is_foreign(doc):
        yield doc.path(doc.receptor, "NumRegIdTrib")


@rule("CFDI40155")
def number_of_a_foreigner(doc: Document) -> Iterator[str]:
    exported = doc.has_complement(*COMERCIO_EXTERIOR)
    if _is_foreign(doc) and exported and not _has(doc, "NumRegIdTrib"):
        yield doc.path(doc.receptor, "NumRegIdTrib")


@rule("CFDI40156", unless=("CFDI40154",))
def number_as_that_country_writes_it(doc: Document) -> Iterator[str]:
    form = FORMATO_DE_REGISTRO.get(text(doc.receptor, "ResidenciaFiscal"))
    number = text(doc.receptor, "NumRegIdTrib")
    if form is not None and _has(doc, "NumRegIdTrib") and not re.fullmatch(form, number):
        yield doc.path(doc.receptor, "NumRegIdTrib")


@rule("CFDI40157")
def regimen(doc: Document) -> Iterator[str]:
    if text(doc.receptor, "RegimenFiscalReceptor") not in REGIMEN_FISCAL:
        yield doc.path(doc.receptor, "RegimenFiscalReceptor")


@rule("CFDI40158", unless=("CFDI40157",))
def regimen_of_such_a_person(doc: Document) -> Iterator[str]:
    found = REGIMEN_FISCAL[text(doc.receptor, "RegimenFiscalReceptor")]
    if not _is_generic(doc) and not is_for(found, text(doc.receptor, "Rfc")):
        yield doc.path(doc.receptor, "RegimenFiscalReceptor")


@rule("CFDI40159", unless=("CFDI40157",))
def regimen_of_generic(doc: Document) -> Iterator[str]:
    if _is_generic(doc) and _regimen(doc) != _WITHOUT_OBLIGATIONS:
        yield doc.path(doc.receptor, "RegimenFiscalReceptor")


@rule("CFDI40160")
def uso(doc: Document) -> Iterator[str]:
    if text(doc.receptor, "UsoCFDI") not in USO_CFDI:
        yield doc.path(doc.receptor, "UsoCFDI")


@rule("CFDI40161", unless=("CFDI40157", "CFDI40158", "CFDI40159", "CFDI40160"))
def uso_of_such_a_receiver(doc: Document) -> Iterator[str]:
    found = USO_CFDI[text(doc.receptor, "UsoCFDI")]
    fits_person = _is_generic(doc) or is_for(found, text(doc.receptor, "Rfc"))
    # The filling guide wants S01 of a foreigner's invoice; payments and credit notes have theirs.
    fits_foreigner = not _is_foreign(doc) or doc.tipo != "I" or found.clave == _WITHOUT_EFFECT
    if not (fits_person and fits_foreigner and _regimen(doc) in found.regimenes):
        yield doc.path(doc.receptor, "UsoCFDI")


def _regimen(doc: Document) -> str:
    return text(doc.receptor, "RegimenFiscalReceptor")


def _is_generic(doc: Document) -> bool:
    return text(doc.receptor, "Rfc") in GENERIC


def _is_foreign(doc: Document) -> bool:
    return text(doc.receptor, "Rfc") == GENERIC_FOREIGN


def _has(doc: Document, name: str) -> bool:
    return doc.receptor.get(name) is not None
