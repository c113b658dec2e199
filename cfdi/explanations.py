"""What each refusal means, in words for the person who can mend it: field, Spanish, English.

Codes: SAT's matrix "MatrizDeErrores_CFDI_v40" of 25-03-2026 and its list of acceptance codes for
PACs; a code in small letters is ours, where SAT has none but 301 ("the XML is malformed").
"""

from __future__ import annotations

_CSF = "tal como aparece en tu Constancia de Situación Fiscal"
_CSF_EN = "exactly as in the Constancia de Situación Fiscal"

#: The buyer mends these in the form.
FORM: dict[str, tuple[str, str, str]] = {
    "rfc_missing": (
        "rfc",
        "Escribe tu RFC: 13 letras y números si es persona física, 12 si es empresa.",
        "Enter the RFC: 13 letters and digits for a person, 12 for a company.",
    ),
    "rfc_malformed": (
        "rfc",
        (
            "El RFC no está bien escrito. Son 13 letras y números si es persona física, 12 si es "
            "empresa: primero las letras, luego la fecha de nacimiento o de constitución y "
            "al final tres más."
        ),
        (
            "This is not how an RFC is written: 13 letters and digits for a person, 12 for a "
            "company, letters first, then the date."
        ),
    ),
    "rfc_generic": (
        "rfc",
        (
            "Ese RFC es genérico: es de todos, y con él la factura no sale a tu nombre. Escribe tu "
            "propio RFC. Si no tienes RFC mexicano, elige «Soy extranjero» o pídela al comercio."
        ),
        (
            "This is a generic RFC: it is everybody's, and the invoice would not be in your name. "
            "Enter your own. Without a Mexican RFC choose “I am a foreigner” or ask the merchant."
        ),
    ),
    "rfc_check_digit": (
        "rfc",
        f"Revisa tu RFC letra por letra, {_CSF}: parece que hay un error. Si está bien, continúa.",
        f"Check the RFC letter by letter, {_CSF_EN}: it looks mistyped. If it is right, go on.",
    ),
    "nombre_missing": (
        "nombre",
        "Escribe tu nombre completo o el de tu empresa.",
        "Enter the name of the person or company.",
    ),
    "nombre_too_long": (
        "nombre",
        "El nombre es demasiado largo: puede tener hasta 300 letras.",
        "The name is too long: 300 characters at most.",
    ),
    "nombre_characters": (
        "nombre",
        "El nombre tiene un símbolo que el SAT no acepta, como la barra |. Bórralo, por favor.",
        "The name holds a symbol that SAT does not accept, such as |. Please remove it.",
    ),
    "nombre_capital": (
        "nombre",
        (
            "En la factura el nombre de la empresa va sin el tipo de sociedad (S.A. DE C.V., "
            "S. DE R.L., A.C.…). Quítalo, salvo que tu Constancia de Situación Fiscal lo ponga así."
        ),
        (
            "On an invoice the company's name goes without its legal form (S.A. DE C.V., S. DE "
            "R.L., A.C.…). Remove it unless the Constancia de Situación Fiscal has it in the name."
        ),
    ),
    "nombre_unlike_rfc": (
        "nombre",
        (
            "Las letras de este RFC no parecen salir de este nombre. Revisa que el nombre y el RFC "
            f"sean de la misma persona o empresa, {_CSF}. Si están bien, continúa."
        ),
        (
            "The letters of this RFC do not seem to come from this name. Check that both are of "
            f"the same person or company, {_CSF_EN}. If they are right, go on."
        ),
    ),
    "cp_malformed": (
        "cp",
        "El código postal son 5 números. Usa el de tu domicilio fiscal.",
        "The postal code has 5 digits. Use that of the fiscal address.",
    ),
    "CFDI40143": (
        "rfc",
        (
            f"El SAT no encuentra este RFC. Revísalo letra por letra, {_CSF}. Si tu RFC es nuevo, "
            "inténtalo mañana: la lista del SAT se actualiza cada día."
        ),
        (
            "SAT does not know this RFC. Check it letter by letter. If it is new, try tomorrow: "
            "SAT's list is renewed daily."
        ),
    ),
    "CFDI40144": (
        "nombre",
        (
            f"El SAT no encuentra este nombre. Escríbelo {_CSF}: completo, con el mismo orden y, "
            "si es empresa, sin S.A. de C.V. ni similares."
        ),
        f"SAT does not know this name. Write it {_CSF_EN}; a company without S.A. de C.V.",
    ),
    "CFDI40145": (
        "nombre",
        (
            f"El nombre no es el que el SAT tiene para este RFC. Escríbelo {_CSF}: completo, con "
            "el mismo orden y, si es empresa, sin S.A. de C.V. ni similares."
        ),
        (
            "The name is not the one SAT has for this RFC. Write it "
            f"{_CSF_EN}; a company without S.A. de C.V. or the like."
        ),
    ),
    "CFDI40146": (
        "nombre",
        (
            "«Público en general» no se puede usar aquí. Escribe tu nombre o el de tu empresa, "
            f"{_CSF}."
        ),
        "“PUBLICO EN GENERAL” cannot be used here. Enter the name of the person or company.",
    ),
    "CFDI40147": (
        "cp",
        (
            "Ese código postal no existe para el SAT. Usa el de tu domicilio fiscal (el que está "
            "en tu Constancia de Situación Fiscal), no el de entrega."
        ),
        "SAT does not know this postal code. Use that of the fiscal address, not of the delivery.",
    ),
    "CFDI40148": (
        "cp",
        (
            "El código postal no es el que el SAT tiene para este RFC. Usa el de tu domicilio "
            "fiscal (el que está en tu Constancia de Situación Fiscal), no el de entrega."
        ),
        (
            "The postal code is not the one SAT has for this RFC. Use that of the fiscal address, "
            "not of the delivery."
        ),
    ),
    "CFDI40157": (
        "regimen",
        "Elige tu régimen fiscal de la lista. Está en tu Constancia de Situación Fiscal.",
        "Choose the régimen fiscal from the list. It is in the Constancia de Situación Fiscal.",
    ),
    "CFDI40158": (
        "regimen",
        (
            "Ese régimen fiscal no corresponde a tu tipo de RFC: unos son para personas físicas "
            "(13 letras y números) y otros para empresas (12). Elige otro de la lista."
        ),
        (
            "This régimen fiscal is not for this kind of RFC: some are for persons (13 "
            "characters), others for companies (12). Choose another."
        ),
    ),
    "CFDI40160": (
        "uso",
        "Elige el uso de la factura de la lista.",
        "Choose what the invoice is used for from the list.",
    ),
    "CFDI40161": (
        "uso",
        (
            "Con tu régimen fiscal no se puede usar ese uso de la factura. Elige otro; «Sin "
            "efectos fiscales» (S01) siempre se puede. Con sueldos y salarios (605) no se puede "
            "«Gastos en general» (G03)."
        ),
        (
            "This use is not allowed with the régimen fiscal. Choose another: S01 is always "
            "allowed; 605 (salaries) cannot use G03."
        ),
    ),
}

_CSD = "el Certificado de Sello Digital (CSD)"

#: The merchant mends these: data of the issuer, certificate, mapping of products, rules.
ISSUER: dict[str, tuple[str, str, str]] = {
    "303": (
        "csd",
        f"El sello no es de quien emite: {_CSD} es de otro RFC. Sube el suyo.",
        "The seal is not the issuer's: the CSD belongs to another RFC. Upload the issuer's.",
    ),
    "304": (
        "csd",
        f"El SAT revocó {_CSD} o ya caducó. Obtén uno nuevo y súbelo.",
        "The CSD has been revoked or has expired. Ask SAT for a new one and upload it.",
    ),
    "305": (
        "csd",
        f"En la fecha de la factura no está vigente {_CSD}. Sube uno vigente.",
        "The invoice's date is outside the validity of the CSD. Upload one that is valid.",
    ),
    "306": (
        "csd",
        "El certificado no es un CSD (quizá es la e.firma). Sube el Certificado de Sello Digital.",
        "The certificate is not a CSD (it may be the e.firma). Upload the CSD.",
    ),
    "308": (
        "csd",
        "El certificado no fue emitido por el SAT. Los de prueba solo sirven en modo de prueba.",
        "The certificate was not issued by SAT. Test certificates work in test mode only.",
    ),
    "307": (
        "",
        "Esta factura ya estaba timbrada. No hay que emitirla otra vez: recupera la que existe.",
        "This invoice had been stamped before. Do not issue it again: recover the one that exists.",
    ),
    "401": (
        "fecha",
        (
            "Pasaron más de 72 horas entre la emisión y el timbrado, o el reloj del servidor está "
            "adelantado. Revisa el reloj y vuelve a emitirla."
        ),
        (
            "More than 72 hours passed between issue and stamping, or the server's clock is ahead. "
            "Check the clock and issue it again."
        ),
    ),
    "402": (
        "emisor.rfc",
        (
            "El SAT no tiene a quien emite en su lista de contribuyentes obligados (LCO). Un CSD "
            "nuevo tarda hasta 72 horas en aparecer; si no, aclara la situación con el SAT."
        ),
        (
            "The issuer is not in SAT's list of taxpayers (LCO). A new CSD takes up to 72 hours to "
            "appear; otherwise the issuer has to clear it with SAT."
        ),
    ),
    "CFDI40104": (
        "forma_pago",
        "La forma de pago no es una del SAT. Corrígela en las reglas.",
        "The FormaPago is none of SAT's. Mend it in the rules.",
    ),
    "CFDI40105": (
        "forma_pago",
        "La forma de pago no va con el método de pago: «99» es solo para pagos diferidos (PPD).",
        "FormaPago does not go with MetodoPago: 99 is for deferred payments (PPD) only.",
    ),
    "CFDI40106": (
        "csd",
        f"El SAT no acepta {_CSD}. Sube uno vigente de quien emite.",
        "SAT does not accept the CSD. Upload a valid one of the issuer.",
    ),
    "CFDI40113": (
        "moneda",
        "La moneda no es una del SAT. Corrígela en las reglas.",
        "The currency is none of SAT's. Mend it in the rules.",
    ),
    "CFDI40126": (
        "lugar_expedicion",
        "El código postal de quien emite no existe para el SAT. Corrígelo en sus datos.",
        "SAT does not know the issuer's postal code. Mend it in the merchant's data.",
    ),
    "CFDI40138": (
        "emisor.nombre",
        f"El SAT no encuentra el nombre de quien emite. Escríbelo {_CSF}, sin S.A. de C.V.",
        f"SAT does not know the issuer's name. Write it {_CSF_EN}, without S.A. de C.V.",
    ),
    "CFDI40139": (
        "emisor.nombre",
        f"El nombre de quien emite no es el de su RFC. Escríbelo {_CSF}, sin S.A. de C.V.",
        f"The issuer's name is not that of its RFC. Write it {_CSF_EN}, without S.A. de C.V.",
    ),
    "CFDI40140": (
        "emisor.regimen",
        "El régimen fiscal de quien emite no existe para el SAT. Corrígelo en sus datos.",
        "SAT does not know the issuer's régimen fiscal. Mend it in the merchant's data.",
    ),
    "CFDI40141": (
        "emisor.regimen",
        "El régimen fiscal de quien emite no corresponde a su tipo de persona. Corrígelo.",
        "The issuer's régimen fiscal is not for its kind of person. Mend it.",
    ),
    "CFDI40162": (
        "conceptos.clave_prod_serv",
        "Un producto tiene una clave que no existe en el SAT. Corrígela en las reglas.",
        "A product has a ClaveProdServ that SAT does not have. Mend it in the rules.",
    ),
    "CFDI40163": (
        "conceptos.clave_prod_serv",
        "La clave de un producto exige un complemento que no se emite. Usa otra clave.",
        "A product's ClaveProdServ needs a complement that is not issued. Use another key.",
    ),
    "CFDI40164": (
        "conceptos.clave_prod_serv",
        "La clave de un producto exige un impuesto que la venta no tiene. Revisa tus reglas.",
        "A product's ClaveProdServ demands a tax that the sale does not have. Check the rules.",
    ),
    "CFDI40165": (
        "conceptos.clave_unidad",
        "Un producto tiene una unidad que no existe en el SAT. Corrígela en las reglas.",
        "A product has a ClaveUnidad that SAT does not have. Mend it in the rules.",
    ),
    "CFDI40170": (
        "conceptos.objeto_imp",
        "El objeto de impuesto de un producto no es uno del SAT. Corrígelo en las reglas.",
        "A product's ObjetoImp is none of SAT's. Mend it in the rules.",
    ),
    "CFDI40171": (
        "conceptos.objeto_imp",
        "Un producto es objeto de impuesto (02) pero la venta no trae impuesto. Revisa tus reglas.",
        "A product is subject to tax (ObjetoImp 02) but the sale has none. Check the rules.",
    ),
    "CFDI40172": (
        "conceptos.objeto_imp",
        "Un producto no lleva desglose de impuesto, pero la venta lo trae. Revisa tus reglas.",
        "A product's ObjetoImp allows no tax, but the sale has one. Check the rules.",
    ),
    "CFDI40179": (
        "conceptos.impuestos",
        "Una tasa de impuesto de la venta no existe en el SAT. Corrige el impuesto en tu tienda.",
        "A tax rate of the sale is none of SAT's. Mend the tax in the shop.",
    ),
    "CFDI40185": (
        "conceptos.impuestos",
        "Una tasa de retención no existe en el SAT. Corrígela en las reglas.",
        "A rate of withheld tax is none of SAT's. Mend it in the rules.",
    ),
    "CFDI40224": (
        "conceptos.impuestos",
        "El SAT no admite retención de ISR con este cliente. Corrígela en las reglas.",
        "SAT does not allow ISR to be withheld with this customer. Mend it in the rules.",
    ),
    "CFDI40225": (
        "conceptos.impuestos",
        "El SAT exige la retención de ISR de 1.25 % (RESICO) con este cliente.",
        "SAT demands that 1.25 % of ISR be withheld (RESICO) with this customer.",
    ),
    "CFDI40226": (
        "conceptos.objeto_imp",
        "El objeto de impuesto de un producto (06 u 08) no admite el impuesto de la venta.",
        "A product's ObjetoImp (06 or 08) does not allow the tax that the sale has.",
    ),
    "CFDI40227": (
        "conceptos.objeto_imp",
        "El objeto de impuesto 07 no admite IVA y exige IEPS. Revisa tus reglas.",
        "ObjetoImp 07 allows no IVA and demands IEPS. Check the rules.",
    ),
    "CFDI40228": (
        "conceptos.clave_prod_serv",
        "Los combustibles exigen un complemento que no se emite aquí.",
        "Fuels need a complement that is not issued here.",
    ),
}

#: Nobody at the form or in the panel can mend these: the document was made wrong.
DOCUMENT: dict[str, tuple[str, str, str]] = {
    "301": ("", "El XML no cumple la estructura del SAT.", "The XML breaks SAT's structure."),
    "302": ("sello", "El sello no es válido.", "The seal is not valid."),
    "403": ("fecha", "La fecha es anterior a 2012.", "The date is before 2012."),
    "CFDI3307": (
        "",
        "El PAC ya recibió otro documento con la misma referencia.",
        "The PAC has received another document under the same reference.",
    ),
    "CFDI40102": ("sello", "El sello no es del documento.", "The seal is not the document's."),
    "CFDI40149": (
        "receptor.domicilio_fiscal",
        "Con el RFC genérico el código postal debe ser el de quien emite.",
        "With a generic RFC the postal code must be the issuer's.",
    ),
    "CFDI40159": (
        "receptor.regimen_fiscal",
        "Con el RFC genérico el régimen debe ser 616.",
        "With a generic RFC the régimen must be 616.",
    ),
}

#: Rules of the amounts (matrix, rows of SubTotal, Descuento, Total, Importe, Base and Impuestos).
AMOUNTS = frozenset(
    {f"CFDI{number}" for number in (*range(40107, 40113), 40119, *range(40166, 40170))}
    | {f"CFDI{number}" for number in (*range(40173, 40179), 40180, *range(40181, 40185), 40186)}
    | {f"CFDI{number}" for number in range(40202, 40222)}
)
#: Of ResidenciaFiscal and NumRegIdTrib, which are never written.
RESIDENCE = frozenset(f"CFDI{number}" for number in range(40150, 40157))
