"""An address left while one waits: the invoice is mailed there once, whatever happens between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.purchase import DOWN, Estado, FiscalForm
from hub.domain.states import State
from hub.steps import awaited, deliver

FORM = FiscalForm("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "")
MINE = "yo@example.com"
on_one_engine = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def waiting(world: Any, merchant: Any) -> str:
    """The id of a sale whose invoice was asked for without an address, with the PAC down."""
    world.provider.fault("402", times=1)
    sale_id = merchant.keep()
    merchant.request(sale_id, FORM)
    world.drain()
    world.drain()
    page = merchant.page(sale_id)
    assert (page.estado, page.reason, page.masked_email) == (Estado.POR_CONFIRMAR, DOWN, "")
    return str(sale_id)


def left(world: Any, merchant: Any, sale_id: str, correo: str = MINE) -> str | None:
    error = awaited.let_know(world.ctx, merchant.token(sale_id), correo)
    return error.codigo if error else None


def test_it_is_mailed_there_once_and_the_document_is_as_it_was_sealed(
    world: Any, merchant: Any, waiting: str
) -> None:
    invoice = merchant.invoice(waiting)
    sealed = merchant.of(lambda tenant: tenant.invoices.document(invoice.id)).xml
    for address in (MINE, MINE, "otra@example.com"):
        assert left(world, merchant, waiting, address) is None
    assert merchant.page(waiting).masked_email == "y•••@example.com"
    world.quiet()
    assert merchant.state(waiting) is State.STAMPED
    assert [letter.to for letter in world.post.letters if letter.attachments] == [MINE]
    assert merchant.of(lambda tenant: tenant.invoices.document(invoice.id)).xml == sealed
    assert left(world, merchant, waiting, "tarde@example.com") is None
    world.quiet()
    assert world.post.to("tarde@example.com") == []


def test_one_that_comes_after_the_stamp_is_sent_at_once(
    world: Any, merchant: Any, waiting: str
) -> None:
    world.quiet()
    assert merchant.invoice(waiting).delivered_at is not None
    assert left(world, merchant, waiting) is None
    world.quiet()
    assert [letter.to for letter in world.post.letters if letter.attachments] == [MINE]


def test_one_that_comes_while_the_letter_is_decided_on_is_not_lost(
    world: Any, merchant: Any, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking whether there is an address and writing down that there was none."""
    world.drain("stamp")
    world.clock.advance(3600)
    world.drain("stamp")
    assert merchant.state(waiting) is State.STAMPED
    invoice_id, now = merchant.invoice(waiting).id, world.clock.now

    def meanwhile() -> Any:
        monkeypatch.setattr(world.clock, "now", now)
        assert left(world, merchant, waiting) is None
        return now()

    real = world.store.transaction

    def transaction() -> Any:
        monkeypatch.setattr(world.store, "transaction", real)
        meanwhile()
        return real()

    monkeypatch.setattr(world.store, "transaction", transaction)
    deliver.deliver(world.ctx, merchant.id, invoice_id)
    assert world.post.to(MINE) == []
    world.quiet()
    assert len(world.post.to(MINE)) == 1
    assert merchant.invoice(waiting).delivered_at is not None


@on_one_engine
def test_only_a_link_and_only_where_something_is_awaited(
    world: Any, merchant: Any, waiting: str
) -> None:
    link = merchant.of(lambda tenant: tenant.links.current(waiting))
    ticket = world.ctx.passes.make(merchant.id, [(waiting, link.generation)], world.clock.now())
    for token in (ticket, "x" * 43):
        error = awaited.let_know(world.ctx, token, MINE)
        assert error is deliver.NO_INVOICE
    assert left(world, merchant, waiting, "") == "email_missing"
    assert left(world, merchant, waiting, "a@b\nBcc: c@d.example") == "email_invalid"
    assert left(world, merchant, merchant.keep("7002")) == "no_invoice"
    assert merchant.invoice(waiting).receptor.correo == ""


@on_one_engine
def test_the_page_takes_it_and_never_shows_it_whole(
    world: Any, merchant: Any, waiting: str, client: Any
) -> None:
    path = f"/f/{merchant.token(waiting)}"
    page = client.get(path).text
    assert "¿Te la mandamos por correo cuando esté lista?" in page
    wrong = client.send(path, "/aviso", correo="<script>")
    assert wrong.status_code == 422
    assert "&lt;script&gt;" in wrong.text
    assert 'id="correo-error"' in wrong.text
    assert client.get(f"{path}/aviso").location == path
    assert client.post(f"{path}/aviso", data={"correo": MINE}).status_code == 422  # not our form
    assert client.send(path, "/aviso", correo=MINE).status_code == 303
    page = client.get(path).text
    assert "y•••@example.com" in page
    assert MINE not in page


@on_one_engine
def test_an_address_that_was_given_stays(world: Any, merchant: Any) -> None:
    sale_id = merchant.keep()
    merchant.request(sale_id, replace(FORM, correo="primera@example.com"))
    assert left(world, merchant, sale_id) is None
    world.quiet()
    assert world.post.to(MINE) == []
    assert len(world.post.to("primera@example.com")) == 1
