"""Random sales, joined and divided: every document is valid and adds up, or there is none."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest

import cfdi
from cfdi import catalogs
from cfdi.amounts import limits_hold
from cfdi.comprobante import Comprobante, Concepto, Emisor, Receptor
from cfdi.csd import Csd, check_csd
from cfdi.documents import Expedicion, Factura
from cfdi.documents.porciones import left_of
from cfdi.pac.sandbox.authority import Authority
from cfdi.seal import seal
from hub.domain.compose import NotComposable, compose, review
from hub.domain.credit import compose as credit_note
from hub.domain.credit import sells_the_same
from hub.domain.division import NotDivisible, Whole, divided, half, lines_of
from hub.domain.fingerprint import fingerprint
from hub.domain.joint import MOST_LINES, MOST_SALES, Apart, NotJoinable, joined, shares
from hub.domain.rules import parse
from hub.domain.sale import (
    Excluded,
    Payment,
    PaymentState,
    Refund,
    RefundLine,
    Sale,
    SaleLine,
    SaleTax,
)

D = Decimal
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
RECEPTOR = Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03")
FECHA = datetime(2026, 11, 20, 12, 30)  # noqa: DTZ001 - local time, as written
AT = datetime(2026, 11, 20, 16, tzinfo=UTC)
RULES = parse(
    "[forma_pago]\ndefault='03'\n[producto.default]\nimpuesto='incluye_iva_16'\n"
    "[producto.sku.libro]\nimpuesto='exento'\n[moneda.USD]\ntipo_cambio='17.5'\n"
    "[moneda.CLP]\ntipo_cambio='0.02'\n"
)
CENT = {"MXN": D("0.01"), "USD": D("0.01"), "CLP": D(1)}
CASES = 1500


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    return amount.quantize(step, ROUND_HALF_UP)


def a_line(rng: random.Random, key: str, step: Decimal) -> SaleLine:
    quantity = rng.choice([D(1), D(2), D(3), D(7), D("0.5"), D("1.333"), D("2.750000"), D(24)])
    price = rounded(D(rng.randint(100, 200_000)) / 100, step)
    subtotal = rounded(price * quantity, step)
    discount = rounded(subtotal * rng.choice([D(0), D(0), D("0.1"), D("0.333")]), step)
    kind = rng.choice(["iva16", "iva16", "iva8", "iva0", "ieps", "cuota", "exento", "included"])
    base, taxes = subtotal - discount, list[SaleTax]()
    if kind == "ieps":
        taxes.append(SaleTax(rounded(base * D("0.08"), step), D("0.08"), impuesto="IEPS"))
    if kind == "cuota":
        amount = rounded(quantity * D("1.6451"), D("0.000001"))
        taxes.append(SaleTax(amount, D("1.645100"), impuesto="IEPS", factor="Cuota"))
    rate = {"iva8": "0.08", "iva0": "0"}.get(kind, "0.16")
    if kind == "exento":
        taxes.append(SaleTax(D(0), None, impuesto="IVA", factor="Exento"))
    elif kind != "included":
        on = base + sum((one.amount for one in taxes), D(0))
        taxes.append(SaleTax(rounded(on * D(rate), step), D(rate), impuesto="IVA"))
    kind_of = rng.choice(["product", "product", "product", "shipping", "fee"])
    return SaleLine(
        key, f"Artículo {key}", quantity, subtotal, discount, tuple(taxes),
        kind=kind_of if kind != "included" else "product",
        sku=rng.choice(["", "", "libro"]) if kind == "included" else "",
    )  # fmt: skip


def a_sale(rng: random.Random, number: str, currency: str = "") -> Sale | None:
    """One that can be invoiced by itself; None where these lines cannot."""
    currency = currency or rng.choice(["MXN", "MXN", "MXN", "USD", "CLP"])
    step = rng.choice([CENT[currency], D("0.000001")])
    lines = tuple(a_line(rng, str(n), step) for n in range(1, rng.randint(2, 6)))
    total = rounded(sum((one.total for one in lines), D(0)), CENT[currency])
    sale = Sale(
        f"k{number}", number, 1, AT, AT, PaymentState.PAID, currency, total, lines,
        payments=(Payment("paid", total, forma_pago=rng.choice(["01", "04"])),),
        refunds=some_refund(rng, lines, CENT[currency]),
        excluded=(Excluded("tip", D(10)),) if rng.random() < 0.1 else (),
    )  # fmt: skip
    if review(sale, rules=RULES, emisor=EMISOR, lugar_expedicion="42501"):
        return None
    return sale


def some_refund(rng: random.Random, lines: Sequence[SaleLine], cent: Decimal) -> tuple[Refund, ...]:
    if rng.random() < 0.7:
        return ()
    line = rng.choice(lines)
    if rng.random() < 0.5:
        return (Refund("r1", rounded(line.total / 3, cent)),)
    taxes = tuple(tax.amount for tax in line.taxes)
    whole = RefundLine(line.key, line.quantity, line.base, taxes)
    return (Refund("r1", rounded(line.total, cent), lines=(whole,)),)


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Csd:
    authority = Authority.open(tmp_path_factory.mktemp("authority"), now=AT)
    made = authority.issue_csd(EMISOR.rfc, EMISOR.nombre, now=AT)
    return check_csd(made.cer_der, made.key_der, made.password, rfc=EMISOR.rfc, now=AT)


def composed(sale: Sale) -> Comprobante:
    return compose(
        sale,
        rules=RULES,
        emisor=EMISOR,
        lugar_expedicion="42501",
        receptor=RECEPTOR,
        fecha=FECHA,
        serie="F",
        folio="1",
    )


def document(sale: Sale, signer: Csd) -> Comprobante:
    """The document, once it adds up and every rule of SAT's accepts it sealed."""
    made = composed(sale)
    assert made.total == sale.due
    assert limits_hold(made) == ()
    assert [(one.code, one.path) for one in cfdi.validate(seal(made, signer).xml)] == []
    return made


def some_sales(rng: random.Random, many: int, currency: str) -> list[Sale]:
    found: list[Sale] = []
    while len(found) < many:
        sale = a_sale(rng, f"{len(found) + 7000}", currency)
        found += [sale] if sale else []
    return found


@pytest.mark.parametrize("seed", range(4))
def test_joined_sales_make_one_valid_document_or_none(seed: int, signer: Csd) -> None:
    rng, outcomes = random.Random(seed), Counter[str]()
    for _ in range(CASES // 4):
        currency = rng.choice(["MXN", "MXN", "USD", "CLP"])
        sales = some_sales(rng, rng.randint(2, 4), currency)
        one = joined(sales, RULES)
        assert one.due == sum((sale.due for sale in sales), D(0))
        try:
            made = document(one, signer)
        except NotComposable:
            outcomes["refused"] += 1
            continue
        outcomes["made"] += 1
        said = [share.of(made.conceptos) for share in shares(sales)]
        assert sum(map(len, said)) == len(made.conceptos)
        for sale, conceptos in zip(sales, said, strict=True):
            assert all(one.descripcion.endswith(f"(compra {sale.number})") for one in conceptos)
            assert abs(sum(map(gross, conceptos)) - sale.due) <= slack(sale)
    assert outcomes["made"] > CASES // 4 * 0.97, outcomes


@pytest.mark.parametrize("seed", range(2))
def test_a_joined_sale_is_seen_to_be_in_its_document_and_can_be_credited(seed: int) -> None:
    """No false alarm that the goods changed; whole refunds are credited, mostly by themselves."""
    rng, outcomes = random.Random(seed + 200), Counter[str]()
    expedicion = Expedicion(EMISOR, "42501", FECHA, "N", "1")
    for _ in range(60):
        currency = rng.choice(["MXN", "USD", "CLP"])
        sales = [replace(one, refunds=()) for one in some_sales(rng, 3, currency)]
        try:
            made = composed(joined(sales, RULES))
        except NotComposable:
            continue
        factura = Factura("5fb2822e-396d-4725-8521-cdc4bdd20ccf", made, ())
        for sale, share in zip(sales, shares(sales), strict=True):
            alone = sells_the_same(composed(sale).conceptos, sale, ())
            outcomes["seen"] += sells_the_same(share.of(made.conceptos), sale, ()) >= alone
            back = Refund("r", sale.due)
            try:
                note = credit_note(
                    factura, back, replace(sale, refunds=(back,)),
                    accounted=(), expedicion=expedicion, spread=False, share=share,
                )  # fmt: skip
            except NotComposable:
                outcomes["refused"] += 1
                continue
            outcomes["credited"] += 1
            assert note.total == sale.due
    assert outcomes["credited"] > 100
    assert outcomes["refused"] < outcomes["credited"] * 0.03, outcomes
    assert outcomes["seen"] >= (outcomes["credited"] + outcomes["refused"]) * 0.99, outcomes


@pytest.mark.parametrize("seed", range(2))
def test_notes_of_all_the_purchases_take_the_document_whole(seed: int, signer: Csd) -> None:
    """One after the other, in any order, each to the cent; together exactly every tax it has."""
    rng, outcomes = random.Random(seed + 300), Counter[str]()
    expedicion = Expedicion(EMISOR, "42501", FECHA, "N", "1")
    for _ in range(60):
        currency = rng.choice(["MXN", "USD", "CLP"])
        sales = [replace(one, refunds=()) for one in some_sales(rng, 3, currency)]
        try:
            made = composed(joined(sales, RULES))
        except NotComposable:
            continue
        pairs, notes = list(zip(sales, shares(sales), strict=True)), list[Comprobante]()
        rng.shuffle(pairs)
        for sale, share in pairs:
            back = Refund("r", sale.due)
            factura = Factura("5fb2822e-396d-4725-8521-cdc4bdd20ccf", made, tuple(notes))
            try:
                note = credit_note(
                    factura, back, replace(sale, refunds=(back,)),
                    accounted=(), expedicion=expedicion, spread=False, share=share,
                )  # fmt: skip
            except NotComposable:
                outcomes["refused"] += 1
                continue
            assert note.total == sale.due
            assert all(
                one.descripcion.endswith(f"(compra {sale.number})") for one in note.conceptos
            )
            notes.append(note)
        assert cfdi.validate(seal(notes[-1], signer).xml) == ()
        if len(notes) == len(sales):
            outcomes["whole"] += 1
            left = left_of(made, notes, catalogs.MONEDA[currency] or 0)
            assert not any(value for one in left.values() for value in one.values), left
        else:
            assert sum(one.total for one in notes) < made.total
    assert outcomes["whole"] > 50, outcomes


def gross(concepto: Concepto) -> Decimal:
    taxes = sum((one.importe or D(0) for one in concepto.traslados), D(0))
    return concepto.importe - (concepto.descuento or D(0)) + taxes


def slack(sale: Sale) -> Decimal:
    """What rounding each amount by itself takes or gives."""
    return CENT[sale.currency] * sum(2 + len(line.taxes) for line in sale.lines)


@pytest.mark.parametrize("seed", range(4))
def test_the_parts_of_a_sale_make_it_to_the_cent_and_the_millionth(seed: int, signer: Csd) -> None:
    rng, outcomes = random.Random(seed + 100), Counter[str]()
    for _ in range(CASES // 4):
        (sale,) = some_sales(rng, 1, "")
        units = half(sale) if rng.random() < 0.3 else some_units(rng, sale)
        try:
            parts = divided(sale, units)
        except NotDivisible as error:
            outcomes[error.why.value] += 1
            continue
        assert parts[0].due + parts[1].due == sale.due
        assert all(part.due > 0 for part in parts)
        whole = {line.key: line for line in lines_of(sale)}
        for name in ("quantity", "subtotal", "discount"):
            assert sums(parts, name) == {key: getattr(line, name) for key, line in whole.items()}
        taxes = Counter[tuple[str, int]]()
        for part in parts:
            for line in part.lines:
                for place, tax in enumerate(line.taxes):
                    assert tax.amount == round(tax.amount, 6)
                    taxes[line.key, place] += tax.amount  # type: ignore[assignment]
        for key, line in whole.items():
            assert [taxes[key, n] for n in range(len(line.taxes))] == [
                tax.amount for tax in line.taxes
            ]
        for part in parts:
            try:
                document(part, signer)
            except NotComposable:
                outcomes["refused"] += 1
                break
        else:
            outcomes["made"] += 1
    assert outcomes["made"] > CASES // 4 * 0.75, outcomes
    assert outcomes["refused"] < CASES // 4 * 0.05, outcomes


def some_units(rng: random.Random, sale: Sale) -> dict[str, Decimal]:
    return {
        line.key: (line.quantity * rng.randint(0, 4) / 4).quantize(D("0.000001"))
        for line in lines_of(sale)
        if rng.random() < 0.8
    }


def sums(parts: Sequence[Sale], name: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for part in parts:
        for line in part.lines:
            found[line.key] = found.get(line.key, D(0)) + getattr(line, name)
    return found


def iva(amount: str) -> SaleTax:
    return SaleTax(D(amount), D("0.16"), impuesto="IVA")


def plain(number: str = "7001", **changes: object) -> Sale:
    line = SaleLine("1", "Taza", D(2), D("100.00"), D(0), (iva("16.00"),))
    sale = Sale(
        number, number, 1, AT, AT, PaymentState.PAID, "MXN", D("116.00"), (line,),
        payments=(Payment("card", D("116.00"), forma_pago="04"),),
    )  # fmt: skip
    return replace(sale, **changes)  # type: ignore[arg-type]


class TestApart:
    @pytest.mark.parametrize(
        ("sales", "why"),
        [
            ([plain()] * (MOST_SALES + 1), Apart.TOO_MANY),
            ([plain(lines=plain().lines * (MOST_LINES // 2 + 1))] * 2, Apart.TOO_MANY),
            ([plain(), plain(currency="USD")], Apart.CURRENCY),
            (
                [
                    plain(currency="USD", exchange_rate=D("17")),
                    plain(currency="USD", exchange_rate=D("18")),
                ],
                Apart.CURRENCY,
            ),
            ([plain(), plain(test=True)], Apart.TEST),
            ([plain(), plain(refunds=(Refund("r", D("200")),))], Apart.INEXACT),
        ],
    )
    def test_what_is_never_one_document(self, sales: list[Sale], why: Apart) -> None:
        with pytest.raises(NotJoinable) as caught:
            joined(sales, RULES)
        assert caught.value.why is why

    @pytest.mark.parametrize("unit", [D(1), D("0.1")])
    def test_amounts_that_are_whole_by_chance_keep_nobody_apart(
        self, signer: Csd, unit: Decimal
    ) -> None:
        """A shop of cents, whose connector takes what it sees for what is rounded to."""
        for sales in ([plain(), plain("7002", rounds_to=unit)], [plain(rounds_to=unit), plain()]):
            assert document(joined(sales, RULES), signer).total == D("232.00")

    def test_what_was_rounded_to_whole_pesos_is_not_put_into_anothers_lines(self) -> None:
        lines = (replace(plain().lines[0], subtotal=D("100.30"), taxes=(iva("16.05"),)),)
        rounded = plain("7002", lines=lines, rounds_to=D(1))
        composed(rounded)
        composed(joined([rounded, replace(rounded, number="7003")], RULES))
        for sales in ([plain(), rounded], [rounded, plain()]):
            with pytest.raises(NotComposable):
                composed(joined(sales, RULES))

    def test_a_change_of_any_of_them_is_another_agreement(self) -> None:
        before = fingerprint(joined([plain(), plain("7002")], RULES))
        more = replace(plain("7002"), refunds=(Refund("r", D("11.60")),))
        assert fingerprint(joined([plain(), more], RULES)) != before
        assert fingerprint(joined([plain("7002"), plain()], RULES)) != before

    def test_lines_of_one_key_stay_apart(self) -> None:
        made = joined([plain(), plain("7002")], RULES)
        assert len({line.key for line in made.lines}) == 2

    def test_money_that_was_given_back_decides_no_form_of_payment(self, signer: Csd) -> None:
        """116.00 by card, of which 11.60 are left, against 58.00 in cash."""
        left = plain(refunds=(Refund("r", D("104.40")),))
        cash = plain("7002", payments=(Payment("cash", D("116.00"), forma_pago="01"),))
        assert document(joined([left, cash], RULES), signer).forma_pago == "01"

    def test_a_tip_decides_no_form_of_payment(self, signer: Csd) -> None:
        tipped = plain(payments=(Payment("card", D("126.00"), forma_pago="04"),))
        cash = plain("7002", payments=(Payment("cash", D("116.00"), forma_pago="01"),))
        assert document(joined([cash, tipped], RULES), signer).forma_pago == "01"

    def test_a_long_description_still_says_which_purchase(self, signer: Csd) -> None:
        line = replace(plain().lines[0], description="x" * 2000)
        made = document(joined([plain(lines=(line,)), plain("7002")], RULES), signer)
        assert made.conceptos[0].descripcion.endswith(" (compra 7001)")
        assert len(made.conceptos[0].descripcion) == 1000


class TestWhole:
    @pytest.mark.parametrize(
        ("units", "why"),
        [
            ({}, Whole.EMPTY),
            ({"1": D(0)}, Whole.EMPTY),
            ({"1": D(2)}, Whole.EMPTY),
            ({"1": D(3)}, Whole.UNITS),
            ({"1": D(-1)}, Whole.UNITS),
            ({"1": D("NaN")}, Whole.UNITS),
            ({"1": D("Infinity")}, Whole.UNITS),
            ({"1": D("0.0000001")}, Whole.UNITS),
            ({"9": D(1)}, Whole.UNITS),
            ({"1": D("0.000001")}, Whole.INEXACT),
            ({"1": D("1.999999")}, Whole.INEXACT),
        ],
    )
    def test_what_is_refused(self, units: dict[str, Decimal], why: Whole) -> None:
        with pytest.raises(NotDivisible) as caught:
            divided(plain(), units)
        assert caught.value.why is why

    def test_lines_without_a_name_of_their_own(self) -> None:
        twice = plain(lines=plain().lines * 2, total=D("232.00"))
        with pytest.raises(NotDivisible) as caught:
            divided(twice, {"1": D(1)})
        assert caught.value.why is Whole.UNITS

    def test_half_and_half(self) -> None:
        one, two = divided(plain(), half(plain()))
        assert (one.due, two.due) == (D("58.00"), D("58.00"))
        assert [line.quantity for line in (*one.lines, *two.lines)] == [1, 1]

    def test_answered_doubts_are_no_reason_against_it(self, signer: Csd) -> None:
        """Whoever accepts a doubtful sale accepts its parts."""
        for part in divided(plain(doubts=("a fee of no kind",)), {"1": D(1)}):
            assert review(part, rules=RULES, emisor=EMISOR, lugar_expedicion="42501") == ()

    def test_an_odd_cent_is_the_seconds(self) -> None:
        odd = plain(total=D("116.01"))
        one, two = divided(odd, half(odd))
        assert (one.due, two.due) == (D("58.00"), D("58.01"))
