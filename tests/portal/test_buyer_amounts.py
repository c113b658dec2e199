"""A form carries the amounts that it was shown with; other amounts are shown before an invoice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hub.domain.purchase import Estado, FieldError

CHANGED = FieldError("", "amounts_changed", "Los importes cambiaron.", "The amounts changed.")


def test_the_seller_is_asked_when_a_page_opens_and_not_by_its_polling(kit: Any) -> None:
    kit.client.get(kit.path)
    assert kit.service.refreshed == [kit.token]
    kit.client.get(f"{kit.path}/estado")
    kit.client.get(f"{kit.path}/cfdi.xml")
    assert kit.service.refreshed == [kit.token]


def test_what_was_shown_comes_back_with_the_form(kit: Any) -> None:
    kit.service.current = kit.purchase(vista="a1b2")
    assert 'name="vista" value="a1b2"' in kit.client.get(kit.path).text
    review = kit.post(kit.good | {"accion": "revisar"})
    assert 'name="vista" value="a1b2"' in review.text
    kit.post(kit.good | {"vista": "a1b2"})
    [(form, _)] = kit.service.requests
    assert form.vista == "a1b2"


def test_other_amounts_are_shown_with_all_that_was_typed(kit: Any, monkeypatch: Any) -> None:
    def changed(*_: Any) -> tuple[FieldError, ...]:
        kit.service.current = kit.purchase(total=Decimal("900.00"), vista="c3d4")
        return (CHANGED,)

    monkeypatch.setattr(kit.service, "request", changed)
    answer = kit.post(kit.good | {"vista": "a1b2"})
    assert answer.status_code == 422
    assert "900.00" in answer.text
    assert CHANGED.mensaje_es in answer.text
    assert 'name="vista" value="c3d4"' in answer.text
    assert f'name="rfc" value="{kit.good["rfc"]}"' in answer.text


def test_what_closed_meanwhile_is_shown_as_it_is(kit: Any, monkeypatch: Any) -> None:
    def closed(*_: Any) -> tuple[FieldError, ...]:
        kit.service.current = kit.purchase(Estado.CANCELADA)
        return (FieldError("", "not_open", "Ya no.", "No more."),)

    monkeypatch.setattr(kit.service, "request", closed)
    answer = kit.post(kit.good)
    assert answer.status_code == 303
    assert answer.location.endswith(kit.path)


def test_sat_is_not_blamed_for_amounts_that_changed(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.RECHAZADA, errors=(CHANGED,))
    assert "El SAT no aceptó" not in kit.client.get(kit.path).text
    kit.service.current = replace(kit.service.current, errors=())
    assert "El SAT no aceptó" in kit.client.get(kit.path).text
