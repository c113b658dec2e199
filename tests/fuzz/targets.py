"""What is fuzzed: each takes bytes as they come and raises where a promise is broken.

They need no fuzzer: `test_found.py` gives them again what one found once.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from lxml import etree

from cfdi import constancia, reading, validator
from cfdi.cadena import cadena_original
from cfdi.constancia import paper
from cfdi.constancia.validador import owned
from cfdi.findings import Finding
from cfdi.xml import parse
from cfdi.xml.names import PREFIXES
from connectors.contract import DeliveryUnreadable
from connectors.reader import MAX_AMOUNT_DIGITS, MAX_DIGITS, MAX_TEXT, Reader, glance, read_json
from tests.validator.mutants import mutant

NOW: Final = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
TESTS: Final = Path(__file__).resolve().parents[1]
_REASONS: Final = {"xml", "not_cfdi", "version", "structure", "value", "spelling"}
_SAT: Final = {PREFIXES[prefix] for prefix in ("cfdi", "pago20", "tfd")}
_MOST_WAITING: Final = 2000


def _document(data: bytes) -> bytes:
    """An odd first byte: what follows seeds a mutant; an even one: what follows is the document."""
    is_seed = data[:1] and data[0] % 2
    return mutant(random.Random(data[1:])) if is_seed else data[1:]


def validate(data: bytes) -> None:
    """The answer is a tuple of findings, whatever comes."""
    found = validator.validate(_document(data), at=NOW)
    if not isinstance(found, tuple) or len(found) > validator.MOST_FINDINGS:
        raise TypeError("not a tuple of findings")
    for one in found:
        if not isinstance(one, Finding) or not one.code or not one.message_es:
            raise TypeError(f"not a finding: {one!r}")


def read(data: bytes) -> None:
    """A document is refused by name, or written again says the same."""
    came = _document(data)
    try:
        document = reading.read(came)
    except reading.DocumentUnreadable as refused:
        if refused.reason not in _REASONS:
            raise ValueError(f"not a reason: {refused.reason}") from None
        return
    written = document.to_xml()
    # The second time it may declare more namespaces: the canonical form is what is promised.
    for again in (written, reading.read(written).to_xml()):
        if _canonical(again) != _canonical(came):
            raise ValueError("written again it says something else")
    if cadena_original(parse(written)) != cadena_original(parse(came)):
        raise ValueError("its cadena original is another")


def _canonical(xml: bytes) -> bytes:
    """Without comments, and without the blanks between SAT's own elements."""
    root = parse(xml)
    for element in root.iter("{*}*"):
        if etree.QName(element).namespace in _SAT:
            element.text = (element.text or "").strip() or None
            for child in element:
                child.tail = (child.tail or "").strip() or None
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


def paper_text(data: bytes) -> None:
    """The text of a paper and, after a NUL, of its code: a taxpayer's data, or refused by name."""
    text, _, code = data.decode("utf-8", "replace").partition("\0")
    try:
        said = paper.of_text(f"CONSTANCIA DE SITUACIÓN FISCAL\n{text}", [code] if code else [])
    except constancia.ConstanciaRefused:
        return
    if (
        not owned(said.rfc)
        or paper.Constancia.of_json(json.loads(json.dumps(said.as_json()))) != said
    ):
        raise ValueError("what was read is no taxpayer's data")


def foreign_json(data: bytes) -> None:
    """Every reading of every place gives a value in its bounds or `DeliveryUnreadable`."""
    for make in (read_json, glance):
        try:
            root = make(data)
        except DeliveryUnreadable:
            continue
        places = [root]
        while places:
            place = places.pop()
            _try_readings(place)
            if len(places) < _MOST_WAITING:
                places += _inside(place)


def _inside(place: Reader) -> Iterable[Reader]:
    if isinstance(place.value, dict):
        return [place.at(name) for name in place.value if "." not in name]
    try:
        return place.elements() if isinstance(place.value, list) else ()
    except DeliveryUnreadable:
        return ()


def _try_readings(place: Reader) -> None:
    holder = Reader({"it": place.value}, place.path)
    for reading_of in (holder.text, holder.decimal, holder.flag, holder.items, holder.instant_gmt):
        try:
            value = reading_of("it")
        except DeliveryUnreadable:
            continue
        if isinstance(value, str):
            value.encode()
            if len(value) > MAX_TEXT or "\0" in value:
                raise ValueError("a text out of its bounds")
        if isinstance(value, Decimal):
            if not value.is_finite() or value.adjusted() > MAX_AMOUNT_DIGITS:
                raise ValueError("an amount out of its bounds")
            if len(f"{value:f}") > 2 * MAX_DIGITS + 3:
                raise ValueError("a number that is too long to be kept")


#: By name: the target, the files worth beginning with, and what goes before them.
TARGETS: Final[dict[str, tuple[Callable[[bytes], None], str, bytes]]] = {
    "validate": (validate, "cfdi/golden/**/*.xml", b"\0"),
    "read": (read, "cfdi/golden/**/*.xml", b"\0"),
    "constancia": (paper_text, "fuzz/papers/*.txt", b""),
    "json": (foreign_json, "connectors/**/*.json", b""),
}
