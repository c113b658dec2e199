"""CfdiRelacionados, row CFDI40137."""

from __future__ import annotations

from collections.abc import Iterator

from cfdi.catalogs import TIPO_RELACION
from cfdi.validator.document import Document, text
from cfdi.validator.rule import rule
from cfdi.xml import CFDI


@rule("CFDI40137")
def tipo_relacion(doc: Document) -> Iterator[str]:
    for node in doc.root.iterfind(f"{{{CFDI}}}CfdiRelacionados"):
        if text(node, "TipoRelacion") not in TIPO_RELACION:
            yield doc.path(node, "TipoRelacion")
