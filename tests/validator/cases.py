"""For each code of the CFDI 4.0 matrix: a document that breaks that rule alone, and one that meets
the rule's condition and keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.validator.bases import (
    LINE,
    LINE_TAX,
    LINE_WITHHELD,
    TAX,
    WITHHELD,
    Change,
    concepto,
    drop,
    impuestos,
    insert,
    put,
    traslado,
)


@dataclass(frozen=True)
class Case:
    code: str
    base: str
    changes: tuple[Change, ...]
    #: Where it is told; "" in a case that is valid.
    path: str = ""


def wrong(code: str, base: str, path: str, *changes: Change) -> Case:
    return Case(code, base, changes, f"Comprobante/{path}")


def right(code: str, base: str, *changes: Change) -> Case:
    return Case(code, base, changes)


_ONE = "Conceptos/Concepto[1]"
_LINE_TAX = f"{_ONE}/Impuestos/Traslados/Traslado[1]"
_LINE_WITHHELD = f"{_ONE}/Impuestos/Retenciones/Retencion[1]"
_SUM_TAX = "Impuestos/Traslados/Traslado[1]"
_SUM_WITHHELD = "Impuestos/Retenciones/Retencion[1]"
_FREIGHT = '<cfdi:Parte ClaveProdServ="53102500" Cantidad="2" Descripcion="Asa" {}/>'
_FOREIGN_SELLER: Final[dict[str, str | None]] = {
    "RfcACuentaTerceros": "EXT990101NI1",
    "NombreACuentaTerceros": (
        "EXPEDICIÓN DE CFDI POR RESIDENTES EN MÉXICO QUE PRESTAN SERVICIOS DE INTERMEDIACIÓN "
        "ENTRE TERCEROS A OFERENTES DE BIENES Y SERVICIOS RESIDENTES EN EL EXTRANJERO"
    ),
    "RegimenFiscalACuentaTerceros": "616",
    "DomicilioFiscalACuentaTerceros": "42501",
}
_TERCERO = f"{LINE}/ACuentaTerceros"
_DOLLARS = put(Moneda="USD", TipoCambio="18.501200")

HEAD: Final = (
    wrong("CFDI40101", "sale", "@Fecha", put(Fecha="2026-11-20 12:00:00")),
    wrong("CFDI40101", "sale", "@Fecha", put(Fecha="2026-02-30T12:00:00")),
    right("CFDI40101", "sale", put(Fecha="2026-11-20T23:59:59")),
    wrong("CFDI40103", "transfer", "@FormaPago", put(FormaPago="01")),
    right("CFDI40103", "transfer"),
    wrong("CFDI40104", "sale", "@FormaPago", put(FormaPago="07")),
    right("CFDI40104", "sale", put(FormaPago="31")),
    wrong("CFDI40105", "sale", "@FormaPago", put(MetodoPago="PPD")),
    wrong("CFDI40105", "sale", "@FormaPago", put(MetodoPago="PPD", FormaPago=None)),
    right("CFDI40105", "sale", put(MetodoPago="PPD", FormaPago="99")),
    wrong("CFDI40107", "untaxed", "@SubTotal", put(SubTotal="100.000")),
    right("CFDI40107", "untaxed", put(SubTotal="100")),
    right(
        "CFDI40107",
        "untaxed",
        put(Moneda="JPY", TipoCambio="0.12", SubTotal="100", Total="100"),
    ),
    wrong(
        "CFDI40107",
        "untaxed",
        "@SubTotal",
        put(Moneda="JPY", TipoCambio="0.12", SubTotal="100.0"),
    ),
    wrong("CFDI40108", "untaxed", "@SubTotal", put(SubTotal="100.01", Total="100.01")),
    wrong("CFDI40108", "untaxed", "@SubTotal", put(SubTotal="99.99")),
    right(
        "CFDI40108",
        "untaxed",
        put(LINE, ValorUnitario="100.004", Importe="100.004"),
    ),
    wrong(
        "CFDI40108",
        "untaxed",
        "@SubTotal",
        put(LINE, ValorUnitario="100.005", Importe="100.005"),
    ),
    wrong("CFDI40109", "transfer", "@SubTotal", put(SubTotal="1")),
    right("CFDI40109", "transfer", put(SubTotal="0.00", Total="0.00")),
    wrong("CFDI40110", "mixed", "@Descuento", put(Descuento="160.01")),
    right(
        "CFDI40110",
        "untaxed",
        put(Descuento="100.00", Total="0.00"),
        put(LINE, Descuento="100.00"),
    ),
    wrong("CFDI40111", "mixed", "@Descuento", put(Descuento="9.99")),
    wrong("CFDI40111", "mixed", "@Descuento", put(Descuento=None)),
    wrong("CFDI40111", "untaxed", "@Descuento", put(Descuento="0.00")),
    wrong("CFDI40111", "transfer", "@Descuento", put(LINE, Descuento="0")),
    right("CFDI40111", "untaxed", put(Descuento="0.00"), put(LINE, Descuento="0.00")),
    right(
        "CFDI40111",
        "untaxed",
        put(Descuento="0.01", Total="99.99"),
        put(LINE, ValorUnitario="100.000", Importe="100.000", Descuento="0.005"),
    ),
    wrong("CFDI40112", "mixed", "@Descuento", put(Descuento="10.000")),
    right("CFDI40112", "mixed", put(Descuento="10.0")),
    wrong("CFDI40113", "sale", "@Moneda", put(Moneda="ABC")),
    right("CFDI40113", "sale", _DOLLARS),
    wrong("CFDI40114", "sale", "@TipoCambio", put(TipoCambio="18.50")),
    right("CFDI40114", "sale", put(TipoCambio="1")),
    wrong("CFDI40115", "sale", "@TipoCambio", put(Moneda="USD")),
    right("CFDI40115", "sale", _DOLLARS),
    right("CFDI40115", "transfer"),
    wrong("CFDI40116", "transfer", "@TipoCambio", put(TipoCambio="1")),
    right("CFDI40116", "transfer", put(Moneda="MXN", TipoCambio="1")),
    wrong("CFDI40117", "sale", "@TipoCambio", put(Moneda="USD", TipoCambio="18.5012345")),
    wrong("CFDI40117", "sale", "@TipoCambio", put(Moneda="USD", TipoCambio="0")),
    right("CFDI40117", "sale", put(Moneda="USD", TipoCambio="18.501234")),
    wrong("CFDI40119", "sale", "@Total", put(Total="116.01")),
    wrong("CFDI40119", "mixed", "@Total", put(Total="164.80")),
    wrong("CFDI40119", "local", "@Total", put(Total="116.00")),
    wrong("CFDI40119", "transfer", "@Total", put(Total="1")),
    right("CFDI40119", "mixed", put(Total="154.800000")),
    right("CFDI40119", "local"),
    wrong("CFDI40121", "transfer", "@TipoDeComprobante", put(TipoDeComprobante="X")),
    right("CFDI40121", "credit"),
    wrong("CFDI40122", "foreigner", "@Exportacion", put(Exportacion="02")),
    right("CFDI40122", "export"),
    right("CFDI40122", "foreigner", put(Exportacion="04")),
    wrong("CFDI40222", "export", "@Exportacion", put(Exportacion="01")),
    wrong("CFDI40222", "export", "@Exportacion", put(Exportacion="03")),
    right("CFDI40222", "export", put(Exportacion="04")),
    wrong("CFDI40123", "sale", "@Exportacion", put(Exportacion="05")),
    right("CFDI40123", "sale", put(Exportacion="03")),
    wrong("CFDI40124", "sale", "@MetodoPago", put(MetodoPago="PIP")),
    right("CFDI40124", "sale", put(MetodoPago=None)),
    wrong("CFDI40125", "transfer", "@MetodoPago", put(MetodoPago="PUE")),
    right("CFDI40125", "transfer"),
    wrong("CFDI40126", "sale", "@LugarExpedicion", put(LugarExpedicion="00000")),
    wrong("CFDI40126", "sale", "@LugarExpedicion", put(LugarExpedicion="4250")),
    right("CFDI40126", "sale", put(LugarExpedicion="06000")),
)

_GLOBAL = "InformacionGlobal"
NODES: Final = (
    wrong("CFDI40130", "global", "InformacionGlobal", drop(_GLOBAL)),
    right("CFDI40130", "global", drop(_GLOBAL), put("Receptor", Nombre="PÚBLICO EN GENERAL")),
    right("CFDI40130", "global", drop(_GLOBAL), put(TipoDeComprobante="E")),
    wrong("CFDI40131", "global", f"{_GLOBAL}/@Periodicidad", put(_GLOBAL, Periodicidad="06")),
    right("CFDI40131", "global", put(_GLOBAL, Periodicidad="01")),
    wrong(
        "CFDI40132",
        "global",
        f"{_GLOBAL}/@Periodicidad",
        put(_GLOBAL, Periodicidad="05", Meses="17"),
    ),
    right(
        "CFDI40132",
        "global",
        put(_GLOBAL, Periodicidad="05", Meses="17"),
        put("Emisor", Rfc="CACX7605101P8", RegimenFiscal="621"),
    ),
    wrong("CFDI40133", "global", f"{_GLOBAL}/@Meses", put(_GLOBAL, Meses="19")),
    right("CFDI40133", "global", put(_GLOBAL, Meses="01")),
    wrong("CFDI40134", "global", f"{_GLOBAL}/@Meses", put(_GLOBAL, Meses="13")),
    right("CFDI40134", "global", put(_GLOBAL, Meses="12")),
    wrong(
        "CFDI40135",
        "global",
        f"{_GLOBAL}/@Meses",
        put(_GLOBAL, Periodicidad="05"),
        put("Emisor", Rfc="CACX7605101P8", RegimenFiscal="621"),
    ),
    right(
        "CFDI40135",
        "global",
        put(_GLOBAL, Periodicidad="05", Meses="18"),
        put("Emisor", Rfc="CACX7605101P8", RegimenFiscal="621"),
    ),
    wrong("CFDI40136", "global", f"{_GLOBAL}/@Año", put(_GLOBAL, Año="2020")),
    wrong("CFDI40136", "global", f"{_GLOBAL}/@Año", put(_GLOBAL, Año="2027")),
    wrong("CFDI40136", "global", f"{_GLOBAL}/@Año", put(_GLOBAL, Año="2018")),
    right("CFDI40136", "global", put(_GLOBAL, Año="2021")),
    wrong(
        "CFDI40137",
        "credit",
        "CfdiRelacionados[1]/@TipoRelacion",
        put("CfdiRelacionados", TipoRelacion="08"),
    ),
    right("CFDI40137", "credit", put("CfdiRelacionados", TipoRelacion="07")),
    wrong("CFDI40140", "sale", "Emisor/@RegimenFiscal", put("Emisor", RegimenFiscal="609")),
    right("CFDI40140", "sale", put("Emisor", RegimenFiscal="626")),
    wrong("CFDI40141", "sale", "Emisor/@RegimenFiscal", put("Emisor", RegimenFiscal="612")),
    right("CFDI40141", "sale", put("Emisor", RegimenFiscal="603")),
    wrong("CFDI40142", "sale", "Emisor/@FacAtrAdquirente", put("Emisor", FacAtrAdquirente="12345")),
    right("CFDI40142", "sale", put("Emisor", FacAtrAdquirente="1234567890")),
)

_R = "Receptor"
RECEIVER: Final = (
    wrong("CFDI40146", "sale", "Receptor/@Rfc", put(_R, Nombre="PUBLICO EN GENERAL")),
    wrong("CFDI40146", "foreigner", "Receptor/@Rfc", put(_R, Nombre="PUBLICO EN GENERAL")),
    right("CFDI40146", "global"),
    wrong(
        "CFDI40149",
        "global",
        "Receptor/@DomicilioFiscalReceptor",
        put(_R, DomicilioFiscalReceptor="06000"),
    ),
    right(
        "CFDI40149",
        "global",
        put(_R, DomicilioFiscalReceptor="06000"),
        put(LugarExpedicion="06000"),
    ),
    wrong("CFDI40150", "foreigner", "Receptor/@ResidenciaFiscal", put(_R, ResidenciaFiscal="XYZ")),
    right("CFDI40150", "foreigner", put(_R, ResidenciaFiscal="DEU", NumRegIdTrib="12/345/67890")),
    wrong("CFDI40151", "sale", "Receptor/@ResidenciaFiscal", put(_R, ResidenciaFiscal="USA")),
    wrong("CFDI40151", "global", "Receptor/@ResidenciaFiscal", put(_R, ResidenciaFiscal="MEX")),
    right("CFDI40151", "foreigner"),
    wrong("CFDI40152", "foreigner", "Receptor/@ResidenciaFiscal", put(_R, ResidenciaFiscal="MEX")),
    right("CFDI40152", "foreigner"),
    wrong("CFDI40153", "foreigner", "Receptor/@ResidenciaFiscal", put(_R, ResidenciaFiscal=None)),
    wrong("CFDI40153", "export", "Receptor/@ResidenciaFiscal", put(_R, ResidenciaFiscal=None)),
    right("CFDI40153", "foreigner", put(_R, ResidenciaFiscal=None, NumRegIdTrib=None)),
    wrong("CFDI40154", "sale", "Receptor/@NumRegIdTrib", put(_R, NumRegIdTrib="123456789")),
    right("CFDI40154", "foreigner"),
    wrong("CFDI40155", "export", "Receptor/@NumRegIdTrib", put(_R, NumRegIdTrib=None)),
    right("CFDI40155", "export"),
    wrong("CFDI40156", "foreigner", "Receptor/@NumRegIdTrib", put(_R, NumRegIdTrib="12345678")),
    right("CFDI40156", "foreigner", put(_R, ResidenciaFiscal="FRA", NumRegIdTrib="12345678")),
    wrong(
        "CFDI40157",
        "sale",
        "Receptor/@RegimenFiscalReceptor",
        put(_R, RegimenFiscalReceptor="628"),
    ),
    right("CFDI40157", "sale", put(_R, RegimenFiscalReceptor="625")),
    wrong(
        "CFDI40158",
        "sale",
        "Receptor/@RegimenFiscalReceptor",
        put(_R, RegimenFiscalReceptor="601"),
    ),
    right("CFDI40158", "sale", put(_R, Rfc="URE180429TM6", RegimenFiscalReceptor="601")),
    wrong(
        "CFDI40159",
        "global",
        "Receptor/@RegimenFiscalReceptor",
        put(_R, RegimenFiscalReceptor="612"),
    ),
    wrong(
        "CFDI40159",
        "foreigner",
        "Receptor/@RegimenFiscalReceptor",
        put(_R, RegimenFiscalReceptor="601"),
    ),
    right("CFDI40159", "foreigner"),
    wrong("CFDI40160", "sale", "Receptor/@UsoCFDI", put(_R, UsoCFDI="P01")),
    right("CFDI40160", "sale", put(_R, UsoCFDI="I04")),
    wrong("CFDI40161", "sale", "Receptor/@UsoCFDI", put(_R, RegimenFiscalReceptor="605")),
    wrong(
        "CFDI40161",
        "sale",
        "Receptor/@UsoCFDI",
        put(_R, Rfc="URE180429TM6", RegimenFiscalReceptor="601", UsoCFDI="D01"),
    ),
    wrong("CFDI40161", "foreigner", "Receptor/@UsoCFDI", put(_R, UsoCFDI="G02")),
    right("CFDI40161", "sale", put(_R, RegimenFiscalReceptor="605", UsoCFDI="D10")),
    right("CFDI40161", "foreigner", put(TipoDeComprobante="E"), put(_R, UsoCFDI="G02")),
    right(
        "CFDI40161",
        "global",
        drop(_GLOBAL),
        put(TipoDeComprobante="E"),
        put(_R, UsoCFDI="G02"),
    ),
)

LINES: Final = (
    wrong("CFDI40162", "sale", f"{_ONE}/@ClaveProdServ", put(LINE, ClaveProdServ="99999999")),
    right("CFDI40162", "sale", put(LINE, ClaveProdServ="01010101")),
    wrong(
        "CFDI40164",
        "exempt",
        f"{_ONE}/@ClaveProdServ",
        *(
            put(LINE, ClaveProdServ="80111701", ObjetoImp="01"),
            drop(f"{LINE}/Impuestos"),
            drop("Impuestos"),
        ),
    ),
    right("CFDI40164", "sale", put(LINE, ClaveProdServ="80111701")),
    wrong("CFDI40165", "sale", f"{_ONE}/@ClaveUnidad", put(LINE, ClaveUnidad="PIEZA")),
    right("CFDI40165", "sale", put(LINE, ClaveUnidad="KGM")),
    wrong(
        "CFDI40166",
        "mixed",
        "Conceptos/Concepto[4]/@ValorUnitario",
        insert("Conceptos", concepto("0.00", objeto="01"), -1),
    ),
    right("CFDI40166", "transfer"),
    right(
        "CFDI40166",
        "untaxed",
        put(SubTotal="0.00", Total="0.00"),
        put(LINE, ValorUnitario="0.000001", Importe="0.000001"),
    ),
    wrong("CFDI40167", "untaxed", f"{_ONE}/@Importe", put(LINE, Importe="150.02")),
    wrong(
        "CFDI40167",
        "untaxed",
        f"{_ONE}/@Importe",
        put(LINE, Cantidad="1.000", ValorUnitario="100.00", Importe="100.07"),
    ),
    right(
        "CFDI40167",
        "untaxed",
        put(LINE, Cantidad="3", ValorUnitario="33.333333", Importe="100.00"),
    ),
    wrong("CFDI40168", "mixed", f"{_ONE}/@Descuento", put(f"{LINE}[1]", Descuento="10.000")),
    right("CFDI40168", "mixed", put(f"{LINE}[1]", Descuento="10.0")),
    wrong(
        "CFDI40169",
        "untaxed",
        f"{_ONE}/@Descuento",
        put(LINE, Descuento="100.01"),
        put(Descuento="100.01"),
    ),
    right(
        "CFDI40169",
        "untaxed",
        put(LINE, Descuento="100.00"),
        put(Descuento="100.00", Total="0.00"),
    ),
    wrong("CFDI40170", "untaxed", f"{_ONE}/@ObjetoImp", put(LINE, ObjetoImp="09")),
    right("CFDI40170", "untaxed", put(LINE, ObjetoImp="04")),
    wrong("CFDI40171", "untaxed", f"{_ONE}/Impuestos", put(LINE, ObjetoImp="02")),
    right("CFDI40171", "sale"),
    wrong("CFDI40172", "sale", f"{_ONE}/Impuestos", put(LINE, ObjetoImp="01")),
    wrong("CFDI40172", "sale", f"{_ONE}/Impuestos", put(LINE, ObjetoImp="05")),
    right("CFDI40172", "untaxed", put(LINE, ObjetoImp="03")),
    wrong("CFDI140226", "sale", f"{_ONE}/@ObjetoImp", put(LINE, ObjetoImp="06")),
    wrong("CFDI140226", "ieps", f"{_ONE}/@ObjetoImp", put(LINE, ObjetoImp="08")),
    right("CFDI140226", "isr"),
    right("CFDI140226", "untaxed", put(LINE, ObjetoImp="08")),
    wrong("CFDI140227", "sale", f"{_ONE}/@ObjetoImp", put(LINE, ObjetoImp="07")),
    wrong("CFDI140227", "isr", f"{_ONE}/@ObjetoImp", put(LINE, ObjetoImp="07")),
    right("CFDI140227", "ieps"),
    wrong(
        "CFDI140228",
        "fuel",
        f"{_ONE}/@ClaveProdServ",
        drop(f"{LINE}/ComplementoConcepto"),
    ),
    right("CFDI140228", "fuel"),
    right("CFDI140228", "transfer", put(LINE, ClaveProdServ="15101514")),
)

LINE_TAXES: Final = (
    wrong(
        "CFDI40173",
        "untaxed",
        f"{_ONE}/Impuestos",
        put(LINE, ObjetoImp="02"),
        insert(LINE, "<cfdi:Impuestos/>"),
    ),
    right("CFDI40173", "isr"),
    wrong("CFDI40174", "sale", f"{_LINE_TAX}/@Base", put(LINE_TAX, Base="0")),
    wrong("CFDI40174", "sale", f"{_LINE_TAX}/@Base", put(LINE_TAX, Base="-100.00")),
    right(
        "CFDI40174",
        "sale",
        put(LINE_TAX, Base="0.000001", Importe="0.00"),
        put(TAX, Base="0.00", Importe="0.00"),
        put("Impuestos", TotalImpuestosTrasladados="0.00"),
        put(Total="100.00"),
    ),
    wrong("CFDI40175", "sale", f"{_LINE_TAX}/@Impuesto", put(LINE_TAX, Impuesto="004")),
    right("CFDI40175", "ieps"),
    wrong("CFDI40176", "sale", f"{_LINE_TAX}/@TipoFactor", put(LINE_TAX, TipoFactor="Fijo")),
    right(
        "CFDI40176",
        "ieps",
        put(LINE_TAX, TipoFactor="Cuota", TasaOCuota="0.080000"),
        put(TAX, TipoFactor="Cuota", TasaOCuota="0.080000"),
    ),
    wrong("CFDI40177", "exempt", f"{_LINE_TAX}/@TasaOCuota", put(LINE_TAX, TasaOCuota="0.000000")),
    wrong("CFDI40177", "exempt", f"{_LINE_TAX}/@Importe", put(LINE_TAX, Importe="0.00")),
    right("CFDI40177", "exempt"),
    wrong("CFDI40178", "sale", f"{_LINE_TAX}/@TasaOCuota", put(LINE_TAX, TasaOCuota=None)),
    wrong("CFDI40178", "sale", f"{_LINE_TAX}/@Importe", put(LINE_TAX, Importe=None)),
    right("CFDI40178", "sale"),
    wrong(
        "CFDI40179",
        "sale",
        f"{_LINE_TAX}/@TasaOCuota",
        put(LINE_TAX, TasaOCuota="0.150000", Importe="15.00"),
    ),
    wrong("CFDI40179", "sale", f"{_LINE_TAX}/@TasaOCuota", put(LINE_TAX, TasaOCuota="0.16")),
    right(
        "CFDI40179",
        "sale",
        put(LINE_TAX, TasaOCuota="0.080000", Importe="8.00"),
        put(TAX, TasaOCuota="0.080000", Importe="8.00"),
        put("Impuestos", TotalImpuestosTrasladados="8.00"),
        put(Total="108.00"),
    ),
    wrong("CFDI40180", "sale", f"{_LINE_TAX}/@Importe", put(LINE_TAX, Importe="16.02")),
    wrong("CFDI40180", "sale", f"{_LINE_TAX}/@Importe", put(LINE_TAX, Importe="15.98")),
    right("CFDI40180", "sale", put(LINE_TAX, Importe="16.000000")),
    right(
        "CFDI40180",
        "sale",
        put(LINE_TAX, Base="100.00", Importe="15.9993"),
    ),
    wrong("CFDI40181", "mixed", f"{_LINE_WITHHELD}/@Base", put(LINE_WITHHELD, Base="0.000000")),
    right("CFDI40181", "mixed"),
    wrong("CFDI40182", "mixed", f"{_LINE_WITHHELD}/@Impuesto", put(LINE_WITHHELD, Impuesto="000")),
    right("CFDI40182", "isr"),
    wrong(
        "CFDI40183", "mixed", f"{_LINE_WITHHELD}/@TipoFactor", put(LINE_WITHHELD, TipoFactor="Todo")
    ),
    right("CFDI40183", "mixed"),
    wrong(
        "CFDI40184",
        "mixed",
        f"{_LINE_WITHHELD}/@TipoFactor",
        put(LINE_WITHHELD, TipoFactor="Exento"),
    ),
    right("CFDI40184", "isr"),
    wrong(
        "CFDI40185",
        "isr",
        f"{_LINE_WITHHELD}/@TasaOCuota",
        put(LINE_WITHHELD, TasaOCuota="0.350001", Importe="35.00"),
    ),
    wrong(
        "CFDI40185", "isr", f"{_LINE_WITHHELD}/@TasaOCuota", put(LINE_WITHHELD, TasaOCuota="0.0125")
    ),
    right("CFDI40185", "isr"),
    wrong("CFDI40186", "mixed", f"{_LINE_WITHHELD}/@Importe", put(LINE_WITHHELD, Importe="9.62")),
    right("CFDI40186", "mixed", put(LINE_WITHHELD, Importe="9.600030")),
)

_PEDIMENTO = f"{LINE}/InformacionAduanera"
_OF_A_PART = f"{LINE}/Parte/InformacionAduanera"
INSIDE: Final = (
    wrong(
        "CFDI40188",
        "terceros",
        f"{_ONE}/ACuentaTerceros/@RfcACuentaTerceros",
        put(_TERCERO, RfcACuentaTerceros="MISC491214B86"),
    ),
    wrong(
        "CFDI40188",
        "terceros",
        f"{_ONE}/ACuentaTerceros/@RfcACuentaTerceros",
        put(_TERCERO, RfcACuentaTerceros="EKU9003173C9"),
    ),
    right("CFDI40188", "terceros"),
    wrong(
        "CFDI40189",
        "terceros",
        f"{_ONE}/ACuentaTerceros/@NombreACuentaTerceros",
        put(_TERCERO, **{**_FOREIGN_SELLER, "NombreACuentaTerceros": "JOHN DOE"}),
    ),
    right("CFDI40189", "terceros", put(_TERCERO, **_FOREIGN_SELLER)),
    wrong(
        "CFDI40191",
        "terceros",
        f"{_ONE}/ACuentaTerceros/@RegimenFiscalACuentaTerceros",
        put(_TERCERO, RegimenFiscalACuentaTerceros="630"),
    ),
    right("CFDI40191", "terceros"),
    wrong(
        "CFDI140223",
        "terceros",
        f"{_ONE}/ACuentaTerceros/@RegimenFiscalACuentaTerceros",
        put(_TERCERO, **{**_FOREIGN_SELLER, "RegimenFiscalACuentaTerceros": "610"}),
    ),
    right("CFDI140223", "terceros", put(_TERCERO, **_FOREIGN_SELLER)),
    wrong(
        "CFDI40193",
        "terceros",
        f"{_ONE}/ACuentaTerceros/@DomicilioFiscalACuentaTerceros",
        put(_TERCERO, **{**_FOREIGN_SELLER, "DomicilioFiscalACuentaTerceros": "06000"}),
    ),
    right("CFDI40193", "terceros", put(_TERCERO, **_FOREIGN_SELLER)),
    wrong(
        "CFDI40194",
        "parts",
        f"{_ONE}/InformacionAduanera[1]/@NumeroPedimento",
        put(_PEDIMENTO, NumeroPedimento="26 47 3807 6003832"),
    ),
    wrong(
        "CFDI40194",
        "parts",
        f"{_ONE}/InformacionAduanera[1]/@NumeroPedimento",
        put(_PEDIMENTO, NumeroPedimento="27  47  3807  6003832"),
    ),
    right("CFDI40194", "parts", put(_PEDIMENTO, NumeroPedimento="15  48  3009  0001234")),
    wrong(
        "CFDI40195",
        "export",
        f"{_ONE}/InformacionAduanera[1]/@NumeroPedimento",
        insert(LINE, '<cfdi:InformacionAduanera NumeroPedimento="26  47  3807  6003832"/>', 1),
    ),
    right("CFDI40195", "parts"),
    wrong(
        "CFDI40196",
        "parts",
        f"{_ONE}/Parte[1]/@ClaveProdServ",
        put(f"{LINE}/Parte", ClaveProdServ="99999999"),
    ),
    right("CFDI40196", "parts"),
    wrong(
        "CFDI40197",
        "parts",
        f"{_ONE}/Parte[1]/@ValorUnitario",
        put(f"{LINE}/Parte", ValorUnitario="0.00", Importe="0.00"),
    ),
    right("CFDI40197", "parts", put(f"{LINE}/Parte", ValorUnitario=None, Importe=None)),
    wrong(
        "CFDI40198",
        "parts",
        f"{_ONE}/Parte[1]/@Importe",
        put(f"{LINE}/Parte", Cantidad="2.00", Importe="20.08"),
    ),
    right("CFDI40198", "parts", put(f"{LINE}/Parte", Importe=None)),
    wrong(
        "CFDI40199",
        "parts",
        f"{_ONE}/Parte[1]/InformacionAduanera[1]/@NumeroPedimento",
        put(_OF_A_PART, NumeroPedimento="26  47  380  60038320"),
    ),
    wrong(
        "CFDI40199",
        "parts",
        f"{_ONE}/Parte[1]/InformacionAduanera[1]/@NumeroPedimento",
        put(_OF_A_PART, NumeroPedimento="30  47  3807  6003832"),
    ),
    right("CFDI40199", "parts"),
    wrong(
        "CFDI40200",
        "export",
        f"{_ONE}/Parte[1]/InformacionAduanera[1]/@NumeroPedimento",
        insert(
            LINE,
            '<cfdi:Parte ClaveProdServ="53102500" Cantidad="2" Descripcion="Asa">'
            '<cfdi:InformacionAduanera NumeroPedimento="26  47  3807  6003832"/></cfdi:Parte>',
            -1,
        ),
    ),
    right("CFDI40200", "export", insert(LINE, _FREIGHT.format(""), -1)),
)

_TOTALS = "Impuestos"
_TWICE = (
    insert(
        LINE,
        impuestos(traslado("50.00", "8.00") + traslado("50.00", "8.00")),
    ),
)
TAXES: Final = (
    wrong("CFDI40201", "transfer", "Impuestos", insert("", "<cfdi:Impuestos/>", -1)),
    right("CFDI40201", "transfer"),
    wrong(
        "CFDI40202",
        "mixed",
        "Impuestos/@TotalImpuestosRetenidos",
        put(_TOTALS, TotalImpuestosRetenidos="9.600"),
    ),
    right("CFDI40202", "mixed", put(_TOTALS, TotalImpuestosRetenidos="9.6")),
    wrong(
        "CFDI40203",
        "mixed",
        "Impuestos/@TotalImpuestosRetenidos",
        put(_TOTALS, TotalImpuestosRetenidos="9.61"),
    ),
    right("CFDI40203", "sale", put(_TOTALS, TotalImpuestosRetenidos="0.00")),
    wrong(
        "CFDI40204",
        "sale",
        "Impuestos/@TotalImpuestosTrasladados",
        put(_TOTALS, TotalImpuestosTrasladados="16.000"),
    ),
    right("CFDI40204", "sale", put(_TOTALS, TotalImpuestosTrasladados="16")),
    wrong(
        "CFDI40205",
        "sale",
        "Impuestos/@TotalImpuestosTrasladados",
        put(_TOTALS, TotalImpuestosTrasladados="16.01"),
    ),
    right("CFDI40205", "exempt", put(_TOTALS, TotalImpuestosTrasladados="0.00")),
    wrong(
        "CFDI40206",
        "mixed",
        "Impuestos/@TotalImpuestosRetenidos",
        put(_TOTALS, TotalImpuestosRetenidos=None),
    ),
    right("CFDI40206", "sale"),
    wrong("CFDI40207", "mixed", f"{_SUM_WITHHELD}/@Impuesto", put(WITHHELD, Impuesto="004")),
    right("CFDI40207", "isr"),
    wrong(
        "CFDI40208",
        "mixed",
        "Impuestos/Retenciones/Retencion[2]/@Impuesto",
        put(WITHHELD, Importe="5.00"),
        insert("Impuestos/Retenciones", '<cfdi:Retencion Impuesto="002" Importe="4.60"/>', -1),
    ),
    right("CFDI40208", "mixed"),
    wrong("CFDI40210", "isr", f"{_SUM_WITHHELD}/@Importe", put(WITHHELD, Importe="1.250")),
    right("CFDI40210", "mixed", put(WITHHELD, Importe="9.6")),
    wrong("CFDI40211", "mixed", f"{_SUM_WITHHELD}/@Importe", put(WITHHELD, Importe="9.59")),
    wrong(
        "CFDI40211",
        "mixed",
        "Impuestos/Retenciones",
        drop("Impuestos/Retenciones"),
        put(_TOTALS, TotalImpuestosRetenidos=None),
        put(Total="164.40"),
    ),
    right("CFDI40211", "mixed", put(LINE_WITHHELD, Importe="9.600030")),
    wrong(
        "CFDI40212",
        "sale",
        "Impuestos/@TotalImpuestosTrasladados",
        put(_TOTALS, TotalImpuestosTrasladados=None),
    ),
    wrong(
        "CFDI40212",
        "sale",
        "Impuestos/@TotalImpuestosTrasladados",
        drop("Impuestos"),
        put(Total="100.00"),
    ),
    right("CFDI40212", "exempt"),
    wrong("CFDI40213", "exempt", f"{_SUM_TAX}/@Importe", put(TAX, Importe="0.00")),
    wrong("CFDI40213", "exempt", f"{_SUM_TAX}/@TasaOCuota", put(TAX, TasaOCuota="0.000000")),
    right("CFDI40213", "exempt"),
    wrong("CFDI40214", "sale", f"{_SUM_TAX}/@Base", put(TAX, Base="100.000")),
    right("CFDI40214", "sale", put(TAX, Base="100")),
    wrong("CFDI40215", "sale", f"{_SUM_TAX}/@Base", put(TAX, Base="100.01")),
    wrong(
        "CFDI40215",
        "mixed",
        "Impuestos/Traslados",
        drop(f"{TAX}[2]"),
    ),
    right("CFDI40215", "sale", put(LINE_TAX, Base="100.004", Importe="16.00")),
    wrong("CFDI40216", "exempt", f"{_SUM_TAX}/@Base", put(TAX, Base="49.99")),
    wrong("CFDI40216", "exempt", "Impuestos/Traslados", drop("Impuestos")),
    right("CFDI40216", "exempt", put(LINE_TAX, Base="50.004")),
    wrong("CFDI40217", "sale", f"{_SUM_TAX}/@Impuesto", put(TAX, Impuesto="005")),
    right("CFDI40217", "ieps"),
    wrong(
        "CFDI40218",
        "sale",
        "Impuestos/Traslados/Traslado[2]",
        put(TAX, Base="50.00", Importe="8.00"),
        insert("Impuestos/Traslados", traslado("50.00", "8.00"), -1),
    ),
    right("CFDI40218", "sale", drop(f"{LINE}/Impuestos"), *_TWICE),
    wrong("CFDI40219", "sale", f"{_SUM_TAX}/@TasaOCuota", put(TAX, TasaOCuota="0.170000")),
    wrong("CFDI40219", "sale", f"{_SUM_TAX}/@TasaOCuota", put(TAX, TasaOCuota=None)),
    right("CFDI40219", "ieps"),
    wrong("CFDI40220", "sale", f"{_SUM_TAX}/@Importe", put(TAX, Importe="16.000")),
    right("CFDI40220", "sale", put(TAX, Importe="16.0")),
    wrong(
        "CFDI40221",
        "sale",
        f"{_SUM_TAX}/@Importe",
        put(TAX, Importe="16.01"),
        put(_TOTALS, TotalImpuestosTrasladados="16.01"),
        put(Total="116.01"),
    ),
    wrong("CFDI40221", "sale", f"{_SUM_TAX}/@Importe", put(TAX, Importe=None)),
    right("CFDI40221", "sale", put(LINE_TAX, Importe="15.9995")),
)

CASES: Final = (*HEAD, *NODES, *RECEIVER, *LINES, *LINE_TAXES, *INSIDE, *TAXES)
