"""What can be wrong in a Timbre Fiscal Digital, in plain words: Spanish, English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cfdi.findings import FixableBy

MESSAGES: Final[Mapping[str, tuple[str, str, FixableBy]]] = {
    code: (*words, FixableBy.DEVELOPER)
    for code, words in {
        "tfd_repeated": (
            "El documento lleva más de un timbre fiscal.",
            "The document holds more than one TFD.",
        ),
        "tfd_sello_cfd": (
            "El timbre fiscal es de otro documento: su SelloCFD no es el Sello.",
            "The TFD belongs to another document: its SelloCFD is not the Sello.",
        ),
        "tfd_fecha": (
            "FechaTimbrado no está dentro de las 72 horas que siguen a Fecha, o es futura.",
            "FechaTimbrado is not within the 72 hours after Fecha, or is still to come.",
        ),
        "tfd_sello_sat": (
            "El sello del timbre fiscal no es del certificado que nombra.",
            "The seal of the TFD is not of the certificate that it names.",
        ),
    }.items()
}
