"""The receiver's data as somebody gave them, held against SAT's rules and the merchant's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cfdi import receptor as receptores
from cfdi.comprobante import Receptor
from cfdi.findings import Finding, FixableBy
from cfdi.rfc import GENERIC_FOREIGN
from hub.domain import typed
from hub.domain.email import check_email
from hub.domain.purchase import FiscalForm
from hub.domain.rules import Rules

_USO_NOT_ALLOWED: Final = Finding(
    "uso_not_allowed",
    "uso",
    "El comercio no factura con ese uso. Elige uno de la lista.",
    "The merchant does not invoice with that use. Choose one from the list.",
    FixableBy.BUYER,
)


@dataclass(frozen=True, slots=True)
class Receiver:
    """The data in order; `findings` is empty if a document can be made out to them."""

    receptor: Receptor
    correo: str
    findings: tuple[Finding, ...]


def examined(form: FiscalForm, rules: Rules, lugar_expedicion: str = "") -> Receiver:
    """Every rule that needs no list of SAT's, the merchant's own and the address, all at once.

    With the place of issue a foreigner's data are taken as well: XEXX010101000 and a name.
    """
    data = typed.read(form)
    correo, mail_findings = check_email(data.correo)
    if lugar_expedicion and is_foreign(data):
        foreigner = receptores.foreigner(data.nombre, lugar_expedicion)
        findings = (*receptores.check(foreigner, foreign=True), *mail_findings)
        return Receiver(foreigner, correo, findings)
    receptor = receptores.normalize(data.rfc, data.nombre, data.cp, data.regimen, data.uso)
    findings = (*receptores.check(receptor), *_uso(receptor, rules), *mail_findings)
    return Receiver(receptor, correo, findings)


def is_foreign(form: FiscalForm) -> bool:
    """Whether the form is that of a foreigner, and says nothing else of the receiver."""
    return (
        typed.rfc(form.rfc) == GENERIC_FOREIGN
        and form.regimen in {"", "616"}
        and form.uso in {"", "S01"}
    )


def _uso(receptor: Receptor, rules: Rules) -> tuple[Finding, ...]:
    if not rules.usos or receptor.uso_cfdi in rules.usos or not receptor.uso_cfdi:
        return ()
    return (_USO_NOT_ALLOWED,)
