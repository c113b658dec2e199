"""A document as the rules see it: parsed once, found nodes at hand, values without blanks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from lxml import etree

from cfdi.catalogs import MONEDA, CodigoPostalUnknown, zone
from cfdi.xml import CFDI, PAGO20, TIMBRE

if TYPE_CHECKING:
    from cfdi.validator.register import TaxpayerRegister

_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_ZERO: Final = Decimal(0)
_PLURAL: Final = {"Traslado": "Traslados", "Retencion": "Retenciones"}
#: Where the postal code is none of SAT's, time is read as in the capital.
_CENTER: Final = "America/Mexico_City"
#: Elements of which there is only ever one in their parent stand in a path without a number.
_REPEATED: Final = frozenset(
    {
        *("Concepto", "Traslado", "Retencion", "Parte", "InformacionAduanera", "CuentaPredial"),
        *("CfdiRelacionados", "CfdiRelacionado", "Pago", "DoctoRelacionado"),
        *("TrasladoDR", "RetencionDR", "TrasladoP", "RetencionP", "Complemento"),
    }
)

#: SAT's amounts have 18 digits and 6 decimals; where its XSD sets no end, we do.
LONGEST_NUMBER: Final = 40


class NumberTooLong(ValueError):
    """No amount has so many digits. `path` is where it stands."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} has more than {LONGEST_NUMBER} characters")
        self.path = path


@dataclass(frozen=True)
class Line:
    """A Concepto with its taxes."""

    node: etree._Element
    traslados: tuple[etree._Element, ...]
    retenciones: tuple[etree._Element, ...]
    has_impuestos: bool


@dataclass(frozen=True)
class Document:
    """A document whose structure the XSD has accepted."""

    root: etree._Element
    #: An instant, None if the rules of the clock are not asked.
    at: datetime | None = None
    register: TaxpayerRegister | None = None
    authorities: Sequence[bytes] = ()
    tipo: str = field(init=False)
    #: Decimals of Moneda, None if it is none of SAT's.
    decimals: int | None = field(init=False)
    emisor: etree._Element = field(init=False)
    receptor: etree._Element = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tipo", text(self.root, "TipoDeComprobante"))
        object.__setattr__(self, "decimals", MONEDA.get(text(self.root, "Moneda")))
        object.__setattr__(self, "emisor", _required(self.root, "Emisor"))
        object.__setattr__(self, "receptor", _required(self.root, "Receptor"))
        if self.at is not None and self.at.tzinfo is None:
            object.__setattr__(self, "at", self.at.replace(tzinfo=self.zone))

    @cached_property
    def conceptos(self) -> tuple[etree._Element, ...]:
        return tuple(self.root.iterfind(f"{{{CFDI}}}Conceptos/{{{CFDI}}}Concepto"))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The conceptos with their taxes at hand."""
        return tuple(_line(node) for node in self.conceptos)

    @cached_property
    def impuestos(self) -> etree._Element | None:
        return self.child("Impuestos")

    @cached_property
    def traslados(self) -> tuple[etree._Element, ...]:
        return _taxes(self.impuestos, "Traslado")

    @cached_property
    def retenciones(self) -> tuple[etree._Element, ...]:
        return _taxes(self.impuestos, "Retencion")

    @cached_property
    def complements(self) -> tuple[etree._Element, ...]:
        holders = self.root.iterfind(f"{{{CFDI}}}Complemento")
        return tuple(child for holder in holders for child in holder if isinstance(child.tag, str))

    @cached_property
    def timbre(self) -> etree._Element | None:
        return next((node for node in self.complements if node.tag == TIMBRE), None)

    @cached_property
    def pagos(self) -> tuple[etree._Element, ...]:
        """The complements of payments (one in a document that is right)."""
        return tuple(node for node in self.complements if node.tag == f"{{{PAGO20}}}Pagos")

    def has_complement(self, *names: str) -> bool:
        """Whether a complement of SAT's stands in Complemento, by the names of namespaces."""
        spaces = tuple(f"{{http://www.sat.gob.mx/{name}}}" for name in names)
        return any(str(node.tag).startswith(spaces) for node in self.complements)

    @cached_property
    def zone(self) -> ZoneInfo:
        """That of LugarExpedicion."""
        try:
            return zone(text(self.root, "LugarExpedicion"))
        except CodigoPostalUnknown:
            return ZoneInfo(_CENTER)

    @cached_property
    def fecha(self) -> datetime:
        """Local time at LugarExpedicion, without a zone, as written."""
        return datetime.fromisoformat(text(self.root, "Fecha"))

    @cached_property
    def fecha_at(self) -> datetime:
        """The instant of Fecha."""
        return self.fecha.replace(tzinfo=self.zone)

    def path(self, node: etree._Element, attribute: str = "") -> str:
        """Where it stands: ``Comprobante/Conceptos/Concepto[3]/@Importe``, counted from one."""
        return path_of(node, attribute)

    def child(self, name: str) -> etree._Element | None:
        return self.root.find(f"{{{CFDI}}}{name}")


def text(node: etree._Element, name: str) -> str:
    """An attribute without the blanks that SAT's types do not count; "" if it is missing."""
    value = node.get(name, "")
    return value if value.isalnum() else _BLANKS.sub(" ", value).strip(" ")


def amount(node: etree._Element, name: str) -> Decimal:
    """Zero if the attribute is missing. Raises `NumberTooLong`."""
    value = node.get(name)
    if value is None:
        return _ZERO
    if len(value) > LONGEST_NUMBER:
        raise NumberTooLong(path_of(node, name))
    return Decimal(value.strip())


def decimals(node: etree._Element, name: str) -> int:
    """How many are written, trailing zeros too."""
    return len(node.get(name, "").strip().partition(".")[2])


def path_of(node: etree._Element, attribute: str = "") -> str:
    """Where it stands: ``Comprobante/Conceptos/Concepto[3]/@Importe``, counted from one."""
    steps = [_step(node), *(_step(above) for above in node.iterancestors())]
    return "/".join(reversed(steps)) + (f"/@{attribute}" if attribute else "")


def local_name(node: etree._Element) -> str:
    tag = node.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else "comment()"


def _step(node: etree._Element) -> str:
    name = local_name(node)
    if name not in _REPEATED or not isinstance(node.tag, str):
        return name
    before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
    # There is one Complemento as a rule; only a second one is counted.
    return name if name == "Complemento" and not before else f"{name}[{before + 1}]"


def _line(node: etree._Element) -> Line:
    impuestos = node.find(f"{{{CFDI}}}Impuestos")
    return Line(
        node, _taxes(impuestos, "Traslado"), _taxes(impuestos, "Retencion"), impuestos is not None
    )


def _taxes(impuestos: etree._Element | None, kind: str) -> tuple[etree._Element, ...]:
    if impuestos is None:
        return ()
    return tuple(impuestos.iterfind(f"{{{CFDI}}}{_PLURAL[kind]}/{{{CFDI}}}{kind}"))


def _required(root: etree._Element, name: str) -> etree._Element:
    found = root.find(f"{{{CFDI}}}{name}")
    if found is None:  # the XSD was asked first
        raise ValueError(f"a document without {name}")
    return found
