"""SAT's arithmetic rules, written from their formulas and independent of how amounts are made.

Source: Anexo 20, rubro I.F (DOF 13-01-2022) and the validation matrix of 25-03-2026.
`d(x)` is the number of decimals written in x.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, localcontext

from cfdi.catalogs import MONEDA
from cfdi.comprobante import Comprobante, Concepto, Retencion, TipoFactor, Traslado
from cfdi.findings import Finding, FixableBy

_EPSILON = Decimal("1E-12")
_ZERO = Decimal(0)
_WITHOUT_TAXES = frozenset({"01", "03", "04", "05"})


def limits_hold(comprobante: Comprobante) -> tuple[Finding, ...]:
    """Every rule of arithmetic the document breaks; empty when a provider would accept its sums."""
    decimals = MONEDA.get(comprobante.moneda)
    if decimals is None:
        message = ("La moneda no está en el catálogo c_Moneda.", "The currency is not in c_Moneda.")
        return (_finding("CFDI40113", "Moneda", *message),)
    with localcontext(Context(prec=80)):
        return (*_lines(comprobante), *_document(comprobante, decimals))


def d(number: Decimal) -> int:
    """Decimals written."""
    return max(0, -int(number.as_tuple().exponent))


def importe_limits(
    cantidad: Decimal, valor_unitario: Decimal, decimals: int
) -> tuple[Decimal, Decimal]:
    """CFDI40167."""
    half_c, half_v = _half(cantidad), _half(valor_unitario)
    lower = (cantidad - half_c) * (valor_unitario - half_v)
    upper = (cantidad + half_c - _EPSILON) * (valor_unitario + half_v - _EPSILON)
    return _cut(lower, decimals, ROUND_DOWN), _cut(upper, decimals, ROUND_CEILING)


def tax_limits(base: Decimal, rate: Decimal, decimals: int) -> tuple[Decimal, Decimal]:
    """CFDI40180 and CFDI40186."""
    lower = (base - _half(base)) * rate
    upper = (base + _half(base) - _EPSILON) * rate
    return _cut(lower, decimals, ROUND_DOWN), _cut(upper, decimals, ROUND_CEILING)


def _half(number: Decimal) -> Decimal:
    return Decimal(1).scaleb(-d(number)) / 2


def _cut(number: Decimal, decimals: int, rounding: str) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-decimals), rounding=rounding)


def _lines(comprobante: Comprobante) -> Iterator[Finding]:
    for place, concepto in enumerate(comprobante.conceptos):
        path = f"Conceptos[{place}]"
        yield from _concepto(concepto, path)
        yield from _objeto_imp(concepto, path)
        for number, traslado in enumerate(concepto.traslados):
            yield from _traslado(traslado, f"{path}.Traslados[{number}]")
        for number, retencion in enumerate(concepto.retenciones):
            yield from _retencion(retencion, f"{path}.Retenciones[{number}]")


def _concepto(concepto: Concepto, path: str) -> Iterator[Finding]:
    written = (concepto.cantidad, concepto.valor_unitario, concepto.importe)
    if concepto.cantidad <= 0 or any(d(number) > 6 for number in written):
        # SAT has no code of its own for what the XSD refuses.
        yield _broken("301", path, "cantidad, decimales", "quantity, decimals")
    if concepto.valor_unitario <= 0:
        yield _broken("CFDI40166", path, "ValorUnitario > 0", "ValorUnitario > 0")
    lower, upper = importe_limits(concepto.cantidad, concepto.valor_unitario, d(concepto.importe))
    if not lower <= concepto.importe <= upper:
        yield _broken("CFDI40167", path, "límites del Importe", "limits of Importe")
    if concepto.descuento is not None:
        if d(concepto.descuento) > d(concepto.importe):
            yield _broken("CFDI40168", path, "decimales del Descuento", "decimals of Descuento")
        if not 0 <= concepto.descuento <= concepto.importe:
            yield _broken("CFDI40169", path, "Descuento ≤ Importe", "Descuento ≤ Importe")


def _objeto_imp(concepto: Concepto, path: str) -> Iterator[Finding]:
    taxed = bool(concepto.traslados or concepto.retenciones)
    impuestos = {tax.impuesto.value for tax in concepto.traslados}
    impuestos |= {tax.impuesto.value for tax in concepto.retenciones}
    if concepto.objeto_imp == "02" and not taxed:
        yield _broken("CFDI40171", path, "ObjetoImp 02 con impuestos", "ObjetoImp 02 has taxes")
    if concepto.objeto_imp in _WITHOUT_TAXES and taxed:
        yield _broken("CFDI40172", path, "ObjetoImp sin impuestos", "ObjetoImp has no taxes")
    if concepto.objeto_imp in ("06", "08") and impuestos & {"002", "003"}:
        yield _broken("CFDI140226", path, "ObjetoImp 06/08 sin IVA", "ObjetoImp 06/08: no IVA")
    if concepto.objeto_imp == "07" and ("002" in impuestos or "003" not in impuestos):
        yield _broken("CFDI140227", path, "ObjetoImp 07 solo IEPS", "ObjetoImp 07: only IEPS")


def _traslado(tax: Traslado, path: str) -> Iterator[Finding]:
    if tax.base <= 0 or d(tax.base) > 6:
        yield _broken("CFDI40174", path, "Base > 0", "Base > 0")
    if tax.tipo_factor is TipoFactor.EXENTO:
        if not (tax.tasa_o_cuota is None and tax.importe is None):
            yield _broken("CFDI40177", path, "Exento sin tasa ni importe", "Exento: no rate")
    elif tax.tasa_o_cuota is None or tax.importe is None:
        yield _broken("CFDI40178", path, "Tasa o Cuota con importe", "Tasa or Cuota: an amount")
    elif not _tax_holds(tax.base, tax.tasa_o_cuota, tax.importe):
        yield _broken("CFDI40180", path, "límites del Importe", "limits of Importe")


def _retencion(tax: Retencion, path: str) -> Iterator[Finding]:
    if tax.base <= 0:
        yield _broken("CFDI40181", path, "Base > 0", "Base > 0")
    if tax.tipo_factor is TipoFactor.EXENTO:
        yield _broken("CFDI40184", path, "distinto de Exento", "not Exento")
    if not _tax_holds(tax.base, tax.tasa_o_cuota, tax.importe):
        yield _broken("CFDI40186", path, "límites del Importe", "limits of Importe")


def _tax_holds(base: Decimal, rate: Decimal, importe: Decimal) -> bool:
    lower, upper = tax_limits(base, rate, d(importe))
    return lower <= importe <= upper and d(importe) <= 6


def _document(comprobante: Comprobante, decimals: int) -> Iterator[Finding]:
    yield from _sub_total(comprobante, decimals)
    yield from _descuento(comprobante, decimals)
    yield from _traslados(comprobante, decimals)
    yield from _retenciones(comprobante, decimals)
    impuestos = comprobante.impuestos
    total = comprobante.sub_total - (comprobante.descuento or _ZERO)
    if impuestos is not None:
        total += impuestos.total_trasladados or _ZERO
        total -= impuestos.total_retenidos or _ZERO
    if comprobante.total != total or d(comprobante.total) > decimals:
        yield _broken("CFDI40119", "Total", "suma del Total", "sum of Total")


def _round(numbers: Iterable[Decimal], decimals: int) -> Decimal:
    return _cut(sum(numbers, _ZERO), decimals, ROUND_HALF_UP)


def _sub_total(comprobante: Comprobante, decimals: int) -> Iterator[Finding]:
    if d(comprobante.sub_total) > decimals:
        yield _broken("CFDI40107", "SubTotal", "decimales de la moneda", "decimals of currency")
    expected = _round((concepto.importe for concepto in comprobante.conceptos), decimals)
    if comprobante.sub_total != expected:
        yield _broken("CFDI40108", "SubTotal", "suma de Importes", "sum of Importes")


def _descuento(comprobante: Comprobante, decimals: int) -> Iterator[Finding]:
    given = [one.descuento for one in comprobante.conceptos if one.descuento is not None]
    if comprobante.descuento is None:
        if given:
            yield _broken("CFDI40111", "Descuento", "falta el Descuento", "Descuento is missing")
        return
    if comprobante.descuento > comprobante.sub_total:
        yield _broken("CFDI40110", "Descuento", "Descuento ≤ SubTotal", "Descuento ≤ SubTotal")
    if not given or comprobante.descuento != _round(given, decimals):
        yield _broken("CFDI40111", "Descuento", "suma de Descuentos", "sum of Descuentos")
    if d(comprobante.descuento) > decimals:
        yield _broken("CFDI40112", "Descuento", "decimales de la moneda", "decimals of currency")


_Key = tuple[str, str, Decimal | None]


def _key(tax: Traslado) -> _Key:
    return tax.impuesto.value, tax.tipo_factor.value, tax.tasa_o_cuota


def _traslados(comprobante: Comprobante, decimals: int) -> Iterator[Finding]:
    lines: dict[_Key, list[Traslado]] = defaultdict(list)
    for concepto in comprobante.conceptos:
        for tax in concepto.traslados:
            lines[_key(tax)].append(tax)
    nodes = comprobante.impuestos.traslados if comprobante.impuestos else ()
    keys = [_key(node) for node in nodes]
    if len(set(keys)) != len(keys) or set(keys) != set(lines):
        yield _broken("CFDI40218", "Impuestos.Traslados", "un nodo por tasa", "one node a rate")
    for node in nodes:
        yield from _node(node, lines[_key(node)], decimals)
    yield from _total_trasladados(comprobante, nodes, decimals)


def _node(node: Traslado, lines: list[Traslado], decimals: int) -> Iterator[Finding]:
    path = "Impuestos.Traslados"
    if d(node.base) > decimals:
        yield _broken("CFDI40214", path, "decimales de la Base", "decimals of Base")
    if node.base != _round((tax.base for tax in lines), decimals):
        yield _broken("CFDI40215", path, "suma de las Bases", "sum of Bases")
    if node.tipo_factor is TipoFactor.EXENTO:
        return
    importe = node.importe if node.importe is not None else Decimal(-1)
    if d(importe) > decimals:
        yield _broken("CFDI40220", path, "decimales del Importe", "decimals of Importe")
    if importe != _round((tax.importe or _ZERO for tax in lines), decimals):
        yield _broken("CFDI40221", path, "suma de los Importes", "sum of Importes")


def _total_trasladados(
    comprobante: Comprobante, nodes: tuple[Traslado, ...], decimals: int
) -> Iterator[Finding]:
    total = comprobante.impuestos.total_trasladados if comprobante.impuestos else None
    path = "Impuestos.TotalImpuestosTrasladados"
    charged = [node for node in nodes if node.tipo_factor is not TipoFactor.EXENTO]
    if bool(charged) != (total is not None):
        yield _broken("CFDI40212", path, "existe si hay tasa o cuota", "present if not all Exento")
    elif total is not None:
        if total != sum((node.importe or _ZERO for node in charged), _ZERO):
            yield _broken("CFDI40205", path, "suma de los nodos", "sum of the nodes")
        if d(total) > decimals:
            yield _broken("CFDI40204", path, "decimales de la moneda", "decimals of currency")


def _retenciones(comprobante: Comprobante, decimals: int) -> Iterator[Finding]:
    lines: dict[str, Decimal] = defaultdict(Decimal)
    for concepto in comprobante.conceptos:
        for tax in concepto.retenciones:
            lines[tax.impuesto.value] += tax.importe
    nodes = comprobante.impuestos.retenciones if comprobante.impuestos else ()
    total = comprobante.impuestos.total_retenidos if comprobante.impuestos else None
    names = [node.impuesto.value for node in nodes]
    path = "Impuestos.Retenciones"
    if len(set(names)) != len(names) or set(names) != set(lines):
        yield _broken("CFDI40208", path, "un nodo por impuesto", "one node a tax")
    for node in nodes:
        if node.importe != _round([lines[node.impuesto.value]], decimals):
            yield _broken("CFDI40211", path, "suma de los Importes", "sum of Importes")
        if d(node.importe) > decimals:
            yield _broken("CFDI40210", path, "decimales del Importe", "decimals of Importe")
    if bool(nodes) != (total is not None):
        yield _broken("CFDI40206", path, "TotalImpuestosRetenidos", "TotalImpuestosRetenidos")
    elif total is not None and total != sum((node.importe for node in nodes), _ZERO):
        yield _broken("CFDI40203", path, "suma de los nodos", "sum of the nodes")


def _broken(code: str, path: str, rule_es: str, rule_en: str) -> Finding:
    return _finding(
        code,
        path,
        f"Las cuentas del comprobante no cumplen una regla del SAT ({rule_es}).",
        f"The document's amounts break a rule of SAT ({rule_en}).",
    )


def _finding(code: str, path: str, message_es: str, message_en: str) -> Finding:
    return Finding(code, path, message_es, message_en, FixableBy.DEVELOPER)
