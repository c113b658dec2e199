"""What a document cannot say, refused before it is made; each refusal says what to do."""

from __future__ import annotations

from typing import Final

from cfdi.findings import Finding, FixableBy

#: Code → path, Spanish, English. Codes in capitals are SAT's own.
_MESSAGES: Final[dict[str, tuple[str, str, str]]] = {
    "CFDI40104": (
        "FormaPago",
        "La forma de pago no está en el catálogo c_FormaPago.",
        "The form of payment is not in c_FormaPago.",
    ),
    "CFDI40105": (
        "FormaPago",
        "La forma de pago 99 va con el método PPD, y solo con él.",
        "Form of payment 99 goes with method PPD, and with it only.",
    ),
    "CFDI40113": (
        "Moneda",
        "La moneda no está en el catálogo c_Moneda, o es XXX.",
        "The currency is not in c_Moneda, or is XXX.",
    ),
    "CFDI40115": (
        "TipoCambio",
        "Una moneda extranjera necesita tipo de cambio, mayor que cero y con hasta 6 decimales.",
        "A foreign currency needs a rate above zero with at most 6 decimals.",
    ),
    "CFDI40124": (
        "MetodoPago",
        "El método de pago tiene que ser PUE o PPD.",
        "The method of payment has to be PUE or PPD.",
    ),
    "CFDI40130": (
        "InformacionGlobal",
        (
            "A PUBLICO EN GENERAL se le emite con información global: usa la factura global, "
            "o el nombre de quien compró."
        ),
        (
            "PUBLICO EN GENERAL is issued to with InformacionGlobal: make a global invoice, "
            "or name who bought."
        ),
    ),
    "CFDI40132": (
        "InformacionGlobal.Periodicidad",
        "La periodicidad bimestral (05) es solo del régimen 621, con meses 13 a 18.",
        "Two-monthly (05) is for régimen 621 only, with months 13 to 18.",
    ),
    "CFDI40133": (
        "InformacionGlobal.Meses",
        "La periodicidad y los meses no se corresponden.",
        "Periodicity and months do not go together.",
    ),
    "CFDI40136": (
        "InformacionGlobal.Año",
        "El año tiene que ser el de la emisión o uno de los 5 anteriores.",
        "The year has to be that of issue or one of the 5 before.",
    ),
    "CFDI40146": (
        "Receptor.Nombre",
        "PUBLICO EN GENERAL va con el RFC XAXX010101000.",
        "PUBLICO EN GENERAL goes with the RFC XAXX010101000.",
    ),
    "CFDI40149": (
        "Receptor.DomicilioFiscalReceptor",
        "Con un RFC genérico, el código postal es el del lugar de expedición.",
        "With a generic RFC the postal code is that of the place of issue.",
    ),
    "CFDI40151": (
        "Receptor.ResidenciaFiscal",
        (
            "La residencia fiscal y el registro tributario son solo del RFC XEXX010101000; "
            "el país no es MEX, y con registro hace falta el país."
        ),
        (
            "Foreign residence and tax id go with RFC XEXX010101000 only; "
            "the country is not MEX, and a tax id needs the country."
        ),
    ),
    "CFDI40159": (
        "Receptor.RegimenFiscalReceptor",
        "Con un RFC genérico, el régimen es 616.",
        "With a generic RFC the régimen is 616.",
    ),
    "CFDI40161": (
        "Receptor.UsoCFDI",
        "El uso no corresponde a este receptor.",
        "The use does not fit this receiver.",
    ),
    "CFDI40171": (
        "Conceptos",
        "El ObjetoImp de un concepto no va con sus impuestos.",
        "The ObjetoImp of a concept does not go with its taxes.",
    ),
    "relation": (
        "CfdiRelacionados",
        "El tipo de relación o el UUID no es válido, o ya está relacionado.",
        "The kind of relation or the UUID is not valid, or already stated.",
    ),
    "fecha": (
        "Fecha",
        "La fecha es la hora local del lugar de expedición, sin zona.",
        "The date is the local time at the place of issue, without a zone.",
    ),
    "not_an_ingreso": (
        "TipoDeComprobante",
        "Solo una factura de ingreso se acredita o se paga.",
        "Only an invoice (I) is credited or paid.",
    ),
    "more_than_is_left": (
        "Total",
        "El importe es mayor que lo que queda del documento, o no es mayor que cero.",
        "The amount is more than is left of the document, or not above zero.",
    ),
    "egreso_unlike": (
        "CfdiRelacionados",
        "Un egreso anterior no corresponde a los impuestos del documento: revísalo.",
        "An earlier egreso does not fit the document's taxes: look at it.",
    ),
    "line_unknown": (
        "Conceptos",
        "No hay tal línea en el documento.",
        "The document has no such line.",
    ),
    "refund_form": (
        "FormaPago",
        "Di con qué forma de pago se devuelve: el documento no la tiene.",
        "Say by which form of payment the money goes back: the document has none.",
    ),
    "tickets": (
        "Conceptos",
        "Cada ticket tiene un número distinto, de 1 a 100 caracteres, y un total mayor que cero.",
        "Each ticket has a number of its own, of 1 to 100 characters, and a total above zero.",
    ),
    "ticket_withheld": (
        "Conceptos",
        "Una factura global no lleva retenciones.",
        "A global invoice withholds nothing.",
    ),
    "not_ppd": (
        "MetodoPago",
        "Solo un documento PPD se paga con complemento de pagos.",
        "Only a PPD document is paid with a payments complement.",
    ),
    "parties_differ": (
        "Receptor",
        "Los documentos pagados tienen que ser del mismo emisor y receptor.",
        "The documents paid have to be of one issuer and one receiver.",
    ),
    "balance": (
        "ImpPagado",
        "Se paga más que el saldo del documento, o un importe con decimales de más.",
        "More is paid than the document's balance, or an amount with too many decimals.",
    ),
    "no_payment": (
        "Pagos",
        "Hace falta al menos un pago, y cada uno paga algún documento.",
        "At least one payment is needed, and each pays a document.",
    ),
    "CRP20212": (
        "FormaDePagoP",
        "Un pago tiene una forma del catálogo, distinta de 99.",
        "A payment has a form of the catalog other than 99.",
    ),
    "CRP20217": (
        "Monto",
        "Lo pagado a los documentos es más que el monto del pago.",
        "The documents are paid more than the payment's amount.",
    ),
    "CRP20219": (
        "Monto",
        "El monto tiene que ser mayor que cero, con los decimales de su moneda.",
        "The amount has to be above zero, with the decimals of its currency.",
    ),
    "CRP20237": (
        "EquivalenciaDR",
        (
            "Un documento en otra moneda necesita equivalencia, con hasta 10 decimales; "
            "en la misma moneda es 1."
        ),
        (
            "A document in another currency needs its EquivalenciaDR, with at most 10 decimals; "
            "in the same currency it is 1."
        ),
    ),
    "CRP20276": (
        "Monto",
        "El monto del pago no corresponde a lo pagado y su equivalencia.",
        "The payment's amount does not fit what is paid at that EquivalenciaDR.",
    ),
}


class DocumentRefused(ValueError):
    """This cannot be said by a valid document. `finding` says why and what to do."""

    def __init__(self, code: str) -> None:
        path, es, en = _MESSAGES[code]
        self.finding = Finding(code, path, es, en, FixableBy.MERCHANT)
        super().__init__(f"{code}: {en}")
