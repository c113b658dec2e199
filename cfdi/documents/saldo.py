"""What a payment covers of a document's taxes, parcialidad by parcialidad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from cfdi.amounts.lines import Kind, places, window
from cfdi.amounts.units import EXACT, in_micros, in_units, of_units
from cfdi.catalogs import MONEDA
from cfdi.comprobante import Impuesto, Retencion, TipoFactor, Traslado
from cfdi.documents.datos import Factura
from cfdi.documents.porciones import left_of
from cfdi.documents.refused import DocumentRefused
from cfdi.pagos import DoctoRelacionado

#: A withheld tax is told from a transferred one of the same rate.
_Key = tuple[bool, Kind]


@dataclass(slots=True)
class Saldo:
    """The state of a document being paid. `total` and `paid` are in units of its last decimal."""

    factura: Factura
    decimales: int
    total: int
    paid: int
    parcialidad: int
    objeto_imp: str
    #: Base and amount of the whole document, in units.
    taxes: dict[_Key, tuple[int, int]]
    #: What earlier payments covered, in millionths.
    covered: dict[_Key, tuple[int, int]] = field(default_factory=dict)

    @property
    def owed(self) -> Decimal:
        return of_units(self.total - self.paid, self.decimales)

    def pay(self, pagado: Decimal, equivalencia: Decimal) -> DoctoRelacionado:
        """The next parcialidad. Raises `DocumentRefused` for more than is owed."""
        scaled = pagado.scaleb(self.decimales, context=EXACT) if pagado.is_finite() else Decimal(0)
        if scaled != int(scaled) or not 0 < scaled <= self.total - self.paid:
            raise DocumentRefused("balance")
        before = self.owed
        self.paid += int(scaled)
        self.parcialidad += 1
        traslados, retenciones = self._taxes()
        comprobante = self.factura.comprobante
        return DoctoRelacionado(
            id_documento=self.factura.uuid.upper(),
            moneda=comprobante.moneda,
            equivalencia=equivalencia,
            num_parcialidad=self.parcialidad,
            saldo_anterior=before,
            pagado=of_units(int(scaled), self.decimales),
            saldo_insoluto=self.owed,
            objeto_imp=self._objeto_imp(taxed=bool(traslados or retenciones)),
            serie=comprobante.serie,
            folio=comprobante.folio,
            traslados=traslados,
            retenciones=retenciones,
        )

    def _objeto_imp(self, *, taxed: bool) -> str:
        """A payment too small for a millionth of any base says "04" (CRP20246)."""
        return self.objeto_imp if taxed or not self.taxes else "04"

    def _taxes(self) -> tuple[tuple[Traslado, ...], tuple[Retencion, ...]]:
        traslados: list[Traslado] = []
        retenciones: list[Retencion] = []
        for key, whole in self.taxes.items():
            base, amount = self._next(key, *whole)
            if base <= 0:
                continue
            known = self.covered.get(key, (0, 0))
            self.covered[key] = (known[0] + base, known[1] + amount)
            withheld, kind = key
            node = _node(kind, base, amount, self.decimales)
            if withheld:
                retenciones.append(_retencion(node))
            else:
                traslados.append(node)
        return tuple(traslados), tuple(retenciones)

    def _next(self, key: _Key, base: int, amount: int) -> tuple[int, int]:
        """In millionths: its share of all paid so far less what was covered; the last one the rest.

        Amounts are in the currency's units, which SAT lets be rounded down or up (CRP20254, 20261):
        so those of all parcialidades make the document's own.
        """
        unit = 10 ** (6 - self.decimales)
        share = Fraction(self.paid, self.total)
        known = self.covered.get(key, (0, 0))
        base_now = _half_up(base * unit * share) - known[0]
        wanted = _half_up((_half_up(amount * share) * unit - known[1]) / Fraction(unit))
        if base_now <= 0 or key[1].factor is TipoFactor.EXENTO:
            return base_now, 0
        written = places(base_now, self.decimales)
        lower, upper = window(base_now, written, key[1].rate, self.decimales)
        return base_now, min(max(wanted, lower), upper) * unit


def open_saldo(factura: Factura) -> Saldo:
    """The document less its credit notes and earlier payments. Raises `DocumentRefused`."""
    comprobante = factura.comprobante
    decimales = MONEDA.get(comprobante.moneda)
    if comprobante.tipo_de_comprobante != "I" or decimales is None:
        raise DocumentRefused("not_an_ingreso")
    if comprobante.metodo_pago != "PPD":
        raise DocumentRefused("not_ppd")
    taxes: dict[_Key, tuple[int, int]] = {}
    total = 0
    for clase, one in left_of(comprobante, factura.egresos, decimales).items():
        total += one.gross
        for kind, cargo in zip(clase.traslados, one.traslados, strict=True):
            _add(taxes, (False, kind), *cargo)
        for kind, cargo in zip(clase.retenciones, one.retenciones, strict=True):
            _add(taxes, (True, kind), *cargo)
    saldo = Saldo(
        factura=factura,
        decimales=decimales,
        total=total,
        paid=0,
        parcialidad=0,
        objeto_imp=_objeto_imp(factura),
        taxes={key: cargo for key, cargo in taxes.items() if cargo[0]},
    )
    for pagado in factura.pagos:
        saldo.paid += in_units(pagado.pagado, decimales)
        saldo.parcialidad = max(saldo.parcialidad, pagado.num_parcialidad)
        _cover(saldo, (False, True), pagado)
    if saldo.paid > saldo.total:
        raise DocumentRefused("balance")
    return saldo


def _cover(saldo: Saldo, sides: Iterable[bool], pagado: DoctoRelacionado) -> None:
    for withheld in sides:
        nodes: Iterable[Traslado | Retencion] = pagado.retenciones if withheld else pagado.traslados
        for tax in nodes:
            kind = Kind(tax.impuesto, tax.tipo_factor, in_micros(tax.tasa_o_cuota))
            _add(saldo.covered, (withheld, kind), in_micros(tax.base), in_micros(tax.importe))


def _objeto_imp(factura: Factura) -> str:
    """ObjetoImpDR: that of the lines where they agree; 02 as soon as one line says so."""
    found = {concepto.objeto_imp for concepto in factura.comprobante.conceptos}
    traslados = {tax.impuesto for one in factura.comprobante.conceptos for tax in one.traslados}
    if "02" in found:
        return "02"
    if "07" in found:
        return "07" if Impuesto.IVA not in traslados else "02"
    return min(found) if len(found) == 1 else max(found & {"06", "08"}, default="01")


def _add(taxes: dict[_Key, tuple[int, int]], key: _Key, base: int, amount: int) -> None:
    known = taxes.get(key, (0, 0))
    taxes[key] = (known[0] + base, known[1] + amount)


def _node(kind: Kind, base: int, amount: int, decimales: int) -> Traslado:
    written = places(base, decimales)
    shown = of_units(base // 10 ** (6 - written), written)
    if kind.factor is TipoFactor.EXENTO:
        return Traslado(shown, kind.impuesto, kind.factor)
    importe = of_units(amount // 10 ** (6 - decimales), decimales)
    return Traslado(shown, kind.impuesto, kind.factor, of_units(kind.rate, 6), importe)


def _retencion(node: Traslado) -> Retencion:
    return Retencion(
        node.base,
        node.impuesto,
        node.tipo_factor,
        node.tasa_o_cuota or of_units(0, 6),
        node.importe or Decimal(0),
    )


def _half_up(value: Fraction) -> int:
    doubled = 2 * value + 1
    return doubled.numerator // (2 * doubled.denominator)
