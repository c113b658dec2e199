"""The end of a month: every subscription renews at once, and Stripe tells it twice and in disorder.

`STRIPE_RENEWALS` (120) and `STRIPE_SECONDS` (the longest wait, 900) make it larger; from 1,000 on a
worker is killed besides. `STRIPE_DATABASE` tries another database: docs/stripe/testing.md.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.stripe import FakeStripe, Fault, Post
from tests.fakes.stripe.saas import COMPLETE, KEY, Saas, live_account

pytestmark = pytest.mark.slow

RENEWALS = int(os.environ.get("STRIPE_RENEWALS", "120"))
SECONDS = float(os.environ.get("STRIPE_SECONDS", "900"))
RULES = """\
[automatico]
facturar = true
[ventana]
dias = 366
"""


@pytest.fixture
def saas(install: Any) -> Iterator[Saas]:
    with FakeStripe(live_account()) as fake:
        more = {}
        if database := os.environ.get("STRIPE_DATABASE"):
            more = {"DATABASE_URL": database, **given_keys()}
        home = install(workers=2, ALLOW_PRIVATE_HOSTS="1", **more)
        yield Saas(home, fake, Post(fake.account), home.merchant(rules=RULES).merchant_id)


def given_keys() -> dict[str, str]:
    """With PostgreSQL the keys are to be given."""
    return {
        "AUTOFACTURA_KEYS": "k1:" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "SECRET_KEY": "of-a-test-" * 5,
    }


def renew(saas: Saas) -> dict[str, dict[str, Any]]:
    """A bill of its own total for each customer, by number. Every second customer is complete."""
    shop, bills = saas.shop, {}
    for number in range(RENEWALS):
        known = {**COMPLETE, "metadata": dict(COMPLETE["metadata"])} if number % 2 else {}
        customer = shop.customer(**known, email=f"c{number}@cliente.example")
        bill = shop.bill(
            9_900 + 7 * number,
            customer=customer,
            subscription=shop.subscription(customer),
            billing_reason="subscription_cycle",
        )
        bills[bill["number"]] = bill
        if number % 10 == 0:  # two events of one thing
            saas.account.happens("invoice.paid", bill)
        if number % 20 == 3:
            saas.account.faults.append(Fault("429", 1, f"/v1/invoices/{bill['id']}", "GET"))
        if number % 20 == 6:
            saas.account.faults.append(Fault("500", 2, f"/v1/customers/{customer['id']}", "GET"))
        if number % 20 == 9:
            saas.account.faults.append(Fault("drop", 1, f"/v1/invoices/{bill['id']}", "GET"))
    return bills


def test_each_renewal_is_one_sale_and_one_invoice_or_one_letter(
    saas: Saas, mail_server: Any, eventually: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    saas.connect(KEY)
    eventually(lambda: saas.is_told, 0.5)
    bills = renew(saas)
    saas.post.waiting += random.Random("again").sample(saas.post.waiting, RENEWALS // 2)
    told, began = len(saas.post.waiting), time.monotonic()
    if RENEWALS >= 1000:
        killer = threading.Timer(20, kill_a_worker, [saas])
        killer.start()
    answers = saas.post.deliver(order=random.Random("disorder"), at_once=4)
    filed = time.monotonic() - began
    assert set(answers) == {200}
    complete = {f"c{number}@cliente.example" for number in range(1, RENEWALS, 2)}

    def all_served() -> bool:
        """Told by what came to be, with no command meanwhile: the machine is small."""
        return len(saas.home.stamps()) >= len(complete) and len(mail_server.envelopes) >= RENEWALS

    eventually(all_served, 1.0 if RENEWALS < 1000 else 5.0, seconds=SECONDS)
    took = time.monotonic() - began
    if RENEWALS >= 1000:
        eventually(lambda: nothing_waits(saas), 5.0, seconds=SECONDS)
    sales = saas.sales()
    assert {one: Decimal(row["total"]) for one, row in sales.items()} == {
        number: Decimal(bill["total"]) / 100 for number, bill in bills.items()
    }
    invoiced = [Decimal(bill["total"]) / 100 for bill in bills.values() if bill["customer"]]
    assert saas.stamped() == sorted(invoiced)[1::2]
    letters = Counter(one.rcpt_tos[0] for one in mail_server.envelopes)
    assert letters == Counter(f"c{number}@cliente.example" for number in range(RENEWALS))
    with_invoice = {str(one["To"]) for one in mail_server.invoices()}
    assert with_invoice == complete
    states = Counter(row["state"] for row in sales.values())
    assert states == Counter({"abierta": (RENEWALS + 1) // 2, "lista": RENEWALS // 2})
    assert saas.cli("review", "list")["data"] == []
    assert not saas.account.faults or not any(one.times for one in saas.account.faults)
    saas.home.healthy()
    with capsys.disabled():
        print(
            f"\n{RENEWALS} renewals in {told} deliveries: filed in {filed:.1f} s, "
            f"all served after {took:.1f} s, {len(saas.account.asked)} requests to Stripe"
        )


def kill_a_worker(saas: Saas) -> None:
    os.kill(saas.home.pids("hub.cli worker")[0], signal.SIGKILL)


def nothing_waits(saas: Saas) -> bool:
    return not saas.cli("inbox", "list", "--state", "filed")["data"]
