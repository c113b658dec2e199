"""What stands in a line of a letter or message."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from portal.formats import LONG, day

LOCALES: Final = {"es": "es_MX", "en": "en_US"}


def deadline(instant: datetime | None, language: str, style: str = LONG) -> str:
    """The last day in words, with the hour where the day does not count in full; "" if none."""
    if instant is None:
        return ""
    last = instant - timedelta(microseconds=1)
    written = day(last, LOCALES[language], style)
    if (last.hour, last.minute) == (23, 59):
        return written
    return f"{written}, {instant:%H:%M}{' h' if language == 'es' else ''}"


def one_line(text: str, longest: int) -> str:
    """Printable characters only, blanks collapsed, cut with an ellipsis."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"
