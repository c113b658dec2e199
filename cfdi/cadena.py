"""The cadena original of a CFDI and of its TFD.

SAT's XSLT comes with the package satcfdi (Anexo 20,
http://www.sat.gob.mx/sitio_internet/cfd/4/cadenaoriginal_4_0/cadenaoriginal_4_0.xslt) and is the
judge. What stands in every document (Anexo 20, Pagos 2.0, the TFD) is read off the tree here, in
the same order and several times faster; where anything else stands, SAT's style sheet is used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from lxml import etree

from cfdi.xml import nodes as n
from cfdi.xml.nodes import Node
from cfdi.xml.spelling import collapsed

_SITE = "transform/schemas/www.sat.gob.mx/sitio_internet/cfd"
#: Blanks that normalize-space() would change, in the joined text of all attributes.
_SURPLUS = re.compile(r"[\t\r\n]|  |\| | \|")


def cadena_original(root: etree._Element) -> str:
    """What the issuer's seal signs, of a `cfdi:Comprobante`: all but `Sello` and `Certificado`."""
    try:
        said = _comprobante(root)
    except _Unknown:
        return cadena_original_oficial(root)
    return _joined(said)


def cadena_timbre(tfd: etree._Element) -> str:
    """What SAT's seal signs, of a `tfd:TimbreFiscalDigital` version 1.1."""
    if tfd.tag != n.TIMBRE.tag:
        return cadena_timbre_oficial(tfd)
    said: list[str] = []
    _attributes(_TIMBRE, tfd, said)
    return _joined(said)


def cadena_original_oficial(root: etree._Element) -> str:
    """`cadena_original` by SAT's style sheet alone."""
    return str(_stylesheet("4/cadenaoriginal_4_0/cadenaoriginal_4_0.xslt")(root))


def cadena_timbre_oficial(tfd: etree._Element) -> str:
    """`cadena_timbre` by SAT's style sheet alone."""
    # Its template starts at the document, so the node must stand alone.
    alone = etree.fromstring(etree.tostring(tfd, encoding="unicode", with_tail=False))
    return str(_stylesheet("TimbreFiscalDigital/cadenaoriginal_TFD_1_1.xslt")(alone))


@cache
def _stylesheet(name: str) -> etree.XSLT:
    return _compiled(str(files("satcfdi").joinpath(f"{_SITE}/{name}")))


def _compiled(path: str) -> etree.XSLT:
    """With its includes, which are read now; a running transformation can read nothing."""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    nothing = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined] # missing in lxml-stubs
    return etree.XSLT(etree.parse(path, parser), access_control=nothing)


class _Unknown(Exception):
    """Something stands there of which only SAT's style sheet can say what it adds."""


def _joined(said: list[str]) -> str:
    text = f"||{'|'.join(said)}||"
    if _SURPLUS.search(text):
        return f"||{'|'.join(map(collapsed, said))}||"
    return text


class _Step(NamedTuple):
    """Children of one name. `then` is an attribute of the parent that is said after them."""

    tag: str
    plan: _Plan
    many: bool
    then: str


class _Plan(NamedTuple):
    """What is said of an element: its attributes (name, required), then its children in order."""

    attributes: tuple[tuple[str, bool], ...]
    steps: Mapping[str, _Step]
    silent: bool


def _plan(node: Node, *steps: _Step) -> _Plan:
    rows = [(row.name, row.required) for row in node.attributes if row.in_cadena]
    version = [] if node.version is None else [("Version", True)]
    return _Plan((*version, *rows), {step.tag: step for step in steps}, silent=False)


def _once(node: Node, *steps: _Step, then: str = "") -> _Step:
    return _Step(node.tag, _plan(node, *steps), many=False, then=then)


def _many(node: Node, *steps: _Step) -> _Step:
    return _Step(node.tag, _plan(node, *steps), many=True, then="")


def _silent(node: Node) -> _Step:
    return _Step(node.tag, _Plan((), {}, silent=True), many=False, then="")


_PAGO = _many(
    n.PAGO,
    _many(
        n.DOCTO_RELACIONADO,
        _once(
            n.IMPUESTOS_DR,
            _once(n.RETENCIONES_DR, _many(n.RETENCION_DR)),
            _once(n.TRASLADOS_DR, _many(n.TRASLADO_DR)),
        ),
    ),
    _once(
        n.IMPUESTOS_P,
        _once(n.RETENCIONES_P, _many(n.RETENCION_P)),
        _once(n.TRASLADOS_P, _many(n.TRASLADO_P)),
    ),
)
_CONCEPTO = _many(
    n.CONCEPTO,
    _once(
        n.CONCEPTO_IMPUESTOS,
        _once(n.TRASLADOS, _many(n.TRASLADO)),
        _once(n.RETENCIONES, _many(n.RETENCION)),
    ),
    _once(n.A_CUENTA_TERCEROS),
    _many(n.INFORMACION_ADUANERA),
    _many(n.CUENTA_PREDIAL),
    _many(n.PARTE, _many(n.INFORMACION_ADUANERA)),
)
_COMPROBANTE = _plan(
    n.COMPROBANTE,
    _once(n.INFORMACION_GLOBAL),
    _many(n.RELACIONADOS, _many(n.RELACIONADO)),
    _once(n.EMISOR),
    _once(n.RECEPTOR),
    _once(n.CONCEPTOS, _CONCEPTO),
    _once(
        n.IMPUESTOS,
        _once(n.RETENCIONES, _many(n.RETENCION_TOTAL), then="TotalImpuestosRetenidos"),
        _once(n.TRASLADOS, _many(n.TRASLADO), then="TotalImpuestosTrasladados"),
    ),
    _once(n.COMPLEMENTO, _once(n.PAGOS, _once(n.TOTALES), _PAGO), _silent(n.TIMBRE)),
    _silent(n.ADDENDA),
)
#: Its children are of no concern to the cadena.
_ADDENDA = n.ADDENDA.tag


def _comprobante(root: etree._Element) -> list[str]:
    if root.tag != n.COMPROBANTE.tag:
        raise _Unknown
    said: list[str] = []
    _say(_COMPROBANTE, root, said)
    return said


def _say(plan: _Plan, element: etree._Element, said: list[str]) -> None:
    _attributes(plan, element, said)
    if not plan.steps:
        # The style sheet has no template for the TFD: libxslt then copies any text inside.
        if len(element) or (plan.silent and element.text):
            raise _Unknown
        return
    found: dict[object, list[etree._Element]] = {}
    for child in element:
        step = plan.steps.get(child.tag)
        if step is None or (child.tag in found and not step.many):
            raise _Unknown
        found.setdefault(child.tag, []).append(child)
    for tag, step in plan.steps.items():
        for child in found.get(tag, ()):
            if tag != _ADDENDA:
                _say(step.plan, child, said)
        if step.then and (value := element.get(step.then)) is not None:
            said.append(value)


def _attributes(plan: _Plan, element: etree._Element, said: list[str]) -> None:
    get = element.get
    for name, required in plan.attributes:
        value = get(name)
        if value is not None:
            said.append(value)
        elif required:  # the style sheet leaves its place empty
            said.append("")


_TIMBRE = _plan(n.TIMBRE)
