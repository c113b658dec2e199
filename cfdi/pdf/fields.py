"""What is printed of a document, already worded: the template only lays it out.

Contents: RMF 2026 2.7.1.7 and CFF 29-A.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from cfdi.cadena import cadena_timbre
from cfdi.catalogs import (
    FORMA_PAGO,
    OBJETO_IMP,
    REGIMEN_FISCAL,
    USO_CFDI,
    clave_unidad_nombre,
)
from cfdi.pdf import labels as words
from cfdi.pdf.letras import MONEDAS, importe_con_letra
from cfdi.pdf.qr import NAMESPACES, svg, timbre_of, url_of
from cfdi.pdf.text import amount, number, percent, plain, rows, shortened

#: Characters of 5.2 pt fixed pitch that fit beside the QR code.
_SEAL_WIDTH = 130

Fields = dict[str, Any]


def printed_fields(root: etree._Element, *, sandbox: bool, language: str) -> Fields:
    """Everything the template shows. Raises ValueError if `root` is not stamped or lacks a part."""
    label = words.labels(language)
    tfd = timbre_of(root)
    verify = url_of(root)
    issuer = _party(_child(root, "Emisor"), label)
    return {
        "lang": "en" if label["page"] == "Page" else "es",
        "label": label,
        "legend": words.LEGEND,
        "sandbox": words.SANDBOX if sandbox else "",
        "title": label[f"title_{root.get('TipoDeComprobante')}"],
        "folio": plain("-".join(filter(None, (root.get("Serie"), root.get("Folio"))))),
        "uuid": tfd.get("UUID", ""),
        "head": _head(root, tfd, label),
        "issuer": issuer,
        "running": shortened(issuer["name"], 40),
        "receiver": _party(_child(root, "Receptor"), label),
        "lines": [_line(line, label) for line in root.iterfind("cfdi:Conceptos/*", NAMESPACES)],
        "discounted": root.find("cfdi:Conceptos/*[@Descuento]", NAMESPACES) is not None,
        "payment": _payment(root, label),
        "totals": _totals(root, label),
        "total": f"{amount(root.get('Total', '0'))} {root.get('Moneda', '')}",
        "letra": importe_con_letra(Decimal(root.get("Total", "0")), root.get("Moneda", "")),
        "certificates": _certificates(root, tfd, label),
        "seals": _seals(root, tfd, label),
        "verify": verify,
        "qr": svg(verify),
    }


def _child(root: etree._Element, name: str) -> etree._Element:
    child = root.find(f"cfdi:{name}", NAMESPACES)
    if child is None:
        raise ValueError(f"the document has no {name}")
    return child


def _pairs(*items: tuple[str, str | None]) -> list[tuple[str, str]]:
    """Label and text of what there is; what the document lacks is not printed."""
    return [(label, plain(text)) for label, text in items if text]


def _named(key: str | None, names: Mapping[str, str]) -> str | None:
    if not key:
        return None
    name = names.get(key, "").rstrip(".")
    return f"{key} – {name}" if name else key


def _moment(written: str) -> str:
    return written.replace("T", " ")


def _head(
    root: etree._Element, tfd: etree._Element, label: Mapping[str, str]
) -> list[tuple[str, str]]:
    return _pairs(
        (label["issued"], _moment(root.get("Fecha", ""))),
        (label["certified"], _moment(tfd.get("FechaTimbrado", ""))),
        (label["place"], root.get("LugarExpedicion")),
        (label["kind"], _named(root.get("TipoDeComprobante"), words.TIPO_DE_COMPROBANTE)),
    )


def _party(party: etree._Element, label: Mapping[str, str]) -> Fields:
    regimen = party.get("RegimenFiscal") or party.get("RegimenFiscalReceptor") or ""
    uso = party.get("UsoCFDI") or ""
    return {
        "name": plain(party.get("Nombre", "")),
        "facts": _pairs(
            (label["rfc"], party.get("Rfc")),
            (label["regimen"], _named(regimen, _nombre(REGIMEN_FISCAL, regimen))),
            (label["domicilio"], party.get("DomicilioFiscalReceptor")),
            (label["uso"], _named(uso, _nombre(USO_CFDI, uso))),
        ),
    }


def _nombre(catalog: Mapping[str, Any], key: str) -> dict[str, str]:
    return {key: catalog[key].nombre} if key in catalog else {}


def _line(line: etree._Element, label: Mapping[str, str]) -> Fields:
    key = line.get("ClaveUnidad", "")
    unit = line.get("Unidad") or clave_unidad_nombre(key) or ""
    objeto = _named(line.get("ObjetoImp"), OBJETO_IMP) or ""
    taxes = line.iterfind("cfdi:Impuestos/*/*", NAMESPACES)
    discount = line.get("Descuento")
    return {
        "clave": line.get("ClaveProdServ", ""),
        "sku": plain(line.get("NoIdentificacion", ""), 10),
        "descripcion": plain(line.get("Descripcion", "")),
        "notes": [f"{label['objeto']}: {objeto}", *(_line_tax(tax, label) for tax in taxes)],
        "cantidad": number(line.get("Cantidad", "0"), 0),
        "unidad": [key, plain(unit, 10)],
        "valor_unitario": number(line.get("ValorUnitario", "0")),
        "descuento": number(discount) if discount else "",
        "importe": number(line.get("Importe", "0")),
    }


def _line_tax(tax: etree._Element, label: Mapping[str, str]) -> str:
    text = f"{_tax_name(tax, label)} · {label['base']} {number(tax.get('Base', '0'))}"
    importe = tax.get("Importe")
    return f"{text} · {label['importe'].lower()} {number(importe)}" if importe else text


def _tax_name(tax: etree._Element, label: Mapping[str, str]) -> str:
    key = tax.get("Impuesto", "")
    name = f"{key} {words.IMPUESTO.get(key, '')}".strip()
    if etree.QName(tax).localname == "Retencion":
        name = f"{label['retencion']} {name}"
    match tax.get("TipoFactor"), tax.get("TasaOCuota"):
        case "Exento", _:
            return f"{name} {label['exento']}"
        case "Cuota", str(rate):
            return f"{name} {label['cuota']} {number(rate)}"
        case _, str(rate):
            return f"{name} {percent(rate)}"
    return name


def _payment(root: etree._Element, label: Mapping[str, str]) -> list[tuple[str, str]]:
    moneda, rate = root.get("Moneda", ""), root.get("TipoCambio")
    foreign = rate is not None and moneda != "MXN"
    known = {moneda: MONEDAS[moneda].nombre} if moneda in MONEDAS else {}
    return _pairs(
        (label["forma_pago"], _named(root.get("FormaPago"), FORMA_PAGO)),
        (label["metodo_pago"], _named(root.get("MetodoPago"), words.METODO_PAGO)),
        (label["condiciones"], root.get("CondicionesDePago")),
        (label["moneda"], _named(moneda, known)),
        (label["tipo_cambio"], f"1 {moneda} = {number(rate or '0')} MXN" if foreign else None),
        (label["exportacion"], _named(root.get("Exportacion"), words.EXPORTACION)),
        (label["global"], _global(root)),
        *((label["relacion"], text) for text in _relations(root)),
    )


def _global(root: etree._Element) -> str | None:
    node = root.find("cfdi:InformacionGlobal", NAMESPACES)
    if node is None:
        return None
    period = _named(node.get("Periodicidad"), words.PERIODICIDAD)
    return f"{period}, {node.get('Meses')}/{node.get('Año')}"


def _relations(root: etree._Element) -> list[str]:
    return [
        f"{_named(group.get('TipoRelacion'), words.TIPO_RELACION)}: "
        + ", ".join(node.get("UUID", "") for node in group)
        for group in root.iterfind("cfdi:CfdiRelacionados", NAMESPACES)
    ]


def _totals(root: etree._Element, label: Mapping[str, str]) -> list[tuple[str, str]]:
    discount = root.get("Descuento")
    transferred = root.iterfind("cfdi:Impuestos/cfdi:Traslados/*", NAMESPACES)
    withheld = root.iterfind("cfdi:Impuestos/cfdi:Retenciones/*", NAMESPACES)
    return [
        (label["subtotal"], amount(root.get("SubTotal", "0"))),
        *([(label["descuento"], f"−{amount(discount)}")] if discount else ()),
        *((_with_base(tax, label), amount(tax.get("Importe", "0"))) for tax in transferred),
        *((_tax_name(tax, label), f"−{amount(tax.get('Importe', '0'))}") for tax in withheld),
    ]


def _with_base(tax: etree._Element, label: Mapping[str, str]) -> str:
    return f"{_tax_name(tax, label)} ({label['base']} {amount(tax.get('Base', '0'))})"


def _certificates(
    root: etree._Element, tfd: etree._Element, label: Mapping[str, str]
) -> list[tuple[str, str]]:
    return _pairs(
        (label["certificado"], root.get("NoCertificado")),
        (label["certificado_sat"], tfd.get("NoCertificadoSAT")),
        (label["pac"], tfd.get("RfcProvCertif")),
        (label["leyenda_sat"], tfd.get("Leyenda")),
    )


def _seals(
    root: etree._Element, tfd: etree._Element, label: Mapping[str, str]
) -> list[tuple[str, list[str]]]:
    texts = (
        (label["sello"], root.get("Sello", "")),
        (label["sello_sat"], tfd.get("SelloSAT", "")),
        (label["cadena"], cadena_timbre(tfd)),
    )
    return [(name, rows(text, _SEAL_WIDTH)) for name, text in texts]
