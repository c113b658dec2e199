"""How a document is judged: XML, structure, then every rule that its type calls for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Context, localcontext
from itertools import islice
from typing import TYPE_CHECKING, Final

from lxml import etree

from cfdi.findings import Finding
from cfdi.validator import messages, schema
from cfdi.validator.document import Document, NumberTooLong
from cfdi.validator.order import ORDER
from cfdi.validator.register import Remembered
from cfdi.validator.rule import ALL_TIPOS, Failure, Needs, Rule
from cfdi.xml import COMPROBANTE, XmlRefused, parse
from cfdi.xml.names import ADDENDA

if TYPE_CHECKING:
    from cfdi.validator.register import TaxpayerRegister

#: No more findings are told: a document with so many is mended elsewhere.
MOST_FINDINGS: Final = 200
_MOST_OF_A_RULE: Final = 50
#: Two numbers of the longest kind, multiplied, are exact.
_EXACT: Final = 120


def validate(
    xml: bytes,
    *,
    at: datetime | None = None,
    register: TaxpayerRegister | None = None,
    authorities: Sequence[bytes] = (),
) -> tuple[Finding, ...]:
    """Every rule of SAT's that the document breaks; an empty tuple means that it is valid.

    `at` is the moment of stamping, against which Fecha is judged: a naive one is local time at
    LugarExpedicion, an aware one an instant, None leaves the rules of the clock out. Rules that
    need SAT's lists are asked of `register` only; whether SAT issued the certificate only of
    `authorities` (certificates, DER or PEM) or the register. Validity of certificates is judged at
    Fecha. A Timbre Fiscal Digital that is there is verified, and an Addenda is not looked at.

    Of defects that follow from one another the first is told. At most `MOST_FINDINGS` are. Any
    bytes are answered, never with an exception. Rules: `docs/fiscal/validator.md`; SAT's matrices:
    http://omawww.sat.gob.mx/tramitesyservicios/Paginas/anexo_20.htm
    """
    failures = _failures(xml, at, register, authorities)
    return tuple(messages.finding(failure) for failure in islice(failures, MOST_FINDINGS))


def _failures(
    xml: bytes,
    at: datetime | None,
    register: TaxpayerRegister | None,
    authorities: Sequence[bytes],
) -> Iterator[Failure]:
    try:
        root = parse(xml)
    except XmlRefused as refused:
        yield Failure("", str(refused), str(refused), "301")
        return
    if root.tag != COMPROBANTE:
        said = ("no es un cfdi:Comprobante versión 4.0", "not a cfdi:Comprobante of version 4.0")
        yield Failure("", *said, "301")
        return
    # In its place; anywhere else, or twice, it breaks the structure.
    last = next(root.iterchildren(etree.Element, reversed=True), None)
    if last is not None and last.tag == ADDENDA:
        root.remove(last)
    broken = list(islice(schema.failures(root), MOST_FINDINGS))
    yield from broken
    if not broken:
        asked = None if register is None else Remembered(register)
        yield from _broken_rules(Document(root, at, asked, authorities))


def _broken_rules(document: Document) -> Iterator[Failure]:
    found: set[str] = set()
    for rule in _asked(document):
        if not rule.unless & found:
            with localcontext(Context(prec=_EXACT)):
                broken = _places(rule, document)
            found.update(failure.code for failure in broken)
            yield from broken


def _asked(document: Document) -> Iterator[Rule]:
    needs = {Needs.NOTHING}
    if document.at is not None:
        needs.add(Needs.CLOCK)
    if document.register is not None:
        needs.update((Needs.REGISTER, Needs.AUTHORITIES))
    if document.authorities:
        needs.add(Needs.AUTHORITIES)
    for rule in ORDER:
        # A type that SAT does not have is asked the rules that are for all.
        if rule.needs in needs and (rule.tipos == ALL_TIPOS or document.tipo in rule.tipos):
            yield rule


def _places(rule: Rule, document: Document) -> list[Failure]:
    try:
        return [
            failure
            if isinstance(failure, Failure) and failure.code
            else _with_code(failure, rule.code)
            for failure in islice(rule.check(document), _MOST_OF_A_RULE)
        ]
    except NumberTooLong as refused:
        return [Failure(refused.path, "Número demasiado largo.", "Number too long.", "301")]


def _with_code(failure: str | Failure, code: str) -> Failure:
    if isinstance(failure, str):
        return Failure(failure, code=code)
    return Failure(failure.path, failure.es, failure.en, code)
