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
