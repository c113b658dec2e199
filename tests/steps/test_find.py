"""A purchase by the code and the total of its ticket, on both stores, and what a pass shows."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain import ticket
from hub.domain.purchase import Estado, FiscalForm, Purchase
from hub.domain.sale import Excluded, PaymentState, Refund
from hub.steps import ask, deliver, find, look, request
from hub.steps.opening import PASS_LIFETIME

pytestmark = pytest.mark.usefixtures("who_waits_is_told_the_same")

TOTAL = Decimal("116.00")


def code_of(merchant: Any, sale_id: str) -> str:
    return str(merchant.of(lambda tenant: tenant.sales.get(sale_id)).code)


@pytest.fixture
def invoiced(world: Any, merchant: Any) -> Any:
    """A sale with an invoice, and a pass for it."""
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.quiet()
    assert merchant.estado(sale_id) is Estado.LISTA
    world.post.letters.clear()
    token = find.find(world.ctx, code_of(merchant, sale_id), TOTAL)
    assert token is not None
    return sale_id, token


def test_code_and_total_open_the_purchase(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    code = code_of(merchant, sale_id)
    for of in (None, merchant.id):
        token = find.find(world.ctx, code, TOTAL, of)
        assert token is not None
        page = look.purchase(world.ctx, token)
        assert page is not None
        shown = ticket.shown(code), Estado.ABIERTA, False
        assert (page.code, page.estado, page.proven) == shown


#: What whoever holds a ticket may see: the purchase, how it stands, whose page it is.
OF_A_TICKET = {
    *("estado", "merchant_id", "merchant_name", "issuer_name", "merchant_rfc", "number", "code"),
    *("placed_at", "currency", "lines", "subtotal", "taxes", "refunded", "total", "deadline_at"),
    *("usos", "issued_at", "sandbox", "reason", "asked_at", "cancelling", "vista"),
    *("excluded", "brand", "group", "apart", "joinable", "dividable", "parts", "unitable", "part"),
}


def test_a_field_of_the_page_is_shown_to_the_holder_of_a_ticket_only_if_it_is_listed() -> None:
    """A new field fails here until somebody has said which of the two it is."""
    every: Any = {one.name: object() for one in fields(Purchase)} | {"estado": Estado.LISTA}
    whole = Purchase(**every)
    shown = look._unproven(whole)
    same = {name for name in every if getattr(shown, name) is getattr(whole, name)}
    assert same == OF_A_TICKET


def test_whatever_does_not_fit_is_nothing_after_the_same_time(world: Any, merchant: Any) -> None:
    other = world.settle(1)
    code = code_of(merchant, merchant.keep())
    foreign = code_of(other, other.keep("9001", total=Decimal("116.00")))
    world.clock.slept.clear()
    tries = [
        (code, Decimal("116.01"), None),
        (code, TOTAL, other.id),
        (foreign, TOTAL, merchant.id),
        ("ZZZZZZZZ", TOTAL, None),
        ("ZZZZZZZZ", TOTAL, merchant.id),
        (code, TOTAL, "no such merchant"),
        ("%_%_%_%_", TOTAL, None),
        ("' OR 1=1", TOTAL, None),
    ]
    assert [find.find(world.ctx, *one) for one in tries] == [None] * len(tries)
    assert world.clock.slept == [find.MISS_SECONDS] * len(tries)


def test_the_total_of_the_ticket_or_what_is_due_now(world: Any, merchant: Any) -> None:
    changes = {
        "refunds": (Refund("r1", Decimal("16.00")),),
        "excluded": (Excluded("tip", Decimal("10.00")),),
    }
    code = code_of(merchant, merchant.keep(**changes))
    found = {
        total: find.find(world.ctx, code, Decimal(total)) is not None
        for total in ("116", "100.00", "126", "110", "90", "16", "0")
    }
    assert [total for total, there in found.items() if there] == ["116", "100.00", "126"]


def test_a_sale_that_is_only_a_test_is_not_found_by_the_buyers_of_a_live_shop(
    world: Any, merchant: Any
) -> None:
    code = code_of(merchant, merchant.keep(test=True))
    assert find.find(world.ctx, code, TOTAL) is not None
    merchant.set_pac("live")
    assert find.find(world.ctx, code, TOTAL) is None


def test_of_one_code_at_two_merchants_the_address_decides(world: Any, merchant: Any) -> None:
    other = world.settle(1)
    mine, theirs = merchant.keep(), other.keep()
    code = code_of(merchant, mine)
    with world.store.transaction() as tx:
        tx.session.sql("UPDATE sale SET code = ? WHERE id = ?", code, theirs)
    assert find.find(world.ctx, code, TOTAL) is None
    for of in (merchant, other):
        token = find.find(world.ctx, code, TOTAL, of.id)
        assert token is not None
        page = look.purchase(world.ctx, token)
        assert page is not None
        assert page.merchant_id == of.id


def test_a_misread_code_finds_its_purchase_and_never_another(world: Any, merchant: Any) -> None:
    one, two = merchant.keep("1"), merchant.keep("2", total=Decimal("116.00"))
    with world.store.transaction() as tx:
        tx.session.sql("UPDATE sale SET code = 'QD5S8B2Z' WHERE id = ?", one)
    for typed in ("QD5S8B2Z", "0D5S8B2Z", "O05S8BZZ", "QD5SBB2Z"):
        found = find.matching(world.ctx, typed, TOTAL)
        assert found is not None, typed
        assert found.sale_id == one
    with world.store.transaction() as tx:
        tx.session.sql("UPDATE sale SET code = 'QDSS8B2Z' WHERE id = ?", two)
    exact = [find.matching(world.ctx, typed, TOTAL) for typed in ("QD5S8B2Z", "QDSS8B2Z")]
    assert [found.sale_id for found in exact if found] == [one, two]
    assert find.matching(world.ctx, "0DSS8B2Z", TOTAL) is None  # which of them nobody can tell


def test_a_sale_without_a_link_gets_one(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep(payment_state=PaymentState.PENDING, paid_at=None)
    token = find.find(world.ctx, code_of(merchant, sale_id), TOTAL)
    assert token is not None
    page = look.purchase(world.ctx, token)
    assert page is not None
    assert page.reason == "pending"


def test_a_pass_ends_with_its_day_and_with_its_link(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    code = code_of(merchant, sale_id)
    first = find.find(world.ctx, code, TOTAL)
    assert first is not None
    world.clock.advance((PASS_LIFETIME - timedelta(seconds=1)).total_seconds())
    assert look.purchase(world.ctx, first) is not None
    world.clock.advance(2)
    assert look.purchase(world.ctx, first) is None
    second = find.find(world.ctx, code, TOTAL)
    assert second is not None
    link = merchant.token(sale_id)
    merchant.change(lambda tenant: tenant.links.renew(sale_id))
    assert look.purchase(world.ctx, second) is None
    assert look.purchase(world.ctx, link) is None
    assert find.find(world.ctx, code, TOTAL) is not None


@pytest.mark.parametrize("cut", [0, 1, 5, -1, -10])
def test_a_pass_that_was_touched_opens_nothing(world: Any, merchant: Any, cut: int) -> None:
    token = find.find(world.ctx, code_of(merchant, merchant.keep()), TOTAL)
    assert token is not None
    letter = "A" if token[cut] != "A" else "B"
    changed = token[:cut] + letter + (token[cut + 1 :] if cut != -1 else "")
    assert changed == token or look.purchase(world.ctx, changed) is None
    assert changed != token


def test_a_pass_shows_nothing_of_a_receiver(world: Any, merchant: Any, invoiced: Any) -> None:
    _, token = invoiced
    page = look.purchase(world.ctx, token)
    assert page is not None
    assert page.estado is Estado.LISTA
    assert page.issued_at is not None
    shown = repr(page)
    for secret in ("CACX7605101P8", "XOCHILT", "36257", "xochilt@", "x•••"):
        assert secret not in shown
    assert page.uuid is None
    assert look.stamped(world.ctx, token) is None
    assert look.noted(world.ctx, token, 1) is None
    error = deliver.send_again(world.ctx, token, "thief@example.com", "es")
    assert error is not None
    world.drain()
    assert world.post.letters == []


def test_a_refusal_is_shown_to_nobody_but_who_was_refused(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    merchant.request(sale_id, FiscalForm("CACX7605101P8", "OTRO NOMBRE", "36257", "612", "G03"))
    world.quiet()
    assert merchant.estado(sale_id) is Estado.RECHAZADA
    token = find.find(world.ctx, code_of(merchant, sale_id), TOTAL)
    assert token is not None
    page = look.purchase(world.ctx, token)
    assert page is not None
    assert (page.estado, page.form, page.errors) == (Estado.ABIERTA, FiscalForm(), ())


@pytest.mark.parametrize("typed", ["CACX7605101P8", " cacx-760510-1p8 ", "RFC: CACX7605101P8"])
def test_the_rfc_of_the_receiver_opens_the_link(
    world: Any, merchant: Any, invoiced: Any, typed: str
) -> None:
    sale_id, token = invoiced
    assert find.prove(world.ctx, token, typed) == merchant.token(sale_id)


@pytest.mark.parametrize(
    "typed", ["", "JUFA7608212V6", "XAXX010101000", "XEXX010101000", "CACX7605101P", "\ud800"]
)  # fmt: skip
def test_another_rfc_opens_nothing(world: Any, invoiced: Any, typed: str) -> None:
    assert find.prove(world.ctx, invoiced[1], typed) is None
    assert find.prove(world.ctx, "no pass", "CACX7605101P8") is None


def test_a_foreigner_is_known_by_name_as_well(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    token = find.find(world.ctx, code_of(merchant, sale_id), TOTAL)
    assert token is not None
    form = FiscalForm("XEXX010101000", "JANE ROE", "", "616", "S01", "")
    cp = merchant.of(lambda tenant: tenant.merchant()).codigo_postal
    done = request.request(world.ctx, token, replace(form, cp=cp), "en")
    assert done is not None
    assert done.errors == ()
    assert find.prove(world.ctx, token, form.rfc) is None
    assert find.prove(world.ctx, token, form.rfc, "JOHN DOE") is None
    assert find.prove(world.ctx, token, form.rfc, " jane  roe ") == merchant.token(sale_id)


def test_it_is_sent_to_the_address_it_was_given_with(world: Any, invoiced: Any) -> None:
    find.resend(world.ctx, invoiced[1])
    world.drain()
    assert [letter.to for letter in world.post.letters] == ["xochilt@example.com"]
    find.resend(world.ctx, "no pass")


def test_without_an_address_nothing_is_sent(world: Any, merchant: Any, form: FiscalForm) -> None:
    sale_id = merchant.keep()
    merchant.request(sale_id, replace(form, correo=""))
    world.quiet()
    world.post.letters.clear()
    token = find.find(world.ctx, code_of(merchant, sale_id), TOTAL)
    assert token is not None
    find.resend(world.ctx, token)
    world.drain()
    assert world.post.letters == []


def test_who_did_not_ask_for_it_tells_the_merchant(
    world: Any, merchant: Any, invoiced: Any
) -> None:
    sale_id, token = invoiced
    form = {"correo": "yo@example.com", "mensaje": "No fui yo", "idioma": "es"}
    assert ask.dispute(world.ctx, token, form) is None
    assert ask.dispute(world.ctx, token, form | {"mensaje": "thief"}) is None
    [filed] = merchant.of(lambda tenant: tenant.asks.list())
    assert (filed.kind, filed.form["mensaje"], filed.sale_id) == ("disputed", "No fui yo", sale_id)
    # Who has the invoice hears nothing of it.
    page = look.purchase(world.ctx, merchant.token(sale_id))
    assert page is not None
    assert page.asked_at is None


def test_who_asked_by_a_ticket_keeps_nobody_out_who_has_the_link(world: Any, merchant: Any) -> None:
    """Anybody may have read a ticket: the buyer's request stands, beside what that one said."""
    merchant.keep()
    sale_id = merchant.keep(revision=2, payment_state=PaymentState.CANCELLED)
    stranger, mine = (
        find.find(world.ctx, code_of(merchant, sale_id), TOTAL),
        merchant.token(sale_id),
    )
    assert stranger is not None
    theirs = {"correo": "otra@example.com", "mensaje": "Es mía", "idioma": "es"}
    assert ask.ask(world.ctx, stranger, theirs) is None
    assert merchant.page(sale_id).asked_at is None
    words = {"correo": "yo@example.com", "mensaje": "No la cancelé", "idioma": "es"}
    for _ in range(2):
        assert ask.ask(world.ctx, mine, words) is None
    [waits] = merchant.of(lambda tenant: tenant.asks.list())
    assert (waits.form["mensaje"], waits.form["por"]) == ("No la cancelé", "enlace")
    assert waits.form["antes_por_ticket"] == "correo: otra@example.com; mensaje: Es mía; idioma: es"
    assert merchant.page(sale_id).asked_kind == "cancelled"
    # And not the other way round.
    assert ask.ask(world.ctx, stranger, theirs) is None
    assert [one.id for one in merchant.of(lambda tenant: tenant.asks.list())] == [waits.id]


def test_who_asks_by_a_pass_is_the_receiver(world: Any, merchant: Any, form: FiscalForm) -> None:
    sale_id = merchant.keep()
    code = code_of(merchant, sale_id)
    mine, theirs = (find.find(world.ctx, code, TOTAL) for _ in range(2))
    assert mine is not None
    assert theirs is not None
    done = request.request(world.ctx, mine, form, "es")
    assert done is not None
    assert done.errors == ()
    assert find.prove(world.ctx, mine, form.rfc, form.nombre) == merchant.token(sale_id)
    # Somebody who asks at the same moment is not let in by that.
    late = replace(form, rfc="JUFA7608212V6", nombre="ADRIANA JUAREZ FERNANDEZ", cp="01160")
    again = request.request(world.ctx, theirs, late, "es")
    assert again is not None
    assert find.prove(world.ctx, theirs, late.rfc, late.nombre) is None
