from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cfdi.amounts import limits_hold
from cfdi.comprobante import Emisor, Receptor
from hub.domain.compose import compose, review
from hub.domain.intake import SaleInvalid, read_sale
from hub.domain.rules import Rules
from hub.domain.sale import PaymentState
from hub.domain.snapshot import from_json, to_json

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
EMISOR = Emisor("EKU9003173C9", "ESCUELA KEMPER URGATE", "601")
RECEPTOR = Receptor("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03")
D = Decimal

LEAST: dict[str, Any] = {
    "number": "A-1",
    "paid_at": "2026-11-20T10:00:00-06:00",
    "forma_pago": "03",
    "lines": [{"description": "Taza", "quantity": 3, "total": "100.00", "rate": 0.16}],
}


def text(**changes: Any) -> bytes:
    return json.dumps(LEAST | changes).encode()


def of_line(**changes: Any) -> bytes:
    merged = LEAST["lines"][0] | changes
    return text(lines=[{name: one for name, one in merged.items() if one is not None}])


def problems(data: bytes) -> dict[str, str]:
    with pytest.raises(SaleInvalid) as caught:
        read_sale(data, now=NOW)
    found: dict[str, str] = {}
    for path, message in caught.value.problems:
        found[path] = f"{found.get(path, '')}; {message}"
    return found


def test_the_least_there_is() -> None:
    sale = read_sale(text(), now=NOW)
    assert (sale.key, sale.number, sale.total, sale.currency) == ("A-1", "A-1", D("100.00"), "MXN")
    assert sale.paid_at == sale.placed_at == datetime(2026, 11, 20, 16, tzinfo=UTC)
    assert sale.payment_state is PaymentState.PAID
    assert sale.payments[0].forma_pago == "03"
    assert sale.lines[0].base == D("86.206897")
    assert sale.lines[0].total == D("100.00")
    assert from_json(to_json(sale)) == sale


def test_the_same_text_later_is_the_same_sale_but_a_newer_snapshot() -> None:
    first = read_sale(text(), now=NOW)
    later = read_sale(text(), now=NOW.replace(minute=1))
    assert (later.key, later.lines) == (first.key, first.lines)
    assert later.revision > first.revision
    assert read_sale(text(key="K"), now=NOW).key == "K"


FULL = text(
    key="pedido-77",
    placed_at="2026-11-19T23:59:59Z",
    currency="USD",
    exchange_rate="17.85",
    total="291.80",
    buyer={"name": "X", "email": "x@example.com", "rfc": "CACX7605101P8", "uso": "G03"},
    lines=[
        {"description": "Libro", "quantity": 1, "total": "50.00", "rate": "exento"},
        {"description": "Pan", "quantity": 1, "total": "20.00", "rate": "0"},
        {
            "description": "Dulce",
            "quantity": "2",
            "total": "125.28",
            "discount": "12.52",
            "taxes": [{"impuesto": "IVA", "rate": 0.16}, {"impuesto": "IEPS", "rate": "0.08"}],
            "sku": "D-1",
            "clave_prod_serv": "50161800",
            "clave_unidad": "H87",
        },
        {
            "description": "Refresco",
            "quantity": 6,
            "total": "80.52",
            "taxes": [
                {"impuesto": "IEPS", "factor": "Cuota", "rate": "1.6451"},
                {"impuesto": "IVA", "rate": "0.16"},
            ],
        },
        {"description": "Envío", "quantity": 1, "total": "16.00", "rate": 0.16, "kind": "shipping"},
        {"description": "Propina", "quantity": 1, "total": 0, "objeto_imp": "01", "kind": "tip"},
    ],
)


def test_a_full_one_becomes_an_exact_document() -> None:
    sale = read_sale(FULL, now=NOW)
    rules = Rules()
    assert review(sale, rules=rules, emisor=EMISOR, lugar_expedicion="42501") == ()
    document = compose(
        sale,
        rules=rules,
        emisor=EMISOR,
        lugar_expedicion="42501",
        receptor=RECEPTOR,
        fecha=datetime(2026, 11, 20, 12),  # noqa: DTZ001 - local time, as written
        serie="F",
        folio="1",
    )
    assert document.total == D("291.80")
    assert document.tipo_cambio == D("17.85")
    assert limits_hold(document) == ()
    assert [one.objeto_imp for one in document.conceptos] == ["02"] * 5
    assert document.conceptos[2].descuento is not None
    assert [one.importe for one in document.conceptos[0].traslados] == [None]


@given(
    st.integers(1, 10**9),
    st.integers(0, 10**7),
    st.integers(1, 10**8),
    st.sampled_from(["0.16", "0.08", "0", "exento"]),
)
def test_any_amount_becomes_an_exact_document(
    cents: int, discount: int, thousandths: int, rate: str
) -> None:
    line = {
        "description": "x",
        "quantity": str(D(thousandths) / 1000),
        "total": str(D(cents) / 100),
        "discount": str(D(discount) / 100),
        "rate": rate,
    }
    sale = read_sale(text(lines=[line]), now=NOW)
    findings = review(sale, rules=Rules(), emisor=EMISOR, lugar_expedicion="42501")
    # A price below a millionth cannot be written (t_Importe).
    too_small = sale.lines[0].subtotal / sale.lines[0].quantity < D("0.000001")
    assert findings == () or too_small


@pytest.mark.parametrize(
    ("data", "path", "says"),
    [
        (b"", "", "not JSON"),
        (b"\xff", "", "UTF-8"),
        (b"[", "", "line 1"),
        (b"[" * 100_000, "", "JSON"),
        (b"[]", "", "has to be a table"),
        (b"null", "", "has to be a table"),
        (b'{"number": 1, "number": 2}', "", "twice"),
        (b" " * (2 * 1024 * 1024 + 1), "", "longer"),
        (b"{}", "number", "is missing: what the buyer knows"),
        (b"{}", "lines", "is missing"),
        (text(nunber="x"), "nunber", "did you mean number?"),
        (text(number=1), "number", "text"),
        (text(number=""), "number", "1 to 100"),
        (text(number=" x"), "number", "1 to 100"),
        (text(number="x" * 101), "number", "1 to 100"),
        (text(number="a\x00b"), "number", "control characters"),
        (text(number="a\ud800b"), "number", "control characters"),
        (text(paid_at="2026-11-20"), "paid_at", "with its zone"),
        (text(paid_at="2026-11-20T10:00:00"), "paid_at", "with its zone"),
        (text(paid_at="2026-02-30T10:00:00Z"), "paid_at", "exists"),
        (text(paid_at="0001-01-01T00:00:00+14:00"), "paid_at", "exists"),
        (text(paid_at="2026-11-20T18:06:00Z"), "paid_at", "future"),
        (text(placed_at="2027-11-20T18:06:00Z"), "placed_at", "future"),
        (text(forma_pago="99"), "forma_pago", "c_FormaPago"),
        (text(forma_pago=3), "forma_pago", "c_FormaPago"),
        (text(currency="mxn"), "currency", "capital"),
        (text(currency="ZZZ"), "currency", "c_Moneda"),
        (text(currency="XXX"), "currency", "c_Moneda"),
        (text(exchange_rate=0), "exchange_rate", "above 0"),
        (text(total="99.99"), "total", "add up"),
        (text(lines=[]), "lines", "1 to 2000"),
        (text(lines={}), "lines", "a list"),
        (text(lines=["x"]), "lines[0]", "a table"),
        (text(lines=LEAST["lines"] * 2001), "lines", "1 to 2000"),
        (text(buyer={"mail": "x"}), "buyer.mail", "did you mean email?"),
        (text(buyer={"email": "a b"}), "buyer.email", "e-mail"),
        (text(buyer={"rfc": "X" * 14}), "buyer.rfc", "13"),
        (of_line(description=None), "lines[0].description", "is missing"),
        (of_line(description=" "), "lines[0].description", "1 to 1000"),
        (of_line(description="a\nb"), "lines[0].description", "line breaks"),
        (of_line(quantity=0), "lines[0].quantity", "above 0"),
        (of_line(quantity="0"), "lines[0].quantity", "above 0"),
        (of_line(quantity="0.000"), "lines[0].quantity", "above 0"),
        (of_line(quantity=True), "lines[0].quantity", "number"),
        (of_line(quantity=-1), "lines[0].quantity", "above 0"),
        (of_line(quantity=0.1234567), "lines[0].quantity", "6 decimals"),
        (of_line(total=-1), "lines[0].total", "paid"),
        (of_line(total="1,000.00"), "lines[0].total", "paid"),
        (of_line(total="1e5"), "lines[0].total", "paid"),
        (of_line(total=float("nan")), "lines[0].total", "finite"),
        (of_line(total=1e300), "lines[0].total", "finite"),
        (of_line(total=10**13), "lines[0].total", "below"),
        (of_line(total="0"), "lines", "nothing to invoice"),
        (of_line(total="1.005"), "lines", "2 decimals"),
        (of_line(rate=0.15), "lines[0].rate", "c_TasaOCuota"),
        (of_line(rate=16), "lines[0].rate", "c_TasaOCuota"),
        (of_line(rate="16%"), "lines[0].rate", "fraction"),
        (of_line(rate=None), "lines[0]", "exactly one"),
        (of_line(objeto_imp="01"), "lines[0]", "exactly one"),
        (of_line(rate=None, objeto_imp="02"), "lines[0].objeto_imp", "without taxes"),
        (of_line(rate=None, taxes=[]), "lines[0].taxes", "1 to 5"),
        (of_line(rate=None, taxes=[{"impuesto": "ISR"}]), "lines[0].taxes[0].impuesto", "IVA"),
        (of_line(rate=None, taxes=[{"impuesto": "IVA"}]), "lines[0].taxes[0]", "c_TasaOCuota"),
        (
            of_line(rate=None, taxes=[{"impuesto": "IVA", "rate": 0.16}] * 2),
            "lines[0].taxes",
            "twice",
        ),
        (of_line(clave_prod_serv="99999999"), "lines[0].clave_prod_serv", "c_ClaveProdServ"),
        (of_line(clave_unidad="QQ"), "lines[0].clave_unidad", "c_ClaveUnidad"),
        (of_line(kind="gift"), "lines[0].kind", "shipping"),
    ],
)
def test_every_problem_says_where_and_what(data: bytes, path: str, says: str) -> None:
    found = problems(data)
    assert path in found, found
    assert says in found[path]


def test_all_problems_come_at_once() -> None:
    assert set(problems(b'{"lines": [{"total": 1}], "x": 1}')) == {
        "number",
        "paid_at",
        "forma_pago",
        "x",
        "lines[0]",
        "lines[0].description",
        "lines[0].quantity",
    }


def test_messages_repeat_no_value() -> None:
    found = problems(text(buyer={"rfc": "CACX7605101P8X", "email": "quien@ejemplo"}, number=" a"))
    assert "CACX" not in str(found)
    assert "quien" not in str(found)


@pytest.mark.parametrize("data", [text(), FULL])
def test_what_is_read_is_what_the_published_schema_allows(data: bytes) -> None:
    schema = json.loads((ROOT / "docs/sale.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    assert validator.is_valid(json.loads(data))
    for change in ({"number": 1}, {"lines": []}, {"forma_pago": "99"}, {"more": 1}):
        assert not validator.is_valid(json.loads(data) | change)
        problems(json.dumps(json.loads(data) | change).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@given(data=st.data())
def test_whatever_stands_in_a_field_is_read_or_refused(data: st.DataObject) -> None:
    spoil: Callable[..., bytes] = data.draw(st.sampled_from([text, of_line]))
    fields = {text: [*LEAST, "buyer", "currency"], of_line: [*LEAST["lines"][0], "taxes", "sku"]}
    name = data.draw(st.sampled_from(fields[spoil]))
    with suppress(SaleInvalid):
        to_json(read_sale(spoil(**{name: data.draw(JSON)}), now=NOW))


@given(st.binary(max_size=50))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(SaleInvalid):
        read_sale(data, now=NOW)
