"""When a document is stamped: 401, 403. Fecha is local time at LugarExpedicion.

Both codes are of the list by which providers accept documents.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cfdi.catalogs import codigo_postal_exists
from cfdi.validator.document import Document, path_of, text
from cfdi.validator.rule import Needs, rule

#: RMF 2.7.2.9: a document is stamped within 72 hours of its Fecha.
OLDEST: Final = timedelta(hours=72)
#: Clocks differ; providers allow this much.
AHEAD: Final = timedelta(minutes=5)
_FIRST_CFDI: Final = datetime(2012, 1, 1)  # noqa: DTZ001 - local time, as in Fecha


def instants_of_fecha(doc: Document) -> tuple[datetime, ...]:
    """In UTC; two where it falls into the hour that comes twice when summer time ends.

    None where LugarExpedicion, and so its zone, is not known (CFDI40126).
    """
    if not codigo_postal_exists(text(doc.root, "LugarExpedicion")):
        return ()
    return tuple({doc.fecha_at.replace(fold=fold).astimezone(UTC) for fold in (0, 1)})


@rule("403")
def after_2012(doc: Document) -> Iterator[str]:
    if doc.fecha <= _FIRST_CFDI:
        yield path_of(doc.root, "Fecha")


@rule("401", needs=Needs.CLOCK)
def within_72_hours(doc: Document) -> Iterator[str]:
    """Of a document that is stamped its TFD tells when that was: `tfd_fecha`."""
    if doc.at is None or doc.timbre is not None:
        return
    earliest, latest = doc.at - OLDEST, doc.at + AHEAD
    instants = instants_of_fecha(doc)
    if instants and not any(earliest <= instant <= latest for instant in instants):
        yield path_of(doc.root, "Fecha")
