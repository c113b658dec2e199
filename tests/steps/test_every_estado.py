"""Every state of a purchase, reached with the real hub, and its page in both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from hub.domain.purchase import DOWN, Estado
from hub.domain.sale import PaymentState, Refund, SaleLine
from hub.steps import cancel, close, look

pytestmark = [
    pytest.mark.parametrize("url", ["sqlite"], indirect=True),
    pytest.mark.usefixtures("who_waits_is_told_the_same"),
]

GLOBAL = "5fb2822e-396d-4725-8521-cdc4bdd20ccf"


def open_one(world: Any, merchant: Any) -> str:
    return str(merchant.keep())


def asked_for(world: Any, merchant: Any) -> str:
    sale_id = merchant.keep()
    merchant.request(sale_id)
    return str(sale_id)


def waiting_long(world: Any, merchant: Any) -> str:
    sale_id = asked_for(world, merchant)
    world.clock.advance(61)
    return sale_id


def in_doubt(world: Any, merchant: Any) -> str:
    world.provider.fault("500_after_commit", times=9)
    sale_id = asked_for(world, merchant)
    world.drain()
    world.drain()
    return sale_id


def away(world: Any, merchant: Any) -> str:
    world.provider.fault("402", times=9)
    sale_id = asked_for(world, merchant)
    world.drain()
    world.drain()
    return sale_id


def stamped(world: Any, merchant: Any) -> str:
    sale_id = asked_for(world, merchant)
    world.quiet()
    return sale_id


def rejected(world: Any, merchant: Any) -> str:
    world.provider.fault("reject:CFDI40145")
    return stamped(world, merchant)


def over(world: Any, merchant: Any) -> str:
    sale_id = merchant.keep()
    world.clock.advance(40 * 86400)
    return str(sale_id)


def in_global(world: Any, merchant: Any) -> str:
    sale_id = merchant.keep()
    world.clock.advance(40 * 86400)
    until = world.clock.now() - timedelta(days=9)
    assert close.close(world.ctx, merchant.id, until, GLOBAL).marked == 1
    return str(sale_id)


def doubtful(world: Any, merchant: Any) -> str:
    """A line without a tax that any rule knows."""
    line = SaleLine("1", "Libro", Decimal(1), Decimal("116.00"), Decimal(0), ())
    return str(merchant.keep(lines=(line,)))


def on_hold(world: Any, merchant: Any) -> str:
    return str(merchant.keep(hold="disputed"))


def unpaid(world: Any, merchant: Any) -> str:
    del world
    return str(merchant.keep(payment_state=PaymentState.PENDING, paid_at=None))


def called_off(world: Any, merchant: Any) -> str:
    del world
    return str(merchant.keep(payment_state=PaymentState.CANCELLED))


def given_back(world: Any, merchant: Any) -> str:
    del world
    back = (Refund("r1", Decimal("116.00")),)
    return str(merchant.keep(payment_state=PaymentState.REFUNDED, refunds=back))


def of_another(world: Any, merchant: Any) -> str:
    del world
    return str(merchant.keep(barred="otra empresa"))


def undone(world: Any, merchant: Any) -> str:
    sale_id = stamped(world, merchant)
    motivo = Motivo.NO_SE_LLEVO_A_CABO
    cancel.ask(world.ctx, merchant.id, merchant.invoice(sale_id).id, motivo)
    world.quiet()
    return sale_id


CASES: tuple[tuple[Callable[[Any, Any], str], Estado, str, str, str], ...] = (
    (open_one, Estado.ABIERTA, "", "Tus datos fiscales", "Your tax details"),
    (asked_for, Estado.PROCESANDO, "", "Estamos generando tu factura", "We are issuing"),
    (waiting_long, Estado.PROCESANDO, DOWN, "Guardamos tu solicitud", "We saved your request"),
    (in_doubt, Estado.POR_CONFIRMAR, "", "No la generes otra vez", "Do not issue it again"),
    (away, Estado.POR_CONFIRMAR, DOWN, "no se pueden certificar", "cannot be certified"),
    (stamped, Estado.LISTA, "", "Tu factura está lista", "Your invoice is ready"),
    (rejected, Estado.RECHAZADA, "", "El SAT no aceptó", "did not accept the invoice"),
    (over, Estado.VENCIDA, "expired", "El plazo para facturar terminó", "The deadline to invoice"),
    (in_global, Estado.EN_GLOBAL, "expired", "ya está en una factura global", "global invoice"),
    (doubtful, Estado.EN_REVISION, "findings", "está revisando esta compra", "is looking at"),
    (on_hold, Estado.EN_REVISION, "held", "está en aclaración", "dispute"),
    (unpaid, Estado.CANCELADA, "pending", "no está confirmado", "not confirmed"),
    (called_off, Estado.CANCELADA, "cancelled", "Esta compra fue cancelada", "was cancelled"),
    (given_back, Estado.CANCELADA, "refunded", "Esta compra fue devuelta", "was refunded"),
    (of_another, Estado.CANCELADA, "barred", "Otro vendedor", "Another seller"),
    (undone, Estado.CANCELADA, "invoice_cancelled", "La factura de esta compra fue", "cancelled"),
)


@pytest.mark.parametrize("case", CASES, ids=[case[0].__name__ for case in CASES])
def test_every_state_has_its_page_in_both_languages(
    world: Any, merchant: Any, client: Any, case: Any
) -> None:
    reach, estado, reason, spanish, english = case
    sale_id = reach(world, merchant)
    merchant.change(lambda tenant: tenant.links.make(sale_id))
    path = f"/f/{merchant.token(sale_id)}"
    page = look.purchase(world.ctx, merchant.token(sale_id))
    assert page is not None
    assert (page.estado, page.reason) == (estado, reason)
    assert client.get(f"{path}/estado").json["estado"] == estado.value
    for language, words in (("es", spanish), ("en", english)):
        answer = client.get(f"{path}?lang={language}")
        assert answer.status_code == 200
        assert words in answer.text, re.sub(r"<[^>]+>|\n+", " ", answer.text)[:400]
        assert "7001" in answer.text
        assert "116.00" in answer.text


def test_a_link_opens_the_invoice_a_year_later(world: Any, merchant: Any, client: Any) -> None:
    """Long after the time to invoice, for mail, print and books."""
    sale_id = stamped(world, merchant)
    path = f"/f/{merchant.token(sale_id)}"
    before = {name: client.get(f"{path}/{name}").data for name in ("cfdi.xml", "cfdi.pdf")}
    sent = len(world.post.letters)
    world.clock.advance(400 * 86400)
    page = client.get(path)
    assert "Tu factura está lista" in page.text
    assert page.text.count("/corregir") == 1
    assert client.get(f"{path}/cfdi.xml").data == before["cfdi.xml"]
    assert client.get(f"{path}/cfdi.pdf").data[:5] == before["cfdi.pdf"][:5] == b"%PDF-"
    assert client.send(path, "/correo", correo="contador@example.com").status_code == 303
    world.quiet()
    [letter] = world.post.letters[sent:]
    assert letter.to == "contador@example.com"
    assert letter.attachments[0].content == before["cfdi.xml"]
    bundle = client.send(path, "/zip")
    assert bundle.data[:2] == b"PK"
