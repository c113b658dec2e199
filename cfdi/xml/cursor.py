"""Read SAT's elements strictly, in the order of their schema: what is not expected is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeVar

from lxml import etree

from cfdi.comprobante import Extranjero, Impuesto, TipoFactor
from cfdi.xml.nodes import Attribute, Kind, Node
from cfdi.xml.parsing import MAX_BYTES
from cfdi.xml.spelling import AmountAsWritten, TextAsWritten, collapsed

_T = TypeVar("_T")

_BLANKS: Final = " \t\r\n"
_NUMBER: Final = re.compile("[1-9][0-9]{0,8}")
_MOMENT: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
#: SAT's longest amount has 25 characters.
_LONGEST_AMOUNT: Final = 60
_MOST_ATTRIBUTES: Final = 100
#: A foreign element is kept with every namespace in scope, so their number multiplies.
_MOST_NAMESPACES: Final = 100


class DocumentUnreadable(ValueError):
    """The document is none that `cfdi.read` can hold. The message never repeats data.

    `reason` is stable: xml (not well-formed, or more than we are willing to read), not_cfdi,
    version (another CFDI than 4.0), structure (elements or attributes that Anexo 20 does not have,
    lacks or has elsewhere), value (none of its kind), spelling (a value that we would write in
    another way).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Room:
    """How much foreign XML may still be kept of one document."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = 2 * MAX_BYTES


class Cursor:
    """One element, whose children are taken one after the other."""

    __slots__ = ("_at", "_children", "element", "node", "path", "room")

    def __init__(self, element: etree._Element, node: Node, path: str, room: Room) -> None:
        self.element, self.node, self.path, self.room = element, node, path, room
        if element.prefix != node.prefix:
            raise self.refused("structure", f"its prefix must be {node.prefix}")
        self._children = self._elements()
        self._at = 0

    def refused(self, reason: str, why: str, attribute: str = "") -> DocumentUnreadable:
        place = f"{self.path}/@{attribute}" if attribute else self.path
        return DocumentUnreadable(reason, f"{place}: {why}")

    def attributes(self, *, also: Sequence[str] = ()) -> dict[str, Any]:
        """By field (by name where there is none), all of them; `also` as they are written."""
        # To list n attributes takes lxml time in n², and SAT's richest element has 19.
        if len(self.element.attrib) > _MOST_ATTRIBUTES:
            raise self.refused("structure", "has too many attributes")
        raw = {str(name): str(value) for name, value in self.element.attrib.items()}
        said: dict[str, Any] = {name: raw.pop(name, None) for name in also}
        version = raw.pop("Version", None) if self.node.version else None
        if version != self.node.version:
            raise self.refused("version", f"must be {self.node.version}", "Version")
        for row in self.node.attributes:
            written = raw.pop(row.name, None)
            if written is not None:
                said[row.field or row.name] = self._value(row, written)
            elif row.required and row.field:
                raise self.refused("structure", "is missing", row.name)
            else:
                said[row.field or row.name] = None
        if raw:
            raise self.refused("structure", "has an attribute that SAT's schema does not know")
        return said

    def only(self) -> str:
        """The one attribute that this element is."""
        said = self.attributes()
        self.end()
        (row,) = self.node.attributes
        if said[row.name] is None:
            raise self.refused("structure", "is missing", row.name)
        text: str = said[row.name]
        return text

    def maybe(self, node: Node, make: Callable[[Cursor], _T]) -> _T | None:
        """The next child if it is this one."""
        child = self._next(node.tag)
        return None if child is None else self._made(child, node, make, node.name)

    def needed(self, node: Node, make: Callable[[Cursor], _T]) -> _T:
        child = self._next(node.tag)
        if child is None:
            raise self.refused("structure", f"{node.name} is missing or not in its place")
        return self._made(child, node, make, node.name)

    def all(self, node: Node, make: Callable[[Cursor], _T]) -> tuple[_T, ...]:
        """The next children as far as they are of this kind."""
        made: list[_T] = []
        while (child := self._next(node.tag)) is not None:
            made.append(self._made(child, node, make, f"{node.name}[{len(made) + 1}]"))
        return tuple(made)

    def some(self, node: Node, make: Callable[[Cursor], _T]) -> tuple[_T, ...]:
        """As `all`, and nothing else is inside; an element that holds none says nothing."""
        self.attributes()
        made = self.all(node, make)
        self.end()
        if not made:
            raise self.refused("structure", "is empty")
        return made

    def mixed(self, known: Sequence[tuple[Node, Callable[[Cursor], Any]]]) -> list[Any]:
        """All children in their order: known ones made, others kept as `Extranjero`."""
        self.attributes()
        if len(self.element.nsmap) > _MOST_NAMESPACES:
            raise self.refused("xml", "too many namespaces")
        makers = {node.tag: (node, make) for node, make in known}
        made: list[Any] = []
        for child in self._children[self._at :]:
            node, make = makers.get(str(child.tag), (None, None))
            if node is None or make is None:
                made.append(self._foreign(child))
            else:
                made.append(self._made(child, node, make, node.name))
        self._at = len(self._children)
        if not made:
            raise self.refused("structure", "is empty")
        return made

    def end(self) -> None:
        if self._at < len(self._children):
            raise self.refused(
                "structure", "holds an element that SAT's schema does not know or not there"
            )

    def _elements(self) -> list[etree._Element]:
        found = []
        texts = [self.element.text]
        for child in self.element:
            texts.append(child.tail)
            kind: object = child.tag
            if isinstance(kind, str):
                found.append(child)
            elif kind is not etree.Comment:
                raise self.refused("structure", "holds a processing instruction")
        if any(text and text.strip(_BLANKS) for text in texts):
            raise self.refused("structure", "holds text outside of attributes")
        return found

    def _next(self, tag: str) -> etree._Element | None:
        if self._at < len(self._children) and self._children[self._at].tag == tag:
            self._at += 1
            return self._children[self._at - 1]
        return None

    def _made(
        self, child: etree._Element, node: Node, make: Callable[[Cursor], _T], name: str
    ) -> _T:
        return make(Cursor(child, node, f"{self.path}/{name}", self.room))

    def _foreign(self, child: etree._Element) -> Extranjero:
        xml = etree.tostring(child, encoding="unicode", with_tail=False).encode()
        self.room.left -= len(xml)
        if self.room.left < 0:
            raise self.refused("xml", "too much that is not SAT's")
        return Extranjero(xml)

    def _value(self, row: Attribute, written: str) -> object:
        try:
            return _READERS[row.kind](written)
        except _Spelling:
            raise self.refused("spelling", "blanks around it", row.name) from None
        except (ValueError, ArithmeticError):
            raise self.refused("value", "not a value of its kind", row.name) from None


class _Spelling(Exception):
    pass


def _text(written: str) -> str:
    plain = _said(written)
    if "|" in plain:
        raise ValueError
    return plain if plain == written else TextAsWritten(written)


def _piped(written: str) -> str:
    plain = _said(written)
    return plain if plain == written else TextAsWritten(written)


def _verbatim(written: str) -> str:
    if "|" in _said(written):
        raise ValueError
    return written


def _said(written: str) -> str:
    plain = collapsed(written)
    if not plain:
        raise ValueError
    return plain


def _amount(written: str) -> Decimal:
    if len(written) > _LONGEST_AMOUNT:
        raise ValueError
    amount = AmountAsWritten(written)
    plain = Decimal(amount)
    return plain if str(plain) == written else amount


def _exact(written: str) -> str:
    if written != collapsed(written):
        raise _Spelling
    return written


def _moment(written: str) -> datetime:
    if not _MOMENT.fullmatch(_exact(written)):
        raise ValueError
    return datetime.fromisoformat(written)


def _number(written: str) -> int:
    if not _NUMBER.fullmatch(_exact(written)):
        raise ValueError
    return int(written)


def _impuesto(written: str) -> StrEnum:
    return Impuesto(_exact(written))


def _tipo_factor(written: str) -> StrEnum:
    return TipoFactor(_exact(written))


_READERS: Final[dict[Kind, Callable[[str], object]]] = {
    Kind.TEXT: _text,
    Kind.PIPED: _piped,
    Kind.BASE64: _text,
    Kind.VERBATIM: _verbatim,
    Kind.AMOUNT: _amount,
    Kind.MOMENT: _moment,
    Kind.NUMBER: _number,
    Kind.IMPUESTO: _impuesto,
    Kind.TIPO_FACTOR: _tipo_factor,
}
