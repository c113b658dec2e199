"""Amounts of a document that add up to the cent charged, and the check of SAT's rules."""

from cfdi.amounts.fitting import fit
from cfdi.amounts.limits import limits_hold
from cfdi.amounts.values import Cuentas, NoExactDocument, Partida, Renglon, Tributo, WhyNot

__all__ = [
    "Cuentas",
    "NoExactDocument",
    "Partida",
    "Renglon",
    "Tributo",
    "WhyNot",
    "fit",
    "limits_hold",
]
