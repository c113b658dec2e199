"""What docs/fiscal/documents.md names. Its examples run with those of the other pages."""

from __future__ import annotations

from pathlib import Path

import cfdi.documents

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fiscal" / "documents.md"


def test_every_public_name_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in cfdi.documents.__all__ if name not in text] == []
