"""SAT's XSD as a judge of structure. Keys of catalogs are judged by the rules.

The XSD's catalogs weigh 120 MB once compiled and are looser than SAT's workbook, which providers
follow: they are left out here. http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any, Final

from lxml import etree

from cfdi.validator.document import path_of
from cfdi.validator.rule import Failure
from cfdi.validator.schema_codes import MALFORMED, code_at
from cfdi.xml import CFDI

_ALWAYS: Final[Mapping[str, str]] = {
    CFDI: "4/cfdv40.xsd",
    "http://www.sat.gob.mx/TimbreFiscalDigital": "TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd",
    "http://www.sat.gob.mx/Pagos20": "Pagos/Pagos20.xsd",
}
#: Complements in force that are known by their structure alone, compiled when one is met.
COMPLEMENTS: Final[Mapping[str, str]] = {
    f"http://www.sat.gob.mx/{name}": path
    for name, path in (
        ("CartaPorte30", "CartaPorte/CartaPorte30.xsd"),
        ("CartaPorte31", "CartaPorte/CartaPorte31.xsd"),
        ("ComercioExterior11", "ComercioExterior11/ComercioExterior11.xsd"),
        ("ComercioExterior20", "ComercioExterior20/ComercioExterior20.xsd"),
        ("ConsumoDeCombustibles11", "consumodecombustibles/consumodeCombustibles11.xsd"),
        ("EstadoDeCuentaCombustible12", "EstadoDeCuentaCombustible/ecc12.xsd"),
        ("GastosHidrocarburos10", "GastosHidrocarburos10/GastosHidrocarburos10.xsd"),
        ("IngresosHidrocarburos10", "IngresosHidrocarburos10/IngresosHidrocarburos.xsd"),
        ("TuristaPasajeroExtranjero", "TuristaPasajeroExtranjero/TuristaPasajeroExtranjero.xsd"),
        ("acreditamiento", "acreditamiento/AcreditamientoIEPS10.xsd"),
        ("aerolineas", "aerolineas/aerolineas.xsd"),
        ("arteantiguedades", "arteantiguedades/obrasarteantiguedades.xsd"),
        ("certificadodestruccion", "certificadodestruccion/certificadodedestruccion.xsd"),
        ("detallista", "detallista/detallista.xsd"),
        ("divisas", "divisas/divisas.xsd"),
        ("donat", "donat/donat11.xsd"),
        ("hidrocarburospetroliferos", "hidrocarburospetroliferos.xsd"),
        ("iedu", "iedu/iedu.xsd"),
        ("implocal", "implocal/implocal.xsd"),
        ("ine", "ine/ine11.xsd"),
        ("leyendasFiscales", "leyendasFiscales/leyendasFisc.xsd"),
        ("nomina12", "nomina/nomina12.xsd"),
        ("notariospublicos", "notariospublicos/notariospublicos.xsd"),
        ("pagoenespecie", "pagoenespecie/pagoenespecie.xsd"),
        ("pfic", "pfic/pfic.xsd"),
        ("registrofiscal", "cfdiregistrofiscal/cfdiregistrofiscal.xsd"),
        (
            "renovacionysustitucionvehiculos",
            "renovacionysustitucionvehiculos/renovacionysustitucionvehiculos.xsd",
        ),
        (
            "servicioparcialconstruccion",
            "servicioparcialconstruccion/servicioparcialconstruccion.xsd",
        ),
        ("valesdedespensa", "valesdedespensa/valesdedespensa.xsd"),
        ("vehiculousado", "vehiculousado/vehiculousado.xsd"),
        ("ventavehiculos", "ventavehiculos/ventavehiculos11.xsd"),
    )
}
_SITE: Final = "transform/schemas/www.sat.gob.mx/sitio_internet/cfd"
_CATALOGS: Final = "catalogos/catCFDI.xsd"
_ENUMERATION: Final = re.compile(rb'<xs:enumeration value="[^"]*"/>')
_NAMESPACE: Final = re.compile(r"\{([^}]*)\}")
#: The second of two errors about one attribute says again that it is not valid.
_REPEATED: Final = "SCHEMAV_CVC_DATATYPE_VALID_1_2_1"
_ATTRIBUTE: Final = re.compile(r"attribute '(?:\{[^}]*\})?([^']+)'")


#: libxml2 finds the place of each error among its siblings, so many errors among many elements
#: take time in their product: a document of more elements is first judged while it is parsed.
_MANY_ELEMENTS: Final = 2_000
_MOST_ERRORS: Final = 1_000
_CHUNK: Final = 1 << 16


def failures(root: etree._Element) -> Iterator[Failure]:
    """What is not of SAT's structure, with SAT's code where the matrix has one for the place.

    Of a large document with very many errors those of its first elements are told.
    """
    cut: frozenset[str] = frozenset()
    if next(islice(root.iter(), _MANY_ELEMENTS, None), None) is not None:
        count = _count_of_errors(root)
        if not count:
            return
        if count > _MOST_ERRORS:
            root, cut = _beginning(root)
    told = False
    for failure in _failures(root):
        if failure.path not in cut:
            told = True
            yield failure
    if cut and not told:  # the errors are further down
        yield Failure(path_of(root), code=MALFORMED)


def _failures(root: etree._Element) -> Iterator[Failure]:
    found: set[tuple[str, str]] = set()
    for kind, message, place in _errors(root):
        named = _ATTRIBUTE.search(message)
        attribute = named.group(1) if named else ""
        node = _node(root, place)
        path = path_of(node, attribute)
        code = code_at(node, attribute, kind)
        if (code, path) not in found:
            found.add((code, path))
            yield Failure(path, code=code)


def _count_of_errors(root: etree._Element) -> int:
    """Up to a few more than `_MOST_ERRORS`, without their places."""
    # It was read within limits already; written again, what was a quotation mark has six letters.
    parser = etree.XMLParser(schema=_schema(_complements(root))[0], no_network=True, huge_tree=True)
    data = etree.tostring(root, encoding="UTF-8")
    # An attribute that goes on for many pieces is looked at again with each of them.
    size = max(_CHUNK, len(data) // 64)
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])
        if len(parser.feed_error_log) > _MOST_ERRORS:
            break
    return len(parser.feed_error_log)


def _beginning(root: etree._Element) -> tuple[etree._Element, frozenset[str]]:
    """The first elements alone, and the paths of those that now lack what followed."""
    copy = etree.Element(root.tag, _first(root.attrib), _first(root.nsmap))
    copies = {root: copy}
    last = root
    for node in islice(root.iter(etree.Element), 1, _MANY_ELEMENTS):
        above = node.getparent()
        if above is None:  # only the root has none
            continue
        last = node
        copies[node] = etree.SubElement(copies[above], node.tag, _first(node.attrib))
        copies[node].text, copies[node].tail = node.text, node.tail
    return copy, frozenset(map(path_of, (last, *last.iterancestors())))


def _first(named: Any) -> dict[Any, Any]:
    """Of attributes or namespaces as many as no element of SAT's has."""
    return dict(islice(named.items(), 100))


def _errors(root: etree._Element) -> list[tuple[str, str, str]]:
    """Kind, message and place of each error; those of one attribute once, the telling one."""
    schema, lock = _schema(_complements(root))
    with lock:  # the errors are kept in the validator itself
        if schema.validate(root):
            return []
        log: Iterable[Any] = schema.error_log  # type: ignore[assignment] # missing in lxml-stubs
        all_of = [(error.type_name, error.message, error.path or "") for error in log]
    telling = [each for each in all_of if each[0] != _REPEATED]
    told = {(place, _attribute(message)) for _, message, place in telling}
    rest = [each for each in all_of if each[0] == _REPEATED]
    return telling + [each for each in rest if (each[2], _attribute(each[1])) not in told]


def _attribute(message: str) -> str:
    found = _ATTRIBUTE.search(message)
    return found.group(1) if found else ""


def _node(root: etree._Element, place: str) -> etree._Element:
    """The element of libxml2's own path, which names prefixes as the document does."""
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found = root.getroottree().xpath(place or "/*", namespaces=prefixes)
    except etree.XPathError:  # a prefix that is declared further in
        return root
    first = found[0] if isinstance(found, list) and found else root
    return first if isinstance(first, etree._Element) else root  # noqa: SLF001 # lxml's own name


def _complements(root: etree._Element) -> frozenset[str]:
    """Namespaces of what stands in a Complemento or ComplementoConcepto, as far as known."""
    names = ("Complemento", "ComplementoConcepto")
    holders = root.iter(*(f"{{{CFDI}}}{name}" for name in names))
    tags = {str(child.tag) for holder in holders for child in holder}
    spaces = {found.group(1) for tag in tags if (found := _NAMESPACE.match(tag))}
    return frozenset(spaces & COMPLEMENTS.keys())


@lru_cache(maxsize=4)
def _schema(complements: frozenset[str]) -> tuple[etree.XMLSchema, threading.Lock]:
    site = Path(str(files("satcfdi").joinpath(_SITE)))
    places = {**_ALWAYS, **{space: COMPLEMENTS[space] for space in sorted(complements)}}
    imports = "".join(
        f'<xs:import namespace="{space}" schemaLocation="{place}"/>'
        for space, place in places.items()
    )
    wrapper = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_WithoutCatalogs())
    document = etree.fromstring(wrapper, parser, base_url=str(site / "validator.xsd"))
    return etree.XMLSchema(document), threading.Lock()


class _WithoutCatalogs(etree.Resolver):
    """Gives catCFDI.xsd with its types but without their keys."""

    def resolve(  # type: ignore[override] # lxml-stubs leave the context out
        self,
        system_url: str,
        public_id: str,  # noqa: ARG002 # lxml's signature
        context: object,
    ) -> object:
        if not system_url.endswith(_CATALOGS):
            return None  # as every other file: from the package
        return self.resolve_string(_types_alone(), context, base_url=system_url)


@cache
def _types_alone() -> bytes:
    catalogs = Path(str(files("satcfdi").joinpath(_SITE, _CATALOGS)))
    return _ENUMERATION.sub(b"", catalogs.read_bytes())
