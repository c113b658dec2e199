"""SAT's small catalogs as tables, from the workbook catCFDI_V_4_20260821 (21-08-2026).

The XSD is looser: it still lists régimen 609, uso P01 and others that every PAC refuses.
Source: http://omawww.sat.gob.mx/tramitesyservicios/Paginas/anexo_20.htm
"""

from __future__ import annotations

#: c_RegimenFiscal: nombre, persona física, persona moral.
REGIMENES: dict[str, tuple[str, bool, bool]] = {
    "601": ("General de Ley Personas Morales", False, True),
    "603": ("Personas Morales con Fines no Lucrativos", False, True),
    "605": ("Sueldos y Salarios e Ingresos Asimilados a Salarios", True, False),
    "606": ("Arrendamiento", True, False),
    "607": ("Régimen de Enajenación o Adquisición de Bienes", True, False),
    "608": ("Demás ingresos", True, False),
    "610": ("Residentes en el Extranjero sin Establecimiento Permanente en México", True, True),
    "611": ("Ingresos por Dividendos (socios y accionistas)", True, False),
    "612": ("Personas Físicas con Actividades Empresariales y Profesionales", True, False),
    "614": ("Ingresos por intereses", True, False),
    "615": ("Régimen de los ingresos por obtención de premios", True, False),
    "616": ("Sin obligaciones fiscales", True, False),
    "620": (
        "Sociedades Cooperativas de Producción que optan por diferir sus ingresos",
        False,
        True,
    ),
    "621": ("Incorporación Fiscal", True, False),
    "622": ("Actividades Agrícolas, Ganaderas, Silvícolas y Pesqueras", False, True),
    "623": ("Opcional para Grupos de Sociedades", False, True),
    "624": ("Coordinados", False, True),
    "625": (
        (
            "Régimen de las Actividades Empresariales con ingresos a través de "
            "Plataformas Tecnológicas"
        ),
        True,
        False,
    ),
    "626": ("Régimen Simplificado de Confianza", True, True),
}

_ACTIVIDAD = "601 603 606 612 620 621 622 623 624 625 626"
_DEVOLUCION = "601 603 606 612 616 620 621 622 623 624 625 626"
_DEDUCCION_PERSONAL = "605 606 607 608 611 612 614 615 625"
_TODOS = " ".join(REGIMENES)
_SUELDOS = "605"

#: c_UsoCFDI: nombre, persona física, persona moral, regímenes of the receiver.
USOS: dict[str, tuple[str, bool, bool, str]] = {
    "G01": ("Adquisición de mercancías", True, True, _ACTIVIDAD),
    "G02": ("Devoluciones, descuentos o bonificaciones", True, True, _DEVOLUCION),
    "G03": ("Gastos en general", True, True, _ACTIVIDAD),
    "I01": ("Construcciones", True, True, _ACTIVIDAD),
    "I02": ("Mobiliario y equipo de oficina por inversiones", True, True, _ACTIVIDAD),
    "I03": ("Equipo de transporte", True, True, _ACTIVIDAD),
    "I04": ("Equipo de computo y accesorios", True, True, _ACTIVIDAD),
    "I05": ("Dados, troqueles, moldes, matrices y herramental", True, True, _ACTIVIDAD),
    "I06": ("Comunicaciones telefónicas", True, True, _ACTIVIDAD),
    "I07": ("Comunicaciones satelitales", True, True, _ACTIVIDAD),
    "I08": ("Otra maquinaria y equipo", True, True, _ACTIVIDAD),
    "D01": (
        "Honorarios médicos, dentales y gastos hospitalarios",
        True,
        False,
        _DEDUCCION_PERSONAL,
    ),
    "D02": ("Gastos médicos por incapacidad o discapacidad", True, False, _DEDUCCION_PERSONAL),
    "D03": ("Gastos funerales", True, False, _DEDUCCION_PERSONAL),
    "D04": ("Donativos", True, False, _DEDUCCION_PERSONAL),
    "D05": (
        "Intereses reales efectivamente pagados por créditos hipotecarios (casa habitación)",
        True,
        False,
        _DEDUCCION_PERSONAL,
    ),
    "D06": ("Aportaciones voluntarias al SAR", True, False, _DEDUCCION_PERSONAL),
    "D07": ("Primas por seguros de gastos médicos", True, False, _DEDUCCION_PERSONAL),
    "D08": ("Gastos de transportación escolar obligatoria", True, False, _DEDUCCION_PERSONAL),
    "D09": (
        "Depósitos en cuentas para el ahorro, primas que tengan como base planes de pensiones",
        True,
        False,
        _DEDUCCION_PERSONAL,
    ),
    "D10": ("Pagos por servicios educativos (colegiaturas)", True, False, _DEDUCCION_PERSONAL),
    "S01": ("Sin efectos fiscales", True, True, _TODOS),
    "CP01": ("Pagos", True, True, _TODOS),
    "CN01": ("Nómina", True, False, _SUELDOS),
}

#: c_FormaPago.
FORMAS_PAGO: dict[str, str] = {
    "01": "Efectivo",
    "02": "Cheque nominativo",
    "03": "Transferencia electrónica de fondos",
    "04": "Tarjeta de crédito",
    "05": "Monedero electrónico",
    "06": "Dinero electrónico",
    "08": "Vales de despensa",
    "12": "Dación en pago",
    "13": "Pago por subrogación",
    "14": "Pago por consignación",
    "15": "Condonación",
    "17": "Compensación",
    "23": "Novación",
    "24": "Confusión",
    "25": "Remisión de deuda",
    "26": "Prescripción o caducidad",
    "27": "A satisfacción del acreedor",
    "28": "Tarjeta de débito",
    "29": "Tarjeta de servicios",
    "30": "Aplicación de anticipos",
    "31": "Intermediario pagos",
    "99": "Por definir",
}

#: c_ObjetoImp.
OBJETOS_IMP: dict[str, str] = {
    "01": "No objeto de impuesto",
    "02": "Sí objeto de impuesto",
    "03": "Sí objeto del impuesto y no obligado al desglose",
    "04": "Sí objeto del impuesto y no causa impuesto",
    "05": "Sí objeto del impuesto, IVA crédito PODEBI",
    "06": "Sí objeto del IVA, No traslado IVA",
    "07": "No traslado del IVA, Sí desglose IEPS",
    "08": "No traslado del IVA, No desglose IEPS",
}

#: c_Moneda: currencies by the number of their decimals.
MONEDAS_BY_DECIMALS: dict[int, str] = {
    0: (
        "BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XAG XAU XBA XBB XBC "
        "XBD XDR XOF XPD XPF XPT XSU XTS XUA XXX"
    ),
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN "
        "BWP BZD CAD CDF CHE CHF CHW CNH CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN "
        "ESD ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR "
        "JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRO MUR "
        "MVR MWK MXN MXV MYR MZN NAD NGN NIC NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON "
        "RSD RUB SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STD SVC SYP SZL THB TJS TMT TOP "
        "TRY TTD TWD TZS UAH USD USN UYP UYU UZS VEF VES WST XCD YER ZAR ZMW ZWL"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF",
}

#: c_TasaOCuota: impuesto, tipo_factor, least, greatest (the same if fixed), traslado, retención.
#: 0.08 of IVA is the border stimulus ("IVA Crédito aplicado del 50%").
TASAS: tuple[tuple[str, str, str, str, bool, bool], ...] = (
    ("002", "Tasa", "0.000000", "0.000000", True, False),
    ("002", "Tasa", "0.160000", "0.160000", True, False),
    ("002", "Tasa", "0.000000", "0.160000", False, True),
    ("002", "Tasa", "0.080000", "0.080000", True, False),
    ("003", "Tasa", "0.265000", "0.265000", True, True),
    ("003", "Tasa", "0.300000", "0.300000", True, True),
    ("003", "Tasa", "0.530000", "0.530000", True, True),
    ("003", "Tasa", "0.500000", "0.500000", True, True),
    ("003", "Tasa", "1.600000", "1.600000", True, True),
    ("003", "Tasa", "0.304000", "0.304000", True, True),
    ("003", "Tasa", "0.250000", "0.250000", True, True),
    ("003", "Tasa", "0.090000", "0.090000", True, True),
    ("003", "Tasa", "0.080000", "0.080000", True, True),
    ("003", "Tasa", "0.070000", "0.070000", True, True),
    ("003", "Tasa", "0.060000", "0.060000", True, True),
    ("003", "Tasa", "0.030000", "0.030000", True, False),
    ("003", "Tasa", "0.000000", "0.000000", True, False),
    ("003", "Cuota", "0.000000", "72.160500", True, True),
    ("001", "Tasa", "0.000000", "0.350000", False, True),
)

#: c_TipoDeComprobante.
TIPOS_DE_COMPROBANTE: dict[str, str] = {
    "I": "Ingreso",
    "E": "Egreso",
    "T": "Traslado",
    "N": "Nómina",
    "P": "Pago",
}

#: c_Exportacion.
EXPORTACIONES: dict[str, str] = {
    "01": "No aplica",
    "02": "Definitiva con clave A1",
    "03": "Temporal",
    "04": ("Definitiva con clave distinta a A1 o cuando no existe enajenación en términos del CFF"),
}

#: c_MetodoPago.
METODOS_PAGO: dict[str, str] = {
    "PUE": "Pago en una sola exhibición",
    "PPD": "Pago en parcialidades o diferido",
}

#: c_Periodicidad.
PERIODICIDADES: dict[str, str] = {
    "01": "Diario",
    "02": "Semanal",
    "03": "Quincenal",
    "04": "Mensual",
    "05": "Bimestral",
}

#: c_Meses. The last six are those of Periodicidad 05.
MESES: dict[str, str] = {
    "01": "Enero",
    "02": "Febrero",
    "03": "Marzo",
    "04": "Abril",
    "05": "Mayo",
    "06": "Junio",
    "07": "Julio",
    "08": "Agosto",
    "09": "Septiembre",
    "10": "Octubre",
    "11": "Noviembre",
    "12": "Diciembre",
    "13": "Enero-Febrero",
    "14": "Marzo-Abril",
    "15": "Mayo-Junio",
    "16": "Julio-Agosto",
    "17": "Septiembre-Octubre",
    "18": "Noviembre-Diciembre",
}

#: c_TipoRelacion.
TIPOS_RELACION: dict[str, str] = {
    "01": "Nota de crédito de los documentos relacionados",
    "02": "Nota de débito de los documentos relacionados",
    "03": "Devolución de mercancía sobre facturas o traslados previos",
    "04": "Sustitución de los CFDI previos",
    "05": "Traslados de mercancías facturados previamente",
    "06": "Factura generada por los traslados previos",
    "07": "CFDI por aplicación de anticipo",
}

#: c_Pais.
PAISES: str = (
    "ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA "
    "BGD BGR BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN "
    "CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU "
    "EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB "
    "GNQ GRC GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL "
    "ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO "
    "LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR "
    "MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER "
    "PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM "
    "SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK "
    "TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB VIR VNM "
    "VUT WLF WSM YEM ZAF ZMB ZWE ZZZ"
)

#: c_Pais: "Formato de Registro de Identidad Tributaria", where there is one.
FORMATOS_DE_REGISTRO: dict[str, str] = {"CAN": "[0-9]{9}", "USA": "[0-9]{9}"}

#: c_ClaveProdServ: the keys that must declare IVA; all others may.
CLAVES_CON_IVA: frozenset[str] = frozenset({"80111700", "80111701", "84121603", "84121604"})
