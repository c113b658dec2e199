"""The rules of CFDI 4.0 in plain words: Spanish, English, who can mend it.

What the form and the panel have words for is told in those, see `cfdi.explanations`.
"""

from __future__ import annotations

from typing import Final

from cfdi.findings import FixableBy

_OURS: Final = FixableBy.DEVELOPER
_MERCHANT: Final = FixableBy.MERCHANT

MESSAGES: Final[dict[str, tuple[str, str, FixableBy]]] = {
    "CFDI40101": (
        "La Fecha no tiene la forma AAAA-MM-DDThh:mm:ss o no existe.",
        "Fecha is not written YYYY-MM-DDThh:mm:ss or does not exist.",
        _OURS,
    ),
    "CFDI40103": (
        "Un comprobante de traslado, nómina o pago no lleva FormaPago.",
        "A document of type T, N or P has no FormaPago.",
        _OURS,
    ),
    "CFDI40107": (
        "El SubTotal tiene más decimales que la moneda.",
        "SubTotal has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40108": (
        "El SubTotal no es la suma redondeada de los importes de los conceptos.",
        "SubTotal is not the rounded sum of the Importe of all conceptos.",
        _OURS,
    ),
    "CFDI40109": (
        "El SubTotal de un traslado o un pago debe ser cero.",
        "SubTotal of a document of type T or P must be zero.",
        _OURS,
    ),
    "CFDI40110": (
        "El Descuento es mayor que el SubTotal.",
        "Descuento is more than SubTotal.",
        _OURS,
    ),
    "CFDI40111": (
        "El Descuento no es la suma redondeada de los descuentos de los conceptos, o sobra.",
        "Descuento is not the rounded sum of the conceptos' discounts, or should not be there.",
        _OURS,
    ),
    "CFDI40112": (
        "El Descuento tiene más decimales que la moneda.",
        "Descuento has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40114": (
        "Con moneda MXN el TipoCambio solo puede ser 1.",
        "With MXN the TipoCambio can only be 1.",
        _OURS,
    ),
    "CFDI40115": (
        "Falta el TipoCambio de la moneda extranjera.",
        "The TipoCambio of the foreign currency is missing.",
        _MERCHANT,
    ),
    "CFDI40116": (
        "Con moneda XXX no hay TipoCambio.",
        "With XXX there is no TipoCambio.",
        _OURS,
    ),
    "CFDI40117": (
        "El TipoCambio no es un número mayor que cero de hasta seis decimales.",
        "TipoCambio is not a number above zero with at most six decimals.",
        _OURS,
    ),
    "CFDI40119": (
        "El Total no es SubTotal − Descuento + traslados − retenciones.",
        "Total is not SubTotal − Descuento + transferred − withheld taxes.",
        _OURS,
    ),
    "CFDI40121": (
        "El TipoDeComprobante no es I, E, T, N ni P.",
        "TipoDeComprobante is none of I, E, T, N, P.",
        _OURS,
    ),
    "CFDI40122": (
        "Exportacion 02 exige el complemento Comercio Exterior.",
        "Exportacion 02 demands the complement Comercio Exterior.",
        _OURS,
    ),
    "CFDI40123": (
        "La clave de Exportacion no existe.",
        "Exportacion is none of SAT's keys.",
        _OURS,
    ),
    "CFDI40124": (
        "El MetodoPago no es PUE ni PPD.",
        "MetodoPago is neither PUE nor PPD.",
        _OURS,
    ),
    "CFDI40125": (
        "Un traslado o un pago no lleva MetodoPago.",
        "A document of type T or P has no MetodoPago.",
        _OURS,
    ),
    "CFDI40130": (
        "Una factura a PUBLICO EN GENERAL debe decir qué periodo cubre (InformacionGlobal).",
        "An invoice to PUBLICO EN GENERAL must say which period it covers (InformacionGlobal).",
        _OURS,
    ),
    "CFDI40131": (
        "La Periodicidad no existe.",
        "Periodicidad is none of SAT's keys.",
        _OURS,
    ),
    "CFDI40132": (
        "La Periodicidad 05 (bimestral) es solo para el régimen 621 de quien emite.",
        "Periodicidad 05 (two months) is for an issuer of régimen 621 only.",
        _MERCHANT,
    ),
    "CFDI40133": ("La clave de Meses no existe.", "Meses is none of SAT's keys.", _OURS),
    "CFDI40134": (
        "Meses 13 a 18 son solo para la Periodicidad 05.",
        "Meses 13 to 18 are for Periodicidad 05 only.",
        _OURS,
    ),
    "CFDI40135": (
        "Con la Periodicidad 05, Meses va de 13 a 18.",
        "With Periodicidad 05, Meses is one of 13 to 18.",
        _OURS,
    ),
    "CFDI40136": (
        "El Año no es el de la Fecha ni uno de los cinco anteriores.",
        "Año is neither that of Fecha nor one of the five before.",
        _OURS,
    ),
    "CFDI40137": (
        "La clave de TipoRelacion no existe.",
        "TipoRelacion is none of SAT's keys.",
        _OURS,
    ),
    "CFDI40142": (
        "FacAtrAdquirente no son los diez dígitos de un número de operación.",
        "FacAtrAdquirente is not the ten digits of an operation's number.",
        _MERCHANT,
    ),
    "CFDI40150": (
        "La ResidenciaFiscal no es un país de c_Pais.",
        "ResidenciaFiscal is no country of c_Pais.",
        _OURS,
    ),
    "CFDI40151": (
        "Quien tiene RFC mexicano no lleva ResidenciaFiscal.",
        "A receiver with a Mexican RFC has no ResidenciaFiscal.",
        _OURS,
    ),
    "CFDI40152": (
        "La ResidenciaFiscal no puede ser MEX.",
        "ResidenciaFiscal cannot be MEX.",
        _OURS,
    ),
    "CFDI40153": (
        "Falta la ResidenciaFiscal de quien recibe en el extranjero.",
        "The ResidenciaFiscal of the foreign receiver is missing.",
        _OURS,
    ),
    "CFDI40154": (
        "Quien tiene RFC mexicano no lleva NumRegIdTrib.",
        "A receiver with a Mexican RFC has no NumRegIdTrib.",
        _OURS,
    ),
    "CFDI40155": (
        "Con Comercio Exterior falta el NumRegIdTrib de quien recibe en el extranjero.",
        "With Comercio Exterior the foreign receiver's NumRegIdTrib is missing.",
        _OURS,
    ),
    "CFDI40156": (
        "El NumRegIdTrib no tiene la forma que usa ese país.",
        "NumRegIdTrib is not written as that country writes it.",
        _OURS,
    ),
    "CFDI40166": (
        "El ValorUnitario debe ser mayor que cero.",
        "ValorUnitario must be above zero.",
        _OURS,
    ),
    "CFDI40167": (
        "El Importe no es Cantidad × ValorUnitario.",
        "Importe is not Cantidad × ValorUnitario.",
        _OURS,
    ),
    "CFDI40168": (
        "El Descuento tiene más decimales que el Importe.",
        "Descuento has more decimals than Importe.",
        _OURS,
    ),
    "CFDI40169": (
        "El Descuento es mayor que el Importe.",
        "Descuento is more than Importe.",
        _OURS,
    ),
    "CFDI40173": (
        "Impuestos no trae ni traslados ni retenciones.",
        "Impuestos holds neither transferred nor withheld taxes.",
        _OURS,
    ),
    "CFDI40174": (
        "La Base del traslado debe ser mayor que cero.",
        "Base of the transferred tax must be above zero.",
        _OURS,
    ),
    "CFDI40175": (
        "El Impuesto del traslado no es 001, 002 ni 003.",
        "Impuesto of the transferred tax is none of 001, 002, 003.",
        _OURS,
    ),
    "CFDI40176": (
        "El TipoFactor del traslado no es Tasa, Cuota ni Exento.",
        "TipoFactor of the transferred tax is none of Tasa, Cuota, Exento.",
        _OURS,
    ),
    "CFDI40177": (
        "Un traslado Exento no lleva TasaOCuota ni Importe.",
        "A transferred tax that is Exento has neither TasaOCuota nor Importe.",
        _OURS,
    ),
    "CFDI40178": (
        "Un traslado de Tasa o Cuota lleva TasaOCuota e Importe.",
        "A transferred tax of Tasa or Cuota has TasaOCuota and Importe.",
        _OURS,
    ),
    "CFDI40180": (
        "El Importe del traslado no es Base × TasaOCuota.",
        "Importe of the transferred tax is not Base × TasaOCuota.",
        _OURS,
    ),
    "CFDI40181": (
        "La Base de la retención debe ser mayor que cero.",
        "Base of the withheld tax must be above zero.",
        _OURS,
    ),
    "CFDI40182": (
        "El Impuesto de la retención no es 001, 002 ni 003.",
        "Impuesto of the withheld tax is none of 001, 002, 003.",
        _OURS,
    ),
    "CFDI40183": (
        "El TipoFactor de la retención no es Tasa, Cuota ni Exento.",
        "TipoFactor of the withheld tax is none of Tasa, Cuota, Exento.",
        _OURS,
    ),
    "CFDI40184": (
        "Una retención no puede ser Exento.",
        "A withheld tax cannot be Exento.",
        _OURS,
    ),
    "CFDI40186": (
        "El Importe de la retención no es Base × TasaOCuota.",
        "Importe of the withheld tax is not Base × TasaOCuota.",
        _OURS,
    ),
    "CFDI40187": (
        "El tercero no está en la lista de contribuyentes obligados (LCO).",
        "The third party is not in SAT's list of taxpayers (LCO).",
        _MERCHANT,
    ),
    "CFDI40188": (
        "El tercero no puede ser quien emite ni quien recibe.",
        "The third party can be neither the issuer nor the receiver.",
        _MERCHANT,
    ),
    "CFDI40189": (
        "El SAT no conoce el nombre del tercero.",
        "SAT does not know the third party's name.",
        _MERCHANT,
    ),
    "CFDI40190": (
        "El nombre del tercero no es el de su RFC.",
        "The third party's name is not that of its RFC.",
        _MERCHANT,
    ),
    "CFDI40191": (
        "El régimen fiscal del tercero no existe.",
        "The third party's régimen fiscal is none of SAT's.",
        _MERCHANT,
    ),
    "CFDI40192": (
        "El SAT no conoce el código postal del tercero.",
        "SAT does not know the third party's postal code.",
        _MERCHANT,
    ),
    "CFDI40193": (
        "El código postal del tercero no es el de su RFC o, si es extranjero, el de quien emite.",
        "The third party's postal code is not that of its RFC or, if foreign, the issuer's.",
        _MERCHANT,
    ),
    "CFDI40194": (
        "El NumeroPedimento no tiene la forma «AA  NN  NNNN  NNNNNNN» o su año no ha llegado.",
        "NumeroPedimento is not written “YY  NN  NNNN  NNNNNNN” or its year is yet to come.",
        _MERCHANT,
    ),
    "CFDI40195": (
        "Con el complemento Comercio Exterior no hay NumeroPedimento.",
        "With the complement Comercio Exterior there is no NumeroPedimento.",
        _OURS,
    ),
    "CFDI40196": (
        "La ClaveProdServ de una parte no existe.",
        "A part's ClaveProdServ is none of SAT's.",
        _MERCHANT,
    ),
    "CFDI40197": (
        "El ValorUnitario de una parte debe ser mayor que cero.",
        "A part's ValorUnitario must be above zero.",
        _OURS,
    ),
    "CFDI40198": (
        "El Importe de una parte no es Cantidad × ValorUnitario.",
        "A part's Importe is not Cantidad × ValorUnitario.",
        _OURS,
    ),
    "CFDI40199": (
        "El NumeroPedimento de una parte no tiene la forma debida o su año no ha llegado.",
        "A part's NumeroPedimento is not written as it must be or its year is yet to come.",
        _MERCHANT,
    ),
    "CFDI40200": (
        "Con el complemento Comercio Exterior una parte no lleva NumeroPedimento.",
        "With the complement Comercio Exterior a part has no NumeroPedimento.",
        _OURS,
    ),
    "CFDI40201": (
        "Un traslado o un pago no lleva el nodo Impuestos.",
        "A document of type T or P has no Impuestos.",
        _OURS,
    ),
    "CFDI40202": (
        "TotalImpuestosRetenidos tiene más decimales que la moneda.",
        "TotalImpuestosRetenidos has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40203": (
        "TotalImpuestosRetenidos no es la suma de las retenciones.",
        "TotalImpuestosRetenidos is not the sum of the withheld taxes.",
        _OURS,
    ),
    "CFDI40204": (
        "TotalImpuestosTrasladados tiene más decimales que la moneda.",
        "TotalImpuestosTrasladados has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40205": (
        "TotalImpuestosTrasladados no es la suma de los traslados.",
        "TotalImpuestosTrasladados is not the sum of the transferred taxes.",
        _OURS,
    ),
    "CFDI40206": (
        "Hay retenciones y falta TotalImpuestosRetenidos.",
        "There are withheld taxes and TotalImpuestosRetenidos is missing.",
        _OURS,
    ),
    "CFDI40207": (
        "El Impuesto de una retención del documento no existe.",
        "Impuesto of a withheld tax of the document is none of SAT's.",
        _OURS,
    ),
    "CFDI40208": (
        "Hay dos retenciones del mismo impuesto.",
        "Two nodes are of the same withheld tax.",
        _OURS,
    ),
    "CFDI40210": (
        "El Importe de una retención tiene más decimales que la moneda.",
        "Importe of a withheld tax has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40211": (
        "Una retención no es la suma redondeada de las de los conceptos.",
        "A withheld tax is not the rounded sum of those of the conceptos.",
        _OURS,
    ),
    "CFDI40212": (
        "Hay traslados y falta TotalImpuestosTrasladados.",
        "There are transferred taxes and TotalImpuestosTrasladados is missing.",
        _OURS,
    ),
    "CFDI40213": (
        "Un traslado Exento del documento solo lleva Base, Impuesto y TipoFactor.",
        "A transferred tax of the document that is Exento has Base, Impuesto and TipoFactor only.",
        _OURS,
    ),
    "CFDI40214": (
        "La Base de un traslado tiene más decimales que la moneda.",
        "Base of a transferred tax has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40215": (
        "La Base de un traslado no es la suma redondeada de las de los conceptos.",
        "Base of a transferred tax is not the rounded sum of those of the conceptos.",
        _OURS,
    ),
    "CFDI40216": (
        "La Base exenta no es la suma redondeada de las de los conceptos.",
        "The exempt Base is not the rounded sum of those of the conceptos.",
        _OURS,
    ),
    "CFDI40217": (
        "El Impuesto de un traslado del documento no existe.",
        "Impuesto of a transferred tax of the document is none of SAT's.",
        _OURS,
    ),
    "CFDI40218": (
        "Hay dos traslados con el mismo impuesto, factor y tasa.",
        "Two nodes are of the same transferred tax, factor and rate.",
        _OURS,
    ),
    "CFDI40219": (
        "La tasa de un traslado del documento no existe para ese impuesto y factor.",
        "The rate of a transferred tax of the document does not exist for that tax and factor.",
        _OURS,
    ),
    "CFDI40220": (
        "El Importe de un traslado tiene más decimales que la moneda.",
        "Importe of a transferred tax has more decimals than the currency.",
        _OURS,
    ),
    "CFDI40221": (
        "El Importe de un traslado no es la suma redondeada de los de los conceptos.",
        "Importe of a transferred tax is not the rounded sum of those of the conceptos.",
        _OURS,
    ),
    "CFDI40222": (
        "Con Exportacion 01 o 03 no va el complemento Comercio Exterior.",
        "With Exportacion 01 or 03 the complement Comercio Exterior cannot be there.",
        _OURS,
    ),
    "CFDI140223": (
        "El régimen de EXT990101NI1 debe ser 616.",
        "The régimen of EXT990101NI1 must be 616.",
        _MERCHANT,
    ),
}
