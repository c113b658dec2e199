"""The sheet that a document is written on: its XML and, beside it, its cadena original."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from cfdi.xml.names import PREFIXES
from cfdi.xml.nodes import Node
from cfdi.xml.values import WRITERS, Written, escaped

#: How the attribute begins whose value is known last.
SELLO: Final = ' Sello="'


#: How it begins, its name, how its value is written, whether it is required, whether the cadena
#: says it. A plain tuple: every attribute of every document is taken out of one.
_Slot = tuple[str, str, Callable[[str, Any], Written], bool, bool]
#: Declarations of namespaces.
_XMLNS: Final = {prefix: f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items()}


class _Form(NamedTuple):
    """A node made ready for writing."""

    opening: str
    version: str | None
    closing: str
    fields: Callable[[Any], Sequence[Any]]
    slots: tuple[_Slot, ...]


class Sheet:
    """`cadena_known` is False once something stands there that only SAT's style sheet can tell."""

    __slots__ = ("_declared", "cadena", "cadena_known", "sello_at", "xml")

    def __init__(self) -> None:
        self.xml: list[str] = []
        self.cadena: list[str] = []
        self.cadena_known = True
        self.sello_at: int | None = None
        self._declared: set[str] = set()

    def root(self, node: Node, prefixes: Sequence[str], location: str, said: Sequence[Any]) -> None:
        """The start of the document; `said` are the values of all attributes in their order."""
        form = _form(node)
        self._declared.update(prefixes)
        self.xml.append(form.opening)
        self.xml += [_XMLNS[prefix] for prefix in prefixes]
        if location:
            self.xml.append(f' xsi:schemaLocation="{escaped(location)}"')
        before = len(self.xml)
        self._attributes(form, said, self.cadena)
        self.xml.append(">")
        self.sello_at = next(
            (at for at in range(before, len(self.xml)) if self.xml[at].startswith(SELLO)), None
        )

    def declared(self, node: Node, value: object, location: str | None, *, sealed: bool) -> None:
        """The start of a complement, with the namespaces that the root does not declare."""
        form = _form(node)
        needed = {node.prefix} if location is None else {node.prefix, "xsi"}
        self.xml.append(form.opening)
        self.xml += [_XMLNS[prefix] for prefix in sorted(needed - self._declared)]
        if location is not None:
            self.xml.append(f' xsi:schemaLocation="{escaped(location)}"')
        # The TFD takes no part in the issuer's cadena.
        self._attributes(form, form.fields(value), self.cadena if sealed else [])
        self.xml.append(">" if sealed else "/>")

    def put(self, node: Node, value: object, *, closed: bool = True) -> None:
        form = _form(node)
        self.xml.append(form.opening)
        self._attributes(form, form.fields(value), self.cadena)
        self.xml.append("/>" if closed else ">")

    def one(self, node: Node, text: str) -> None:
        """An element that is one attribute."""
        form = _form(node)
        self.xml.append(form.opening)
        self._attributes(form, (text,), self.cadena)
        self.xml.append("/>")

    def many(self, group: Node, node: Node, values: Sequence[object]) -> None:
        """The elements in one that holds them together; nothing if there are none."""
        if values:
            self.open(group)
            for value in values:
                self.put(node, value)
            self.close(group)

    def open(self, node: Node) -> None:
        self.xml.append(f"{_form(node).opening}>")

    def close(self, node: Node) -> None:
        if self.xml[-1] == ">":  # nothing came to stand inside
            self.xml[-1] = "/>"
        else:
            self.xml.append(_form(node).closing)

    def total(self, node: Node, field: str, value: object) -> None:
        """An attribute that is written already, and stands elsewhere in the cadena."""
        said = getattr(value, field)
        if said is None:
            return
        for row in node.attributes:
            if row.field == field:
                self.cadena.append(WRITERS[row.kind](row.name, said)[1])

    def unknown(self, xml: str) -> None:
        self.cadena_known = False
        self.xml.append(xml)

    def _attributes(self, form: _Form, said: Sequence[Any], cadena: list[str]) -> None:
        xml = self.xml
        if form.version is not None:
            xml.append(f' Version="{form.version}"')
            cadena.append(form.version)
        for (opening, name, write, required, in_cadena), value in zip(
            form.slots, said, strict=True
        ):
            if value is None:
                # SAT's style sheet leaves a place for what is required, even where it is missing.
                if required and in_cadena:
                    cadena.append("")
                continue
            written, plain = write(name, value)
            if plain:
                xml.append(f'{opening}{written}"')
            if in_cadena and (plain or required):
                cadena.append(plain)


@cache
def _form(node: Node) -> _Form:
    name = f"{node.prefix}:{node.name}"
    slots = tuple(
        (f' {row.name}="', row.name, WRITERS[row.kind], row.required, row.in_cadena)
        for row in node.attributes
    )
    fields = _fields([row.field for row in node.attributes])
    return _Form(f"<{name}", node.version, f"</{name}>", fields, slots)


def _fields(names: Sequence[str]) -> Callable[[Any], Sequence[Any]]:
    """Their values, all at once; of an attribute without a field None."""
    if not any(names):
        return lambda _: ()
    if len(names) == 1:
        return lambda value: (getattr(value, names[0]),)
    if all(names):
        return attrgetter(*names)
    return lambda value: [getattr(value, name) if name else None for name in names]
