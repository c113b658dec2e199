"""A buyer corrects the data of an invoice: by request, as often as the merchant allows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from hub.domain.purchase import Estado, FiscalForm
from hub.steps import answer, cancel, correct, privacy, review

RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ncorrecciones = 2\ncorrecciones_dias = 30\n'
FORM = FiscalForm(
    "CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "xochilt@example.com"
)
OTHER = replace(FORM, uso="D01", correo="otra@example.com")
on_one_engine = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def invoiced(world: Any, merchant: Any) -> Any:
    """The token of a purchase that is invoiced, of a merchant that allows corrections."""
    merchant.change(lambda tenant: tenant.rules.set(RULES))
    sale_id = merchant.keep()
    merchant.request(sale_id, FORM)
    world.quiet()
    assert merchant.estado(sale_id) is Estado.LISTA
    return merchant.token(sale_id)


def corrected(world: Any, token: str, form: FiscalForm = OTHER, mensaje: str = "") -> list[str]:
    found = correct.correct(world.ctx, token, form, mensaje, "es")
    return [error.codigo for error in found]


def waiting(world: Any, merchant: Any) -> list[Any]:
    return [one for one in review.waiting(world.ctx, merchant.id) if one.kind == "ask"]


def test_the_request_says_what_differs_and_reaches_the_queue_once(
    world: Any, merchant: Any, invoiced: str
) -> None:
    # The page shows the address masked: who holds the link may not be who gave it.
    assert correct.data_of(world.ctx, invoiced) == replace(FORM, correo="")
    assert corrected(world, invoiced, replace(OTHER, rfc=" cacx-760510-1p8"), "el uso") == []
    assert corrected(world, invoiced, replace(OTHER, uso="S01")) == []  # one waits: it stays
    [wish] = waiting(world, merchant)
    assert (wish.note, wish.form["cambia"], wish.form["uso"]) == ("correction", "uso", "D01")
    assert (wish.form["rfc"], wish.form["mensaje"]) == ("CACX7605101P8", "el uso")
    assert wish.form["uuid"] == merchant.page(wish.sale_id).uuid
    assert wish.invoice_id == merchant.invoice(wish.sale_id).id
    page = merchant.page(wish.sale_id)
    assert (page.asked_kind, page.estado, page.corrections_left) == (
        "correction",
        Estado.LISTA,
        1,
    )


def test_as_often_as_the_rules_say(world: Any, merchant: Any, invoiced: str) -> None:
    for outcome in ("declined", "done"):
        assert corrected(world, invoiced) == []
        [wish] = waiting(world, merchant)
        answer.resolve(world.ctx, merchant.id, wish.id, outcome, "No es quien pagó.")
    assert corrected(world, invoiced) == ["not_correctable"]
    assert waiting(world, merchant) == []


@on_one_engine
def test_for_as_long_as_the_rules_say(world: Any, merchant: Any, invoiced: str) -> None:
    sale_id = merchant.sale_id()
    world.clock.advance(29 * 86400)
    assert merchant.page(sale_id).corrections_left == 2
    world.clock.advance(2 * 86400)
    assert merchant.page(sale_id).corrections_left == 0
    assert corrected(world, invoiced) == ["not_correctable"]


@on_one_engine
def test_nowhere_else(world: Any, merchant: Any, invoiced: str) -> None:
    merchant.change(lambda tenant: tenant.rules.set('[forma_pago]\ndefault = "03"\n'))
    assert corrected(world, invoiced) == ["not_correctable"]
    merchant.change(lambda tenant: tenant.rules.set(RULES))
    assert corrected(world, "x" * 43) == ["not_correctable"]
    other = merchant.token(merchant.keep("7002"))
    assert corrected(world, other) == ["not_correctable"]
    sale_id = merchant.sale_id()
    link = merchant.of(lambda tenant: tenant.links.current(sale_id))
    by_ticket = world.ctx.passes.make(
        merchant.id, [(link.sale_id, link.generation)], world.clock.now()
    )
    assert corrected(world, by_ticket) == ["not_correctable"]
    assert correct.data_of(world.ctx, by_ticket) is None
    invoice = merchant.invoice(sale_id)
    cancel.ask(world.ctx, merchant.id, invoice.id, Motivo.ERRORES_SIN_RELACION)
    assert corrected(world, invoiced) == ["not_correctable"]
    assert waiting(world, merchant) == []


@on_one_engine
@pytest.mark.parametrize(
    ("form", "codes"),
    [
        (FORM, ["unchanged"]),
        (replace(FORM, correo="nueva@example.com"), ["unchanged"]),
        (replace(OTHER, rfc="XAXX010101000"), None),
        (replace(OTHER, cp="99999999"), None),
        (replace(OTHER, correo="nadie"), ["email_invalid"]),
        (FiscalForm(), None),
        (replace(OTHER, nombre="N" * 400), None),
    ],
)
def test_wrong_data_are_told_as_in_any_form(
    world: Any, merchant: Any, invoiced: str, form: FiscalForm, codes: list[str] | None
) -> None:
    told = corrected(world, invoiced, form)
    assert told == codes if codes else told
    assert waiting(world, merchant) == []


def test_asked_by_many_at_once_it_is_one_request(world: Any, merchant: Any, invoiced: str) -> None:
    with ThreadPoolExecutor(6) as crowd:
        list(crowd.map(lambda _: corrected(world, invoiced), range(6)))
    assert len(waiting(world, merchant)) == 1
    assert merchant.page(merchant.sale_id()).corrections_left == 1


@on_one_engine
def test_what_was_written_is_erased_with_the_buyer(
    world: Any, merchant: Any, invoiced: str
) -> None:
    assert corrected(world, invoiced, mensaje="soy yo") == []
    [wish] = waiting(world, merchant)
    answer.resolve(world.ctx, merchant.id, wish.id, "declined", "no, XOCHILT")
    assert merchant.page(wish.sale_id).answer.text == "no, XOCHILT"
    with world.store.transaction() as tx:
        privacy._erase(tx.tenant(merchant.id), merchant.connection.id, "7001")
    kept = merchant.of(lambda tenant: tenant.asks.get(wish.id))
    assert (kept.form, kept.answer, kept.outcome) == ({}, "", "")
    assert merchant.page(wish.sale_id).answer is None
    before = len(world.post.letters)
    world.quiet()
    assert len(world.post.letters) == before  # the letter that was promised is not written


@on_one_engine
def test_the_page_shows_the_data_the_errors_and_what_became_of_it(
    world: Any, merchant: Any, invoiced: str, client: Any
) -> None:
    path = f"/f/{invoiced}"
    assert "Corregir mis datos" in client.get(path).text
    page = client.get(f"{path}/corregir").text
    assert 'value="CACX7605101P8"' in page
    assert "pedirá al SAT cancelar la anterior" in page
    data = {"rfc": FORM.rfc, "nombre": FORM.nombre, "cp": "1", "regimen": "612", "uso": "G03"}
    wrong = client.send(f"{path}/corregir", mensaje="<b>mal</b>", **data)
    assert wrong.status_code == 422
    assert 'id="cp-error"' in wrong.text
    assert "&lt;b&gt;mal&lt;/b&gt;" in wrong.text
    good = client.send(f"{path}/corregir", **data | {"cp": FORM.cp, "uso": "D01"})
    assert (good.status_code, good.location) == (303, path)
    assert "Pediste corregir esta factura" in client.get(path).text
    assert client.get(f"{path}/corregir").location == path
    [wish] = waiting(world, merchant)
    answer.resolve(world.ctx, merchant.id, wish.id, "declined", "El <b>RFC</b> no es el tuyo.")
    shown = client.get(path).text
    assert "El comercio no pudo hacer lo que pediste." in shown
    assert "El &lt;b&gt;RFC&lt;/b&gt; no es el tuyo." in shown
    assert "could not do" in client.get(f"{path}?lang=en").text
