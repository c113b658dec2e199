"""The contract, for every installed connector and every payload recorded of its platform.

A connector takes part by being installed. One without recorded payloads fails.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from importlib.metadata import entry_points
from itertools import islice
from typing import Any

import pytest

from connectors.contract import (
    Connector,
    ConnectorError,
    Delivery,
    DeliveryUnreadable,
    Notice,
    SignatureInvalid,
)
from connectors.registry import GROUP, connectors
from hub.domain.money import round_half_up
from hub.domain.sale import (
    Excluded,
    Payment,
    PaymentState,
    Refund,
    RefundLine,
    Sale,
    SaleLine,
)
from hub.domain.snapshot import from_json, to_json

CONNECTORS = connectors()
HOSTILE_BODIES = [
    b"",
    b" ",
    b"null",
    b"0",
    b"true",
    b'"x"',
    b"[]",
    b"{}",
    b"[{}]",
    b'{"id":',
    b"\xff\xfe{}",
    b"\x00",
    b'{"id":NaN}',
    b'{"id":1e999999999}',
    b'{"id":' + b"9" * 5000 + b"}",
    b'{"id":-1}',
    b'{"id":"../1"}',
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"id":1,"x":"' + b"x" * 9_000_000 + b'"}',
]
HOSTILE_VALUES: list[Any] = [
    None,
    "",
    "x",
    "x" * 30_000,
    -1,
    0,
    1.5,
    10**40,
    "1e400",
    "NaN",
    "Infinity",
    "-0",
    "١",
    "1_0",
    True,
    [],
    {},
    [[]],
    "\ud800",
    "a\x00b",
    "<script>",
    "'; drop table sale; --",
    "2026-02-30T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]


@pytest.fixture(params=sorted(entry_points(group=GROUP).names))
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connector(platform: str) -> Connector:
    return CONNECTORS[platform]


@pytest.fixture
def payloads(platform: str, recorded: Callable[[str], Any]) -> Any:
    return recorded(platform)


@pytest.fixture
def signed(connector: Connector, payloads: Any) -> list[tuple[str, Delivery]]:
    return [(name, one) for name, one in payloads.deliveries if not connector.is_greeting(one)]


def documents(connector: Connector, payloads: Any) -> Iterator[tuple[str, bytes]]:
    """Everything `normalize` has to read: fetched orders and delivered ones."""
    yield from payloads.orders
    for name, one in payloads.deliveries:
        notice = None if connector.is_greeting(one) else connector.read(one)
        if notice and notice.snapshot is not None:
            yield name, notice.snapshot


def refused(connector: Connector, one: Delivery, keys: Any) -> bool:
    try:
        connector.authenticate(one, keys)
    except SignatureInvalid:
        return True
    return False


def test_the_registry_is_not_empty() -> None:
    assert CONNECTORS


def test_a_connector_is_loaded_and_recorded(platform: str, payloads: Any, signed: Any) -> None:
    assert CONNECTORS[platform].platform == platform
    assert signed, "record deliveries with their signatures"
    assert payloads.orders, "record what fetch returns"
    assert set(payloads.keys.current()) <= set(CONNECTORS[platform].credential_names)


def test_recorded_deliveries_are_authentic(
    connector: Connector, payloads: Any, signed: Any
) -> None:
    for name, one in signed:
        assert not refused(connector, one, payloads.keys), name


def test_one_flipped_bit_is_refused(connector: Connector, payloads: Any, signed: Any) -> None:
    chance = random.Random(7)
    for name, one in signed:
        for place in {0, len(one.body) - 1, *(chance.randrange(len(one.body)) for _ in range(20))}:
            body = bytearray(one.body)
            body[place] ^= 1 << chance.randrange(8)
            assert refused(connector, replace(one, body=bytes(body)), payloads.keys), (name, place)
        assert refused(connector, replace(one, body=one.body + b"\n"), payloads.keys), name
        assert refused(connector, replace(one, body=one.body[:-1]), payloads.keys), name


def test_other_or_missing_secrets_are_refused(
    connector: Connector, payloads: Any, signed: Any, keys: Any
) -> None:
    for name, one in signed:
        for wrong in ("", "another secret", "ñ\udcff", "x" * 100_000):
            others = dict.fromkeys(payloads.keys.current(), wrong)
            assert refused(connector, one, keys(**others)), name
        assert refused(connector, one, keys()), name


def test_hostile_signatures_are_refused(connector: Connector, payloads: Any, signed: Any) -> None:
    hostile = ("", " ", "é" * 44, "\udcff", "A" * 44, "=" * 44, "A" * 100_000, "\x00", "t=1,v1=é")
    for name, one in signed:
        signing = [
            header
            for header in one.headers
            if refused(connector, without(one, header), payloads.keys)
        ]
        assert signing, f"{name}: no header matters to the signature"
        for header in signing:
            for value in hostile:
                forged = replace(one, headers={**one.headers, header: value})
                assert refused(connector, forged, payloads.keys), (name, header)
        assert refused(connector, replace(one, headers={}), payloads.keys), name


def without(one: Delivery, header: str) -> Delivery:
    return replace(one, headers={k: v for k, v in one.headers.items() if k != header})


def test_reading_is_stable_and_names_facts(connector: Connector, signed: Any) -> None:
    facts: dict[str, tuple[str, bytes]] = {}
    for name, one in signed:
        notice = connector.read(one)
        later = replace(one, received_at=one.received_at + timedelta(days=1))
        assert connector.read(later) == notice, name
        if notice is None:
            continue
        assert isinstance(notice, Notice)
        assert notice.order_id
        assert 8 <= len(notice.event_key) <= 200
        fact = (notice.event, one.body)
        assert facts.setdefault(notice.event_key, fact) == fact, f"{name} is taken for another fact"
    assert len(facts) == len(set(facts.values()))


def test_normalizing_is_pure_and_whole(connector: Connector, payloads: Any, facts: Any) -> None:
    for name, raw in documents(connector, payloads):
        sale = connector.normalize(raw, facts())
        assert connector.normalize(bytes(raw), facts()) == sale, name
        assert from_json(to_json(sale)) == sale, name
        assert broken(sale) == [], name


def test_paid_sales_add_up_to_the_cent(connector: Connector, payloads: Any, facts: Any) -> None:
    paid = 0
    for name, raw in documents(connector, payloads):
        sale = connector.normalize(raw, facts())
        if sale.payment_state is not PaymentState.PAID or sale.doubts:
            continue
        paid += 1
        assert sale.paid_at, name
        if sale.rounds_to:  # the shop charged another amount than its lines say, and says so
            continue
        charged = sum((line.total for line in sale.lines), Decimal(0))
        assert round_half_up(charged, 2) == sale.total, name
    assert paid, "record a paid order"


def broken(sale: Sale) -> list[str]:
    """What holds for every sale, of whatever platform and in whatever state, and does not here."""
    payments = [one.key for one in sale.payments if one.key]
    refunds = [one.key for one in sale.refunds]
    instants = (
        sale.placed_at,
        sale.paid_at,
        sale.due_at,
        *(one.at for one in (*sale.payments, *sale.refunds)),
    )
    lines = {line.key: line for line in sale.lines}
    holds = {
        "it has a key and a number": bool(sale.key and sale.number),
        "its revision is not negative": sale.revision >= 0,
        "instants are in UTC": all(
            one is None or one.utcoffset() == timedelta(0) for one in instants
        ),
        "lines have keys of their own": len(lines) == len(sale.lines),
        "payments have keys of their own": len(set(payments)) == len(payments),
        "refunds have keys of their own": len(set(refunds)) == len(refunds) and all(refunds),
        "no discount is negative": all(line.discount >= 0 for line in sale.lines),
        "claims do not repeat and are not empty": len(set(sale.claims)) == len(sale.claims)
        and all(sale.claims),
        "what is excluded has a kind and an amount": all(
            one.kind and one.amount > 0 for one in sale.excluded
        ),
        "no more was given back than charged": bool(sale.doubts) or sale.due >= 0,
        "no refund is negative": bool(sale.doubts)
        or all(refund.total >= 0 for refund in sale.refunds),
        "refunds are of its lines": bool(sale.doubts)
        or all(part.key in lines for refund in sale.refunds for part in refund.lines),
        "what is on credit says until when or is paid": not sale.on_credit
        or sale.due_at is not None
        or sale.payment_state is PaymentState.PAID,
        "currency is three capital letters": bool(sale.doubts)
        or (len(sale.currency) == 3 and sale.currency.isascii() and sale.currency.isupper()),
    }
    return [name for name, held in holds.items() if not held]


def test_what_holds_for_every_sale_can_be_broken() -> None:
    line = SaleLine("1", "x", Decimal(1), Decimal(10), Decimal(0))
    at = datetime(2026, 11, 20, tzinfo=UTC)
    sale = Sale("1", "1", 1, at, at, PaymentState.PAID, "MXN", Decimal(10), (line,))
    assert broken(sale) == []
    wrong: list[dict[str, Any]] = [
        {"key": ""},
        {"revision": -1},
        {"due_at": at.astimezone(timezone(timedelta(hours=-6)))},
        {"lines": (line, line)},
        {"payments": (Payment("card", Decimal(5), key="p"), Payment("card", Decimal(5), key="p"))},
        {"refunds": (Refund("r", Decimal(1)), Refund("r", Decimal(1)))},
        {"refunds": (Refund("", Decimal(1)),)},
        {"lines": (replace(line, discount=Decimal(-1)),)},
        {"claims": ("a", "a")},
        {"claims": ("",)},
        {"excluded": (Excluded("tip", Decimal(0)),)},
        {"refunds": (Refund("r", Decimal(11)),)},
        {"refunds": (Refund("r", Decimal(-1)),)},
        {"refunds": (Refund("r", Decimal(1), lines=(RefundLine("9", Decimal(1), Decimal(1)),)),)},
        {"on_credit": True, "payment_state": PaymentState.PENDING},
        {"currency": "mxn"},
    ]
    for changes in wrong:
        assert len(broken(replace(sale, **changes))) == 1, changes


def test_unknown_fields_change_nothing(connector: Connector, payloads: Any, facts: Any) -> None:
    for name, raw in documents(connector, payloads):
        more = json.dumps(with_unknown_fields(json.loads(raw))).encode()
        assert connector.normalize(more, facts()) == connector.normalize(raw, facts()), name


def with_unknown_fields(value: Any) -> Any:
    if isinstance(value, dict):
        known = {name: with_unknown_fields(one) for name, one in value.items()}
        return {"zz_new": {"a": [1, None]}, **known, "zz_newer": "x"}
    return [with_unknown_fields(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("body", HOSTILE_BODIES, ids=lambda body: repr(body[:12]))
def test_hostile_bodies_are_unreadable_and_nothing_else(
    connector: Connector, signed: Any, facts: Any, body: bytes
) -> None:
    with pytest.raises(DeliveryUnreadable):
        connector.normalize(body, facts())
    for name, one in signed[:3]:
        try:
            notice = connector.read(replace(one, body=body))
        except DeliveryUnreadable:
            continue
        assert notice is None or body.startswith(b'{"id":'), name


def test_truncated_documents_are_unreadable(
    connector: Connector, payloads: Any, facts: Any
) -> None:
    for _, raw in documents(connector, payloads):
        for end in range(0, len(raw.rstrip()), 211):
            with pytest.raises(DeliveryUnreadable):
                connector.normalize(raw[:end], facts())


def test_any_hostile_value_is_read_or_unreadable(
    connector: Connector, payloads: Any, facts: Any
) -> None:
    read = 0
    for number, (_, raw) in enumerate(documents(connector, payloads)):
        original = json.loads(raw)
        found = list(places(original))
        # A small document meets everything; of a large one, each meets another quarter.
        step = 1 if len(found) < 20 else 4
        for at, path in islice(enumerate(found), number % step, None, step):
            for value in HOSTILE_VALUES if step == 1 else [nth(HOSTILE_VALUES, at // 4 + number)]:
                read += survives(connector, put(original, path, value), facts())
    assert read


def nth(values: list[Any], n: int) -> Any:
    return values[n % len(values)]


def survives(connector: Connector, document: Any, connection: Any) -> bool:
    try:
        sale = connector.normalize(json.dumps(document).encode(), connection)
    except DeliveryUnreadable:
        return False
    assert isinstance(sale, Sale)
    assert from_json(to_json(sale)) == sale, "a sale that cannot be stored"
    assert "\x00" not in to_json(sale)
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, one in pairs:
        yield from places(one, (*path, name))


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    head, *rest = path
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[head] = put(copy[head], tuple(rest), value) if rest else value
    return copy


def test_no_error_tells_a_secret_or_a_value(
    connector: Connector, payloads: Any, signed: Any, facts: Any, keys: Any
) -> None:
    canary = "canary-5up3r-s3cr3t"
    secrets = keys(**dict.fromkeys([*connector.credential_names, *payloads.keys.current()], canary))
    nowhere = facts(account="https://127.0.0.1")
    one = signed[0][1]
    tries: list[Callable[[], object]] = [
        lambda: connector.authenticate(one, secrets),
        lambda: connector.normalize(f'{{"id": "{canary}"}}'.encode(), nowhere),
        lambda: connector.normalize(f'{{"id": 1, "total": {canary}}}'.encode(), nowhere),
        lambda: connector.fetch("1", nowhere, secrets),
        lambda: list(connector.changed_since(datetime(2026, 1, 1, tzinfo=UTC), nowhere, secrets)),
    ]
    for attempt in tries:
        with pytest.raises(ConnectorError) as caught:
            attempt()
        assert canary not in chain(caught.value)


def chain(error: BaseException | None) -> str:
    told = ""
    while error:
        told += repr(error) + str(vars(error))
        error = error.__cause__ or error.__context__
    return told
