"""Folios of a series that a merchant begins elsewhere than at 1."""

from __future__ import annotations

from typing import Any


def test_a_series_begins_where_it_is_told_and_never_goes_back(store: Any, merchant_id: str) -> None:
    with store.transaction() as tx:
        invoices = tx.tenant(merchant_id).invoices
        assert invoices.next_folio("A") == 1
        assert invoices.next_folio("A", first=500) == 500
        assert invoices.next_folio("A", first=500) == 501
        assert invoices.next_folio("A", first=2) == 502
        assert invoices.next_folio("B", first=500) == 500
