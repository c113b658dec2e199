"""What the buyer may take instead of what was typed: always asked, never put in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cfdi import nombres
from cfdi.comprobante import Receptor
from cfdi.rfc import did_you_mean
from hub.domain import typed
from hub.domain.purchase import FieldError, FiscalForm

_MOST = 3
#: After these another spelling may help: the name is not the RFC's, or nobody's.
_NAME_REFUSED = frozenset({"CFDI40144", "CFDI40145"})
_RFC_REFUSED = frozenset({"rfc_malformed", "CFDI40143"})


@dataclass(frozen=True, slots=True)
class Offer:
    """A value for one field, and why it may be the right one."""

    campo: str
    valor: str
    razon_es: str = ""
    razon_en: str = ""


def before(receptor: Receptor) -> tuple[Offer, ...]:
    """What to ask about data that could be stamped as they are."""
    return (
        *(Offer("rfc", each) for each in did_you_mean(receptor.rfc)),
        *_names(nombres.offered(receptor.nombre, receptor.rfc)),
    )


def after(form: FiscalForm, errors: Iterable[FieldError]) -> tuple[Offer, ...]:
    """What to ask about data that were refused, by SAT or before."""
    codes = {error.codigo for error in errors}
    offers: list[Offer] = []
    rfc = typed.rfc(form.rfc)
    if codes & _RFC_REFUSED:
        offers += (Offer("rfc", each) for each in did_you_mean(rfc))
    if codes & _NAME_REFUSED:
        offers += _names(nombres.suggestions(form.nombre, rfc)[:_MOST])
    if "cp_malformed" in codes and (cp := typed.cp_without_zero(form.cp)):
        offers.append(Offer("cp", cp))
    return tuple(offers)


def _names(found: Iterable[nombres.Suggestion]) -> Iterable[Offer]:
    return (Offer("nombre", one.nombre, one.reason_es, one.reason_en) for one in found)
