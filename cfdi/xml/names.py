"""The namespaces and prefixes of SAT's documents. Anexo 20 fixes the prefixes too."""

from __future__ import annotations

from typing import Final

CFDI: Final = "http://www.sat.gob.mx/cfd/4"
PAGO20: Final = "http://www.sat.gob.mx/Pagos20"
TFD: Final = "http://www.sat.gob.mx/TimbreFiscalDigital"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"

PREFIXES: Final = {"cfdi": CFDI, "pago20": PAGO20, "tfd": TFD, "xsi": XSI}

SCHEMA_LOCATION: Final = f"{{{XSI}}}schemaLocation"
COMPROBANTE: Final = f"{{{CFDI}}}Comprobante"
COMPLEMENTO: Final = f"{{{CFDI}}}Complemento"
ADDENDA: Final = f"{{{CFDI}}}Addenda"
PAGOS: Final = f"{{{PAGO20}}}Pagos"
TIMBRE: Final = f"{{{TFD}}}TimbreFiscalDigital"

#: Where SAT publishes each schema. Both pairs stand on the root, the second one where it is used.
LOCATION: Final = f"{CFDI} http://www.sat.gob.mx/sitio_internet/cfd/4/cfdv40.xsd"
LOCATION_PAGOS: Final = f"{PAGO20} http://www.sat.gob.mx/sitio_internet/cfd/Pagos/Pagos20.xsd"
