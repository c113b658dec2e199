"""After the button: what may be sent from which page, by whom and how often."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from hub.domain.purchase import DOWN, Estado
from portal.buyer.limits import LETTERS

WAYS = ("/corregir", "/aviso", "/zip")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("estado", list(Estado))
def test_looking_sends_nothing(kit: Any, way: str, estado: Estado) -> None:
    kit.service.current = kit.purchase(estado, corrections_left=1)
    answer = kit.client.get(kit.path + way)
    shown = estado is Estado.LISTA and way == "/corregir"
    assert answer.status_code == (200 if shown else 303)
    assert (kit.service.corrections, kit.service.told, kit.service.bundles) == ([], [], [])


@pytest.mark.parametrize("way", WAYS)
def test_only_our_own_page_may_send(kit: Any, way: str) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, corrections_left=1, masked_email="")
    foreign = {"Origin": "https://evil.example"}
    assert kit.post(kit.good, way, headers=foreign).status_code == 403
    unsigned = kit.client.post(kit.path + way, data=kit.good)
    assert unsigned.status_code == 422
    late = kit.signed()
    kit.clock.advance(25 * 3600)
    old = kit.client.post(kit.path + way, data=kit.good | late)
    assert old.status_code == 422
    assert (kit.service.corrections, kit.service.told, kit.service.bundles) == ([], [], [])


def test_a_page_that_was_open_too_long_loses_nothing_of_a_correction(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, corrections_left=1)
    late = kit.signed()
    kit.clock.advance(25 * 3600)
    data = kit.good | late | {"nombre": "OTRO NOMBRE", "mensaje": "mi mensaje"}
    page = kit.client.post(f"{kit.path}/corregir", data=data).text
    assert 'value="OTRO NOMBRE"' in page
    assert "mi mensaje</textarea>" in page
    assert "Tus datos siguen aquí" in page


def test_who_came_by_a_ticket_corrects_downloads_and_leaves_nothing(kit: Any) -> None:
    kit.service.current = kit.purchase(
        Estado.LISTA, corrections_left=1, proven=False, masked_email=""
    )
    page = kit.client.get(kit.path).text
    assert "/corregir" not in page
    assert "/zip" not in page
    assert kit.client.get(f"{kit.path}/corregir").status_code == 303
    for way in ("/corregir", "/aviso"):
        assert kit.post(kit.good, way).status_code == 303
    signed = kit.signed()
    kit.service.current = replace(kit.service.current, estado=Estado.POR_CONFIRMAR, uuid=None)
    assert "/aviso" not in kit.client.get(kit.path).text
    assert kit.client.post(f"{kit.path}/aviso", data=kit.good | signed).status_code == 303
    assert (kit.service.corrections, kit.service.told) == ([], [])


@pytest.mark.parametrize("reason", ["", DOWN])
def test_an_address_is_left_as_often_as_a_letter_is_sent(kit: Any, reason: str) -> None:
    waits = kit.purchase(Estado.POR_CONFIRMAR, reason=reason)
    for number in range(LETTERS.amount):
        kit.service.current = waits
        given = kit.post({"correo": f"a{number}@example.com"}, "/aviso")
        assert given.status_code == 303
    kit.service.current = waits
    assert kit.post({"correo": "una@example.com"}, "/aviso").status_code == 429
    assert len(kit.service.told) == LETTERS.amount


@pytest.mark.parametrize("estado", [Estado.PROCESANDO, Estado.POR_CONFIRMAR])
def test_without_a_script_no_page_comes_back_under_who_types_an_address(
    kit: Any, estado: Estado
) -> None:
    def seconds(**changes: Any) -> int:
        kit.service.current = kit.purchase(estado, reason=DOWN, **changes)
        page = kit.client.get(kit.path).text
        assert ('name="correo"' in page) == (changes == {"masked_email": ""})
        return int(re.findall(r'<noscript><meta http-equiv="refresh" content="(\d+)">', page)[0])

    assert seconds(masked_email="") >= 120
    assert seconds(masked_email="c•••@example.com") <= 15
    assert seconds(masked_email="", proven=False) <= 15


def test_where_no_correction_is_allowed_the_merchant_is_written_to(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    page = kit.client.get(f"{kit.path}/corregir").text
    assert 'id="rfc"' not in page
    assert kit.post({"mensaje": " "}, "/corregir").status_code == 422
    assert kit.post({"mensaje": "Falta la e.", "correo": ""}, "/corregir").status_code == 303
    [question] = kit.service.questions
    assert question == {"correo": "", "mensaje": "Falta la e.", "idioma": "es"}
    assert kit.service.corrections == []


def test_hostile_words_are_only_ever_text(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, corrections_left=1)
    evil = '"><script>alert(1)</script>\x00\u202e{{7*7}}'
    page = kit.post(kit.good | {"cp": evil, "mensaje": evil * 99}, "/corregir")
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert kit.post({"x" * 99: "y" * 70_000}, "/corregir").status_code == 413
    assert kit.service.corrections == []


@pytest.mark.parametrize("estado", list(Estado))
def test_programs_are_told_when_to_ask_again(kit: Any, estado: Estado) -> None:
    kit.service.current = kit.purchase(estado)
    told = kit.client.get(f"{kit.path}/estado").headers.get("Retry-After")
    assert told == {"procesando": "2", "por_confirmar": "15"}.get(estado.value)
