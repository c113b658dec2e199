"""A whole document: what the comprobante says, and the seals that stand on it."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from cfdi.comprobante import Comprobante, Timbre
from cfdi.xml.writing import Seals, Text, write


@dataclass(frozen=True, slots=True)
class Documento:
    """A CFDI 4.0 as `cfdi.read` reads it. What it lacks ("" or None) is not written.

    `sello` and `certificado` are in base64. `timbre_at` is the place of the TFD among the
    complements; `schema_location` is the root's.
    """

    comprobante: Comprobante
    no_certificado: str = ""
    certificado: str = ""
    sello: str = ""
    timbre: Timbre | None = None
    timbre_at: int | None = None
    schema_location: str | None = None

    def to_xml(self) -> bytes:
        """The document written again, in UTF-8 with its declaration.

        It says what was read: its cadena original is the same, and so is its canonical form
        (Exclusive XML Canonicalization, without comments) but for the blanks between elements and
        processing instructions outside of the root.
        Its bytes may differ, so the bytes that came are what is kept and passed on.
        """
        return self._text().xml()

    def element(self) -> etree._Element:
        """As `to_xml`, as a tree."""
        return self._text().tree()

    def _text(self) -> Text:
        seals = Seals(
            no_certificado=self.no_certificado,
            certificado=self.certificado,
            sello=self.sello,
            timbre=self.timbre,
            timbre_at=self.timbre_at,
            location=self.schema_location or "",
        )
        return write(self.comprobante, seals, addenda=True)
