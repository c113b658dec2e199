"""The examples of docs/fiscal/documents.md say the truth: they run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path

import cfdi.documents

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fiscal" / "documents.md"


def test_the_examples_run() -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    assert len(blocks) >= 9
    names: dict[str, object] = {}
    for block in blocks:
        line = text[: block.start()].count("\n") + 1
        # Padded, so that a failure names the line of the page.
        exec(compile("\n" * line + block.group(1), str(PAGE), "exec"), names)


def test_every_public_name_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in cfdi.documents.__all__ if name not in text] == []
