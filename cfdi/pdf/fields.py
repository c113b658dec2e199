"""What is printed of a document, already worded: the template only lays it out.

Contents: RMF 2026 2.7.1.7 and CFF 29-A.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from cfdi.cadena import cadena_timbre
from cfdi.catalogs import FORMA_PAGO, REGIMEN_FISCAL, USO_CFDI
from cfdi.pdf import labels as words
from cfdi.pdf import payments
from cfdi.pdf.brand import Brand, accent_of, svg_of
from cfdi.pdf.glyphs import UNPRINTABLE
from cfdi.pdf.letras import MONEDAS, importe_con_letra
from cfdi.pdf.lines import LONGEST_TABLE, listed_lines, printed_lines
from cfdi.pdf.qr import NAMESPACES, svg, timbre_of, url_of
from cfdi.pdf.taxes import tax_name, tax_with_base
from cfdi.pdf.text import amount, decimal_of, moment, named, number, pairs, plain, rows, shortened

#: Characters of 5.2 pt fixed pitch that fit beside the QR code.
_SEAL_WIDTH = 130

Fields = dict[str, Any]


def printed_fields(
    root: etree._Element, *, marks: tuple[str, ...], language: str, brand: Brand
) -> Fields:
    """Everything the template shows. Raises ValueError if `root` is not stamped or lacks a part."""
    label = words.labels(language)
    tfd = timbre_of(root)
    paid, total, currency = _total(root)
    verify = url_of(root)
    issuer = _party(_child(root, "Emisor"), label)
    long = len(_child(root, "Conceptos")) > LONGEST_TABLE
    lines = [] if paid or long else printed_lines(root, label)
    fields = {
        "lang": "en" if label["page"] == "Page" else "es",
        "label": _labels(label),
        "legend": words.LEGEND,
        "marks": marks,
        "accent": accent_of(brand.color),
        "logo": svg_of(brand.logo),
        "title": _title(root, label),
        "folio": plain("-".join(filter(None, (root.get("Serie"), root.get("Folio"))))),
        "uuid": tfd.get("UUID", ""),
        "head": _head(root, tfd, label),
        "issuer": issuer,
        "running": shortened(issuer["name"], 40),
        "receiver": _party(_child(root, "Receptor"), label),
        "related": _related(root),
        "lines": lines,
        "listed": listed_lines(root, label) if long else [],
        "discounted": any(line["descuento"] for line in lines),
        "payments": payments.payments(root, label),
        "payment": _payment(root, label),
        "extras": _extras(root, label),
        "totals": payments.totals(root) if paid else _totals(root, label),
        "total": f"{total:,f} {currency}",
        "letra": importe_con_letra(total, currency),
        "certificates": _certificates(root, tfd, label),
        "seals": _seals(root, tfd, label),
        "verify": verify,
        "qr": svg(verify),
    }
    return {**fields, "notice": label["unprintable"] if _has_unprintable(fields) else ""}


#: Labels that stand in the template itself; the others are in the rows already.
_IN_TEMPLATE = (
    *("issuer", "receiver", "uuid", "terms", "relacion", "letra", "total", "verify", "page", "of"),
    *("clave", "descripcion", "cantidad", "unidad", "valor_unitario", "descuento", "importe"),
    *("documento", "moneda", "parcialidad", "saldo_anterior", "pagado", "saldo_insoluto"),
)


def _labels(label: Mapping[str, str]) -> Fields:
    return {name: label[name] for name in _IN_TEMPLATE}


def _has_unprintable(value: object) -> bool:
    if isinstance(value, str):
        return UNPRINTABLE in value
    if isinstance(value, dict):
        return any(map(_has_unprintable, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_unprintable, value))


def _total(root: etree._Element) -> tuple[bool, Decimal, str]:
    """Whether it is a receipt of payments, and what is written large: those are in pesos."""
    paid = payments.total_paid(root)
    if paid is not None:
        return True, paid, "MXN"
    if root.get("TipoDeComprobante") == "P":
        raise ValueError("it has no complement of payments")
    return False, decimal_of(root.get("Total", "0")), root.get("Moneda", "")


def _title(root: etree._Element, label: Mapping[str, str]) -> str:
    if root.find("cfdi:InformacionGlobal", NAMESPACES) is not None:
        return label["title_global"]
    return label[f"title_{root.get('TipoDeComprobante')}"]


def _child(root: etree._Element, name: str) -> etree._Element:
    child = root.find(f"cfdi:{name}", NAMESPACES)
    if child is None:
        raise ValueError(f"the document has no {name}")
    return child


def _head(
    root: etree._Element, tfd: etree._Element, label: Mapping[str, str]
) -> list[tuple[str, str]]:
    return pairs(
        (label["issued"], moment(root.get("Fecha", ""))),
        (label["certified"], moment(tfd.get("FechaTimbrado", ""))),
        (label["place"], root.get("LugarExpedicion")),
        (label["kind"], named(root.get("TipoDeComprobante"), words.TIPO_DE_COMPROBANTE)),
        (label["confirmacion"], root.get("Confirmacion")),
    )


def _party(party: etree._Element, label: Mapping[str, str]) -> Fields:
    regimen = party.get("RegimenFiscal") or party.get("RegimenFiscalReceptor") or ""
    uso = party.get("UsoCFDI") or ""
    return {
        "name": plain(party.get("Nombre", "")),
        "facts": pairs(
            (label["rfc"], party.get("Rfc")),
            (label["regimen"], named(regimen, _nombre(REGIMEN_FISCAL, regimen))),
            (label["domicilio"], party.get("DomicilioFiscalReceptor")),
            (label["uso"], named(uso, _nombre(USO_CFDI, uso))),
            (label["residencia"], party.get("ResidenciaFiscal")),
            (label["num_reg"], party.get("NumRegIdTrib")),
            (label["adquirente"], party.get("FacAtrAdquirente")),
        ),
    }


def _nombre(catalog: Mapping[str, Any], key: str) -> dict[str, str]:
    return {key: catalog[key].nombre} if key in catalog else {}


def _payment(root: etree._Element, label: Mapping[str, str]) -> list[tuple[str, str]]:
    moneda, rate = root.get("Moneda", ""), root.get("TipoCambio")
    foreign = rate is not None and moneda != "MXN"
    known = {moneda: MONEDAS[moneda].nombre} if moneda in MONEDAS else {}
    return pairs(
        (label["forma_pago"], named(root.get("FormaPago"), FORMA_PAGO)),
        (label["metodo_pago"], named(root.get("MetodoPago"), words.METODO_PAGO)),
        (label["condiciones"], root.get("CondicionesDePago")),
        (label["moneda"], named(moneda, known)),
        (label["tipo_cambio"], f"1 {moneda} = {number(rate or '0')} MXN" if foreign else None),
        (label["exportacion"], named(root.get("Exportacion"), words.EXPORTACION)),
        (label["global"], _global(root)),
    )


def _global(root: etree._Element) -> str | None:
    node = root.find("cfdi:InformacionGlobal", NAMESPACES)
    if node is None:
        return None
    period = named(node.get("Periodicidad"), words.PERIODICIDAD)
    return f"{period}, {node.get('Meses')}/{node.get('Año')}"


def _related(root: etree._Element) -> list[Fields]:
    return [
        {
            "kind": named(group.get("TipoRelacion"), words.TIPO_RELACION) or "",
            "uuids": [plain(node.get("UUID", ""), 40) for node in group],
        }
        for group in root.iterfind("cfdi:CfdiRelacionados", NAMESPACES)
    ]


def _extras(root: etree._Element, label: Mapping[str, str]) -> list[Fields]:
    """Complements that are not laid out here are named: what they say is in the XML."""
    names = [
        etree.QName(node).localname
        for node in root.iterfind("cfdi:Complemento/*", NAMESPACES)
        if isinstance(node.tag, str)
    ]
    others = [name for name in names if name not in {"TimbreFiscalDigital", "Pagos"}]
    if not others:
        return []
    facts = pairs(*((name, label["in_xml"]) for name in others))
    return [{"title": label["complemento"], "facts": facts}]


def _totals(root: etree._Element, label: Mapping[str, str]) -> list[tuple[str, str]]:
    discount = root.get("Descuento")
    transferred = root.iterfind("cfdi:Impuestos/cfdi:Traslados/*", NAMESPACES)
    withheld = root.iterfind("cfdi:Impuestos/cfdi:Retenciones/*", NAMESPACES)
    return [
        (label["subtotal"], amount(root.get("SubTotal", "0"))),
        *([(label["descuento"], f"−{amount(discount)}")] if discount else ()),
        *((tax_with_base(tax, label), amount(tax.get("Importe", "0"))) for tax in transferred),
        *((tax_name(tax, label), f"−{amount(tax.get('Importe', '0'))}") for tax in withheld),
    ]


def _certificates(
    root: etree._Element, tfd: etree._Element, label: Mapping[str, str]
) -> list[tuple[str, str]]:
    return pairs(
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
