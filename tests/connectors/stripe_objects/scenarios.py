"""Sales that are recorded of nobody: in pesos, with IVA, paid with what is used in Mexico."""

from __future__ import annotations

from dataclasses import replace

from tests.connectors.stripe_objects.render import (
    BORDER,
    CARD,
    CUSTOMER,
    DEBIT,
    EXEMPT,
    ON_TOP,
    OXXO,
    SPEI,
    T0,
    WITHIN,
    ZERO_RATED,
    Bill,
    Intent,
    Item,
    Json,
    Paid,
    credit_note,
    dispute,
    refund,
)


def _bill(key: str, *items: Item, method: Json = CARD, **more: object) -> Bill:
    """Paid in full by one payment."""
    unpaid = Bill(key, items, **more)  # type: ignore[arg-type] # the fields of a Bill
    if unpaid.status != "paid" or unpaid.due <= 0 or unpaid.outside:
        return unpaid
    return replace(unpaid, paid=(Paid(key, unpaid.due + unpaid.overpaid, method),))


PLAN = Item("plan", "1 × Plan Pro (at $499.00 / month)", 49900, ON_TOP)
SEATS = Item("seats", "3 × Usuario adicional", 29997, ON_TOP, quantity=3, product="prod_MadeSeat")
BOOK = Item("book", "Libro", 25000, ZERO_RATED, product="prod_MadeBook")
COURSE = Item("course", "Curso", 80000, EXEMPT, product="prod_MadeCourse")
WITHIN_PLAN = Item("plan", "Plan Pro", 50000, WITHIN)

BILLS: dict[str, Bill] = {
    "on-top": _bill("MadeOnTop", PLAN, SEATS),
    "within": _bill("MadeWithin", WITHIN_PLAN, method=DEBIT),
    "border": _bill("MadeBorder", replace(PLAN, rate=BORDER)),
    "four-treatments": _bill("MadeFour", PLAN, BOOK, COURSE, method=SPEI),
    "coupons-within": _bill(
        "MadeCouponsIn",
        replace(WITHIN_PLAN, discounts=(5000, 4500)),
        Item("more", "Extra", 33333, WITHIN, discounts=(3333,)),
    ),
    "coupons-on-top": _bill("MadeCouponsOn", replace(PLAN, discounts=(4990, 4491)), SEATS),
    "whole-line-free": _bill("MadeFreeLine", PLAN, replace(SEATS, discounts=(29997,))),
    "grant": _bill("MadeGrant", replace(PLAN, grant=10000)),
    "proration": _bill(
        "MadeProration",
        Item("unused", "Unused time on Plan Básico", -14967, ON_TOP, proration=True),
        Item("rest", "Remaining time on Plan Pro", 29933, ON_TOP, proration=True),
        PLAN,
    ),
    "proration-within": _bill(
        "MadeProrationIn",
        Item("unused", "Unused time on Plan Básico", -14967, WITHIN, proration=True),
        WITHIN_PLAN,
    ),
    "shipping": _bill("MadeShipping", SEATS, shipping=(9900, ON_TOP)),
    "oxxo": _bill("MadeOxxo", PLAN, method=OXXO),
    "spei": _bill("MadeSpei", PLAN, method=SPEI),
    "free": _bill("MadeFree", replace(PLAN, discounts=(49900,))),
    "downgrade": _bill(
        "MadeDowngrade",
        Item("unused", "Unused time", -40000, ON_TOP, proration=True),
        Item("rest", "Remaining time", 10000, ON_TOP, proration=True),
        ending_balance=-34800,
    ),
    "open": _bill("MadeOpen", PLAN, status="open"),
    "draft": _bill("MadeDraft", PLAN, status="draft"),
    "void": _bill("MadeVoid", PLAN, status="void"),
    "outside": _bill("MadeOutside", PLAN, outside=57884),
    "overpaid": _bill("MadeOverpaid", PLAN, overpaid=2116),
    "credited-before": _bill("MadeCredited", PLAN, SEATS, credited=11600),
    "balance": _bill("MadeBalance", PLAN, starting_balance=-10000, ending_balance=0),
    "untaxed": _bill("MadeUntaxed", replace(PLAN, rate=None)),
    "dollars": _bill("MadeDollars", PLAN, currency="usd"),
    "yen": _bill("MadeYen", PLAN, currency="jpy"),
}
INTENTS: dict[str, Intent] = {
    "checkout": Intent(
        "MadeCheckout",
        WITHIN_PLAN.gross + SEATS.gross + 11484,
        (WITHIN_PLAN, SEATS),
        Paid("MadeCheckout", WITHIN_PLAN.gross + SEATS.gross + 11484, DEBIT),
        shipping=(9900, ON_TOP),
        details={
            "address": {"country": "MX", "postal_code": "36257"},
            "email": "compras@cliente.example",
            "name": "XOCHILT CASAS CHAVEZ",
            "phone": None,
            "tax_ids": [{"type": "mx_rfc", "value": "CACX7605101P8"}],
        },
        fields=(
            {
                "key": "regimenfiscal",
                "label": {"custom": "Régimen fiscal", "type": "custom"},
                "type": "dropdown",
                "dropdown": {"value": "612", "options": [{"label": "612", "value": "612"}]},
            },
            {
                "key": "usocfdi",
                "label": {"custom": "Uso del CFDI", "type": "custom"},
                "type": "text",
                "text": {"value": "G03"},
            },
        ),
    ),
    "bare": Intent(
        "MadeBare", 11600, paid=Paid("MadeBare", 11600), description="Mesa 4", customer=CUSTOMER
    ),
    "oxxo": Intent("MadeOxxoPi", 25000, paid=Paid("MadeOxxoPi", 25000, OXXO, at=T0 + 86_400)),
    "spei": Intent("MadeSpeiPi", 25000, paid=Paid("MadeSpeiPi", 25000, SPEI)),
    "voucher": Intent("MadeVoucher", 25000, status="requires_action"),
    "tip": Intent("MadeTip", 11600, paid=Paid("MadeTip", 11600), tip=1000),
    "refunded": Intent(
        "MadeBack",
        11600,
        paid=Paid("MadeBack", 11600, refunded=5800),
        refunds=(refund("MadeBack1", 5800, "MadeBack"),),
    ),
}
_ON_TOP = BILLS["on-top"]
#: The same bill with what came after it was paid.
AFTER: dict[str, Bill] = {
    "refund-alone": replace(
        _ON_TOP,
        paid=(replace(_ON_TOP.paid[0], refunded=11600),),
        refunds=(refund("MadeAlone", 11600, "MadeOnTop"),),
    ),
    "note-with-refund": replace(
        _ON_TOP,
        paid=(replace(_ON_TOP.paid[0], refunded=11600),),
        refunds=(refund("MadeNoted", 11600, "MadeOnTop"),),
        notes=(credit_note("MadeNoted", _ON_TOP, {"plan": 10000}, refunds={"MadeNoted": 11600}),),
    ),
    "note-to-balance": replace(
        _ON_TOP, notes=(credit_note("MadeToBalance", _ON_TOP, {"seats": 9999}),)
    ),
    "disputed": replace(
        _ON_TOP,
        paid=(replace(_ON_TOP.paid[0], disputed=True),),
        disputes=(dispute("MadeDispute", _ON_TOP.total, "MadeOnTop", "needs_response"),),
    ),
}
#: Paid in pesos, and nothing left for a person to decide.
EXACT = (
    "on-top", "within", "border", "four-treatments", "coupons-within", "coupons-on-top",
    "whole-line-free", "grant", "proration", "proration-within", "shipping", "oxxo", "spei",
    "overpaid", "credited-before",
)  # fmt: skip
