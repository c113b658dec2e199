"""Pagos 2.0: a good document, then one thing wrong in it, for each row of the matrix."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

import cfdi
from cfdi.csd import Csd
from cfdi.validator import RULES
from cfdi.validator.register import CertificateState, Taxpayer
from cfdi.xml import CFDI, PAGO20

Change = Callable[[etree._Element], None]
Reseal = Callable[[etree._Element, Csd], bytes]

UUID = "5FD2A3C4-0B5A-4B0F-8D3E-0123456789AB"
HEAD = f"""<cfdi:Comprobante xmlns:cfdi="{CFDI}" xmlns:pago20="{PAGO20}" Version="4.0"
 Fecha="2026-11-20T11:50:00" Sello="" NoCertificado="30001000000500003416" Certificado=""
 SubTotal="0" Moneda="XXX" Total="0" TipoDeComprobante="P" Exportacion="01" LugarExpedicion="06000">
<cfdi:Emisor Rfc="EKU9003173C9" Nombre="ESCUELA KEMPER URGATE" RegimenFiscal="601"/>
<cfdi:Receptor Rfc="CACX7605101P8" Nombre="XOCHILT CASAS CHAVEZ" DomicilioFiscalReceptor="36257"
 RegimenFiscalReceptor="612" UsoCFDI="CP01"/>
<cfdi:Conceptos><cfdi:Concepto ClaveProdServ="84111506" Cantidad="1" ClaveUnidad="ACT"
 Descripcion="Pago" ValorUnitario="0" Importe="0" ObjetoImp="01"/></cfdi:Conceptos>
<cfdi:Complemento><pago20:Pagos Version="2.0">"""
TAIL = "</pago20:Pagos></cfdi:Complemento></cfdi:Comprobante>"
CONCEPTO = "cfdi:Conceptos/cfdi:Concepto"
PAGOS = "cfdi:Complemento/pago20:Pagos"
TOTALES = f"{PAGOS}/pago20:Totales"
PAGO = f"{PAGOS}/pago20:Pago"
DOCTO = f"{PAGO}/pago20:DoctoRelacionado"
SECOND = f"{PAGO}/pago20:DoctoRelacionado[2]"
TRASLADO_DR = f"{DOCTO}/pago20:ImpuestosDR/pago20:TrasladosDR/pago20:TrasladoDR"
RETENCION_DR = f"{DOCTO}/pago20:ImpuestosDR/pago20:RetencionesDR/pago20:RetencionDR"
TRASLADO_P = f"{PAGO}/pago20:ImpuestosP/pago20:TrasladosP/pago20:TrasladoP"
RETENCION_P = f"{PAGO}/pago20:ImpuestosP/pago20:RetencionesP/pago20:RetencionP"
SPACES = {"cfdi": CFDI, "pago20": PAGO20}


def tag(name: str, inside: str = "", **attributes: str) -> str:
    written = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<pago20:{name}{written}>{inside}</pago20:{name}>"


def tax(level: str, kind: str, *, base: str = "", impuesto: str, **rest: str) -> str:
    names = {"Base": base, "Impuesto": impuesto, **rest}
    return tag(
        f"{kind}{level}", **{f"{key}{level}": value for key, value in names.items() if value}
    )


def taxes(level: str, traslados: str = "", retenciones: str = "") -> str:
    inside = tag(f"Retenciones{level}", retenciones) if retenciones else ""
    inside += tag(f"Traslados{level}", traslados) if traslados else ""
    return tag(f"Impuestos{level}", inside) if inside else ""


def iva(level: str, base: str, importe: str, rate: str = "0.160000") -> str:
    return tax(
        level, "Traslado", base=base, impuesto="002", TipoFactor="Tasa", TasaOCuota=rate,
        Importe=importe,
    )  # fmt: skip


def docto(
    inside: str, pagado: str, moneda: str = "MXN", equivalencia: str = "1", **more: str
) -> str:
    attributes = {
        "IdDocumento": UUID,
        "MonedaDR": moneda,
        "EquivalenciaDR": equivalencia,
        "NumParcialidad": "1",
        "ImpSaldoAnt": pagado,
        "ImpPagado": pagado,
        "ImpSaldoInsoluto": "0.00",
        "ObjetoImpDR": "02" if inside else "01",
        **more,
    }
    return tag("DoctoRelacionado", inside, **attributes)


def pago(inside: str, monto: str, moneda: str = "MXN", cambio: str = "1", **more: str) -> str:
    attributes = {
        "FechaPago": "2026-11-19T12:00:00",
        "FormaDePagoP": "03",
        "MonedaP": moneda,
        "TipoCambioP": cambio,
        "Monto": monto,
        **more,
    }
    return tag("Pago", inside, **attributes)


def document(totales: dict[str, str], *pagos: str) -> etree._Element:
    return etree.fromstring(HEAD + tag("Totales", **totales) + "".join(pagos) + TAIL)


def base() -> etree._Element:
    """One document of 116.00 with IVA of 16 %, paid by transfer."""
    inside = docto(taxes("DR", iva("DR", "100.000000", "16.000000")), "116.00")
    inside += taxes("P", iva("P", "100.000000", "16.000000"))
    totals = {
        "TotalTrasladosBaseIVA16": "100.00",
        "TotalTrasladosImpuestoIVA16": "16.00",
        "MontoTotalPagos": "116.00",
    }
    return document(totals, pago(inside, "116.00"))


def every_tax() -> etree._Element:
    """IVA of 16 %, 8 %, 0 % and exempt, IEPS, and IVA, ISR and IEPS withheld."""
    transferred = {
        "16": ("002", "Tasa", "0.160000", "16.000000"),
        "8": ("002", "Tasa", "0.080000", "8.000000"),
        "0": ("002", "Tasa", "0.000000", "0.000000"),
        "Exento": ("002", "Exento", "", ""),
        "IEPS": ("003", "Tasa", "0.080000", "8.000000"),
    }
    withheld = {
        "001": ("0.100000", "10.000000"),
        "002": ("0.106667", "10.666700"),
        "003": ("0.080000", "8.000000"),
    }

    def level(name: str) -> str:
        up = "".join(
            tax(
                name,
                "Traslado",
                base="100.000000",
                impuesto=i,
                TipoFactor=f,
                TasaOCuota=r,
                Importe=v,
            )
            for i, f, r, v in transferred.values()
        )
        full = {"base": "100.000000"} if name == "DR" else {}
        down = "".join(
            tax(name, "Retencion", impuesto=i, Importe=v, **full,
                **({"TipoFactor": "Tasa", "TasaOCuota": r} if name == "DR" else {}))
            for i, (r, v) in withheld.items()
        )  # fmt: skip
        return taxes(name, up, down)

    totals = {
        "TotalRetencionesIVA": "10.67",
        "TotalRetencionesISR": "10.00",
        "TotalRetencionesIEPS": "8.00",
        "TotalTrasladosBaseIVA16": "100.00",
        "TotalTrasladosImpuestoIVA16": "16.00",
        "TotalTrasladosBaseIVA8": "100.00",
        "TotalTrasladosImpuestoIVA8": "8.00",
        "TotalTrasladosBaseIVA0": "100.00",
        "TotalTrasladosImpuestoIVA0": "0.00",
        "TotalTrasladosBaseIVAExento": "100.00",
        "MontoTotalPagos": "503.33",
    }
    return document(totals, pago(docto(level("DR"), "503.33") + level("P"), "503.33"))


def dollars() -> etree._Element:
    """Paid in dollars at 18.5: a document of 116.00 dollars and one of 1,160 pesos."""
    ten = "18.5000000000"
    inside = docto(taxes("DR", iva("DR", "100.000000", "16.000000")), "116.00", "USD")
    inside += docto(taxes("DR", iva("DR", "1000.000000", "160.000000")), "1160.00", "MXN", ten)
    # 1000/18.5 = 54.054054…, 160/18.5 = 8.648648…
    inside += taxes("P", iva("P", "154.054054", "24.648649"))
    totals = {
        "TotalTrasladosBaseIVA16": "2850.00",
        "TotalTrasladosImpuestoIVA16": "456.00",
        "MontoTotalPagos": "3305.95",
    }
    return document(totals, pago(inside, "178.70", "USD", "18.5"))


def untaxed() -> etree._Element:
    return document({"MontoTotalPagos": "50.00"}, pago(docto("", "50.00"), "50.00"))


def two_payments() -> etree._Element:
    """Twice 0.03 at 18.15 are 1.089: the sum is rounded, not what it is made of."""
    each = pago(docto("", "0.03", "USD"), "0.03", "USD", "18.15")
    return document({"MontoTotalPagos": "1.09"}, each, each)


def pesos_for_dollars() -> etree._Element:
    """A document of 1,160 pesos alone, paid with 62.70 dollars."""
    inside = docto("", "1160.00", "MXN", "18.5000000000")
    return document({"MontoTotalPagos": "1159.95"}, pago(inside, "62.70", "USD", "18.5"))


def chained() -> etree._Element:
    root = untaxed()
    set_(PAGO, TipoCadPago="01", CertPago="QUJD", CadPago="||x||", SelloPago="QUJD",
         RfcEmisorCtaOrd="BBA830831LJ2", CtaOrdenante="012345678901234567",
         RfcEmisorCtaBen="BBA830831LJ2", CtaBeneficiario="012345678901234567")(root)  # fmt: skip
    return root


def at(root: etree._Element, path: str) -> etree._Element:
    found = root.find(path, SPACES) if path else root
    assert found is not None, path
    return found


def set_(path: str, **values: str) -> Change:
    def change(root: etree._Element) -> None:
        for name, value in values.items():
            at(root, path).set(name, value)

    return change


def drop(path: str, *names: str) -> Change:
    def change(root: etree._Element) -> None:
        for name in names:
            del at(root, path).attrib[name]

    return change


def remove(path: str) -> Change:
    def change(root: etree._Element) -> None:
        node = at(root, path)
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)

    return change


def duplicate(path: str) -> Change:
    def change(root: etree._Element) -> None:
        at(root, path).addnext(etree.fromstring(etree.tostring(at(root, path))))

    return change


def add(path: str, name: str, place: int = -1, **values: str) -> Change:
    """A child, the last or at a place."""

    def change(root: etree._Element) -> None:
        parent = at(root, path)
        spot = len(parent) if place < 0 else place
        parent.insert(spot, etree.Element(f"{{{CFDI}}}{name}", values))

    return change


def both(*changes: Change) -> Change:
    def change(root: etree._Element) -> None:
        for each in changes:
            each(root)

    return change


def paid(monto: str, pesos: str) -> Change:
    return both(set_(PAGO, Monto=monto), set_(TOTALES, MontoTotalPagos=pesos))


def _comment_everything(root: etree._Element) -> None:
    for node in list(root.iter(etree.Element)):
        node.insert(0, etree.Comment("x"))


Make = Callable[[], etree._Element]
GOOD: dict[str, tuple[Make, Change]] = {
    "plain": (base, lambda root: None),
    "every tax": (every_tax, lambda root: None),
    "two currencies": (dollars, lambda root: None),
    "two currencies, the shares cut off": (dollars, set_(TRASLADO_P, ImporteP="24.648648")),
    "untaxed": (untaxed, lambda root: None),
    "two payments": (two_payments, lambda root: None),
    "pesos for dollars": (pesos_for_dollars, lambda root: None),
    "chain": (chained, lambda root: None),
    "zero with decimals": (untaxed, set_(CONCEPTO, Cantidad="1.00", ValorUnitario="0.00")),
    "more paid than applied": (
        untaxed, paid("60.00", "60.00"),
    ),
    "a part": (untaxed, set_(DOCTO, ImpSaldoAnt="80.00", ImpSaldoInsoluto="30.00")),
    "foreign bank": (
        chained, set_(PAGO, RfcEmisorCtaOrd="XEXX010101000", NomBancoOrdExt="BANK OF NOWHERE"),
    ),
    "06, nothing transferred": (untaxed, set_(DOCTO, ObjetoImpDR="06")),
    "with comments": (every_tax, _comment_everything),
    "margin of one cent": (
        dollars, paid("178.71", "3306.14"),
    ),
}  # fmt: skip

NO_TAX: Change = lambda root: at(root, DOCTO).append(etree.Element(f"{{{PAGO20}}}ImpuestosDR"))  # noqa: E731 # as the changes that others make

#: Code, document, the one thing that is wrong.
BAD: list[tuple[str, Make, Change]] = [
    ("pagos_missing", untaxed, remove(PAGOS)),
    ("CRP20101", untaxed, set_("", TipoDeComprobante="T")),
    *(("CRP20101", base, set_("", TipoDeComprobante=tipo)) for tipo in "IEN"),
    ("CFDI40121", base, set_("", TipoDeComprobante="Z")),
    ("CRP20102", untaxed, set_("", Exportacion="04")),
    *(("CRP20102", untaxed, set_("", Exportacion=key)) for key in ("02", "09")),
    ("CRP20103", untaxed, set_("", SubTotal="1")),
    *(("CRP20104", untaxed, set_("", Moneda=key)) for key in ("MXN", "USD", "ZZZ")),
    *(("CRP20105", untaxed, set_("", FormaPago=key)) for key in ("03", "07")),
    *(("CRP20106", untaxed, set_("", MetodoPago=key)) for key in ("PUE", "ZZZ")),
    ("CRP20107", untaxed, set_("", CondicionesDePago="CONTADO")),
    ("CRP20108", untaxed, set_("", Descuento="0")),
    ("CRP20109", untaxed, set_("", TipoCambio="1")),
    ("CRP20110", untaxed, set_("", Total="1")),
    ("CRP20111", untaxed, duplicate(CONCEPTO)),
    ("CRP20112", untaxed, add(CONCEPTO, "CuentaPredial", Numero="123")),
    *(("CRP20113", untaxed, set_(CONCEPTO, ClaveProdServ=key)) for key in ("84111505", "00000000")),
    ("CRP20114", untaxed, set_(CONCEPTO, NoIdentificacion="1")),
    ("CRP20115", untaxed, set_(CONCEPTO, Cantidad="2")),
    *(("CRP20116", untaxed, set_(CONCEPTO, ClaveUnidad=key)) for key in ("H87", "h87")),
    ("CRP20117", untaxed, set_(CONCEPTO, Unidad="pago")),
    ("CRP20118", untaxed, set_(CONCEPTO, Descripcion="pago")),
    ("CRP20119", untaxed, set_(CONCEPTO, ValorUnitario="1")),
    ("CRP20120", untaxed, set_(CONCEPTO, Importe="1")),
    ("CRP20121", untaxed, set_(CONCEPTO, Descuento="0")),
    *(("CRP20122", untaxed, set_(CONCEPTO, ObjetoImp=key)) for key in ("04", "09")),
    ("CRP20123", untaxed, add("", "Impuestos", 3)),
    ("CRP20213", untaxed, set_(PAGO, MonedaP="XXX")),
    ("CRP20218", untaxed, set_(PAGO, Monto="0")),
    ("CRP20277", dollars, set_(SECOND, EquivalenciaDR="17.5")),
    ("CRP20201", every_tax, set_(TOTALES, TotalRetencionesIVA="10.66")),
    ("CRP20201", every_tax, drop(TOTALES, "TotalRetencionesIVA")),
    ("CRP20201", base, set_(TOTALES, TotalRetencionesIVA="0.01")),
    ("CRP20202", every_tax, set_(TOTALES, TotalRetencionesISR="10.01")),
    ("CRP20203", every_tax, set_(TOTALES, TotalRetencionesIEPS="7.99")),
    ("CRP20204", every_tax, set_(TOTALES, TotalTrasladosBaseIVA16="100.01")),
    ("CRP20204", dollars, set_(TOTALES, TotalTrasladosBaseIVA16="2850.01")),
    ("CRP20205", every_tax, set_(TOTALES, TotalTrasladosImpuestoIVA16="16.01")),
    ("CRP20205", every_tax, drop(TOTALES, "TotalTrasladosImpuestoIVA16")),
    ("CRP20206", every_tax, set_(TOTALES, TotalTrasladosBaseIVA8="100.01")),
    ("CRP20207", every_tax, set_(TOTALES, TotalTrasladosImpuestoIVA8="8.01")),
    ("CRP20208", every_tax, set_(TOTALES, TotalTrasladosBaseIVA0="100.01")),
    ("CRP20209", every_tax, set_(TOTALES, TotalTrasladosImpuestoIVA0="0.01")),
    ("CRP20209", every_tax, drop(TOTALES, "TotalTrasladosImpuestoIVA0")),
    ("CRP20210", every_tax, set_(TOTALES, TotalTrasladosBaseIVAExento="99.99")),
    ("CRP20211", untaxed, set_(TOTALES, MontoTotalPagos="50.01")),
    ("CRP20211", two_payments, set_(TOTALES, MontoTotalPagos="1.08")),
    ("CRP20212", untaxed, set_(PAGO, FormaDePagoP="99")),
    (
        "CRP20213",
        untaxed,
        both(set_(PAGO, MonedaP="XXX", Monto="50"), set_(DOCTO, EquivalenciaDR="1.0")),
    ),
    ("CRP20214", dollars, drop(PAGO, "TipoCambioP")),
    ("CRP20215", untaxed, set_(PAGO, TipoCambioP="1.0")),
    ("CRP20215", untaxed, drop(PAGO, "TipoCambioP")),
    (
        "CRP20217",
        untaxed,
        paid("49.99", "49.99"),
    ),
    ("CRP20218", untaxed, paid("0.00", "0.00")),
    ("CRP20219", untaxed, set_(PAGO, Monto="50.000")),
    ("CRP20221", untaxed, set_(PAGO, FormaDePagoP="01", RfcEmisorCtaOrd="BBA830831LJ2")),
    ("CRP20223", untaxed, set_(PAGO, RfcEmisorCtaOrd="XEXX010101000")),
    ("CRP20224", untaxed, set_(PAGO, FormaDePagoP="01", CtaOrdenante="0123456789")),
    ("CRP20225", untaxed, set_(PAGO, CtaOrdenante="01234567890")),
    ("CRP20225", untaxed, set_(PAGO, FormaDePagoP="04", CtaOrdenante="012345678901234567")),
    ("CRP20226", untaxed, set_(PAGO, CtaBeneficiario="0123456789012345")),
    ("CRP20227", untaxed, set_(PAGO, FormaDePagoP="06", RfcEmisorCtaBen="BBA830831LJ2")),
    ("CRP20228", untaxed, set_(PAGO, FormaDePagoP="01", CtaBeneficiario="0123456789")),
    ("CRP20229", chained, set_(PAGO, FormaDePagoP="02")),
    ("CRP20230", chained, drop(PAGO, "CertPago")),
    ("CRP20231", untaxed, set_(PAGO, CertPago="QUJD")),
    ("CRP20232", chained, drop(PAGO, "CadPago")),
    ("CRP20233", untaxed, set_(PAGO, CadPago="||x||")),
    ("CRP20234", chained, drop(PAGO, "SelloPago")),
    ("CRP20235", untaxed, set_(PAGO, SelloPago="QUJD")),
    ("CRP20236", untaxed, set_(DOCTO, MonedaDR="XXX")),
    ("CRP20237", dollars, drop(SECOND, "EquivalenciaDR")),
    ("CRP20238", untaxed, set_(DOCTO, EquivalenciaDR="1.0000000000")),
    ("CRP20238", untaxed, drop(DOCTO, "EquivalenciaDR")),
    ("CRP20239", untaxed, set_(DOCTO, ImpSaldoAnt="0.00")),
    ("CRP20240", untaxed, set_(DOCTO, ImpSaldoAnt="50.000")),
    ("CRP20241", untaxed, set_(DOCTO, ImpPagado="0.00", ImpSaldoInsoluto="50.00")),
    ("CRP20242", untaxed, set_(DOCTO, ImpPagado="50.000")),
    ("CRP20243", untaxed, set_(DOCTO, ImpSaldoInsoluto="0.000")),
    ("CRP20244", untaxed, set_(DOCTO, ImpSaldoInsoluto="0.01")),
    ("CRP20244", untaxed, set_(DOCTO, ImpSaldoAnt="49.00")),
    ("CRP20245", untaxed, set_(DOCTO, ObjetoImpDR="99")),
    ("CRP20246", untaxed, set_(DOCTO, ObjetoImpDR="02")),
    ("CRP20247", base, set_(DOCTO, ObjetoImpDR="01")),
    ("CRP20248", untaxed, both(set_(DOCTO, ObjetoImpDR="02"), NO_TAX)),
    ("CRP20249", every_tax, set_(RETENCION_DR, BaseDR="0.000000")),
    ("CRP20250", every_tax, set_(RETENCION_DR, ImpuestoDR="009")),
    ("CRP20251", every_tax, set_(RETENCION_DR, TipoFactorDR="Otro")),
    ("CRP20252", every_tax, set_(RETENCION_DR, TipoFactorDR="Exento")),
    ("CRP20253", every_tax, set_(RETENCION_DR, TasaOCuotaDR="0.400000")),
    ("CRP20254", every_tax, set_(RETENCION_DR, ImporteDR="10.000002")),
    ("CRP20255", base, set_(TRASLADO_DR, BaseDR="0.000000")),
    ("CRP20256", base, set_(TRASLADO_DR, ImpuestoDR="009")),
    ("CRP20257", base, set_(TRASLADO_DR, TipoFactorDR="Otro")),
    ("CRP20258", base, set_(TRASLADO_DR, TipoFactorDR="Exento")),
    ("CRP20259", base, drop(TRASLADO_DR, "ImporteDR")),
    ("CRP20259", base, drop(TRASLADO_DR, "TasaOCuotaDR")),
    ("CRP20260", base, set_(TRASLADO_DR, TasaOCuotaDR="0.150000")),
    ("CRP20260", base, set_(TRASLADO_DR, TasaOCuotaDR="0.16")),
    ("CRP20261", base, set_(TRASLADO_DR, ImporteDR="16.000002")),
    ("CRP20262", every_tax, set_(RETENCION_P, ImpuestoP="009")),
    ("CRP20263", every_tax, duplicate(RETENCION_P)),
    (
        "CRP20264",
        every_tax,
        drop(TOTALES, "TotalRetencionesIVA", "TotalRetencionesISR", "TotalRetencionesIEPS"),
    ),
    ("CRP20265", every_tax, set_(RETENCION_P, ImporteP="10.000001")),
    ("CRP20265", every_tax, remove(RETENCION_P)),
    ("CRP20266", every_tax, set_(f"{TRASLADO_P}[4]", ImporteP="0.00")),
    ("CRP20267", base, drop(TOTALES, "TotalTrasladosBaseIVA16")),
    ("CRP20268", base, set_(TRASLADO_P, BaseP="100.000001")),
    ("CRP20268", base, set_(TRASLADO_P, BaseP="99.999999")),
    ("CRP20268", dollars, set_(TRASLADO_P, BaseP="154.054056")),
    ("CRP20268", dollars, set_(TRASLADO_P, BaseP="154.054053")),
    ("CRP20268", base, remove(f"{PAGO}/pago20:ImpuestosP")),
    ("CRP20269", every_tax, set_(f"{TRASLADO_P}[4]", BaseP="100.000001")),
    ("CRP20270", base, set_(TRASLADO_P, ImpuestoP="009")),
    ("CRP20271", base, duplicate(TRASLADO_P)),
    ("CRP20272", base, set_(TRASLADO_P, TasaOCuotaP="0.150000")),
    ("CRP20273", base, drop(TOTALES, "TotalTrasladosImpuestoIVA16")),
    ("CRP20274", base, set_(TRASLADO_P, ImporteP="16.000001")),
    ("CRP20276", dollars, paid("139.00", "2571.50")),
    ("CRP20276", dollars, paid("295.00", "5457.50")),
    ("CRP20276", pesos_for_dollars, paid("62.69", "1159.77")),
    ("CRP20276", pesos_for_dollars, paid("62.72", "1160.32")),
    # Inside if "1" is known to half a unit, outside if to half of its tenth decimal.
    ("CRP20277", dollars, paid("178.68", "3305.58")),
    ("CRP20277", dollars, paid("178.73", "3306.51")),
    ("CRP20278", base, set_(DOCTO, ObjetoImpDR="06")),
    ("CRP20278", base, set_(DOCTO, ObjetoImpDR="08")),
    ("CRP20279", base, set_(DOCTO, ObjetoImpDR="07")),
    ("301", untaxed, set_(PAGO, FormaDePagoP="98")),
    ("301", untaxed, set_(PAGO, MonedaP="MXP")),
    ("301", untaxed, set_(DOCTO, MonedaDR="MXP")),
    ("301", untaxed, set_(DOCTO, IdDocumento="1")),
    ("301", base, set_(TRASLADO_P, TipoFactorP="Otro")),
]

#: Rows that cannot be broken by a document alone.
NOT_CHECKED = {
    "CRP20216": "clave de confirmación: SAT has no procedure for it yet",
    "CRP20220": "clave de confirmación: SAT has no procedure for it yet",
    "CRP20275": "says how the limits of CRP20276 are made; no value can be outside of its own",
    "CRP20999": "SAT's code for what it has no row for",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_has_no_finding(name: str, csd: Csd, reseal: Reseal) -> None:
    make, change = GOOD[name]
    root = make()
    change(root)
    assert cfdi.validate(reseal(root, csd)) == ()


@pytest.mark.parametrize(
    ("code", "make", "change"), BAD, ids=[f"{code}-{n}" for n, (code, _, _) in enumerate(BAD)]
)
def test_one_wrong_thing_is_told_with_its_code(
    code: str, make: Make, change: Change, csd: Csd, reseal: Reseal
) -> None:
    root = make()
    change(root)
    findings = cfdi.validate(reseal(root, csd))
    assert {finding.code for finding in findings} == {code}
    for finding in findings:
        assert finding.path.startswith("Comprobante")
        assert finding.message_es != finding.message_en


def test_every_row_of_the_matrix_is_checked_or_said_to_be_not(shared: Path) -> None:
    rows = json.loads((shared / "sat/validation/crp20-matrix.json").read_text())["rows"]
    codes = {row["codigo"] for row in rows}
    broken = {code for code, _, _ in BAD} | {"CRP20222"}
    assert codes == {code for code in broken if code.startswith("CRP")} | NOT_CHECKED.keys()
    assert not NOT_CHECKED.keys() & RULES.keys()


class Banks:
    """A register that knows one bank."""

    def taxpayer(self, rfc: str, *, nombre: str = "", cp: str = "") -> Taxpayer:
        return Taxpayer(known=rfc != "AAA010101AAA")

    def certificate(self, no_certificado: str) -> CertificateState | None:
        return None


def test_a_bank_that_sat_does_not_know_is_told_by_the_register(csd: Csd, reseal: Reseal) -> None:
    good, bad = reseal(chained(), csd), chained()
    assert cfdi.validate(good, register=Banks()) == ()
    set_(PAGO, RfcEmisorCtaOrd="AAA010101AAA")(bad)
    assert cfdi.validate(reseal(bad, csd)) == ()
    assert [each.code for each in cfdi.validate(reseal(bad, csd), register=Banks())] == ["CRP20222"]


def test_a_place_is_told_by_its_path(csd: Csd, reseal: Reseal) -> None:
    root = dollars()
    set_(SECOND, ImpSaldoInsoluto="1.00")(root)
    (finding,) = cfdi.validate(reseal(root, csd))
    assert finding.path == (
        "Comprobante/Complemento/Pagos/Pago[1]/DoctoRelacionado[2]/@ImpSaldoInsoluto"
    )


@given(
    st.lists(st.decimals("0.01", "99999.99", places=2), min_size=1, max_size=4),
    st.decimals("0.000001", "99.999999", places=6),
)
def test_sums_made_by_the_formulas_are_accepted_and_a_cent_beside_them_is_not(
    sums: list[Decimal], rate: Decimal
) -> None:
    """Documents in dollars, paid in dollars: the totals are in pesos, whatever the rate."""
    units = Decimal("0.000001")
    nets = [(each / Decimal("1.16")).quantize(units, ROUND_HALF_UP) for each in sums]
    nets = [max(each, units) for each in nets]
    ivas = [(each * Decimal("0.16")).quantize(units, ROUND_HALF_UP) for each in nets]
    inside = "".join(
        docto(taxes("DR", iva("DR", str(net), f"{tax_:f}")), f"{each:f}", "USD")
        for each, net, tax_ in zip(sums, nets, ivas, strict=True)
    )
    inside += taxes("P", iva("P", f"{sum(nets):f}", f"{sum(ivas):f}"))

    def pesos(value: Decimal) -> str:
        return f"{(value * rate).quantize(Decimal('0.01'), ROUND_HALF_UP):f}"

    totals = {
        "TotalTrasladosBaseIVA16": pesos(sum(nets, Decimal(0))),
        "TotalTrasladosImpuestoIVA16": pesos(sum(ivas, Decimal(0))),
        "MontoTotalPagos": pesos(sum(sums, Decimal(0))),
    }
    root = document(totals, pago(inside, f"{sum(sums):f}", "USD", f"{rate:f}"))
    assert _codes(root) == set()
    for name, code in (
        ("MontoTotalPagos", "CRP20211"),
        ("TotalTrasladosBaseIVA16", "CRP20204"),
        ("TotalTrasladosImpuestoIVA16", "CRP20205"),
    ):
        set_(TOTALES, **{name: f"{Decimal(totals[name]) + Decimal('0.01'):f}"})(root)
        assert _codes(root) == {code}
        set_(TOTALES, **{name: totals[name]})(root)


def _codes(root: etree._Element) -> set[str]:
    """But for the seal, which these documents do not have."""
    return {finding.code for finding in cfdi.validate(etree.tostring(root))} - {"CFDI40106"}
