"""A company that charges by Stripe, at an installation: what Stripe tells, in whatever order."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Link
from tests.fakes.stripe import FakeStripe, Post
from tests.fakes.stripe.saas import COMPLETE, KEY, Saas, live_account

pytestmark = pytest.mark.slow

RULES = """\
[automatico]
facturar = true
[forma_pago]
default = "04"
[ventana]
dias = 366
"""
OLDER = ("2022-11-15", "2024-06-20", "2025-03-31.basil")


@pytest.fixture(scope="module")
def saas(install: Any) -> Iterator[Saas]:
    with FakeStripe(live_account()) as fake:
        home = install(workers=2, ALLOW_PRIVATE_HOSTS="1")
        company = Saas(home, fake, Post(fake.account), home.merchant(rules=RULES).merchant_id)
        company.connect(KEY)
        yield company


@pytest.fixture(autouse=True)
def connected(saas: Saas, eventually: Any) -> None:
    eventually(lambda: saas.is_told, 0.5)


def tell(saas: Saas, *, order: random.Random | None = None, repeat: int = 1) -> None:
    """Deliver what waits, and wait until the hub has looked at all of it."""
    assert set(saas.post.deliver(order=order, repeat=repeat, at_once=4)) <= {200}
    saas.digested()


def complete(saas: Saas, email: str, **more: Any) -> dict[str, Any]:
    metadata = dict(COMPLETE["metadata"])
    return saas.shop.customer(**{**COMPLETE, "metadata": metadata, "email": email, **more})


def row_of(saas: Saas, number: str) -> dict[str, Any]:
    return saas.sales()[number]


def link_of(saas: Saas, number: str) -> Link:
    return Link(row_of(saas, number)["link"])


def stamped(saas: Saas, total: str) -> list[dict[str, str]]:
    return [one for one in saas.home.stamps() if Decimal(one["total"]) == Decimal(total)]


def intent_of(saas: Saas, bill: dict[str, Any]) -> dict[str, Any]:
    (paid,) = saas.account.look("invoice_payment", invoice=bill["id"])
    return saas.account.objects[paid["payment"]["payment_intent"]]


def letters_to(mail_server: Any, email: str) -> list[Any]:
    return list(mail_server.letters(email))


def test_whatever_order_four_tellings_come_in_they_are_one_sale_one_invoice_one_letter(
    saas: Saas, mail_server: Any, eventually: Any
) -> None:
    """Bill, payment, Checkout and charge; one in four orders is told in older words, and twice."""
    (endpoint,) = saas.account.look("webhook_endpoint")
    endpoint["enabled_events"] = [*endpoint["enabled_events"], "charge.succeeded"]
    rounds: list[list[Any]] = [[], [], [], []]
    bills = []
    for number, order in enumerate(itertools.permutations(range(4))):
        customer = complete(saas, f"orden{number}@cliente.example")
        bill = saas.shop.bill(20_000 + 13 * number, customer=customer, tell=False)
        intent = intent_of(saas, bill)
        session = saas.shop.session(intent=None, amount=bill["total"], invoice=bill["id"])
        endpoint["api_version"] = (None, *OLDER)[number % 4]
        for word, thing in (
            ("invoice.paid", bill),
            ("payment_intent.succeeded", intent),
            ("checkout.session.completed", session),
            ("charge.succeeded", saas.account.objects[intent["latest_charge"]]),
        ):
            saas.account.happens(word, thing)
        told, saas.post.waiting[:] = list(saas.post.waiting), []
        assert len(told) == 4
        for place, which in enumerate(order):
            rounds[place].append(told[which])
        bills.append(bill)
    endpoint["enabled_events"].remove("charge.succeeded")
    for some in rounds:
        saas.post.waiting += some
        tell(saas, order=random.Random("orders"), repeat=2)
    sales = saas.sales()
    assert {one: Decimal(row["total"]) for one, row in sales.items()} == {
        bill["number"]: Decimal(bill["total"]) / 100 for bill in bills
    }
    eventually(lambda: {row["state"] for row in saas.sales().values()} == {"lista"}, 2.0)
    assert saas.stamped() == sorted(Decimal(bill["total"]) / 100 for bill in bills)
    came = Counter(one.rcpt_tos[0] for one in mail_server.envelopes)
    assert came == Counter(f"orden{number}@cliente.example" for number in range(24))
    saas.home.healthy()


def test_money_back_before_the_invoice_makes_it_smaller(
    saas: Saas, buyer: dict[str, str], eventually: Any
) -> None:
    bill = saas.shop.bill(40_600, customer=saas.shop.customer(email="antes@cliente.example"))
    saas.shop.refund(intent_of(saas, bill), 11_600)
    tell(saas, order=random.Random("before"))
    link = link_of(saas, bill["number"])
    assert link.send(buyer).status_code == 303
    assert link.settled()["estado"] == "lista"
    assert len(stamped(saas, "290.00")) == 1
    assert not stamped(saas, "406.00")


def test_money_back_after_it_is_one_credit_note_however_it_is_told(
    saas: Saas, eventually: Any
) -> None:
    """A refund and the credit note it was made by are the same money."""
    noted = saas.shop.bill(81_200, customer=complete(saas, "nota@cliente.example"))
    paid = saas.shop.payment(69_600, customer=complete(saas, "pago@cliente.example")["id"])
    tell(saas)
    eventually(lambda: stamped(saas, "812.00") and stamped(saas, "696.00"), 0.5)
    # What the stamp brings is kept before the next is told.
    both = (noted["number"], paid["id"])
    eventually(lambda: {row_of(saas, one)["state"] for one in both} == {"lista"}, 1.0)
    saas.shop.credit_note(noted, 23_200, saas.shop.refund(intent_of(saas, noted), 23_200))
    saas.shop.refund(paid, 34_800)
    tell(saas, order=random.Random("after"), repeat=2)
    eventually(lambda: stamped(saas, "232.00") and stamped(saas, "348.00"), 0.5)
    tell(saas)
    notes = [one for one in saas.cli("invoice", "list", "--limit", "500")["data"]
             if one["kind"] == "egreso"]  # fmt: skip
    assert sorted(Decimal(one["total"]) for one in notes) == [Decimal(232), Decimal(348)]
    assert len(stamped(saas, "232.00")) == len(stamped(saas, "348.00")) == 1
    saas.home.healthy()


def test_a_dispute_holds_the_sale_until_it_is_won(saas: Saas, buyer: dict[str, str]) -> None:
    paid = saas.shop.payment(46_400)
    dispute = saas.shop.dispute(paid)
    tell(saas)
    number = paid["id"]
    assert row_of(saas, number)["link"] is None
    dispute["status"] = "won"
    saas.account.happens("charge.dispute.closed", dispute)
    tell(saas)
    link = link_of(saas, number)
    assert link.estado()["estado"] == "abierta"
    again = saas.shop.dispute(paid)
    tell(saas)
    assert link.estado()["estado"] == "en_revision"
    again["status"] = "won"
    saas.account.happens("charge.dispute.closed", again)
    tell(saas)
    assert link.send(buyer).status_code == 303
    assert link.settled()["estado"] == "lista"


def test_a_customer_who_changes_before_the_renewal_is_invoiced_as_changed(
    saas: Saas, eventually: Any
) -> None:
    customer = complete(saas, "cambia@cliente.example")
    first = saas.shop.bill(30_100, customer=customer)
    tell(saas)
    eventually(lambda: row_of(saas, first["number"])["state"] == "lista", 1.0)
    customer |= {"name": "XOCHILT CASAS CHAVEZ",
                 "address": {"country": "MX", "postal_code": "36257"},
                 "metadata": {"regimen_fiscal": "612", "uso_cfdi": "G03"}}  # fmt: skip
    (tax_id,) = customer["tax_ids"]["data"]
    tax_id["value"] = "CACX7605101P8"
    saas.account.happens("customer.updated", customer)
    saas.account.happens("customer.tax_id.updated", {**tax_id, "customer": customer["id"]})
    second = saas.shop.bill(30_200, customer=customer)
    tell(saas, order=random.Random("renewal"))
    eventually(lambda: row_of(saas, second["number"])["state"] == "lista", 1.0)
    received = [link_of(saas, one["number"]).download("cfdi.xml") for one in (first, second)]
    assert [b'Rfc="CACX7605101P8"' in one for one in received] == [False, True]
    assert b'DomicilioFiscalReceptor="36257"' in received[1]


def test_data_that_came_late_serve_the_sale_that_waits(
    saas: Saas, mail_server: Any, eventually: Any
) -> None:
    customer = saas.shop.customer(email="tarde@cliente.example")
    bill = saas.shop.bill(30_300, customer=customer)
    tell(saas)
    eventually(lambda: letters_to(mail_server, "tarde@cliente.example"))
    assert row_of(saas, bill["number"])["state"] == "abierta"
    known = complete(saas, "tarde@cliente.example")
    customer |= {name: known[name] for name in ("name", "address", "metadata", "tax_ids")}
    told = {**customer["tax_ids"]["data"][0], "customer": customer["id"]}
    saas.account.happens("customer.tax_id.created", told)
    tell(saas)
    eventually(lambda: row_of(saas, bill["number"])["state"] == "lista", 1.0)
    assert len(stamped(saas, "303.00")) == 1


def test_a_voucher_is_no_money_until_it_is_paid(saas: Saas) -> None:
    voucher, session = saas.shop.voucher(31_400)
    tell(saas)
    assert row_of(saas, voucher["id"])["link"] is None
    waiting = requests.get(door(saas, session), timeout=60, allow_redirects=False)
    assert waiting.status_code == 303
    link = Link(saas.home.url + waiting.headers["Location"])
    assert link.estado()["estado"] == "cancelada"
    assert "Tu pago todavía no está confirmado" in requests.get(link.url, timeout=60).text
    saas.shop.pay_voucher(voucher, session)
    tell(saas, order=random.Random("voucher"), repeat=2)
    assert link_of(saas, voucher["id"]).estado()["estado"] == "abierta"


def door(saas: Saas, session: dict[str, Any]) -> str:
    """`success_url`, as Stripe fills it in."""
    return f"{saas.home.url}/s/stripe/{saas.connection_id}/{session['id']}"


def test_the_page_after_the_payment_needs_no_event(saas: Saas, buyer: dict[str, str]) -> None:
    paid = saas.shop.payment(31_500)
    (session,) = saas.account.look("checkout.session", payment_intent=paid["id"])
    told, saas.post.waiting[:] = list(saas.post.waiting), []
    answer = requests.get(door(saas, session), timeout=60, allow_redirects=False)
    assert answer.status_code == 303
    link = Link(saas.home.url + answer.headers["Location"])
    assert link.send(buyer).status_code == 303
    assert link.settled()["estado"] == "lista"
    saas.post.waiting += told
    tell(saas)
    assert len(stamped(saas, "315.00")) == 1


def test_what_neither_event_nor_sweep_told_the_books_do(saas: Saas, eventually: Any) -> None:
    saas.account.now -= 3600  # so fresh money may still be on its way
    bill = saas.shop.bill(31_600, customer=complete(saas, "perdida@cliente.example"))
    saas.account.now += 3600
    lost = {event["id"] for _, event in saas.post.waiting}
    saas.post.waiting.clear()
    saas.account.events[:] = [one for one in saas.account.events if one["id"] not in lost]
    told = saas.cli("connection", "reconcile", saas.connection_id)
    assert {"order": bill["id"], "difference": "missing"}.items() <= told["differences"][0].items()
    eventually(lambda: bill["number"] in saas.sales(), 1.0)
    assert saas.cli("connection", "reconcile", saas.connection_id)["differences"] == []
    eventually(lambda: len(stamped(saas, "316.00")) == 1, 1.0)


def test_the_other_mode_is_another_account(saas: Saas) -> None:
    """What is told of a test at the live endpoint, and the key of a test to a live account."""
    bill = saas.shop.bill(31_700, customer=complete(saas, "modo@cliente.example"), livemode=False)
    tell(saas)
    row = saas.sales().get(bill["number"])
    assert row is None or row["link"] is None
    assert not stamped(saas, "317.00")
    mixed = saas.connect("rk_test_51HubOfTests0000abcdef", "--url", f"{saas.fake.base}/acct_x/live",
                         expect=2)  # fmt: skip
    assert "mode" in str(mixed)


def test_an_endpoint_that_was_switched_off_is_switched_on(saas: Saas, eventually: Any) -> None:
    """Itself, or another in its place: the first test left it at an old version."""
    (endpoint,) = saas.account.look("webhook_endpoint")
    endpoint["status"] = "disabled"
    endpoint["enabled_events"] = ["invoice.paid"]
    saas.cli("connection", "set", saas.connection_id, "--setting", "ppd=false")

    def whole() -> list[Any]:
        there = saas.account.look("webhook_endpoint")
        return there if [one["status"] for one in there] == ["enabled"] else []

    (mended,) = eventually(whole, 1.0)
    assert "refund.created" in mended["enabled_events"]


def test_what_is_wrong_with_a_key_is_said(saas: Saas, eventually: Any) -> None:
    for wrong in ("pk_live_51HubOfTests", "sk_live_51HubOfTests"):
        told = saas.connect(wrong, expect=2)
        assert "rk_" in str(told)
        assert wrong not in str(told)
    permissions = saas.account.keys[KEY]
    saas.account.keys[KEY] = permissions - {"tax_rate_read", "customer_read", "customer_write"}
    again = ("connection", "renew", saas.connection_id, "--key", KEY)
    saas.cli(*again)
    named = eventually(lambda: saas.shown()["problem"], 1.0)
    assert "Customers: Read" in named
    assert "Tax rates: Read" in named
    assert "Invoices" not in named
    saas.account.keys[KEY] = permissions
    saas.cli(*again)
    eventually(lambda: not saas.shown()["problem"], 1.0)


def test_disconnected_it_leaves_nothing_at_the_account(saas: Saas, eventually: Any) -> None:
    """The last of all: what comes afterwards is nobody's."""
    body, headers = saas.post.signed({"id": "evt_late", "object": "event"}, endpoint_of(saas))
    url = saas.shown()["webhook_url"]
    saas.cli("connection", "disconnect", saas.connection_id)
    eventually(lambda: not saas.account.look("webhook_endpoint"), 1.0)
    assert requests.post(url, data=body, headers=headers, timeout=60).status_code >= 400
    saas.connect(KEY)


def endpoint_of(saas: Saas) -> str:
    (endpoint,) = saas.account.look("webhook_endpoint")
    return str(endpoint["id"])
