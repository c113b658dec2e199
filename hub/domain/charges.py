"""A line of a sale in SAT's terms: its keys and its taxes, by the rules and never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from cfdi.amounts import Partida, Tributo
from cfdi.comprobante import Impuesto, TipoFactor
from cfdi.findings import Finding
from hub.domain.money import EXACT, round_half_up
from hub.domain.reasons import NotComposable, reason
from hub.domain.rules import Producto, Rules, TaxRule
from hub.domain.sale import SaleLine

#: XML's characters less the ones SAT's patterns refuse, controls and "|", and less the marks that
#: turn the direction of writing.
_UNWRITABLE: Final = re.compile(
    r"[^\x20-\x7b\x7d\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
    r"|[\u202a-\u202e\u2066-\u2069]"
)
_SECTIONS: Final = {
    "product": ("default", "un producto", "a product"),
    "shipping": ("envio", "un envío", "a shipping charge"),
}
_CARGO: Final = ("cargo", "un cargo", "a fee")
_INCLUDED: Final = {"incluye_iva_16": Decimal("0.16"), "incluye_iva_8": Decimal("0.08")}
_ZERO: Final = Decimal(0)


class Charge(NamedTuple):
    """A line ready for the arithmetic, with everything else its Concepto states."""

    partida: Partida
    clave_prod_serv: str
    clave_unidad: str
    descripcion: str
    no_identificacion: str | None
    #: Where the line carries no tax: c_ObjetoImp. With taxes it is 02.
    objeto_imp: str


def charges(lines: tuple[SaleLine, ...], rules: Rules) -> tuple[list[Charge], list[Finding]]:
    """Every line that costs something, and whatever a person has to decide about the others.

    A line without a price is left out: ValorUnitario has to be above 0 (CFDI40166).
    """
    found: list[Charge] = []
    problems: list[Finding] = []
    for place, line in enumerate(lines):
        if not costs(line):
            continue
        try:
            found.append(_charge(line, rules, f"lines[{place}]"))
        except NotComposable as error:
            problems += error.findings
    return found, problems


def costs(line: SaleLine) -> bool:
    """Whether the line is in the document."""
    return line.subtotal != 0 or line.total != 0


def _charge(line: SaleLine, rules: Rules, path: str) -> Charge:
    _refuse_impossible(line, path)
    producto = rules.product_of(line)
    partida, objeto_imp = _taxed(line, rules, producto, path)
    return Charge(
        partida=partida,
        clave_prod_serv=producto.clave_prod_serv or "",
        clave_unidad=producto.clave_unidad or "",
        descripcion=written(line.description, 1000) or "Venta",
        no_identificacion=written(line.sku, 100) or None,
        objeto_imp=objeto_imp,
    )


def written(text: str, longest: int) -> str:
    """The text as SAT's patterns allow it: one line, no "|", no control characters."""
    return " ".join(_UNWRITABLE.sub(" ", text).split())[:longest].strip()


def _refuse_impossible(line: SaleLine, path: str) -> None:
    amounts = (line.quantity, line.subtotal, line.discount, *(tax.amount for tax in line.taxes))
    for amount in amounts:
        if not amount.is_finite() or amount.adjusted() >= 16:
            raise NotComposable(reason("line_too_large", path))
    if line.quantity <= 0 or line.quantity != round(line.quantity, 6):
        raise NotComposable(reason("line_quantity", path))
    if min(amounts) < 0 or line.discount > line.subtotal:
        raise NotComposable(reason("line_negative", path))


def _taxed(line: SaleLine, rules: Rules, producto: Producto, path: str) -> tuple[Partida, str]:
    if line.base == 0 and not any(tax.amount for tax in line.taxes):
        # Given away: a tax needs a base above 0 (CFDI40174). 04: "Sí objeto, y no causa impuesto".
        return _untaxed(line), "01" if producto.impuesto == "no_objeto" else "04"
    if line.taxes:
        tributos = tuple(_tributos(line, rules, path))
        return _with(line, tributos), _taxed_object(producto, tributos, path)
    return _treated(line, producto, path)


def _untaxed(line: SaleLine) -> Partida:
    return Partida(line.quantity, line.subtotal, line.discount)


def _with(line: SaleLine, tributos: tuple[Tributo, ...]) -> Partida:
    # IVA is computed upon the price plus IEPS (LIVA 12): it comes last.
    ordered = tuple(sorted(tributos, key=lambda one: one.impuesto is Impuesto.IVA))
    return Partida(line.quantity, line.subtotal, line.discount, ordered)


def _tributos(line: SaleLine, rules: Rules, path: str) -> Iterator[Tributo]:
    seen: list[TaxRule] = []
    for place, tax in enumerate(line.taxes):
        rule = rules.tax_of(tax)
        if rule is None or (rule.factor is TipoFactor.EXENTO and tax.amount):
            label = written(tax.label or tax.ref or tax.impuesto or "?", 60)
            raise NotComposable(reason("tax_unknown", f"{path}.taxes[{place}]", label=label))
        for other in seen:
            if rule == other or rule.impuesto is other.impuesto is Impuesto.IVA:
                raise NotComposable(reason("tax_twice", f"{path}.taxes[{place}]"))
        seen.append(rule)
        yield Tributo(rule.impuesto, rule.factor, rule.tasa, tax.amount)


def _taxed_object(producto: Producto, tributos: tuple[Tributo, ...], path: str) -> str:
    """02, or 07 ("No traslado del IVA, Sí desglose IEPS") where the rules say so and it is so."""
    wanted = producto.objeto_imp or "02"
    if wanted == "02":
        return wanted
    if wanted == "07" and all(one.impuesto is Impuesto.IEPS for one in tributos):
        return wanted
    raise NotComposable(reason("objeto_imp_conflict", path, objeto_imp=wanted))


def _treated(line: SaleLine, producto: Producto, path: str) -> tuple[Partida, str]:
    """A line the platform charged no tax for is what the merchant says it is."""
    wanted, treatment = producto.objeto_imp, producto.impuesto
    if treatment is None and wanted in {"01", "03", "04", "05", "06", "08"}:
        return _untaxed(line), wanted
    if treatment is None:
        section, what, what_en = _SECTIONS.get(line.kind, _CARGO)
        raise NotComposable(
            reason("tax_missing", path, what=what, what_en=what_en, section=section)
        )
    if treatment == "no_objeto" and wanted in {None, "01"}:
        return _untaxed(line), "01"
    if treatment == "no_objeto" or wanted not in {None, "02"}:
        raise NotComposable(reason("objeto_imp_conflict", path, objeto_imp=wanted or ""))
    if treatment in _INCLUDED:
        return _without_iva(line, _INCLUDED[treatment]), "02"
    exempt = Tributo(Impuesto.IVA, TipoFactor.EXENTO, None, _ZERO)
    zero = Tributo(Impuesto.IVA, TipoFactor.TASA, _ZERO, _ZERO)
    return _with(line, (exempt if treatment == "exento" else zero,)), "02"


def _without_iva(line: SaleLine, rate: Decimal) -> Partida:
    """The IVA taken out of prices that include it; what was paid stays exact."""
    with localcontext(EXACT):
        net = round_half_up(line.base / (1 + rate), 6)
        listed = max(round_half_up(line.subtotal / (1 + rate), 6), net)
        iva = Tributo(Impuesto.IVA, TipoFactor.TASA, rate, line.base - net)
    return Partida(line.quantity, listed, listed - net, (iva,))
