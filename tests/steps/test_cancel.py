"""Cancelling, on the real code and the sandbox over a socket: asked, filed, and what SAT says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from cfdi.cancelacion import Motivo, read_acuse
from cfdi.pac.contract import CancelRefused
from cfdi.pdf import Brand, render
from cfdi.sat.status import Estado as SatEstado
from cfdi.sat.status import EstatusCancelacion
from cfdi.xmldsig import verify
from hub.domain.purchase import Estado
from hub.domain.sale import Payment, PaymentState, Refund, SaleLine, SaleTax
from hub.domain.states import State
from hub.steps import answer, ask, cancel, cancelled, deliver, live
from hub.steps.context import PostUnavailable
from hub.steps.deliver import print_of
from hub.steps.refund import CHANGED
from hub.steps.review import waiting
from hub.store.errors import Refused

ERRORS, NONE_HAPPENED = Motivo.ERRORES_SIN_RELACION, Motivo.NO_SE_LLEVO_A_CABO
FORM_MAIL = "xochilt@example.com"

#: For what SAT, a provider or a merchant says; what rows make of it is tried on both engines.
on_one_engine = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


def dear(key: str) -> dict[str, Any]:
    """A purchase of 2,320.00: its receiver is asked, unless it is cancelled the same day."""
    iva = SaleTax(Decimal("320.00"), Decimal("0.16"), impuesto="IVA")
    line = SaleLine("1", "Vajilla", Decimal(1), Decimal("2000.00"), Decimal(0), (iva,))
    paid = (Payment("card", Decimal("2320.00"), forma_pago="04"),)
    return {"key": key, "lines": (line,), "total": Decimal("2320.00"), "payments": paid}


def stamped(world: Any, merchant: Any, **sale: Any) -> Any:
    sale_id = merchant.keep(**sale)
    merchant.request(sale_id)
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    return merchant.invoice(sale_id)


def asked(world: Any, merchant: Any, invoice: Any, motivo: Motivo = ERRORS, **more: Any) -> None:
    cancel.ask(world.ctx, merchant.id, invoice.id, motivo, **more)


def again(merchant: Any, invoice: Any) -> Any:
    return merchant.of(lambda tenant: tenant.invoices.get(invoice.id))


def kinds(merchant: Any, invoice: Any) -> list[str]:
    wish = merchant.of(lambda tenant: tenant.cancellations.current(invoice.id))
    return [event.kind for event in wish.events]


def notices(world: Any, merchant: Any) -> list[str]:
    return [one.note for one in waiting(world.ctx, merchant.id) if one.kind == "change"]


def test_a_small_invoice_is_cancelled_and_the_buyer_is_told(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    assert merchant.page(invoice.sale_ids[0]).cancelling
    assert merchant.estado(invoice.sale_ids[0]) is Estado.LISTA
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert kinds(merchant, invoice) == ["sent", "filed", "ended"]
    told = [one for one in world.post.to(FORM_MAIL) if "cancel" in one.subject]
    assert len(told) == 1
    assert invoice.uuid in told[0].text
    # With motivo 02 the purchase can be invoiced anew.
    assert merchant.estado(invoice.sale_ids[0]) is Estado.ABIERTA
    assert merchant.token(invoice.sale_ids[0]) in told[0].text
    # Mail programs show one of two letters with the same id.
    ids = [one.message_id for one in world.post.letters]
    assert len(set(ids)) == len(ids) > 1
    merchant.request(invoice.sale_ids[0])
    world.quiet()
    assert merchant.estado(invoice.sale_ids[0]) is Estado.LISTA
    assert merchant.page(invoice.sale_ids[0]).uuid != invoice.uuid


def test_what_did_not_happen_is_not_invoiced_again(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice, NONE_HAPPENED)
    world.quiet()
    page = merchant.page(invoice.sale_ids[0])
    assert (page.estado, page.reason) == (Estado.CANCELADA, "invoice_cancelled")
    assert merchant.request(invoice.sale_ids[0]).invoice_id == invoice.id
    world.quiet()
    assert len(world.provider.stamps()) == 1


def test_the_request_and_the_receipt_are_kept_byte_for_byte(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    world.quiet()
    wish = merchant.of(lambda tenant: tenant.cancellations.current(invoice.id))
    request, acuse = (
        merchant.of(lambda tenant, step=step: tenant.cancellations.detail(wish, step))
        for step in (1, 2)
    )
    root = etree.fromstring(request)
    verify(root)
    assert root.xpath("//@UUID") == [invoice.uuid.upper()]
    assert read_acuse(acuse).codigos == {invoice.uuid.upper(): "201"}


def test_a_dear_one_waits_for_its_receiver(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant, **dear("8001"))
    world.clock.advance(2 * 24 * 3600)
    asked(world, merchant, invoice)
    world.drain()
    world.clock.advance(3600)
    world.drain()
    assert again(merchant, invoice).state is State.CANCELLING
    assert merchant.page(invoice.sale_ids[0]).estado is Estado.LISTA
    world.provider.decide(invoice.uuid, "accept")
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED


@on_one_engine
def test_silence_counts_as_a_yes(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant, **dear("8001"))
    world.clock.advance(2 * 24 * 3600)
    asked(world, merchant, invoice)
    began = world.clock.now()
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert timedelta(days=3) <= world.clock.now() - began < timedelta(days=4)
    assert kinds(merchant, invoice).count("looked") < 16


def test_a_no_leaves_it_in_force_and_is_told(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant, **dear("8001"))
    world.clock.advance(2 * 24 * 3600)
    asked(world, merchant, invoice)
    world.drain()
    world.provider.decide(invoice.uuid, "reject")
    world.quiet()
    found = again(merchant, invoice)
    assert found.state is State.STAMPED
    assert [one.code for one in found.findings] == ["cancel_rejected"]
    assert "rechaz" in "".join(notices(world, merchant))
    assert not [one for one in world.post.to(FORM_MAIL) if "cancel" in one.subject]
    # Asked for again and granted, the notice is gone.
    asked(world, merchant, invoice)
    world.drain()
    world.provider.decide(invoice.uuid, "accept")
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert notices(world, merchant) == []


def test_what_sat_does_not_know_yet_is_asked_again(world: Any, merchant: Any) -> None:
    world.provider.unknown(40 * 3600)
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    found = kinds(merchant, invoice)
    assert found.count("later") == found.count("sent") - 1
    assert 3 < found.count("sent") < 15


OUTAGES = {
    "never_arrived": [("drop_before", 1, "cancel")],
    "answer_lost": [("drop_after", 1, "cancel")],
    "500_after": [("500_after_commit", 1, "cancel")],
    "garbage": [("garbage", 2, "cancel")],
    "busy": [("503", 3, "cancel"), ("429", 1, "cancel")],
    "sat_down": [("drop_before", 4, "status"), ("500", 1, "status")],
}


@on_one_engine
@pytest.mark.parametrize("faults", OUTAGES.values(), ids=OUTAGES)
def test_outages_end_in_one_cancellation(world: Any, merchant: Any, faults: Any) -> None:
    invoice = stamped(world, merchant)
    for mode, times, on in faults:
        world.provider.fault(mode, times, on=on)
    asked(world, merchant, invoice)
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert [one["uuid"] for one in world.provider.cancellations()] == [invoice.uuid.upper()]
    assert len([one for one in world.post.to(FORM_MAIL) if "cancel" in one.subject]) == 1


@pytest.mark.parametrize("when", ["before_cancel", "after_cancel"])
def test_a_worker_killed_around_the_sending(world: Any, merchant: Any, when: str) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    world.kill.arm(0, when)
    assert world.die(world.quiet)
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert kinds(merchant, invoice).count("sent") == 2
    assert world.provider.cancellations()[0]["requests"] == 1


@pytest.mark.parametrize(
    ("url", "motivo"),
    # What a commit holds is each engine's; what a motivo does is the same on both.
    [
        ("sqlite", ERRORS),
        ("sqlite", NONE_HAPPENED),
        pytest.param("postgres", ERRORS, marks=pytest.mark.postgres),
    ],
    indirect=["url"],
)
def test_killed_before_any_commit_it_still_ends_the_same(
    world: Any, merchant: Any, motivo: Motivo
) -> None:
    at = 1
    while True:
        world.provider.calm()
        invoice = stamped(world, merchant, key=f"9{at:03}")
        world.kill.arm(at, "commit")

        def all_of_it(invoice: Any = invoice) -> None:
            if again(merchant, invoice).state is State.STAMPED:
                asked(world, merchant, invoice, motivo)
            world.quiet()

        died = False
        while world.die(all_of_it):
            died = True
        assert again(merchant, invoice).state is State.CANCELLED
        assert kinds(merchant, invoice)[-1] == "ended"
        assert world.violations() == []
        world.kill.arm(0, "")
        if not died:
            assert at > 3
            return
        at += 1


def test_a_refusal_for_good_leaves_it_in_force(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    world.provider.fault("reject:204", on="cancel")
    asked(world, merchant, invoice)
    world.quiet()
    assert again(merchant, invoice).state is State.STAMPED
    assert kinds(merchant, invoice) == ["sent", "refused"]
    assert notices(world, merchant)
    assert merchant.estado(invoice.sale_ids[0]) is Estado.LISTA


def test_a_change_that_came_meanwhile_is_told_after_a_no(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    world.provider.fault("reject:204", on="cancel")
    asked(world, merchant, invoice)
    merchant.keep(revision=2, payment_state=PaymentState.CANCELLED)
    assert notices(world, merchant) == []
    world.quiet()
    assert len(notices(world, merchant)) == 2


@on_one_engine
def test_a_substitute_names_its_uuid(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    world.provider.fault("reject:208", on="cancel")
    substitute = "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F"
    asked(world, merchant, invoice, Motivo.ERRORES_CON_RELACION, substitute=substitute.lower())
    world.quiet()
    wish = merchant.of(lambda tenant: tenant.cancellations.current(invoice.id))
    assert wish.substitute == substitute
    sent = merchant.of(lambda tenant: tenant.cancellations.detail(wish, 1))
    assert f'FolioSustitucion="{substitute}"'.encode() in sent


@on_one_engine
@pytest.mark.parametrize(
    ("motivo", "substitute", "code"),
    [
        (Motivo.ERRORES_CON_RELACION, "", "substitute_needed"),
        (Motivo.ERRORES_CON_RELACION, "12345", "substitute_malformed"),
        (ERRORS, "5B3C1D2E-8F4A-4C6B-9D7E-0A1B2C3D4E5F", "substitute_unwanted"),
        (Motivo.NOMINATIVA_EN_GLOBAL, "", "motivo_04_global"),
    ],
)
def test_what_sat_would_refuse_is_refused_here(
    world: Any, merchant: Any, motivo: Motivo, substitute: str, code: str
) -> None:
    invoice = stamped(world, merchant)
    with pytest.raises(cancel.NotCancellable) as refused:
        asked(world, merchant, invoice, motivo, substitute=substitute)
    assert refused.value.finding.code == code
    assert again(merchant, invoice).state is State.STAMPED


@on_one_engine
def test_it_is_no_substitute_of_itself(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    with pytest.raises(cancel.NotCancellable, match="own substitute"):
        asked(
            world, merchant, invoice, Motivo.ERRORES_CON_RELACION, substitute=invoice.uuid.lower()
        )


@on_one_engine
def test_after_the_annual_return_it_is_too_late(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    # 31 March 2027, 23:59:59 in Pachuca, is 1 April 05:59:59 in UTC.
    to_the_end = (
        world.clock.now().replace(year=2027, month=4, day=1, hour=5, minute=59) - world.clock.now()
    ).total_seconds()
    world.clock.advance(to_the_end)
    asked(world, merchant, invoice)


@on_one_engine
def test_a_minute_later_it_is_too_late(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    end = world.clock.now().replace(year=2027, month=4, day=1, hour=6, minute=0)
    world.clock.advance((end - world.clock.now()).total_seconds())
    with pytest.raises(cancel.NotCancellable, match="time is over"):
        asked(world, merchant, invoice)


def test_only_what_is_stamped_and_only_once(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    merchant.request(sale_id)
    invoice = merchant.invoice(sale_id)
    with pytest.raises(cancel.NotCancellable, match="Only a stamped"):
        asked(world, merchant, invoice)
    world.quiet()
    asked(world, merchant, invoice)
    for _ in range(2):
        with pytest.raises(cancel.NotCancellable, match="already"):
            asked(world, merchant, invoice)
        world.quiet()
    with pytest.raises(LookupError):
        cancel.ask(world.ctx, merchant.id, "nobody's", ERRORS)


def test_of_many_who_ask_at_once_one_is_heard_and_the_others_are_told(
    world: Any, merchant: Any
) -> None:
    invoice, gate = stamped(world, merchant), threading.Barrier(6)
    found = list[str]()

    def ask_it() -> None:
        gate.wait()
        try:
            asked(world, merchant, invoice)
        except cancel.NotCancellable:
            found.append("told")
        except Exception as error:  # noqa: BLE001 - what else it was is told below
            found.append(repr(error))
        else:
            found.append("heard")

    threads = [threading.Thread(target=ask_it) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == ["heard", *["told"] * 5]


def test_another_merchants_invoice_is_nobodys(world: Any, merchant: Any) -> None:
    invoice, other = stamped(world, merchant), world.settle(1)
    with pytest.raises(LookupError):
        cancel.ask(world.ctx, other.id, invoice.id, ERRORS)
    with pytest.raises(LookupError):
        cancelled.status(world.ctx, other.id, invoice.id)


def test_the_database_wants_sats_word(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    with pytest.raises(Refused, match="before SAT says so"):
        merchant.change(
            lambda tenant: tenant.invoices.move(invoice.id, State.CANCELLING, State.CANCELLED)
        )
    with pytest.raises(Refused, match="in force"):
        merchant.change(lambda tenant: tenant.claims.release(invoice.id))
    wish = merchant.of(lambda tenant: tenant.cancellations.current(invoice.id))
    world.quiet()
    with pytest.raises(Refused, match="not under way"):
        merchant.change(lambda tenant: tenant.cancellations.note(wish, "ended", ""))


@on_one_engine
def test_a_test_account_of_a_real_provider_has_no_sat(world: Any, merchant: Any) -> None:
    world.sats[merchant.account.id] = None
    invoice = stamped(world, merchant)
    assert cancelled.status(world.ctx, merchant.id, invoice.id) is None
    asked(world, merchant, invoice)
    world.quiet()
    wish = merchant.of(lambda tenant: tenant.cancellations.current(invoice.id))
    assert (wish.events[-1].kind, wish.events[-1].code) == ("ended", cancelled.NO_SAT)


@on_one_engine
def test_sat_is_asked_on_request(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    said = cancelled.status(world.ctx, merchant.id, invoice.id)
    assert str(said.estado) == "Vigente"
    asked(world, merchant, invoice)
    world.quiet()
    world.clock.advance(60)
    said = cancelled.status(world.ctx, merchant.id, invoice.id)
    assert said.is_cancelled


@on_one_engine
def test_days_without_a_word_are_told(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    world.provider.fault("503", 1000, on="cancel")
    asked(world, merchant, invoice)
    until = world.clock.now() + timedelta(days=11)
    while world.clock.now() < until:
        world.drain()
        world.clock.advance(6 * 3600)
    assert again(merchant, invoice).state is State.CANCELLING
    assert len(notices(world, merchant)) == 1
    world.provider.calm()
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert notices(world, merchant) == []


@on_one_engine
def test_a_faulty_adapter_is_no_answer(
    world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = stamped(world, merchant)
    pac = world.pacs[merchant.account.id]
    real, faults = pac.cancel, [ValueError("boom")]

    def broken(request: bytes, uuid: str) -> Any:
        if faults:
            raise faults.pop()
        return real(request, uuid)

    monkeypatch.setattr(pac, "cancel", broken)
    asked(world, merchant, invoice)
    world.quiet()
    assert kinds(merchant, invoice) == ["sent", "unknown", "sent", "filed", "ended"]


def test_an_answer_that_comes_late_changes_nothing(
    world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that hung while another one ended it all."""
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    pac, real = world.pacs[merchant.account.id], world.pacs[merchant.account.id].cancel

    def slow(request: bytes, uuid: str) -> Any:
        monkeypatch.setattr(pac, "cancel", real)
        world.quiet()
        return CancelRefused((), b"late")

    monkeypatch.setattr(pac, "cancel", slow)
    cancel.cancel(world.ctx, merchant.id, invoice.id)
    assert again(merchant, invoice).state is State.CANCELLED
    assert "refused" not in kinds(merchant, invoice)


@on_one_engine
def test_the_print_says_that_it_is_cancelled(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice, NONE_HAPPENED)
    world.quiet()
    stamp = merchant.of(lambda tenant: tenant.invoices.stamp_of(invoice.id))
    printed = print_of(again(merchant, invoice), stamp, Brand())
    assert printed == render(stamp.xml, sandbox=True, cancelled=True)


def test_going_live_frees_what_practice_cancelled(world: Any, merchant: Any) -> None:
    done, doing = stamped(world, merchant), stamped(world, merchant, key="7002")
    asked(world, merchant, done, NONE_HAPPENED)
    world.quiet()
    world.provider.fault("503", 1000, on="cancel")
    asked(world, merchant, doing)
    world.drain()
    merchant.change(live.leave_practice)
    for invoice in (done, doing):
        assert merchant.estado(invoice.sale_ids[0]) is Estado.ABIERTA
    # What was still under way is of no account any more.
    world.provider.calm()
    world.quiet()
    assert again(merchant, doing).state is State.SUPERSEDED
    assert world.violations() == []


class Sat:
    """The real service, whose answers the test words anew."""

    def __init__(self, real: Any, worded: Callable[[Any], Any]) -> None:
        self.real, self.worded = real, worded

    def ask(self, expression: str) -> Any:
        return self.worded(self.real.ask(expression))


def worded(world: Any, merchant: Any, worded: Callable[[Any], Any]) -> None:
    world.sats[merchant.account.id] = Sat(world.sat(merchant.account), worded)


def as_estatus(estatus: EstatusCancelacion) -> Callable[[Any], Any]:
    return lambda said: replace(said, estado=SatEstado.VIGENTE, estatus_cancelacion=estatus)


def days(world: Any, number: int) -> None:
    until = world.clock.now() + timedelta(days=number)
    while world.clock.now() < until:
        world.drain()
        world.clock.advance(6 * 3600)


@on_one_engine
def test_an_earlier_no_is_not_taken_for_the_next(world: Any, merchant: Any) -> None:
    """SAT shows the old word until it has taken up the new request."""
    invoice = stamped(world, merchant)
    real = world.sat(merchant.account)
    worded(world, merchant, as_estatus(EstatusCancelacion.RECHAZADA))
    asked(world, merchant, invoice)
    world.drain()
    world.clock.advance(3600)
    world.drain()
    assert again(merchant, invoice).state is State.CANCELLING
    world.sats[merchant.account.id] = real
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED


@on_one_engine
def test_a_no_that_stays_is_believed(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    worded(world, merchant, as_estatus(EstatusCancelacion.RECHAZADA))
    asked(world, merchant, invoice)
    began = world.clock.now()
    world.quiet()
    assert again(merchant, invoice).state is State.STAMPED
    assert timedelta(days=1) < world.clock.now() - began < timedelta(days=2)


@on_one_engine
def test_what_sat_loses_is_in_force_after_four_days(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    worded(world, merchant, as_estatus(EstatusCancelacion.NONE))
    asked(world, merchant, invoice)
    began = world.clock.now()
    world.quiet()
    assert again(merchant, invoice).state is State.STAMPED
    assert timedelta(days=4) < world.clock.now() - began < timedelta(days=5)
    assert [one.code for one in again(merchant, invoice).findings] == ["cancel_lost"]


@on_one_engine
@pytest.mark.parametrize(
    "estatus", [EstatusCancelacion.UNKNOWN, EstatusCancelacion.PLAZO_VENCIDO], ids=str
)
def test_no_word_but_cancelado_cancels(world: Any, merchant: Any, estatus: Any) -> None:
    invoice = stamped(world, merchant)
    worded(world, merchant, as_estatus(estatus))
    asked(world, merchant, invoice)
    days(world, 9)
    assert again(merchant, invoice).state is State.CANCELLING
    assert notices(world, merchant) == []
    days(world, 3)
    assert len(notices(world, merchant)) == 1


SILENT = {
    "the provider": ("503", "cancel"),
    "SAT": ("500", "status"),
}


@on_one_engine
@pytest.mark.parametrize(("fault", "on"), SILENT.values(), ids=SILENT)
def test_who_was_told_is_not_told_again(world: Any, merchant: Any, fault: str, on: str) -> None:
    invoice = stamped(world, merchant)
    world.provider.fault(fault, 1000, on=on)
    asked(world, merchant, invoice)
    days(world, 12)
    (told,) = [one for one in waiting(world.ctx, merchant.id) if one.kind == "change"]
    answer.resolve(world.ctx, merchant.id, told.id, "done")
    days(world, 3)
    assert notices(world, merchant) == []
    assert len(kinds(merchant, invoice)) < 70
    # Refused at last, only that is left to read.
    world.provider.calm()
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED


@on_one_engine
def test_slow_and_then_refused_is_told_as_refused(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    world.provider.fault("503", 1000, on="cancel")
    asked(world, merchant, invoice)
    days(world, 12)
    world.provider.calm()
    world.provider.fault("reject:204", on="cancel")
    world.quiet()
    (told,) = notices(world, merchant)
    assert told.startswith("204")
    # Asked for again, what was found then is not true any more.
    asked(world, merchant, invoice)
    assert again(merchant, invoice).findings == ()


@on_one_engine
def test_without_a_certificate_it_waits_and_is_told(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    # Four years and a day: the certificate has expired.
    world.clock.advance(4 * 366 * 24 * 3600)
    world.drain()
    assert again(merchant, invoice).state is State.CANCELLING
    assert kinds(merchant, invoice) == []
    assert "certificate" in "".join(notices(world, merchant))


@on_one_engine
def test_a_new_password_of_the_provider_is_used(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    old = merchant.account
    merchant.set_pac()
    world.pacs[old.id].pac.cancel = lambda *_: pytest.fail("the old account was asked")
    asked(world, merchant, invoice)
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED


@on_one_engine
def test_a_test_document_never_goes_to_a_live_account(world: Any, merchant: Any) -> None:
    invoice = stamped(world, merchant)
    live_account = merchant.set_pac("live")
    asked(world, merchant, invoice)
    world.quiet()
    assert again(merchant, invoice).state is State.CANCELLED
    assert live_account.id not in world.pacs


@on_one_engine
def test_an_invoice_of_ones_own_must_be_a_substitute(world: Any, merchant: Any) -> None:
    invoice, other = stamped(world, merchant), stamped(world, merchant, key="7002")
    with pytest.raises(cancel.NotCancellable, match="no substitute"):
        asked(world, merchant, invoice, Motivo.ERRORES_CON_RELACION, substitute=other.uuid.lower())
    assert again(merchant, invoice).state is State.STAMPED


def test_a_substitute_of_another_merchant_is_for_sat_to_judge(world: Any, merchant: Any) -> None:
    """Whether it is here is nobody's to know."""
    neighbour = world.settle(1)
    invoice, theirs = stamped(world, merchant), stamped(world, neighbour)
    asked(world, merchant, invoice, Motivo.ERRORES_CON_RELACION, substitute=theirs.uuid)
    world.quiet()
    assert again(merchant, invoice).state is State.STAMPED
    assert [one.code for one in again(merchant, invoice).findings] == ["212"]


def test_a_cancelled_invoice_is_not_mailed_as_if_it_were_good(world: Any, merchant: Any) -> None:
    """The mail server was away; the letter with the invoice would come after the bad news."""
    sale_id = merchant.keep()
    merchant.request(sale_id)
    world.post.before = [PostUnavailable("away")] * 2
    world.drain("stamp")
    world.drain("mail")
    invoice, token = merchant.invoice(sale_id), merchant.token(sale_id)
    assert deliver.send_again(world.ctx, token, "other@example.com", "es") is None
    world.drain("mail")
    asked(world, merchant, invoice, NONE_HAPPENED)
    world.drain("stamp")
    assert again(merchant, invoice).state is State.CANCELLED
    world.quiet()
    subjects = [one.subject for one in world.post.letters if one.to != "buyer-7001@example.com"]
    assert len(subjects) == 1
    assert "cancel" in subjects[0]
    assert deliver.send_again(world.ctx, token, FORM_MAIL, "es") is deliver.NO_INVOICE


def test_a_notice_does_not_hide_what_the_buyer_asked_for(world: Any, merchant: Any) -> None:
    """Cancelled with errors when the buyer's time was over: the merchant alone can make another."""
    invoice = stamped(world, merchant)
    sale_id, token = invoice.sale_ids[0], merchant.token(invoice.sale_ids[0])
    world.clock.advance(60 * 24 * 3600)
    asked(world, merchant, invoice)
    world.quiet()
    assert merchant.estado(sale_id) is Estado.VENCIDA
    assert ask.ask(world.ctx, token, {"mensaje": "otra, por favor"}) is None
    merchant.change(lambda tenant: tenant.asks.create(sale_id, CHANGED, {"ahora": "1.00 MXN"}))
    assert merchant.page(sale_id).asked_at is not None
    assert ask.ask(world.ctx, token, {"mensaje": "mía"}) is None
    (wish,) = [one for one in waiting(world.ctx, merchant.id) if one.kind == "ask"]
    assert wish.form["mensaje"] == "otra, por favor"


def test_refunded_while_sat_decides(world: Any, merchant: Any) -> None:
    """Cancelled then, it is no purchase that could be invoiced anew."""
    invoice = stamped(world, merchant)
    asked(world, merchant, invoice)
    merchant.keep(
        revision=2, payment_state=PaymentState.REFUNDED, refunds=(Refund("r1", Decimal("116.00")),)
    )
    world.quiet()
    page = merchant.page(invoice.sale_ids[0])
    assert (page.estado, page.reason) == (Estado.CANCELADA, "refunded")
    assert notices(world, merchant) == []
    assert merchant.request(invoice.sale_ids[0]).invoice_id is None


def test_what_is_filed_is_not_sent_again(world: Any, merchant: Any) -> None:
    """The same promise twice, and one of them late: the receiver is asked once."""
    invoice = stamped(world, merchant, **dear("8001"))
    world.clock.advance(2 * 24 * 3600)
    asked(world, merchant, invoice)
    world.drain()
    merchant.promise("cancel", invoice.id)
    world.drain()
    assert kinds(merchant, invoice).count("sent") == 1
    assert world.provider.cancellations()[0]["requests"] == 1


def test_a_no_that_comes_after_the_filing_is_of_no_account(
    world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that hung: meanwhile another has filed it, and the receiver is being asked."""
    invoice = stamped(world, merchant, **dear("8001"))
    world.clock.advance(2 * 24 * 3600)
    asked(world, merchant, invoice)
    pac, real = world.pacs[merchant.account.id], world.pacs[merchant.account.id].cancel

    def slow(request: bytes, uuid: str) -> Any:
        monkeypatch.setattr(pac, "cancel", real)
        world.drain()
        return CancelRefused((), b"late")

    monkeypatch.setattr(pac, "cancel", slow)
    cancel.cancel(world.ctx, merchant.id, invoice.id)
    assert again(merchant, invoice).state is State.CANCELLING
    assert "refused" not in kinds(merchant, invoice)
