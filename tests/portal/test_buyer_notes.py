"""Credit notes on the buyer's page: shown with their documents, to the holder of the link alone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.purchase import Estado, Note

NOTE_UUID = "0F1E2D3C-4B5A-4697-8877-665544332211"


@pytest.fixture
def noted(kit: Any) -> Any:
    note = Note(2, Decimal("16.00"), "MXN", NOTE_UUID, datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    kit.service.current = kit.purchase(Estado.LISTA, notes=(note,))
    return kit


def test_the_page_names_the_amount_and_links_both_documents(noted: Any) -> None:
    page = noted.client.get(noted.path).text
    assert "Se emitió una nota de crédito por $16.00" in page
    assert NOTE_UUID in page
    assert f'href="{noted.path}/nota/2.xml"' in page
    assert f'href="{noted.path}/nota/2.pdf"' in page
    english = noted.client.get(f"{noted.path}?lang=en").text
    assert "A credit note for $16.00" in english
    assert f'href="{noted.path}/nota/2.pdf?lang=en"' in english


@pytest.mark.parametrize(
    ("ending", "kind"), [("xml", "application/xml"), ("pdf", "application/pdf")]
)
def test_its_documents_come_under_its_own_name(noted: Any, ending: str, kind: str) -> None:
    answer = noted.client.get(f"{noted.path}/nota/2.{ending}")
    assert answer.status_code == 200
    assert answer.mimetype == kind
    assert f"{NOTE_UUID}.{ending}" in answer.headers["Content-Disposition"]
    assert b"nota" in answer.data


@pytest.mark.parametrize("number", ["1", "3", "0", "99999999999999999999"])
def test_there_are_no_others(noted: Any, number: str) -> None:
    assert noted.client.get(f"{noted.path}/nota/{number}.xml").status_code == 404


def test_nor_behind_another_link(noted: Any) -> None:
    assert noted.client.get(f"/f/{'x' * 43}/nota/2.xml").status_code == 404


def test_an_invoice_without_notes_says_nothing_of_them(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    assert "nota de crédito" not in kit.client.get(kit.path).text
