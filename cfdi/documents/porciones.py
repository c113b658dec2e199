"""What is left of a document, tax by tax, in whole units of its currency.

A credit note takes a portion of it. Everything is an integer of the currency's last decimal, so
what is taken and what is left always make the whole, to the cent and for each tax.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cfdi.amounts.lines import Kind
from cfdi.amounts.units import half_up, in_micros, in_units
from cfdi.comprobante import Comprobante, Concepto, Impuesto, Retencion, Traslado
from cfdi.documents.refused import DocumentRefused

#: Base and amount.
Cargo = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Clase:
    """Lines that are taxed alike; of a global invoice, those of one ticket."""

    ticket: str | None
    objeto_imp: str
    traslados: tuple[Kind, ...]
    retenciones: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class Porcion:
    """Amounts of one class: the price after discount, and each tax in the order of the class."""

    net: int
    traslados: tuple[Cargo, ...]
    retenciones: tuple[Cargo, ...]

    @property
    def gross(self) -> int:
        taxes = sum(amount for _, amount in self.traslados)
        return self.net + taxes - sum(amount for _, amount in self.retenciones)

    @property
    def values(self) -> tuple[int, ...]:
        cargos = (*self.traslados, *self.retenciones)
        return (self.net, *(value for cargo in cargos for value in cargo))

    def less(self, other: Porcion) -> Porcion:
        values = [mine - theirs for mine, theirs in zip(self.values, other.values, strict=True)]
        return shaped(values, len(self.traslados))


def porciones(comprobante: Comprobante, decimales: int, *, by_ticket: bool) -> dict[Clase, Porcion]:
    """The whole document by class; each component adds up to what the document states.

    Importes of lines may be finer than the currency: what rounding makes of their sums is given to
    the classes with the largest remainders.
    """
    exact: dict[Clase, list[int]] = {}
    for concepto in comprobante.conceptos:
        clase, values = _read(concepto, by_ticket=by_ticket)
        if values[0] == 0 and not any(values):
            continue
        known = exact.setdefault(clase, [0] * len(values))
        for place, value in enumerate(values):
            known[place] += value
    net = in_units(comprobante.sub_total, decimales) - in_units(
        comprobante.descuento or Decimal(0), decimales
    )
    return _divided_among(exact, net, 10 ** (6 - decimales))


def left_of(
    comprobante: Comprobante, egresos: Iterable[Comprobante], decimales: int
) -> dict[Clase, Porcion]:
    """The document less its credit notes. Raises `DocumentRefused` if they are not of its taxes."""
    by_ticket = comprobante.informacion_global is not None
    left = porciones(comprobante, decimales, by_ticket=by_ticket)
    for egreso in egresos:
        if egreso.tipo_de_comprobante != "E" or egreso.moneda != comprobante.moneda:
            raise DocumentRefused("egreso_unlike")
        for clase, taken in porciones(egreso, decimales, by_ticket=by_ticket).items():
            _take(clase, taken, left)
    return left


def _take(clase: Clase, taken: Porcion, left: dict[Clase, Porcion]) -> None:
    """From its class; what that class has not, from those that bear its taxes among others.

    A part too small for one of its taxes does not name it, and looks like one of another class.
    """
    kinds = dict(zip(clase.traslados, taken.traslados, strict=True))
    withheld = dict(zip(clase.retenciones, taken.retenciones, strict=True))
    net = taken.net
    for home in sorted(left, key=lambda one: one != clase):
        if home.ticket != clase.ticket or clase.objeto_imp not in {home.objeto_imp, "04"}:
            continue
        if not (kinds.keys() <= set(home.traslados) and withheld.keys() <= set(home.retenciones)):
            continue
        has = left[home]
        part = Porcion(
            min(net, has.net),
            tuple(map(_lesser, map(kinds.get, home.traslados), has.traslados)),
            tuple(map(_lesser, map(withheld.get, home.retenciones), has.retenciones)),
        )
        left[home] = has.less(part)
        net -= part.net
        for rest, homes, cargos in (
            (kinds, home.traslados, part.traslados),
            (withheld, home.retenciones, part.retenciones),
        ):
            for kind, (base, amount) in zip(homes, cargos, strict=True):
                if kind in rest:
                    rest[kind] = (rest[kind][0] - base, rest[kind][1] - amount)
    if net or any(map(any, (*kinds.values(), *withheld.values()))):
        raise DocumentRefused("egreso_unlike")


def _lesser(wanted: Cargo | None, has: Cargo) -> Cargo:
    return (0, 0) if wanted is None else (min(wanted[0], has[0]), min(wanted[1], has[1]))


def swept(left: Mapping[Clase, Porcion]) -> dict[Clase, Porcion]:
    """The same sums, with the cents of a tax whose class has no price left in another class.

    They come from lines below a cent, whose price and tax were rounded apart.
    """
    found = {clase: list(one.values) for clase, one in left.items()}
    for clase, values in found.items():
        if values[0] or not any(values):
            continue
        for place in range(1, len(values), 2):
            key = _tax_at(clase, place)
            others = [
                (mine[at], other, at)
                for other, mine in found.items()
                for at in range(1, len(mine), 2)
                if mine[0] and mine[at] and _tax_at(other, at) == key
            ]
            if others:
                _, other, at = max(others, key=lambda one: one[0])
                for offset in (0, 1):
                    found[other][at + offset] += values[place + offset]
                    values[place + offset] = 0
    return {clase: shaped(values, len(clase.traslados)) for clase, values in found.items()}


def _tax_at(clase: Clase, place: int) -> tuple[bool, Kind]:
    number = (place - 1) // 2
    known = len(clase.traslados)
    if number < known:
        return False, clase.traslados[number]
    return True, clase.retenciones[number - known]


def class_of(concepto: Concepto, *, by_ticket: bool) -> Clase:
    return _read(concepto, by_ticket=by_ticket)[0]


def of_line(concepto: Concepto, decimales: int) -> Porcion:
    """A line by itself, each amount rounded half-up."""
    clase, values = _read(concepto, by_ticket=False)
    unit = 10 ** (6 - decimales)
    return shaped([(2 * value + unit) // (2 * unit) for value in values], len(clase.traslados))


def _read(concepto: Concepto, *, by_ticket: bool) -> tuple[Clase, list[int]]:
    traslados: dict[Kind, list[int]] = {}
    for tax in concepto.traslados:
        _add(traslados, tax)
    retenciones: dict[Kind, list[int]] = {}
    for withheld in concepto.retenciones:
        _add(retenciones, withheld)
    clase = Clase(
        ticket=concepto.no_identificacion if by_ticket else None,
        objeto_imp=concepto.objeto_imp,
        traslados=tuple(sorted(traslados, key=_order)),
        retenciones=tuple(sorted(retenciones, key=_order)),
    )
    values = [in_micros(concepto.importe) - in_micros(concepto.descuento)]
    for kind in clase.traslados:
        values += traslados[kind]
    for kind in clase.retenciones:
        values += retenciones[kind]
    return clase, values


def _order(kind: Kind) -> tuple[bool, str, str, int]:
    """IVA last: its base has the IEPS in it."""
    return kind.impuesto is Impuesto.IVA, kind.impuesto, kind.factor, kind.rate


def _add(kinds: dict[Kind, list[int]], tax: Traslado | Retencion) -> None:
    kind = Kind(tax.impuesto, tax.tipo_factor, in_micros(tax.tasa_o_cuota))
    known = kinds.setdefault(kind, [0, 0])
    known[0] += in_micros(tax.base)
    known[1] += in_micros(tax.importe)


def _divided_among(
    exact: Mapping[Clase, Sequence[int]], net: int, unit: int
) -> dict[Clase, Porcion]:
    """What the sums of the document are, divided among the classes that make them."""
    found = {clase: [0] * len(values) for clase, values in exact.items()}
    sums: dict[tuple[str, object], list[tuple[Clase, int]]] = {}
    for clase, values in exact.items():
        for place in range(len(values)):
            sums.setdefault(_summed_with(clase, place), []).append((clase, place))
    # Bases last: they follow the prices and the IEPS they are made of.
    for key, places in sorted(sums.items(), key=lambda one: one[0][0] == "base"):
        parts = [exact[clase][place] for clase, place in places]
        whole = net if key[0] == "net" else half_up(sum(parts), unit)
        if key[0] == "base":
            likely = [_likely_base(exact[one], found[one], one, at, unit) for one, at in places]
            divided = _adjusted(likely, whole)
        else:
            divided = _apportioned(parts, whole, unit)
        for (clase, place), units in zip(places, divided, strict=True):
            found[clase][place] = units
    return {clase: shaped(values, len(clase.traslados)) for clase, values in found.items()}


def _likely_base(
    exact: Sequence[int], found: Sequence[int], clase: Clase, place: int, unit: int
) -> int:
    """The price, or with the IEPS, where the base is exactly that; else rounded by itself."""
    ieps = [
        2 * number + 2
        for number, kind in enumerate(clase.traslados)
        if kind.impuesto is Impuesto.IEPS
    ]
    if exact[place] == exact[0]:
        return found[0]
    if exact[place] == exact[0] + sum(exact[at] for at in ieps):
        return found[0] + sum(found[at] for at in ieps)
    return (2 * exact[place] + unit) // (2 * unit)


def _adjusted(parts: list[int], whole: int) -> list[int]:
    """The same parts, the largest ones moved by a unit each until they make `whole`."""
    missing = whole - sum(parts)
    order = sorted(range(len(parts)), key=lambda place: (-parts[place], place))
    for step in range(abs(missing)):
        parts[order[step % len(order)]] += 1 if missing > 0 else -1
    return parts


def _summed_with(clase: Clase, place: int) -> tuple[str, object]:
    """With what a component is added up in the document: withheld taxes by tax alone."""
    if place == 0:
        return "net", None
    number, is_amount = divmod(place - 1, 2)
    if number < len(clase.traslados):
        kind = clase.traslados[number]
        return ("amount" if is_amount else "base"), (False, kind)
    kind = clase.retenciones[number - len(clase.traslados)]
    return ("amount", (True, kind.impuesto)) if is_amount else ("base", (True, kind))


def _apportioned(parts: Sequence[int], whole: int, unit: int) -> list[int]:
    """Whole units for each part, that make `whole`; the largest remainders are rounded up."""
    units = [part // unit for part in parts]
    missing = whole - sum(units)
    if not 0 <= missing <= len(parts):
        return _adjusted(units, whole)
    order = sorted(range(len(parts)), key=lambda place: (-(parts[place] % unit), place))
    for place in order[:missing]:
        units[place] += 1
    return units


def shaped(values: Sequence[int], traslados: int) -> Porcion:
    """The inverse of `Porcion.values`: so many of the taxes are transferred, the rest withheld."""
    cargos = list(zip(values[1::2], values[2::2], strict=True))
    return Porcion(values[0], tuple(cargos[:traslados]), tuple(cargos[traslados:]))
