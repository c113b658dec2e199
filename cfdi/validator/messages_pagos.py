"""The rules of Pagos 2.0 in plain words: Spanish, English. The hub writes these documents itself,
so what is wrong in one is a fault of the program, but for what the merchant said of his banks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cfdi.findings import FixableBy

_PROGRAM: Final[Mapping[str, tuple[str, str]]] = {
    "CRP20101": (
        "Un comprobante con pagos debe ser de tipo P.",
        "A document with payments must be of type P.",
    ),
    "CRP20102": (
        "En un comprobante de pagos Exportacion es 01.",
        "In a document of payments Exportacion is 01.",
    ),
    "CRP20103": (
        "En un comprobante de pagos SubTotal es 0.",
        "In a document of payments SubTotal is 0.",
    ),
    "CRP20104": (
        "En un comprobante de pagos Moneda es XXX.",
        "In a document of payments Moneda is XXX.",
    ),
    "CRP20105": (
        "Un comprobante de pagos no lleva FormaPago.",
        "A document of payments has no FormaPago.",
    ),
    "CRP20106": (
        "Un comprobante de pagos no lleva MetodoPago.",
        "A document of payments has no MetodoPago.",
    ),
    "CRP20107": (
        "Un comprobante de pagos no lleva CondicionesDePago.",
        "A document of payments has no CondicionesDePago.",
    ),
    "CRP20108": (
        "Un comprobante de pagos no lleva Descuento.",
        "A document of payments has no Descuento.",
    ),
    "CRP20109": (
        "Un comprobante de pagos no lleva TipoCambio.",
        "A document of payments has no TipoCambio.",
    ),
    "CRP20110": ("En un comprobante de pagos Total es 0.", "In a document of payments Total is 0."),
    "CRP20111": (
        "Un comprobante de pagos tiene un solo Concepto.",
        "A document of payments has one Concepto only.",
    ),
    "CRP20112": (
        "El Concepto de un pago no lleva nodos, salvo ACuentaTerceros.",
        "The Concepto of a payment has no nodes but ACuentaTerceros.",
    ),
    "CRP20113": (
        "En un pago ClaveProdServ es 84111506.",
        "In a payment ClaveProdServ is 84111506.",
    ),
    "CRP20114": (
        "El Concepto de un pago no lleva NoIdentificacion.",
        "The Concepto of a payment has no NoIdentificacion.",
    ),
    "CRP20115": ("En un pago Cantidad es 1.", "In a payment Cantidad is 1."),
    "CRP20116": ("En un pago ClaveUnidad es ACT.", "In a payment ClaveUnidad is ACT."),
    "CRP20117": (
        "El Concepto de un pago no lleva Unidad.",
        "The Concepto of a payment has no Unidad.",
    ),
    "CRP20118": ("En un pago Descripcion es «Pago».", 'In a payment Descripcion is "Pago".'),
    "CRP20119": ("En un pago ValorUnitario es 0.", "In a payment ValorUnitario is 0."),
    "CRP20120": ("En un pago Importe es 0.", "In a payment Importe is 0."),
    "CRP20121": (
        "El Concepto de un pago no lleva Descuento.",
        "The Concepto of a payment has no Descuento.",
    ),
    "CRP20122": ("En un pago ObjetoImp es 01.", "In a payment ObjetoImp is 01."),
    "CRP20123": (
        "Un comprobante de pagos no lleva Impuestos.",
        "A document of payments has no Impuestos.",
    ),
    **{
        code: (
            f"{name} no es la suma, en pesos y redondeada a centavos, de los pagos.",
            f"{name} is not the sum of the payments, in pesos and rounded to cents.",
        )
        for code, name in (
            ("CRP20201", "TotalRetencionesIVA"),
            ("CRP20202", "TotalRetencionesISR"),
            ("CRP20203", "TotalRetencionesIEPS"),
            ("CRP20204", "TotalTrasladosBaseIVA16"),
            ("CRP20205", "TotalTrasladosImpuestoIVA16"),
            ("CRP20206", "TotalTrasladosBaseIVA8"),
            ("CRP20207", "TotalTrasladosImpuestoIVA8"),
            ("CRP20208", "TotalTrasladosBaseIVA0"),
            ("CRP20209", "TotalTrasladosImpuestoIVA0"),
            ("CRP20210", "TotalTrasladosBaseIVAExento"),
            ("CRP20211", "MontoTotalPagos"),
        )
    },
    "CRP20213": ("MonedaP no puede ser XXX.", "MonedaP cannot be XXX."),
    "CRP20214": (
        "Falta TipoCambioP: la moneda del pago no es el peso.",
        "TipoCambioP is missing: the payment is not in pesos.",
    ),
    "CRP20215": ("En pesos TipoCambioP es exactamente 1.", "In pesos TipoCambioP is exactly 1."),
    "CRP20217": (
        "Lo pagado a los documentos suma más que el Monto del pago.",
        "What is paid to the documents is more than Monto.",
    ),
    "CRP20218": ("El Monto del pago debe ser mayor que cero.", "Monto must be above zero."),
    "CRP20219": (
        "Monto tiene más decimales que la moneda del pago.",
        "Monto has more decimals than the payment's currency.",
    ),
    "CRP20236": ("MonedaDR no puede ser XXX.", "MonedaDR cannot be XXX."),
    "CRP20237": (
        "Falta EquivalenciaDR: el documento está en otra moneda que el pago.",
        "EquivalenciaDR is missing: the document is in another currency than the payment.",
    ),
    "CRP20238": (
        "En la misma moneda EquivalenciaDR es exactamente 1.",
        "In the same currency EquivalenciaDR is exactly 1.",
    ),
    "CRP20239": ("ImpSaldoAnt debe ser mayor que cero.", "ImpSaldoAnt must be above zero."),
    "CRP20240": (
        "ImpSaldoAnt tiene más decimales que su moneda.",
        "ImpSaldoAnt has more decimals than its currency.",
    ),
    "CRP20241": ("ImpPagado debe ser mayor que cero.", "ImpPagado must be above zero."),
    "CRP20242": (
        "ImpPagado tiene más decimales que su moneda.",
        "ImpPagado has more decimals than its currency.",
    ),
    "CRP20243": (
        "ImpSaldoInsoluto tiene más decimales que su moneda.",
        "ImpSaldoInsoluto has more decimals than its currency.",
    ),
    "CRP20244": (
        "ImpSaldoInsoluto no es ImpSaldoAnt menos ImpPagado, o es negativo.",
        "ImpSaldoInsoluto is not ImpSaldoAnt less ImpPagado, or is below zero.",
    ),
    "CRP20245": ("ObjetoImpDR no está en c_ObjetoImp.", "ObjetoImpDR is not in c_ObjetoImp."),
    "CRP20246": (
        "Con ObjetoImpDR 02 debe haber ImpuestosDR.",
        "With ObjetoImpDR 02 there must be ImpuestosDR.",
    ),
    "CRP20247": (
        "Con ese ObjetoImpDR no debe haber ImpuestosDR.",
        "With this ObjetoImpDR there must be no ImpuestosDR.",
    ),
    "CRP20248": ("ImpuestosDR está vacío.", "ImpuestosDR is empty."),
    "CRP20249": (
        "La BaseDR de una retención debe ser mayor que cero.",
        "BaseDR of a withheld tax must be above zero.",
    ),
    "CRP20250": (
        "El ImpuestoDR de una retención no está en c_Impuesto.",
        "ImpuestoDR of a withheld tax is not in c_Impuesto.",
    ),
    "CRP20251": (
        "El TipoFactorDR de una retención no está en c_TipoFactor.",
        "TipoFactorDR of a withheld tax is not in c_TipoFactor.",
    ),
    "CRP20252": ("Una retención no puede ser Exento.", "A withheld tax cannot be Exento."),
    "CRP20253": (
        "La TasaOCuotaDR de una retención no está en c_TasaOCuota.",
        "TasaOCuotaDR of a withheld tax is not in c_TasaOCuota.",
    ),
    "CRP20254": (
        "El ImporteDR de una retención está fuera de sus límites.",
        "ImporteDR of a withheld tax is outside of its limits.",
    ),
    "CRP20255": (
        "La BaseDR de un traslado debe ser mayor que cero.",
        "BaseDR of a transferred tax must be above zero.",
    ),
    "CRP20256": (
        "El ImpuestoDR de un traslado no está en c_Impuesto.",
        "ImpuestoDR of a transferred tax is not in c_Impuesto.",
    ),
    "CRP20257": (
        "El TipoFactorDR de un traslado no está en c_TipoFactor.",
        "TipoFactorDR of a transferred tax is not in c_TipoFactor.",
    ),
    "CRP20258": (
        "Un traslado Exento no lleva TasaOCuotaDR ni ImporteDR.",
        "A tax that is Exento has neither TasaOCuotaDR nor ImporteDR.",
    ),
    "CRP20259": (
        "Un traslado con Tasa o Cuota lleva TasaOCuotaDR e ImporteDR.",
        "A tax of Tasa or Cuota has TasaOCuotaDR and ImporteDR.",
    ),
    "CRP20260": (
        "La TasaOCuotaDR de un traslado no está en c_TasaOCuota.",
        "TasaOCuotaDR of a transferred tax is not in c_TasaOCuota.",
    ),
    "CRP20261": (
        "El ImporteDR de un traslado está fuera de sus límites.",
        "ImporteDR of a transferred tax is outside of its limits.",
    ),
    "CRP20262": (
        "El ImpuestoP de una retención no está en c_Impuesto.",
        "ImpuestoP of a withheld tax is not in c_Impuesto.",
    ),
    "CRP20263": (
        "Hay más de una RetencionP del mismo impuesto.",
        "There is more than one RetencionP of one tax.",
    ),
    "CRP20264": (
        "Hay retenciones en el pago y ningún TotalRetenciones.",
        "The payment withholds taxes and there is no TotalRetenciones.",
    ),
    "CRP20265": (
        "El ImporteP de una retención no es la suma de sus documentos.",
        "ImporteP of a withheld tax is not the sum of its documents.",
    ),
    "CRP20266": (
        "Un traslado Exento lleva solo BaseP, ImpuestoP y TipoFactorP.",
        "A tax that is Exento has BaseP, ImpuestoP and TipoFactorP only.",
    ),
    "CRP20267": (
        "Hay IVA en el pago y ningún TotalTrasladosBaseIVA.",
        "The payment holds IVA and there is no TotalTrasladosBaseIVA.",
    ),
    "CRP20268": (
        "BaseP no es la suma de las BaseDR del mismo impuesto y tasa.",
        "BaseP is not the sum of BaseDR of the same tax and rate.",
    ),
    "CRP20269": (
        "La BaseP exenta no es la suma de las BaseDR exentas.",
        "BaseP that is Exento is not the sum of BaseDR that is Exento.",
    ),
    "CRP20270": (
        "El ImpuestoP de un traslado no está en c_Impuesto.",
        "ImpuestoP of a transferred tax is not in c_Impuesto.",
    ),
    "CRP20271": (
        "Hay más de un TrasladoP del mismo impuesto, factor y tasa.",
        "There is more than one TrasladoP of one tax, factor and rate.",
    ),
    "CRP20272": (
        "La TasaOCuotaP no está en c_TasaOCuota para su impuesto y factor.",
        "TasaOCuotaP is not in c_TasaOCuota for its tax and factor.",
    ),
    "CRP20273": (
        "Hay IVA con tasa en el pago y ningún TotalTrasladosImpuestoIVA.",
        "The payment holds IVA of a rate and there is no TotalTrasladosImpuestoIVA.",
    ),
    "CRP20274": (
        "El ImporteP de un traslado no es la suma de los ImporteDR de su tasa.",
        "ImporteP of a transferred tax is not the sum of ImporteDR of its rate.",
    ),
    "CRP20276": (
        "Monto está fuera de los límites que dan los documentos en otra moneda.",
        "Monto is outside of the limits that the documents in another currency give.",
    ),
    "CRP20277": (
        "Monto solo cabe si la EquivalenciaDR 1 no se lee como 1.0000000000.",
        "Monto fits only if EquivalenciaDR 1 is not read as 1.0000000000.",
    ),
    "CRP20278": (
        "Con ObjetoImpDR 06 u 08 no hay IVA ni IEPS.",
        "With ObjetoImpDR 06 or 08 there is no IVA and no IEPS.",
    ),
    "CRP20279": (
        "Con ObjetoImpDR 07 no hay IVA y debe haber IEPS trasladado.",
        "With ObjetoImpDR 07 there is no IVA, and IEPS must be transferred.",
    ),
    "pagos_missing": (
        "Un comprobante de tipo P debe llevar el complemento de pagos.",
        "A document of type P must hold the complement of payments.",
    ),
}
_BANKS: Final[Mapping[str, tuple[str, str]]] = {
    "CRP20212": (
        "La forma de un pago recibido no puede ser 99 (por definir).",
        "The form of a payment received cannot be 99 (to be defined).",
    ),
    "CRP20221": (
        "Con esa forma de pago no va el RFC del banco que paga.",
        "This form of payment does not go with the RFC of the paying bank.",
    ),
    "CRP20222": (
        "El SAT no conoce el RFC del banco que paga.",
        "SAT does not know the RFC of the paying bank.",
    ),
    "CRP20223": (
        "Un banco extranjero (XEXX010101000) lleva su nombre.",
        "A foreign bank (XEXX010101000) goes with its name.",
    ),
    "CRP20224": (
        "Con esa forma de pago no va la cuenta que paga.",
        "This form of payment does not go with a paying account.",
    ),
    "CRP20225": (
        "La cuenta que paga no tiene la forma que pide su forma de pago.",
        "The paying account has not the form that its form of payment asks for.",
    ),
    "CRP20226": (
        "La cuenta que cobra no tiene la forma que pide su forma de pago.",
        "The receiving account has not the form that its form of payment asks for.",
    ),
    "CRP20227": (
        "Con esa forma de pago no va el RFC del banco que cobra.",
        "This form of payment does not go with the RFC of the receiving bank.",
    ),
    "CRP20228": (
        "Con esa forma de pago no va la cuenta que cobra.",
        "This form of payment does not go with a receiving account.",
    ),
    "CRP20229": (
        "La cadena de pago es solo para transferencias (03).",
        "A chain of payment goes with transfers (03) only.",
    ),
    "CRP20230": (
        "La cadena de pago va con su certificado.",
        "A chain of payment goes with its certificate.",
    ),
    "CRP20231": (
        "El certificado del pago va solo con la cadena de pago.",
        "The certificate of a payment goes with its chain only.",
    ),
    "CRP20232": (
        "La cadena de pago va con su cadena original.",
        "A chain of payment goes with its original chain.",
    ),
    "CRP20233": (
        "La cadena original del pago va solo con el tipo de cadena.",
        "The original chain of a payment goes with its kind only.",
    ),
    "CRP20234": ("La cadena de pago va con su sello.", "A chain of payment goes with its seal."),
    "CRP20235": (
        "El sello del pago va solo con la cadena de pago.",
        "The seal of a payment goes with its chain only.",
    ),
}

MESSAGES: Final[Mapping[str, tuple[str, str, FixableBy]]] = {
    **{code: (*words, FixableBy.DEVELOPER) for code, words in _PROGRAM.items()},
    **{code: (*words, FixableBy.MERCHANT) for code, words in _BANKS.items()},
}
