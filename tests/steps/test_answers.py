"""What buyers ask the merchant in each state, and the answers that come back to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from hub.domain.sale import PaymentState, Refund
from hub.steps import answer, ask, cancel, review
from hub.steps.refund import CHANGED

on_one_engine = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
WORDS = {"mensaje": "No la devolví.", "correo": "yo@example.com", "idioma": "es"}


def queue(world: Any, merchant: Any) -> list[Any]:
    return [one for one in review.waiting(world.ctx, merchant.id) if one.kind == "ask"]


def by_ticket(world: Any, merchant: Any, sale_id: str) -> str:
    link = merchant.of(lambda tenant: tenant.links.current(sale_id))
    return str(world.ctx.passes.make(merchant.id, [(sale_id, link.generation)], world.clock.now()))


def ended(world: Any, merchant: Any, reason: str) -> str:
    """The id of a sale that ended so."""
    if reason == "invoice_cancelled":
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.quiet()
        motivo = Motivo.NO_SE_LLEVO_A_CABO
        cancel.ask(world.ctx, merchant.id, merchant.invoice(sale_id).id, motivo)
        world.quiet()
    elif reason == "question":
        sale_id = merchant.keep()
        merchant.request(sale_id)
        world.quiet()
    else:
        state = {"cancelled": PaymentState.CANCELLED, "refunded": PaymentState.REFUNDED}[reason]
        merchant.keep()
        back = (Refund("r1", Decimal("116.00")),) if reason == "refunded" else ()
        sale_id = merchant.keep(revision=2, payment_state=state, refunds=back)
    return str(sale_id)


@on_one_engine
@pytest.mark.parametrize("reason", ["cancelled", "refunded", "invoice_cancelled", "question"])
def test_each_end_has_a_request_of_its_own(world: Any, merchant: Any, reason: str) -> None:
    sale_id = ended(world, merchant, reason)
    token = merchant.token(sale_id)
    [wrong] = [ask.ask(world.ctx, token, WORDS | {"mensaje": " \n"})]
    assert wrong is ask.NO_MESSAGE
    bad = ask.ask(world.ctx, token, WORDS | {"correo": "a@b"})
    assert bad is not None
    assert bad.campo == "correo"
    huge = ask.ask(world.ctx, token, WORDS | {"mensaje": "x" * 1001})
    assert huge is not None
    assert (huge.campo, queue(world, merchant)) == ("mensaje", [])
    for _ in range(3):
        assert ask.ask(world.ctx, token, WORDS) is None
    [wish] = queue(world, merchant)
    assert (wish.note, wish.form["mensaje"]) == (reason, "No la devolví.")
    assert merchant.page(sale_id).asked_at == world.clock.now()


@on_one_engine
@pytest.mark.parametrize(
    "state", [{"payment_state": PaymentState.PENDING, "paid_at": None}, {"hold": "disputed"}]
)
def test_nothing_is_asked_where_the_merchant_could_do_nothing(
    world: Any, merchant: Any, state: Any
) -> None:
    sale_id = merchant.keep(**state)
    token = merchant.change(lambda tenant: tenant.links.make(sale_id)).token
    assert ask.ask(world.ctx, token, WORDS) is ask.NOT_HERE
    assert ask.ask(world.ctx, "no link", WORDS) is ask.NOT_HERE


def test_an_answer_is_on_the_page_and_in_one_letter(world: Any, merchant: Any) -> None:
    sale_id = ended(world, merchant, "refunded")
    assert ask.ask(world.ctx, merchant.token(sale_id), WORDS) is None
    [wish] = queue(world, merchant)
    answer.resolve(world.ctx, merchant.id, wish.id, "answered", "  Sí: el 3 de mayo.\n¡Gracias!  ")
    assert queue(world, merchant) == []
    shown = merchant.page(sale_id).answer
    assert (shown.outcome, shown.text) == ("answered", "Sí: el 3 de mayo.\n¡Gracias!")
    world.quiet()
    merchant.promise("tell_answer", wish.id, queue="mail")
    world.quiet()
    [letter] = world.post.to("yo@example.com")
    assert "> Sí: el 3 de mayo." in letter.text
    assert "Sí: el 3 de mayo.<br>¡Gracias!" in letter.html
    assert merchant.token(sale_id) in letter.text
    with pytest.raises(review.NotResolvable, match="open request"):
        answer.resolve(world.ctx, merchant.id, wish.id, "done")


@on_one_engine
def test_who_came_by_a_ticket_is_never_sent_the_link(world: Any, merchant: Any) -> None:
    """The address was typed by somebody who knows a code and a total, which others may as well."""
    sale_id = ended(world, merchant, "question")
    token = by_ticket(world, merchant, sale_id)
    assert ask.ask(world.ctx, token, WORDS) is ask.NOT_HERE  # of an invoice that is not theirs
    assert ask.dispute(world.ctx, token, WORDS | {"mensaje": ""}) is None
    [wish] = queue(world, merchant)
    assert (wish.note, wish.form["por"]) == ("disputed", "ticket")
    # The receiver's page says nothing of it.
    assert merchant.page(sale_id).asked_at is None
    answer.resolve(world.ctx, merchant.id, wish.id, "declined", "La pidió quien pagó.")
    assert merchant.page(sale_id).answer is None
    world.quiet()
    [letter] = world.post.to("yo@example.com")
    for part in (letter.text, letter.html):
        assert merchant.token(sale_id) not in part
        assert "CACX7605101P8" not in part
        assert "https://hub.example/facturar" in part


@on_one_engine
def test_a_ticket_shows_no_answer(world: Any, merchant: Any, client: Any) -> None:
    sale_id = ended(world, merchant, "refunded")
    assert ask.ask(world.ctx, merchant.token(sale_id), WORDS) is None
    [wish] = queue(world, merchant)
    answer.resolve(world.ctx, merchant.id, wish.id, "answered", "canario de respuesta")
    assert "canario" in client.get(f"/f/{merchant.token(sale_id)}").text
    assert "canario" not in client.get(f"/f/{by_ticket(world, merchant, sale_id)}").text


@on_one_engine
def test_what_can_be_said_to_whom(world: Any, merchant: Any) -> None:
    sale_id = ended(world, merchant, "cancelled")
    assert ask.ask(world.ctx, merchant.token(sale_id), WORDS | {"correo": ""}) is None
    [wish] = queue(world, merchant)
    for outcome in ("declined", "answered"):
        with pytest.raises(review.NotResolvable, match="--answer"):
            answer.resolve(world.ctx, merchant.id, wish.id, outcome, " ")
    with pytest.raises(review.NotResolvable, match="2000"):
        answer.resolve(world.ctx, merchant.id, wish.id, "done", "x" * 2001)
    notice = merchant.change(lambda tenant: tenant.asks.create(sale_id, CHANGED, {}))
    with pytest.raises(review.NotResolvable, match="--done alone"):
        answer.resolve(world.ctx, merchant.id, notice.id, "answered", "a nadie")
    answer.resolve(world.ctx, merchant.id, notice.id, "done")
    answer.resolve(world.ctx, merchant.id, wish.id, "done")
    letters = len(world.post.letters)
    world.quiet()
    assert len(world.post.letters) == letters  # nobody gave an address
    assert merchant.page(sale_id).answer.outcome == "done"


@on_one_engine
def test_another_merchant_answers_nothing(world: Any, merchant: Any) -> None:
    sale_id = ended(world, merchant, "cancelled")
    assert ask.ask(world.ctx, merchant.token(sale_id), WORDS) is None
    [wish] = queue(world, merchant)
    other = world.settle(1)
    with pytest.raises(review.NotResolvable):
        answer.resolve(world.ctx, other.id, wish.id, "answered", "no soy yo")
    assert queue(world, merchant) == [wish]


@on_one_engine
def test_a_request_without_anybody_to_invoice_is_none(
    world: Any, merchant: Any, client: Any
) -> None:
    """It would stand in the queue in the place of one that the merchant can act on."""
    sale_id = merchant.keep()
    world.clock.advance(100 * 86400)
    path = f"/f/{merchant.token(sale_id)}"
    assert 'id="solicitud"' in client.get(path).text
    blank = {"rfc": " ", "nombre": "ANA", "correo": ""}
    assert ask.ask(world.ctx, merchant.token(sale_id), blank | {"mensaje": " \n"}) is ask.NO_DATA
    empty = client.send(path, "/solicitud", mensaje="", rfc="", correo="")
    assert empty.status_code == 422
    assert "dile al comercio en el mensaje" in empty.text
    assert queue(world, merchant) == []
    told = client.send(path, "/solicitud", mensaje="A nombre de John Smith, de Texas", rfc="")
    assert told.status_code == 303
    assert len(queue(world, merchant)) == 1


@on_one_engine
def test_the_page_takes_the_message(world: Any, merchant: Any, client: Any) -> None:
    path = f"/f/{merchant.token(ended(world, merchant, 'refunded'))}"
    assert "¿Es un error? Díselo al comercio" in client.get(path).text
    empty = client.send(path, "/solicitud", mensaje="", correo="<i>")
    assert empty.status_code == 422
    assert "&lt;i&gt;" in empty.text
    sent = client.send(path, "/solicitud", mensaje="aquí sigue", correo="")
    assert sent.status_code == 303
    page = client.get(path).text
    assert "Le escribiste al comercio" in page
    assert 'id="aclarar"' not in page
    [wish] = queue(world, merchant)
    assert wish.form == {"mensaje": "aquí sigue", "idioma": "es", "por": "enlace"}
