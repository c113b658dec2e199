"""Whose word counts for a customer's fiscal data: every case of the precedence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfdi.findings import Finding, FixableBy
from hub.domain.customers import (
    Fiscal,
    Profile,
    Source,
    Why,
    Word,
    confirmed,
    filled,
    known_by,
    may_be_served,
    prefill,
    same,
    tidy,
    unasked,
    usable,
    weigh,
    withdrawn,
    word_of,
)
from hub.domain.purchase import FiscalForm
from hub.domain.rules import Rules, parse
from hub.domain.sale import Buyer, PaymentState, Refund, Sale

T0 = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = Rules(automatico=True)
#: Three valid taxpayers: what the platform had, what the buyer gave, and a later one.
X = Fiscal("JUFA7608212V6", "ADRIANA JUAREZ FERNANDEZ", "01160", "612", "G03")
Y = Fiscal("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "xochilt@example.com")
Z = Fiscal("KAHO641101B39", "OSCAR KALA HAAK", "76074", "612", "G01")
HALF = replace(Z, regimen="")
REFUSED = (Finding("CFDI40145", "nombre", "no", "no", FixableBy.BUYER),)

PLATFORM = Profile(X, Source.PLATFORM, T0)
CONFIRMED = Profile(Y, Source.BUYER, T0, "live", X, "c@example.com")
STAFF = replace(CONFIRMED, source=Source.STAFF)


def word(data: Fiscal, days: float = 1) -> Word:
    return Word(data, T0 + days * DAY)


def new(data: Fiscal, days: float = 1) -> Profile:
    return Profile(data, Source.PLATFORM, T0 + days * DAY)


@pytest.mark.parametrize(
    ("known", "said", "expected"),
    [
        # Nothing known: what is complete and valid counts, nothing else does.
        (None, word(X), new(X)),
        (None, word(HALF), None),
        (None, word(Fiscal()), None),
        (None, word(replace(X, rfc="XAXX010101000")), None),
        (None, word(replace(X, rfc="XEXX010101000")), None),
        (None, word(replace(X, rfc="JUFA7608212V")), None),
        (None, word(replace(X, cp="00000")), None),
        (None, word(replace(X, regimen="601")), None),
        (None, word(replace(X, regimen="605", uso="G03")), None),
        (None, word(replace(X, uso="CP01")), None),
        # The platform's against the platform's: the later one.
        (PLATFORM, word(X), PLATFORM),
        (PLATFORM, word(Z), new(Z)),
        (PLATFORM, word(Z, -1), PLATFORM),
        (PLATFORM, word(HALF), PLATFORM),
        (PLATFORM, word(replace(X, uso="G01")), new(replace(X, uso="G01"))),
        (PLATFORM, word(replace(X, correo="other@example.com")), PLATFORM),
        # What a person confirmed stays against the unchanged, the incomplete, the older.
        (CONFIRMED, word(X), CONFIRMED),
        (CONFIRMED, word(X, 300), CONFIRMED),
        (CONFIRMED, word(replace(X, uso="")), CONFIRMED),
        (CONFIRMED, word(Y), CONFIRMED),
        (CONFIRMED, word(HALF), CONFIRMED),
        (CONFIRMED, word(Fiscal()), CONFIRMED),
        (CONFIRMED, word(replace(Z, rfc="XAXX010101000")), CONFIRMED),
        (CONFIRMED, word(Z, -1), CONFIRMED),
        (CONFIRMED, word(Z, 0), CONFIRMED),
        # … and gives way to a later, whole, valid edit.
        (CONFIRMED, word(Z), new(Z)),
        (CONFIRMED, word(replace(X, cp="76074")), new(replace(X, cp="76074"))),
        (STAFF, word(X), STAFF),
        (STAFF, word(Z), new(Z)),
        # What SAT refused is known as refused until it changes.
        (replace(PLATFORM, refused=REFUSED), word(X), replace(PLATFORM, refused=REFUSED)),
        (replace(PLATFORM, refused=REFUSED), word(Z), new(Z)),
        (replace(CONFIRMED, refused=REFUSED), word(X), replace(CONFIRMED, refused=REFUSED)),
        (replace(CONFIRMED, refused=REFUSED), word(Z), new(Z)),
    ],
)
def test_the_platform_speaks(known: Profile | None, said: Word, expected: Profile | None) -> None:
    assert weigh(known, said, RULES) == expected


CONFIRM: dict[str, Any] = {"source": Source.BUYER, "environment": "live"}


@pytest.mark.parametrize(
    ("known", "stays"),
    [
        (None, False),
        (PLATFORM, False),
        (replace(PLATFORM, refused=REFUSED), False),
        (CONFIRMED, False),
        # First heard after the asking, though nobody changed it: the buyer had seen it.
        (new(X, 2), False),
        # Changed at the platform between the asking and the stamp: later than the buyer's word.
        (new(Z, 2), True),
        # Confirmed anew meanwhile.
        (Profile(Z, Source.BUYER, T0 + 2 * DAY), True),
        (Profile(Z, Source.STAFF, T0 + 2 * DAY), True),
    ],
)
def test_a_person_confirms(known: Profile | None, stays: bool) -> None:
    at = T0 + DAY
    said = Word(replace(X, correo="C@Example.com"), T0)
    after = confirmed(known, Y, at=at, word=said, **CONFIRM)
    expected = Profile(Y, Source.BUYER, at, "live", said.data, "c@example.com")
    assert after == (known if stays else expected)


def test_the_same_data_confirmed_again_are_no_longer_refused() -> None:
    known = replace(CONFIRMED, since_at=T0 + 2 * DAY, refused=REFUSED)
    after = confirmed(known, Y, at=T0 + DAY, word=word(X), **CONFIRM)
    assert after.refused == ()


def test_what_only_the_platform_said_goes_when_it_says_another_rfc() -> None:
    assert withdrawn(PLATFORM, word(Fiscal()))
    assert withdrawn(PLATFORM, word(HALF))
    assert not withdrawn(PLATFORM, word(replace(X, regimen="")))
    assert not withdrawn(PLATFORM, word(HALF, -1))
    assert not withdrawn(CONFIRMED, word(Fiscal()))
    assert not withdrawn(None, word(Fiscal()))


def sale(**changes: Any) -> Sale:
    given: dict[str, Any] = {
        "key": "1",
        "number": "1",
        "revision": 1,
        "placed_at": T0 + 5 * DAY,
        "paid_at": T0 + 5 * DAY,
        "payment_state": PaymentState.PAID,
        "currency": "MXN",
        "total": Decimal(116),
        "lines": (),
        "buyer": Buyer(key="c1", email="c@example.com"),
    }
    return Sale(**(given | changes))


def of(**changes: Any) -> Sale:
    return sale(buyer=replace(Buyer(key="c1", email="c@example.com"), **changes))


class TestUnasked:
    def test_the_data_and_where_to_send_them(self) -> None:
        assert unasked(CONFIRMED, of(), RULES).form == FiscalForm(
            "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "xochilt@example.com"
        )
        form = unasked(PLATFORM, of(), RULES).form
        assert form is not None
        assert (form.rfc, form.correo) == ("JUFA7608212V6", "c@example.com")

    @pytest.mark.parametrize(
        ("known", "bought", "why"),
        [
            (None, of(), Why.UNKNOWN),
            (replace(PLATFORM, refused=REFUSED), of(), Why.REFUSED),
            (replace(PLATFORM, data=HALF), of(), Why.INCOMPLETE),
            (replace(PLATFORM, data=replace(X, rfc="XAXX010101000")), of(), Why.INCOMPLETE),
            # This purchase names somebody else, though not enough for an invoice.
            (CONFIRMED, of(rfc="KAHO641101B39"), Why.CONFLICT),
            (PLATFORM, of(rfc="KAHO641101B39"), Why.CONFLICT),
            # One record of many people: "público en general" has no address, or another each time.
            (CONFIRMED, of(email=""), Why.STRANGER),
            (CONFIRMED, of(email="d@example.com"), Why.STRANGER),
            (replace(CONFIRMED, owner=""), of(email=""), Why.STRANGER),
            (replace(CONFIRMED, owner=""), of(), Why.STRANGER),
        ],
    )
    def test_why_not(self, known: Profile | None, bought: Sale, why: Why) -> None:
        answer = unasked(known, bought, RULES)
        assert (answer.form, answer.why) == (None, why)

    @pytest.mark.parametrize(
        ("known", "bought"),
        [
            # The RFC that the platform had, and that the buyer corrected.
            (CONFIRMED, of(rfc="jufa-760821-2v6")),
            (CONFIRMED, of(email="C@EXAMPLE.COM")),
            (STAFF, of(email="")),
            (PLATFORM, of(email="not an address")),
            # Older than what is known: it waited while the data were mended.
            (PLATFORM, replace(of(rfc="KAHO641101B39"), placed_at=T0 - DAY)),
        ],
    )
    def test_and_why(self, known: Profile, bought: Sale) -> None:
        assert unasked(known, bought, RULES).form is not None

    def test_the_merchant_fills_what_is_missing_and_nothing_else(self) -> None:
        rules = parse('[automatico]\nfacturar = true\nuso = "G03"\nregimen = "612"')
        assert (rules.automatico, rules.automatico_uso, rules.automatico_regimen) == (
            True,
            "G03",
            "612",
        )
        bare = replace(X, uso="", regimen="")
        assert not usable(bare, RULES)
        assert usable(bare, rules)
        assert filled(Z, rules) == Z
        form = unasked(replace(PLATFORM, data=bare), of(), rules).form
        assert form is not None
        assert (form.regimen, form.uso) == ("612", "G03")

    def test_a_filled_gap_that_does_not_fit_is_no_invoice(self) -> None:
        company = Fiscal("EKU9003173C9", "ESCUELA KEMPER URGATE", "42501")
        rules = Rules(automatico=True, automatico_uso="G03", automatico_regimen="612")
        assert unasked(replace(PLATFORM, data=company), of(), rules).why is Why.INCOMPLETE

    def test_the_uses_that_the_merchant_allows_bind_here_too(self) -> None:
        rules = Rules(automatico=True, usos=("S01",))
        assert unasked(PLATFORM, of(), rules).why is Why.INCOMPLETE


@pytest.mark.parametrize(
    ("changes", "served"),
    [
        ({}, True),
        ({"test": True}, False),
        ({"hold": "disputed"}, False),
        ({"barred": "another seller"}, False),
        ({"unverified": True}, False),
        ({"payment_state": PaymentState.PENDING}, False),
        ({"payment_state": PaymentState.UNKNOWN}, False),
        ({"payment_state": PaymentState.CANCELLED}, False),
        ({"paid_at": None}, False),
        ({"total": Decimal(0)}, False),
        ({"refunds": (Refund("r", Decimal(116)),)}, False),
        ({"refunds": (Refund("r", Decimal(16)),)}, True),
        ({"paid_at": T0 - DAY}, False),
        ({"paid_at": T0}, True),
    ],
)
def test_which_sales_are_never_served(changes: dict[str, Any], served: bool) -> None:
    assert may_be_served(sale(**changes), since=T0) is served


class TestPrefill:
    def test_what_the_platform_says_is_shown(self) -> None:
        assert prefill(PLATFORM, of()).rfc == X.rfc
        assert prefill(PLATFORM, of(rfc=X.rfc, uso="S01")) == FiscalForm(
            X.rfc, X.nombre, X.cp, X.regimen, "S01", "c@example.com"
        )

    def test_what_a_person_gave_is_not_shown_to_who_holds_a_link(self) -> None:
        for known in (CONFIRMED, STAFF):
            shown = prefill(known, of())
            assert shown == FiscalForm(regimen="612", uso="G03", correo="c@example.com")
            assert prefill(known, of(email="")) == FiscalForm()
            assert prefill(known, of(email="d@example.com")) == FiscalForm(correo="d@example.com")

    def test_two_people_are_not_mixed(self) -> None:
        assert prefill(PLATFORM, of(rfc=Z.rfc)) == FiscalForm(rfc=Z.rfc, correo="c@example.com")

    def test_the_purchase_itself_comes_first(self) -> None:
        assert prefill(None, of(rfc="x", postal_code="1")) == FiscalForm(
            rfc="x", cp="1", correo="c@example.com"
        )


TEXT = st.text(max_size=40)


@given(st.builds(Fiscal, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT))
def test_whatever_a_platform_says_is_weighed(said: Fiscal) -> None:
    data = tidy(said)
    assert tidy(data) == data
    after = weigh(None, Word(data, T0), RULES)
    assert after is None or usable(after.data, RULES)
    assert weigh(CONFIRMED, Word(data, T0), RULES) == CONFIRMED


def test_hostile_texts_are_cut_and_name_nobody() -> None:
    huge = "A" * 1_000_000
    heard = word_of(Buyer(huge, huge, huge, huge, huge, huge, huge, huge, huge, huge), T0)
    assert all(len(one) <= 1000 for one in vars_of(heard.data))
    assert not usable(heard.data, RULES)
    assert not known_by(huge)
    assert not known_by("")
    assert not known_by("c\x00")
    assert not known_by("c\n1")
    assert known_by("gid://x/Customer/1")


def vars_of(data: Fiscal) -> list[str]:
    return [data.rfc, data.nombre, data.cp, data.regimen, data.uso, data.correo]


def test_a_postal_code_alone_says_nothing_of_a_receiver() -> None:
    assert word_of(Buyer(postal_code="36257", name="X"), T0).data == Fiscal()
    assert same(word_of(Buyer(email="a@example.com"), T0).data, Fiscal())
