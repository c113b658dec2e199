"""Whether SAT knows an RFC is said at the field, soon or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cfdi.pac.contract import Later, NotOffered, Registered
from hub.domain.purchase import FiscalForm
from hub.steps.buyer import Buyer
from hub.steps.known_at_sat import PER_HOUR

pytestmark = pytest.mark.parametrize("url", ["sqlite"], indirect=True)

FORM = FiscalForm("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "")
NOBODY = replace(FORM, rfc="CACX850101AB7")


class Asked:
    """Stands between the hub and the provider; counts, and answers in its place."""

    def __init__(self, world: Any, merchant: Any) -> None:
        self.pac = world.pac(merchant.account)
        self.really: Callable[[str], Any] = self.pac.registered
        self.instead: Callable[[str], Any] | None = None
        self.times = 0
        self.pac.registered = self

    def __call__(self, rfc: str, *, nombre: str = "", cp: str = "") -> Any:
        self.times += 1
        return (self.instead or self.really)(rfc)


@pytest.fixture
def asked(world: Any, merchant: Any) -> Asked:
    return Asked(world, merchant)


@pytest.fixture
def buyer(world: Any) -> Buyer:
    return Buyer(world.ctx)


def codes(buyer: Buyer, token: str, form: FiscalForm) -> list[tuple[str, str]]:
    found = buyer.examine(token, form)
    assert found is not None
    return [(one.path, one.code) for one in found.findings]


UNKNOWN = [("rfc", "rfc_not_registered")]


def test_an_rfc_that_sat_does_not_know_claims_nothing(
    merchant: Any, asked: Asked, buyer: Buyer
) -> None:
    """By the register of the sandbox, over its socket."""
    sale_id = merchant.keep()
    token = merchant.token(sale_id)
    assert codes(buyer, token, FORM) == []
    assert codes(buyer, token, NOBODY) == UNKNOWN
    assert [one.campo for one in buyer.request(token, NOBODY, "es")] == ["rfc"]
    assert merchant.of(lambda tenant: tenant.invoices.list()) == []
    assert buyer.request(token, FORM, "es") == ()
    assert asked.times == 2  # each RFC once


def test_an_answer_is_good_for_a_day_and_a_no_for_less(
    world: Any, merchant: Any, asked: Asked, buyer: Buyer
) -> None:
    token = merchant.token(merchant.keep())
    for form in (FORM, NOBODY):
        codes(buyer, token, form)
    world.clock.advance(16 * 60)
    asked.instead = lambda _rfc: Registered(known=True)
    assert codes(buyer, token, NOBODY) == []  # has registered since
    codes(buyer, token, FORM)
    assert asked.times == 3
    world.clock.advance(86400)
    codes(buyer, token, FORM)
    assert asked.times == 4


def failing(_rfc: str) -> Any:
    raise RuntimeError("a defect of the client")


@pytest.mark.parametrize(
    "answer",
    [
        lambda _rfc: Later("down"),
        lambda _rfc: NotOffered(),
        lambda _rfc: Registered(known=None),
        failing,
    ],
)
def test_a_provider_that_does_not_say_holds_nobody_up(
    merchant: Any, asked: Asked, buyer: Buyer, answer: Callable[[str], Any]
) -> None:
    token = merchant.token(merchant.keep())
    asked.instead = answer
    for form in (NOBODY, replace(NOBODY, rfc="CACX850101AC5"), FORM):
        assert codes(buyer, token, form) == []
    assert asked.times == 1  # it rests
    assert buyer.request(token, NOBODY, "es") == ()


@pytest.mark.usefixtures("hurried")
def test_a_silent_one_is_waited_for_a_second_by_few(
    merchant: Any, asked: Asked, buyer: Buyer, patience: Any
) -> None:
    token = merchant.token(merchant.keep())

    answers = threading.Event()

    def slow(_rfc: str) -> Registered:
        assert answers.wait(600)
        return Registered(known=False)

    asked.instead = slow
    assert codes(buyer, token, NOBODY) == []
    assert (patience.waits, patience.longest) == (1, 1.0)
    answers.set()
    until = time.monotonic() + 600
    while buyer.known_at_sat.questions.under_way() and time.monotonic() < until:
        time.sleep(0.01)
    assert codes(buyer, token, NOBODY) == UNKNOWN  # what came too late serves the next
    assert asked.times == 1


def test_nobody_is_asked_about_what_is_no_mans_or_not_wanted(
    merchant: Any, asked: Asked, buyer: Buyer
) -> None:
    token = merchant.token(merchant.keep())
    foreign = FiscalForm("XEXX010101000", "JANE DOE", "", "", "", "")
    codes(buyer, token, foreign)
    codes(buyer, token, replace(FORM, rfc="XAXX010101000"))
    codes(buyer, token, replace(FORM, rfc="NO ES UN RFC"))
    assert buyer.examine("x" * 43, FORM) is None
    rules = '[forma_pago]\ndefault = "03"\n[pagina]\nvalidar_rfc = false\n'
    merchant.change(lambda tenant: tenant.rules.set(rules))
    assert codes(buyer, token, NOBODY) == []
    assert asked.times == 0


def test_other_errors_are_told_with_it(merchant: Any, asked: Asked, buyer: Buyer) -> None:
    del asked
    token = merchant.token(merchant.keep())
    assert [path for path, _ in codes(buyer, token, replace(NOBODY, cp="1"))] == ["rfc", "cp"]


def test_whoever_has_one_link_does_not_ask_about_everybody(
    world: Any, merchant: Any, asked: Asked, buyer: Buyer
) -> None:
    token, other = merchant.token(merchant.keep("1")), merchant.token(merchant.keep("2"))
    asked.instead = lambda _rfc: Registered(known=False)
    forms = [replace(NOBODY, rfc=f"CACX85{n:02}01AB7") for n in range(1, 13)]
    forms += [replace(NOBODY, rfc=f"CACX86{n:02}01AB7") for n in range(1, 13)]
    told = [codes(buyer, token, form) for form in forms]
    assert told == [UNKNOWN] * PER_HOUR + [[]] * (len(forms) - PER_HOUR)
    assert asked.times == PER_HOUR
    assert codes(buyer, token, forms[0]) == UNKNOWN  # remembered
    assert codes(buyer, other, forms[-1]) == UNKNOWN  # another buyer is asked about
    world.clock.advance(3601)
    assert codes(buyer, token, forms[-2]) == UNKNOWN
