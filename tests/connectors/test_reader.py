"""The cursor over foreign JSON."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.contract import DeliveryUnreadable
from connectors.reader import MAX_BYTES, MAX_DEPTH, MAX_PARTS, Reader, read_json

DOCUMENT = read_json(
    b'{"id": 18, "total": "748.140000", "price": 172.40517233333333, "none": null, "on": true,'
    b' "name": "a\\u0000b\\ud800", "empty": "", "map": [], "float": 1.50, "big": 1e3,'
    b' "billing": {"email": "x@example.com", "deep": {"a": 1}}, "lines": [{"q": 1}, {"q": "2"}],'
    b' "gmt": "2026-11-20T18:00:43", "offset": "2026-11-20T12:00:43-06:00", "bad": "2026-02-30"}'
)


def test_what_is_there_is_read_exactly() -> None:
    assert DOCUMENT.text("id") == "18"
    assert DOCUMENT.text("big") == "1000"
    assert DOCUMENT.text("billing.email") == "x@example.com"
    assert DOCUMENT.text("billing.deep.a") == "1"
    assert str(DOCUMENT.decimal("total")) == "748.140000"
    assert str(DOCUMENT.decimal("price")) == "172.40517233333333"
    assert str(DOCUMENT.decimal("float")) == "1.50"
    assert DOCUMENT.flag("on")
    assert [line.decimal("q") for line in DOCUMENT.items("lines")] == [1, 2]


def test_text_can_be_stored_anywhere() -> None:
    assert DOCUMENT.text("name") == "ab?"


def test_instants_are_utc() -> None:
    expected = datetime(2026, 11, 20, 18, 0, 43, tzinfo=UTC)
    assert DOCUMENT.instant_gmt("gmt") == DOCUMENT.instant_gmt("offset") == expected
    assert DOCUMENT.instant_gmt("none") is DOCUMENT.instant_gmt("empty") is None


def test_absence_takes_the_default_or_names_the_place() -> None:
    assert DOCUMENT.text("none", "x") == DOCUMENT.text("map.nothing.at.all", "x") == "x"
    assert DOCUMENT.decimal("empty", Decimal(7)) == 7
    assert DOCUMENT.items("nothing") == ()
    assert not DOCUMENT.has("none")
    assert not DOCUMENT.flag("nothing", default=False)
    for read in (DOCUMENT.text, DOCUMENT.decimal, DOCUMENT.flag):
        with pytest.raises(DeliveryUnreadable, match=r"^billing\.rfc is missing$"):
            read("billing.rfc")
    with pytest.raises(DeliveryUnreadable, match=r"^lines\[1\]\.x is missing$"):
        DOCUMENT.items("lines")[1].text("x")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: DOCUMENT.text("on"),
        lambda: DOCUMENT.text("float"),
        lambda: DOCUMENT.text("billing"),
        lambda: DOCUMENT.text("id.x"),
        lambda: DOCUMENT.text("lines.q"),
        lambda: DOCUMENT.decimal("on"),
        lambda: DOCUMENT.decimal("gmt"),
        lambda: DOCUMENT.flag("id"),
        lambda: DOCUMENT.items("billing"),
        lambda: DOCUMENT.instant_gmt("bad"),
        lambda: DOCUMENT.at("lines").names(),
        DOCUMENT.elements,
    ],
)
def test_another_shape_is_an_error_that_tells_no_value(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(DeliveryUnreadable) as caught:
        wrong()
    assert "2026" not in str(caught.value)
    assert "example.com" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["1e13", "-1e13", "1e-31", "NaN", "1_0", "١", "0x1", "1,5", "9" * 31]
)
def test_numbers_out_of_reason_are_refused(text: str) -> None:
    with pytest.raises(DeliveryUnreadable):
        Reader({"a": text}).decimal("a")


def test_amounts_of_any_sane_size_pass() -> None:
    for text in ("0", "-0.00", "999999999999.999999", "-33.33", "1E+2", "0e400"):
        assert Reader({"a": text}).decimal("a") == Decimal(text)


def test_bounds_of_the_document() -> None:
    for depth, good in ((MAX_DEPTH - 1, True), (MAX_DEPTH, False)):
        raw = b"[" * depth + b"1" + b"]" * depth
        if good:
            read_json(raw)
            continue
        with pytest.raises(DeliveryUnreadable, match="deeply"):
            read_json(raw)
    read_json(b"[1]", max_bytes=3)
    with pytest.raises(DeliveryUnreadable, match="larger"):
        read_json(b"[12]", max_bytes=3)
    with pytest.raises(DeliveryUnreadable, match="fair length"):
        Reader([1] * 5001).elements()


@pytest.mark.parametrize("part", [b"[],", b"{},", b"1,", b'"",'])
def test_a_document_of_nothing_but_parts_is_refused_before_it_is_read(part: bytes) -> None:
    many = b"[" + part * (MAX_BYTES // len(part) - 2) + b"0]"
    begun = time.thread_time()
    with pytest.raises(DeliveryUnreadable, match="parts"):
        read_json(many)
    assert time.thread_time() - begun < 0.2
    fair = b"[" + part * (MAX_PARTS // 2 - 1) + b"0]"
    assert isinstance(read_json(fair).value, list)
