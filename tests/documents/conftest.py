"""Invoices of random carts, and judges that share nothing with how documents are made."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pytest
from lxml import etree

import cfdi
from cfdi import csd
from cfdi.amounts import Partida, Tributo
from cfdi.comprobante import Comprobante, Emisor, Impuesto, Receptor, TipoFactor
from cfdi.csd import Csd
from cfdi.documents import Articulo, Expedicion, ingreso, retener
from cfdi.pac.sandbox.authority import Authority
from cfdi.seal import seal

D = Decimal
IVA, IEPS, ISR = Impuesto.IVA, Impuesto.IEPS, Impuesto.ISR
TASA, CUOTA, EXENTO = TipoFactor.TASA, TipoFactor.CUOTA, TipoFactor.EXENTO
UUID = "5FB2822E-396D-4725-8521-CDC4BDD20CCF"
MONEDAS = {0: "JPY", 2: "MXN", 3: "KWD", 4: "CLF"}
EXPEDICION = Expedicion(
    Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601"),
    "42501",
    datetime.fromisoformat("2026-11-20T12:00:00"),
    "F",
    "12",
)
COMPANY = Receptor("IIA040805DZ4", "INDISTRIA ILUMINADORA DE ALMACENES", "62661", "601", "G03")
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
NS = {"c": "http://www.sat.gob.mx/cfd/4", "p": "http://www.sat.gob.mx/Pagos20"}
KINDS: tuple[tuple[tuple[Impuesto, TipoFactor, str | None], ...], ...] = (
    ((IVA, TASA, "0.16"),),
    ((IVA, TASA, "0.08"),),
    ((IVA, TASA, "0"),),
    ((IVA, EXENTO, None),),
    (),
    ((IEPS, TASA, "0.08"), (IVA, TASA, "0.16")),
    ((IEPS, TASA, "0.265"), (IVA, TASA, "0.16")),
    ((IEPS, CUOTA, "1.6451"), (IVA, TASA, "0.16")),
)


@dataclass
class Carts:
    """Lines as shops charge them; `seed` makes them the same in every run."""

    seed: int

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def partidas(
        self, decimales: int = 2, *, least: int = 1, most: int = 0
    ) -> tuple[tuple[Partida, ...], Decimal]:
        cent = D(1).scaleb(-decimales)
        lines = tuple(
            self._line(cent, least, most) for _ in range(self.dice.choice((1, 1, 2, 3, 6)))
        )
        gross = sum((_gross(line) for line in lines), D(0))
        return lines, gross.quantize(cent, ROUND_HALF_UP)

    def _line(self, cent: Decimal, least: int, most: int) -> Partida:
        dice = self.dice
        quantity = D(dice.choice(("1", "2", "3", "7", "0.333", "1.5")))
        step = dice.choice((cent, D("0.000001")))
        subtotal = cent * dice.randint(least, most or dice.choice((500, 50_000, 5_000_000)))
        net = (subtotal * dice.choice((D(1), D(1), D("0.85"), D("0.5")))).quantize(step)
        taxes: list[Tributo] = []
        for impuesto, factor, rate in dice.choice(KINDS):
            ieps = sum((tax.importe for tax in taxes), D(0))
            base = quantity if factor is CUOTA else net + (ieps if impuesto is IVA else 0)
            value = None if rate is None else D(rate)
            taxes.append(
                Tributo(
                    impuesto, factor, value, (base * (value or 0)).quantize(step, ROUND_HALF_UP)
                )
            )
        return Partida(quantity, subtotal, subtotal - net, tuple(taxes))

    def invoice(
        self,
        decimales: int = 2,
        *,
        withheld: bool = False,
        ppd: bool = False,
        least: int = 500,
        most: int = 0,
    ) -> Comprobante:
        # By default from 5.00 up: below, a share of a line is less than the smallest coin.
        lines, total = self.partidas(decimales, least=least, most=most)
        if withheld:
            lines = tuple(
                retener(retener(one, ISR, D("0.10")), IVA, D("0.106667")) for one in lines
            )
            lines = tuple(_without_iva_withheld(line) for line in lines)
            cent = D(1).scaleb(-decimales)
            total = sum((_gross(line) for line in lines), D(0)).quantize(cent, ROUND_HALF_UP)
        moneda = MONEDAS[decimales]
        return ingreso(
            [Articulo(line, f"Artículo {place}") for place, line in enumerate(lines)],
            expedicion=EXPEDICION,
            receptor=COMPANY,
            total=total,
            forma_pago="99" if ppd else "03",
            metodo_pago="PPD" if ppd else "PUE",
            moneda=moneda,
            tipo_cambio=None if moneda == "MXN" else D("18.5012"),
        )


def _gross(line: Partida) -> Decimal:
    taxes = sum((one.importe for one in line.tributos), D(0))
    return line.subtotal - line.descuento + taxes - sum((t.importe for t in line.retenciones), D(0))


def _without_iva_withheld(line: Partida) -> Partida:
    """IVA is withheld only where 16 % was charged."""
    if any(one.impuesto is IVA and one.tasa_o_cuota == D("0.16") for one in line.tributos):
        return line
    kept = tuple(one for one in line.retenciones if one.impuesto is not IVA)
    return Partida(line.cantidad, line.subtotal, line.descuento, line.tributos, kept)


@pytest.fixture(scope="session")
def carts() -> Callable[[int], Carts]:
    return Carts


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Csd:
    place = tmp_path_factory.mktemp("authority")
    emisor = EXPEDICION.emisor
    made = Authority.open(place, now=NOW).issue_csd(emisor.rfc, emisor.nombre, now=NOW)
    return csd.check_csd(made.cer_der, made.key_der, made.password, rfc=emisor.rfc, now=NOW)


@pytest.fixture(scope="session")
def judged(signer: Csd) -> Callable[[Comprobante], bytes]:
    """The sealed document, once the official schema, every rule and sums made anew accept it."""

    def judge(comprobante: Comprobante) -> bytes:
        xml = seal(comprobante, signer).xml
        assert [(one.code, one.path) for one in cfdi.validate(xml)] == []
        root = etree.fromstring(xml)
        with localcontext() as context:
            context.prec = 60
            assert sums_of(root) == []
        return xml

    return judge


@pytest.fixture(scope="session")
def add_up() -> Callable[[Comprobante], list[str]]:
    """The same sums without a seal, for thousands of documents."""

    def judge(comprobante: Comprobante) -> list[str]:
        with localcontext() as context:
            context.prec = 60
            return sums_of(cfdi_tree(comprobante))

    return judge


def cfdi_tree(comprobante: Comprobante) -> etree._Element:
    from cfdi.xml import build  # noqa: PLC0415 - here alone

    return build(comprobante)


# Judged from the XML text, with the formulas of SAT and decimals as they are written.


def _d(text: str) -> int:
    return len(text.partition(".")[2])


def _cut(value: Decimal, decimals: int, how: str) -> Decimal:
    return value.quantize(D(1).scaleb(-decimals), rounding=how)


def _product_holds(one: str, other: str, importe: str, *, both: bool) -> bool:
    """CFDI40167 with `both`; CFDI40180, 40186 where the second factor is a rate."""
    tiny, a, b = D("1E-12"), D(one), D(other)
    half_a = D(1).scaleb(-_d(one)) / 2
    half_b = D(1).scaleb(-_d(other)) / 2 if both else D(0)
    lower = _cut((a - half_a) * (b - half_b), _d(importe), ROUND_DOWN)
    upper = (a + half_a - tiny) * (b + half_b - (tiny if both else 0))
    return lower <= D(importe) <= _cut(upper, _d(importe), ROUND_CEILING)


def sums_of(root: etree._Element) -> list[str]:
    """What does not add up in an ingreso or egreso; of a pago nothing is said."""
    wrong: list[str] = []
    decimals = {moneda: n for n, moneda in MONEDAS.items()} | {"USD": 2}
    n = decimals[root.get("Moneda", "")]
    lines = root.findall("c:Conceptos/c:Concepto", NS)
    traslados: dict[tuple[str, ...], list[Decimal]] = defaultdict(lambda: [D(0), D(0)])
    withheld: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if not _product_holds(
            line.get("Cantidad", ""),
            line.get("ValorUnitario", ""),
            line.get("Importe", ""),
            both=True,
        ):
            wrong.append("40167")
        for tax in line.iterfind("c:Impuestos/*/*", NS):
            importe, rate = tax.get("Importe"), tax.get("TasaOCuota", "")
            if D(tax.get("Base", "0")) <= 0:
                wrong.append("40174")
            if importe is not None and not _product_holds(
                tax.get("Base", ""), rate, importe, both=False
            ):
                wrong.append("40180")
            if tax.tag.endswith("Retencion"):
                withheld[tax.get("Impuesto", "")] += D(importe or "0")
            else:
                key = (tax.get("Impuesto", ""), tax.get("TipoFactor", ""), rate)
                traslados[key][0] += D(tax.get("Base", "0"))
                traslados[key][1] += D(importe or "0")
    listed = sum((D(line.get("Importe", "")) for line in lines), D(0))
    off = sum((D(line.get("Descuento", "0")) for line in lines), D(0))
    sub_total, descuento = _cut(listed, n, ROUND_HALF_UP), _cut(off, n, ROUND_HALF_UP)
    rounded = {k: [_cut(v, n, ROUND_HALF_UP) for v in pair] for k, pair in traslados.items()}
    held = {k: _cut(v, n, ROUND_HALF_UP) for k, v in withheld.items()}
    nodes = {
        (tax.get("Impuesto", ""), tax.get("TipoFactor", ""), tax.get("TasaOCuota", "")): [
            D(tax.get("Base", "0")),
            D(tax.get("Importe", "0")),
        ]
        for tax in root.iterfind("c:Impuestos/c:Traslados/c:Traslado", NS)
    }
    if nodes != rounded:
        wrong.append("40215")
    stated = {
        tax.get("Impuesto", ""): D(tax.get("Importe", ""))
        for tax in root.iterfind("c:Impuestos/c:Retenciones/c:Retencion", NS)
    }
    if stated != held:
        wrong.append("40211")
    total = sub_total - descuento + sum((a for _, a in rounded.values()), D(0)) - sum(held.values())
    if D(root.get("SubTotal", "")) != sub_total or D(root.get("Descuento", "0")) != descuento:
        wrong.append("40108")
    if D(root.get("Total", "")) != total:
        wrong.append("40119")
    return wrong


@pytest.fixture(scope="session")
def golden() -> Path:
    return Path(__file__).parent / "golden"
