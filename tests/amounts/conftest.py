"""Carts as shops charge them, and a document around amounts so that the checker can judge them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext

import pytest

from cfdi.amounts import Cuentas, Partida, Tributo
from cfdi.comprobante import (
    Comprobante,
    Concepto,
    Emisor,
    Impuesto,
    Receptor,
    TipoFactor,
)

ISR, IVA, IEPS = Impuesto.ISR, Impuesto.IVA, Impuesto.IEPS
TASA, CUOTA, EXENTO = TipoFactor.TASA, TipoFactor.CUOTA, TipoFactor.EXENTO
MICRO = Decimal("0.000001")

#: IVA alone, IEPS with IVA on top, IEPS by the unit, exempt, without any tax.
TREATMENTS: tuple[tuple[tuple[Impuesto, TipoFactor, str | None], ...], ...] = (
    ((IVA, TASA, "0.16"),),
    ((IVA, TASA, "0.16"),),
    ((IVA, TASA, "0.08"),),
    ((IVA, TASA, "0"),),
    ((IVA, EXENTO, None),),
    (),
    ((IEPS, TASA, "0.08"), (IVA, TASA, "0.16")),
    ((IEPS, TASA, "0.265"), (IVA, TASA, "0.16")),
    ((IEPS, TASA, "1.6"), (IVA, TASA, "0.16")),
    ((IEPS, TASA, "0.53"), (IVA, TASA, "0")),
    ((IEPS, TASA, "0.08"),),
    ((IEPS, CUOTA, "1.6451"), (IVA, TASA, "0.16")),
    ((IEPS, CUOTA, "0.5911"), (IEPS, TASA, "0.08"), (IVA, TASA, "0.08")),
)


#: What a company withholds: RESICO, fees and rents, carriage, subcontracting, IEPS of a broker.
WITHHELD: tuple[tuple[tuple[Impuesto, str], ...], ...] = (
    ((ISR, "0.0125"),),
    ((ISR, "0.10"), (IVA, "0.106667")),
    ((ISR, "0.0125"), (IVA, "0.106667")),
    ((IVA, "0.04"),),
    ((IVA, "0.06"),),
    ((ISR, "0.35"), (IVA, "0.16")),
    ((IEPS, "0.08"),),
)


@dataclass(frozen=True)
class Cart:
    partidas: tuple[Partida, ...]
    total: Decimal
    decimales: int


def _round(amount: Decimal, step: Decimal) -> Decimal:
    return amount.quantize(step, rounding=ROUND_HALF_UP)


#: Customs in which amounts are not rounded to the currency before they are added.
FINE = ("incl6", "excl6", "incl-raw", "excl-total")


class Shop:
    """Charges random carts by the customs of real shops: `custom` is one of CUSTOMS."""

    CUSTOMS = ("incl", "incl6", "excl", "excl6", "excl-total", "incl-raw")

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)

    def cart(
        self, *, decimales: int = 2, custom: str = "", lines: int = 0, withheld: bool = False
    ) -> Cart:
        custom = custom or self.dice.choice(self.CUSTOMS)
        cent = Decimal(1).scaleb(-decimales)
        partidas = [
            self._line(custom, cent) for _ in range(lines or self.dice.choice((1, 1, 2, 3, 5, 8)))
        ]
        if withheld:
            kinds = self.dice.choice(WITHHELD)
            step = MICRO if custom in FINE else cent
            partidas = [self._withheld(partida, kinds, step) for partida in partidas]
        gross = sum(
            p.subtotal
            - p.descuento
            + sum(t.importe for t in p.tributos)
            - sum(t.importe for t in p.retenciones)
            for p in partidas
        )
        return Cart(tuple(partidas), _round(Decimal(gross), cent), decimales)

    def _withheld(
        self, partida: Partida, kinds: Sequence[tuple[Impuesto, str]], step: Decimal
    ) -> Partida:
        """What is withheld is computed upon what the line says, whatever way it came about."""
        net = partida.subtotal - partida.descuento
        ieps = sum((t.importe for t in partida.tributos if t.impuesto is IEPS), Decimal(0))
        bases = {ISR: net, IEPS: net, IVA: net + ieps}
        charged = {ISR} | {t.impuesto for t in partida.tributos if t.importe}
        found = tuple(
            Tributo(impuesto, TASA, Decimal(rate), _round(bases[impuesto] * Decimal(rate), step))
            for impuesto, rate in kinds
            if impuesto in charged and net > 0
        )
        return replace(partida, retenciones=found)

    def _line(self, custom: str, cent: Decimal) -> Partida:
        kinds = self.dice.choice(TREATMENTS)
        quantity = Decimal(
            self.dice.choice(("1", "1", "2", "3", "7", "12", "0.333", "1.5", "2.75"))
        )
        price = cent * self.dice.choice((1, 2, 9, 862, 9999, 10000, self.dice.randint(1, 500_000)))
        share = self.dice.choice((0, 0, 0, 0, 10, 15, 33, 50, 99, 100))
        step = MICRO if custom in FINE else cent
        listed = price * quantity
        if custom.startswith("incl"):
            paid = listed - listed * share / 100
            if custom != "incl-raw":
                paid = _round(paid, cent)
            listed, net = self._net_of(kinds, quantity, max(paid, listed), paid, step)
        else:
            listed = max(_round(listed, step), step)
            net = listed - _round(listed * share / 100, step)
        if net < cent and share < 100 and any(factor is CUOTA for _, factor, _ in kinds):
            return self._line(
                custom, cent
            )  # nothing is left but taxes by the unit: no shop sells so
        listed = max(listed, net, cent)
        tributos = self._taxes(kinds, quantity, net, step)
        if custom == "incl" and net > 0 and tributos and tributos[-1].tipo_factor is TASA:
            # What was paid is exact; the last tax is what is left of it.
            rest = paid - net - sum((t.importe for t in tributos[:-1]), Decimal(0))
            if tributos[-1].tasa_o_cuota and rest >= 0:
                last = tributos[-1]
                tributos = (
                    *tributos[:-1],
                    Tributo(last.impuesto, last.tipo_factor, last.tasa_o_cuota, rest),
                )
        return Partida(quantity, listed, listed - net, tributos)

    def _net_of(
        self,
        kinds: Sequence[tuple[Impuesto, TipoFactor, str | None]],
        quantity: Decimal,
        listed: Decimal,
        paid: Decimal,
        step: Decimal,
    ) -> tuple[Decimal, Decimal]:
        fixed = sum((quantity * Decimal(r or 0) for _, f, r in kinds if f is CUOTA), Decimal(0))
        ieps = sum((Decimal(r or 0) for i, f, r in kinds if i is IEPS and f is TASA), Decimal(0))
        iva = sum((Decimal(r or 0) for i, f, r in kinds if i is IVA), Decimal(0))

        def net(gross: Decimal) -> Decimal:
            return _round(max((gross / (1 + iva) - fixed) / (1 + ieps), Decimal(0)), step)

        return max(net(listed), step), net(paid)

    def _taxes(
        self,
        kinds: Sequence[tuple[Impuesto, TipoFactor, str | None]],
        quantity: Decimal,
        net: Decimal,
        step: Decimal,
    ) -> tuple[Tributo, ...]:
        if net == 0:
            return ()
        taxes: list[Tributo] = []
        for impuesto, factor, rate in kinds:
            value = None if rate is None else Decimal(rate)
            before = sum((tax.importe for tax in taxes), Decimal(0)) if impuesto is IVA else 0
            base = quantity if factor is CUOTA else net + before
            importe = Decimal(0) if value is None else _round(base * value, step)
            taxes.append(Tributo(impuesto, factor, value, importe))
        return tuple(taxes)


def around(partidas: Sequence[Partida], cuentas: Cuentas, moneda: str) -> Comprobante:
    conceptos = tuple(
        Concepto(
            clave_prod_serv="01010101",
            cantidad=partida.cantidad,
            clave_unidad="H87",
            descripcion="x",
            valor_unitario=renglon.valor_unitario,
            importe=renglon.importe,
            objeto_imp="02" if renglon.traslados or renglon.retenciones else "01",
            descuento=renglon.descuento,
            traslados=renglon.traslados,
            retenciones=renglon.retenciones,
        )
        for partida, renglon in zip(partidas, cuentas.renglones, strict=True)
    )
    return Comprobante(
        fecha=datetime(2026, 11, 20, 12),  # noqa: DTZ001 - local time, as written
        serie=None,
        folio=None,
        forma_pago="03",
        metodo_pago="PUE",
        moneda=moneda,
        tipo_cambio=None,
        sub_total=cuentas.sub_total,
        descuento=cuentas.descuento,
        total=cuentas.total,
        lugar_expedicion="64000",
        emisor=Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
        receptor=Receptor("XAXX010101000", "x", "64000", "616", "S01"),
        conceptos=conceptos,
        impuestos=cuentas.impuestos,
    )


def _written(number: Decimal) -> int:
    return max(0, -int(number.as_tuple().exponent))


def _within(one: Decimal, other: Decimal, importe: Decimal, *, both: bool) -> bool:
    """The limits of CFDI40167, with `both`, and of CFDI40180 and 40186, as Anexo 20 prints them."""
    tiny, last = Decimal("1E-12"), Decimal(1).scaleb(-_written(importe))
    half, half_other = (Decimal(1).scaleb(-_written(number)) / 2 for number in (one, other))
    if not both:
        half_other, other_tiny = Decimal(0), Decimal(0)
    else:
        other_tiny = tiny
    lower = ((one - half) * (other - half_other)).quantize(last, ROUND_DOWN)
    upper = (one + half - tiny) * (other + half_other - other_tiny)
    return lower <= importe <= upper.quantize(last, ROUND_CEILING)


def misses(
    partidas: Sequence[Partida], cuentas: Cuentas, total: Decimal, decimales: int
) -> list[str]:
    """What is wrong with these amounts, by plain decimals that share nothing with the fitting."""
    wrong: list[str] = []
    cent = Decimal(1).scaleb(-decimales)
    with localcontext() as context:
        context.prec = 60
        by_rate: dict[tuple[object, ...], list[Decimal]] = {}
        held: dict[Impuesto, Decimal] = {}
        listed = off = Decimal(0)
        for partida, renglon in zip(partidas, cuentas.renglones, strict=True):
            listed += renglon.importe
            off += renglon.descuento or 0
            if not _within(partida.cantidad, renglon.valor_unitario, renglon.importe, both=True):
                wrong.append("40167")
            for tax in (*renglon.traslados, *renglon.retenciones):
                importe, rate = tax.importe or Decimal(0), tax.tasa_o_cuota or Decimal(0)
                if tax.base <= 0 or not _within(tax.base, rate, importe, both=False):
                    wrong.append("40180")
            for one in renglon.traslados:
                sums = by_rate.setdefault((one.impuesto, one.tipo_factor, one.tasa_o_cuota), [])
                sums.append(one.importe or Decimal(0))
            for other in renglon.retenciones:
                held[other.impuesto] = held.get(other.impuesto, Decimal(0)) + other.importe
        expected = _round(listed, cent) - _round(off, cent)
        expected += sum(
            (_round(sum(each, Decimal(0)), cent) for each in by_rate.values()), Decimal(0)
        )
        expected -= sum((_round(each, cent) for each in held.values()), Decimal(0))
    if not expected == cuentas.total == total:
        wrong.append("40119")
    return wrong


MONEDA_BY_DECIMALS = {0: "JPY", 2: "MXN", 3: "KWD", 4: "CLF"}


@pytest.fixture(scope="session")
def shop() -> Callable[[int], Shop]:
    return Shop


@pytest.fixture(scope="session")
def document() -> Callable[[Sequence[Partida], Cuentas, int], Comprobante]:
    def make(partidas: Sequence[Partida], cuentas: Cuentas, decimales: int = 2) -> Comprobante:
        return around(partidas, cuentas, MONEDA_BY_DECIMALS[decimales])

    return make


@pytest.fixture(scope="session")
def judge() -> Callable[[Sequence[Partida], Cuentas, Decimal, int], list[str]]:
    return misses
