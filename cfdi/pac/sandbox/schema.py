"""SAT's XSD as a judge: the official one, with all catalogs (about 120 MB once compiled)."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from lxml import etree

_SITE: Final = "transform/schemas/www.sat.gob.mx/sitio_internet/cfd"
_WRAPPER: Final = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="http://www.sat.gob.mx/cfd/4" schemaLocation="4/cfdv40.xsd"/>
<xs:import namespace="http://www.sat.gob.mx/TimbreFiscalDigital"
 schemaLocation="TimbreFiscalDigital/TimbreFiscalDigitalv11.xsd"/>
</xs:schema>"""

_PLACE: Final = re.compile(r"Element '\{[^}]*\}(\w+)', attribute '(\w+)'")
_CATALOG: Final = "SCHEMAV_CVC_ENUMERATION_VALID"
_TOO_SMALL: Final = "SCHEMAV_CVC_MININCLUSIVE_VALID"

#: What the matrix calls a value that the XSD knows not to be in its catalog.
_NOT_IN_CATALOG: Final[Mapping[tuple[str, str], str]] = {
    ("Comprobante", "FormaPago"): "CFDI40104",
    ("Comprobante", "Moneda"): "CFDI40113",
    ("Comprobante", "TipoDeComprobante"): "CFDI40121",
    ("Comprobante", "Exportacion"): "CFDI40123",
    ("Comprobante", "MetodoPago"): "CFDI40124",
    ("Comprobante", "LugarExpedicion"): "CFDI40126",
    ("InformacionGlobal", "Periodicidad"): "CFDI40131",
    ("InformacionGlobal", "Meses"): "CFDI40133",
    ("CfdiRelacionados", "TipoRelacion"): "CFDI40137",
    ("Emisor", "RegimenFiscal"): "CFDI40140",
    ("Receptor", "ResidenciaFiscal"): "CFDI40150",
    ("Receptor", "RegimenFiscalReceptor"): "CFDI40157",
    ("Receptor", "UsoCFDI"): "CFDI40160",
    ("Concepto", "ClaveProdServ"): "CFDI40162",
    ("Concepto", "ClaveUnidad"): "CFDI40165",
    ("Concepto", "ObjetoImp"): "CFDI40170",
    ("Traslado", "Impuesto"): "CFDI40175",
    ("Traslado", "TipoFactor"): "CFDI40176",
    ("Retencion", "Impuesto"): "CFDI40182",
    ("Retencion", "TipoFactor"): "CFDI40183",
}
_NOT_POSITIVE: Final[Mapping[tuple[str, str], str]] = {
    ("Traslado", "Base"): "CFDI40174",
    ("Retencion", "Base"): "CFDI40181",
}


class Schema:
    """Compiled when made, which takes some tenths of a second. Thread safe."""

    def __init__(self) -> None:
        base = str(files("satcfdi").joinpath(_SITE)) + "/sandbox.xsd"
        self._schema = etree.XMLSchema(etree.fromstring(_WRAPPER, base_url=base))
        self._lock = threading.Lock()

    def code_of(self, root: etree._Element) -> tuple[str, str] | None:
        """SAT's code and the place for the first thing that is not valid, None if all is."""
        with self._lock:  # the errors are kept in the validator itself
            if self._schema.validate(root):
                return None
            errors: Any = self._schema.error_log  # a list, which lxml-stubs do not know
            first = errors.filter_from_errors()[0]
        return _code(first.type_name, first.message)


def _code(kind: str, message: str) -> tuple[str, str]:
    found = _PLACE.search(message)
    if found is None:
        return "301", "la estructura no es la del Anexo 20"
    place = (found.group(1), found.group(2))
    tables = {_CATALOG: _NOT_IN_CATALOG, _TOO_SMALL: _NOT_POSITIVE}
    return tables.get(kind, {}).get(place, "301"), ".".join(place)
