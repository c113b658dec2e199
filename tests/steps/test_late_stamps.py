"""What a provider says when nobody expects it any more, and what cannot be right, is not lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import Answer, Never, Stamped
from hub.domain.states import State
from hub.steps import close, review, stamp
from hub.steps.outcome import settle
from hub.steps.refund import STAMPED_BESIDE
from hub.steps.review import NotResolvable

_NO = Never((Finding("PAC1", "", "no", "no", FixableBy.MERCHANT),), b"no")


@pytest.fixture
def held_back(
    world: Any, merchant: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], tuple[str, Callable[[], None]]]:
    """A sale whose worker froze with a stamp in its hands, until it is declared unstamped."""

    def begin() -> tuple[str, Callable[[], None]]:
        sale_id, held = merchant.keep(), list[Any]()
        merchant.request(sale_id)
        with monkeypatch.context() as frozen:
            frozen.setattr(stamp, "settle", lambda *args: held.append(args))
            world.drain("stamp")
        invoice_id = merchant.invoice(sale_id).id
        world.clock.advance(60)
        world.pac(merchant.account).instead.append(lambda *_: _NO)
        merchant.promise("stamp_lost", invoice_id)
        world.quiet()
        assert merchant.state(sale_id) is State.REVIEW
        review.not_stamped(world.ctx, merchant.id, invoice_id, actor="staff")
        assert merchant.state(sale_id) is State.REJECTED
        return str(sale_id), lambda: settle(*held[0])

    return begin


def uuids(world: Any) -> list[str]:
    return [one["uuid"].upper() for one in world.provider.stamps()]


def told(merchant: Any) -> list[str]:
    asks = merchant.of(lambda tenant: tenant.asks.list())
    return [one.form["uuid"].upper() for one in asks if one.kind == STAMPED_BESIDE]


def test_declared_unstamped_and_stamped_after_all(
    world: Any, merchant: Any, held_back: Any
) -> None:
    sale_id, wake_up = held_back()
    wake_up()
    world.quiet()
    invoice = merchant.invoice(sale_id)
    assert invoice.state is State.STAMPED
    assert [invoice.uuid.upper()] == uuids(world)
    assert told(merchant) == []


def test_the_buyer_asked_again_and_nothing_was_sealed_yet(
    world: Any, merchant: Any, other_form: Any, held_back: Any
) -> None:
    sale_id, wake_up = held_back()
    assert merchant.request(sale_id, other_form).errors == ()
    wake_up()
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    assert len(uuids(world)) == 1


def test_a_second_document_was_stamped_meanwhile(world: Any, merchant: Any, held_back: Any) -> None:
    """Both are in force at SAT: the one that no invoice holds is told of, by its UUID."""
    sale_id, wake_up = held_back()
    assert merchant.request(sale_id).errors == ()
    world.quiet()
    second = merchant.invoice(sale_id).uuid.upper()
    wake_up()
    wake_up()
    assert merchant.invoice(sale_id).uuid.upper() == second
    assert told(merchant) == [one for one in uuids(world) if one != second]


def test_a_second_document_is_on_its_way(world: Any, merchant: Any, held_back: Any) -> None:
    """What comes of that one is not lost for the sake of the first."""
    sale_id, wake_up = held_back()

    def during(sealed: bytes, reference: str) -> Answer:
        wake_up()
        answer: Answer = world.pac(merchant.account).pac.stamp(sealed, reference)
        return answer

    world.pac(merchant.account).instead.append(during)
    assert merchant.request(sale_id).errors == ()
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    assert sorted([*told(merchant), merchant.invoice(sale_id).uuid.upper()]) == sorted(uuids(world))


def test_the_sale_stands_in_a_global_invoice_by_now(
    world: Any, merchant: Any, held_back: Any
) -> None:
    _, wake_up = held_back()
    assert close.close(world.ctx, merchant.id, world.clock.now(), "G-1").marked == 1
    wake_up()
    assert told(merchant) == uuids(world)


def test_a_uuid_that_another_document_has(world: Any, merchant: Any) -> None:
    """It cannot be right: the answer is kept, and a person looks at it."""
    first, second = merchant.keep("7001"), merchant.keep("7002")
    merchant.request(first)
    world.quiet()
    known = merchant.invoice(first).uuid.encode()
    pac = world.pac(merchant.account)

    def mixed_up(sealed: bytes, reference: str) -> Stamped:
        xml = pac.pac.stamp(sealed, reference).xml
        return Stamped(re.sub(rb'UUID="[^"]+"', b'UUID="%s"' % known, xml), b"as it was said")

    pac.instead.append(mixed_up)
    merchant.request(second)
    world.quiet()
    invoice = merchant.invoice(second)
    assert invoice.state is State.REVIEW
    [attempt] = merchant.of(lambda tenant: tenant.invoices.attempts(invoice.id))
    assert merchant.of(lambda tenant: tenant.invoices.raw_answer(attempt)) == b"as it was said"
    document = merchant.of(lambda tenant: tenant.invoices.document(invoice.id))
    with pytest.raises(NotResolvable, match="UUID"):
        review.found(
            world.ctx, merchant.id, invoice.id, mixed_up(document.xml, document.reference).xml
        )
    review.ask_again(world.ctx, merchant.id, invoice.id)
    world.quiet()
    assert merchant.invoice(second).uuid.upper() != known.decode().upper()
    assert merchant.state(second) is State.STAMPED
