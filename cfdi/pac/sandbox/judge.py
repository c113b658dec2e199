"""Whether the sandbox stamps a document: what a provider checks, in the order it checks it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from cfdi.pac.sandbox import rules_head, rules_lines, rules_parties, rules_totals
from cfdi.pac.sandbox.messages import MESSAGES
from cfdi.pac.sandbox.register import Register
from cfdi.pac.sandbox.schema import Schema
from cfdi.xml import COMPROBANTE, TIMBRE, XmlRefused, parse


class Refused(Exception):
    """Not stamped. As at real providers, one code of SAT's an answer."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail

    @property
    def message(self) -> str:
        return f"{self.code} - {MESSAGES[self.code]}"


class AlreadyTimbrado(Exception):
    """The document that was sent carries a TFD."""


class Judge:
    """Compiles SAT's XSD when made. Thread safe."""

    def __init__(self, register: Register, own_root: bytes) -> None:
        self._schema = Schema()
        self._register = register
        self._own_root = own_root

    def examine(self, sealed: bytes, now: datetime) -> etree._Element:
        """The document, if it may be stamped at `now`. Raises `Refused` or `AlreadyTimbrado`."""
        try:
            root = parse(sealed)
        except XmlRefused as error:
            raise Refused("301", str(error)) from None
        if root.tag != COMPROBANTE:
            raise Refused("301", "not a cfdi:Comprobante of version 4.0")
        if next(root.iter(TIMBRE), None) is not None:
            raise AlreadyTimbrado
        if invalid := self._schema.code_of(root):
            raise Refused(*invalid)
        for code in self._codes(root, now):
            raise Refused(code)
        return root

    def _codes(self, root: etree._Element, now: datetime) -> Iterator[str]:
        yield from rules_head.fecha(root, now)
        yield from rules_head.certificate(root, self._own_root)
        yield from rules_head.terms(root)
        yield from rules_lines.conceptos(root)
        yield from rules_totals.totals(root)
        yield from rules_parties.emisor(root, self._register, self._own_root)
        yield from rules_parties.receptor(root, self._register)
