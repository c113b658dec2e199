from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from importlib.resources import files

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import ContentStream

from cfdi.pdf import render
from cfdi.pdf.glyphs import UNPRINTABLE, printable

Stamped = Callable[..., bytes]


def test_what_source_sans_has_is_printed_as_it_is() -> None:
    folder = files("font_source_sans_pro").joinpath("files")
    fonts = [TTFont(str(folder / f"SourceSansPro-{w}.ttf")) for w in ("Regular", "Semibold")]
    both = set.intersection(*(set(font.getBestCmap()) for font in fonts))
    missing = [chr(code) for code in both if code >= 0x20 and printable(chr(code)) == UNPRINTABLE]
    assert missing == ["\ufffd"] or not missing


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_categories=["Cc"])))
def test_spanish_is_never_touched(text: str) -> None:
    assert printable(text) == text


def test_a_run_of_what_no_font_has_becomes_one_mark() -> None:
    assert printable("Taza 😀👩‍👩‍👧 roja") == f"Taza {UNPRINTABLE} roja"
    assert printable("有限公司 SA") == f"{UNPRINTABLE} SA"


def test_a_page_says_what_the_mark_means(stamped: Stamped) -> None:
    with_emoji, without = (
        PdfReader(io.BytesIO(render(stamped(description=text), sandbox=False)))
        for text in ("Taza 😀", "Taza")
    )
    assert "no se pueden imprimir" in with_emoji.pages[0].extract_text()
    assert "no se pueden imprimir" not in without.pages[0].extract_text()


def codes(pdf: bytes) -> set[int]:
    """The glyphs shown; 0 is a font's empty box."""
    found: set[int] = set()
    reader = PdfReader(io.BytesIO(pdf))
    for page in reader.pages:
        for operands, operator in ContentStream(page.get_contents(), reader).operations:
            if operator in {b"Tj", b"TJ"}:
                shown = operands[0] if operator == b"TJ" else [operands[0]]
                texts = [part.original_bytes for part in shown if hasattr(part, "original_bytes")]
                for text in texts:
                    found |= {int.from_bytes(text[i : i + 2]) for i in range(0, len(text), 2)}
    return found


def test_no_character_prints_as_an_empty_box(stamped: Stamped) -> None:
    covered = [chr(code) for code in range(0xA1, 0x2400) if printable(chr(code)) == chr(code)]
    visible = [each for each in covered if unicodedata.category(each)[0] not in "CMZ"]
    assert len(visible) > 2000
    for start in range(0, len(visible), 450):
        text = " ".join(visible[start : start + 450])
        assert 0 not in codes(render(stamped(description=text), sandbox=False))


def test_the_look_for_empty_boxes_finds_them(
    stamped: Stamped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cfdi.pdf.text.printable", lambda text: text)
    assert 0 in codes(render(stamped(description="Taza \U0001f600"), sandbox=False))
