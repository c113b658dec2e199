"""The documents of queries/, as they are sent."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

_FIRST: Final = re.compile(r"first: (\d{2,})")


@cache
def text_of(document: str, halved: int = 0) -> str:
    """With every list of ten or more halved so often."""
    text = (files("connectors.shopify") / "queries" / f"{document}.graphql").read_text("utf-8")
    return _FIRST.sub(lambda found: f"first: {max(int(found[1]) >> halved, 1)}", text)


def at_most(document: str, name: str, halved: int = 0) -> int:
    """How many of the list `name` the document asks for at once."""
    found = re.search(rf"{name}\(first: (\d+)", text_of(document, halved))
    if found is None:
        raise LookupError(f"{document} asks for no list {name}")
    return int(found[1])
