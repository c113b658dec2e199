"""Why a sale cannot be invoiced yet, in words for the merchant who has to decide."""

from __future__ import annotations

from typing import Final

from cfdi.findings import Finding, FixableBy

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "sale_doubtful": ("{doubt}", "{doubt}"),
    "nothing_to_invoice": (
        "No queda nada por facturar de esta venta.",
        "Nothing of this sale is left to invoice.",
    ),
    "currency_unknown": (
        "La moneda de la venta no está en el catálogo del SAT (c_Moneda).",
        "The currency of the sale is not in SAT's catalog (c_Moneda).",
    ),
    "total_too_fine": (
        "El total tiene más decimales que la moneda: revisa con cuántos decimales cobra la tienda.",
        "The total has more decimals than the currency: see with how many the shop charges.",
    ),
    "exchange_rate_missing": (
        "Falta el tipo de cambio de {moneda}: indícalo en las reglas, [moneda.{moneda}].",
        "The rate of {moneda} is missing: give it in the rules, [moneda.{moneda}].",
    ),
    "forma_pago_missing": (
        (
            "No se sabe con qué forma de pago del SAT se pagó ({method}): indícala en las reglas, "
            "[forma_pago]."
        ),
        "SAT's form of payment is not known ({method}): give it in the rules, [forma_pago].",
    ),
    "tax_unknown": (
        (
            "No se reconoce el impuesto «{label}»: indica en las reglas, [impuestos], si es IVA o "
            "IEPS y su tasa del catálogo del SAT."
        ),
        (
            "The tax “{label}” is not recognised: say in the rules, [impuestos], whether it is IVA "
            "or IEPS and its rate of SAT's catalog."
        ),
    ),
    "tax_missing": (
        (
            "Hay {what} sin impuestos: indica en las reglas, [producto.{section}], si es exento, "
            "tasa 0, no objeto o si el precio ya incluye IVA."
        ),
        (
            "There is {what_en} without taxes: say in the rules, [producto.{section}], whether "
            "it is exempt, at rate 0, not subject, or whether its price includes IVA."
        ),
    ),
    "tax_twice": (
        "Un renglón trae dos veces el mismo impuesto.",
        "A line has the same tax twice.",
    ),
    "objeto_imp_conflict": (
        (
            "La clave ObjetoImp {objeto_imp} de las reglas no corresponde con los impuestos del "
            "renglón."
        ),
        "The key ObjetoImp {objeto_imp} of the rules does not agree with the taxes of the line.",
    ),
    "line_too_large": (
        "Un renglón tiene una cantidad o un importe desmedido.",
        "A line has a quantity or an amount out of all measure.",
    ),
    "line_quantity": (
        "Un renglón tiene una cantidad que un CFDI no admite: debe ser mayor que 0.",
        "A line has a quantity that no CFDI can state: it has to be above 0.",
    ),
    "line_negative": (
        "Un renglón tiene un importe negativo o un descuento mayor que su precio.",
        "A line has a negative amount or a discount larger than its price.",
    ),
    "refund_unclear": (
        "Una devolución no corresponde con lo que se cobró de la venta: revísala.",
        "A refund does not agree with what was charged for the sale: look at it.",
    ),
    "money_contradicts": (
        "El total es negativo o se devolvió más de lo cobrado: revisa la venta en la tienda.",
        "The total is negative or more was refunded than charged: look at the sale in the shop.",
    ),
    "paid_in_future": (
        "La fecha de pago está en el futuro: revisa la venta y el reloj de la tienda.",
        "The date of payment is in the future: look at the sale and at the shop's clock.",
    ),
    "state_unknown": (
        "No se sabe si esta venta se cobró: corrígela en la tienda.",
        "Whether this sale was paid is not known: mend it in the shop.",
    ),
    "credit_currency": (
        "La venta está ahora en otra moneda que su factura.",
        "The sale is in another currency now than its invoice.",
    ),
    "credit_state": (
        "La tienda dice que la venta se canceló o devolvió y las devoluciones no lo explican.",
        "The shop says it was cancelled or refunded, and the refunds do not explain that.",
    ),
    "credit_cancelled": (
        (
            "El pedido se canceló y se devolvió todo: cancela la factura o emite la nota de "
            "crédito de lo devuelto."
        ),
        (
            "The order was cancelled and all of it given back: cancel the invoice, or issue the "
            "credit note for what was given back."
        ),
    ),
    "credit_older": (
        (
            "La factura es de antes de las notas de crédito y no se sabe qué devoluciones ya "
            "descontaba: emite la nota aparte."
        ),
        (
            "The invoice is from before there were credit notes, and which refunds it had taken "
            "off is not known: issue the note elsewhere."
        ),
    ),
    "credit_unnamed": (
        "Una devolución no tiene identificador propio: no se puede saber si ya tiene nota.",
        "A refund has no id of its own: whether it has a note cannot be known.",
    ),
    "credit_total": (
        "El total de la venta cambió por algo más que devoluciones: revísala en la tienda.",
        "The total of the sale changed by more than refunds: look at it in the shop.",
    ),
    "credit_goods": (
        "Lo vendido cambió y el total no: la factura dice otros renglones u otros impuestos.",
        "What was sold changed and the total did not: the invoice has other lines or taxes.",
    ),
    "credit_amount": (
        "Una devolución no es mayor que cero o tiene más decimales que su moneda.",
        "A refund is not above zero or has more decimals than its currency.",
    ),
    "credit_more": (
        "Se devolvió más de lo que se facturó.",
        "More was given back than was invoiced.",
    ),
    "credit_unclear": (
        (
            "La devolución no dice a qué renglones corresponde todo su importe, y no todos llevan "
            "los mismos impuestos: con `review resolve --credit-note` se reparte entre todos."
        ),
        (
            "The refund does not say to which lines all of it belongs, and they are not taxed "
            "alike: `review resolve --credit-note` spreads it over all of them."
        ),
    ),
    "credit_joint": (
        (
            "La factura es de varias compras y la devolución no dice a qué renglones de esta "
            "corresponde: con `review resolve --credit-note` se reparte entre los suyos."
        ),
        (
            "The invoice is of several purchases and the refund does not say to which lines of "
            "this one it belongs: `review resolve --credit-note` spreads it over its own."
        ),
    ),
    "credit_indivisible": (
        "Lo que queda de la factura no se puede repartir, al centavo, en una nota así.",
        "What is left of the invoice cannot be divided, to the cent, into such a note.",
    ),
    "credit_by_rule": (
        "Las reglas piden revisar cada nota de crédito: `review resolve --credit-note` la emite.",
        "The rules ask to review each credit note: `review resolve --credit-note` issues it.",
    ),
    "credit_doubtful": (
        "La venta trae algo que no se pudo ubicar; revísala antes de emitir la nota de crédito.",
        "The sale has something that could not be placed; look at it before its note is issued.",
    ),
    "credit_ended": (
        "Esta devolución ya tuvo una nota que se canceló o se dejó; otra solo la pide una persona.",
        "This refund had a note that was cancelled or given up; only a person asks for another.",
    ),
    "credit_unverified": (
        "La tienda todavía no confirma esta devolución.",
        "The shop has not confirmed this refund yet.",
    ),
    "credit_no_invoice": (
        "La venta no tiene una factura vigente que acreditar.",
        "The sale has no invoice in force to be credited.",
    ),
    "credit_nothing": (
        "No hay ninguna devolución sin nota de crédito.",
        "There is no refund without a credit note.",
    ),
    "credit_in_doubt": (
        "La nota pudo haberse timbrado: pregúntale al PAC (--ask-again) antes de hacerla de nuevo.",
        "The note may have been stamped: ask the PAC (--ask-again) before it is made anew.",
    ),
    "credit_divided": (
        "La venta está repartida en dos facturas: emite la nota de crédito de la que corresponda.",
        "The sale is divided into two invoices: issue the credit note of whichever it concerns.",
    ),
    "payment_invoiced": (
        (
            "Este pago ya está en la factura de la venta {number}: no se factura otra vez. Si esa "
            "factura se cancela, acepta esta venta en la revisión."
        ),
        (
            "This payment is in the invoice of sale {number} already: it is not invoiced again. If "
            "that invoice is cancelled, accept this sale in the review."
        ),
    ),
    "payment_shared": (
        (
            "El mismo pago aparece en la venta {number} y no se sabe cuál de las dos es: revisa "
            "ambas en la tienda. Solo una se puede facturar."
        ),
        (
            "The same payment stands in sale {number} and it is not known which of the two it is: "
            "look at both in the shop. Only one can be invoiced."
        ),
    ),
    "no_exact_document": (
        (
            "Los renglones y sus impuestos no explican lo cobrado, al centavo: revisa la venta en "
            "la tienda."
        ),
        (
            "Lines and taxes do not explain, to the cent, what was charged: look at the sale in "
            "the shop."
        ),
    ),
}


class NotComposable(Exception):
    """No document can be made of the sale as things are. `findings` is never empty."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(", ".join(sorted({finding.code for finding in findings})))
        self.findings = findings


def reason(code: str, path: str = "", **words: str) -> Finding:
    """A finding for the merchant; `path` is where in the sale."""
    es, en = (text.format(**words) for text in _TEXTS[code])
    return Finding(code, path, es, en, FixableBy.MERCHANT)


def distinct(findings: list[Finding]) -> tuple[Finding, ...]:
    """One of each: fifty lines without tax are one thing to decide."""
    return tuple({(one.code, one.message_es): one for one in reversed(findings)}.values())[::-1]
