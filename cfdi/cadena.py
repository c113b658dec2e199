"""The cadena original of a CFDI and of its TFD, by SAT's own style sheets.

SAT's XSLT comes with the package satcfdi (Anexo 20,
http://www.sat.gob.mx/sitio_internet/cfd/4/cadenaoriginal_4_0/cadenaoriginal_4_0.xslt).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from lxml import etree

_SITE = "transform/schemas/www.sat.gob.mx/sitio_internet/cfd"


def cadena_original(root: etree._Element) -> str:
    """What the issuer's seal signs, of a `cfdi:Comprobante`: all but `Sello` and `Certificado`."""
    return str(_stylesheet("4/cadenaoriginal_4_0/cadenaoriginal_4_0.xslt")(root))


def cadena_timbre(tfd: etree._Element) -> str:
    """What SAT's seal signs, of a `tfd:TimbreFiscalDigital` version 1.1."""
    # Its template starts at the document, so the node must stand alone.
    alone = etree.fromstring(etree.tostring(tfd, with_tail=False))
    return str(_stylesheet("TimbreFiscalDigital/cadenaoriginal_TFD_1_1.xslt")(alone))


@cache
def _stylesheet(name: str) -> etree.XSLT:
    return _compiled(str(files("satcfdi").joinpath(f"{_SITE}/{name}")))


def _compiled(path: str) -> etree.XSLT:
    """With its includes, which are read now; a running transformation can read nothing."""
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    nothing = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined] # missing in lxml-stubs
    return etree.XSLT(etree.parse(path, parser), access_control=nothing)
