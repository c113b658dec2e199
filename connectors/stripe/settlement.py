"""A sale in the currency in which Stripe paid it out, where that is exact.

https://docs.stripe.com/currencies/conversions: a balance transaction states the whole amount of a
charge in the currency of the account.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from connectors.reader import Reader
from connectors.stripe.money import ZERO, money_of, shares
from connectors.stripe.netting import at_gross
from hub.domain.sale import Sale


def settled(sale: Sale, charges: tuple[Reader, ...]) -> Sale:
    """The sale in the currency of its charges' balance transactions; else itself, with a doubt."""
    if sale.currency == "MXN" or sale.paid_at is None or not sale.lines:
        return sale
    found = _settled_total(sale, charges)
    simple = all(
        len(line.taxes) <= 1 and all(tax.rate is not None for tax in line.taxes) and line.total >= 0
        for line in sale.lines
    )
    explained = sum((line.total for line in sale.lines), ZERO) == sale.total
    if found is None or not (simple and explained) or sale.refunds:
        doubt = "No se puede expresar la venta, exacta, en la moneda en que se liquidó."
        return replace(sale, doubts=(*sale.doubts, doubt))
    currency, total = found
    return sale if currency == sale.currency else _in(sale, currency, total)


def _settled_total(sale: Sale, charges: tuple[Reader, ...]) -> tuple[str, Decimal] | None:
    charged = total = ZERO
    currencies = set()
    for charge in charges:
        book = charge.at("balance_transaction")
        if not isinstance(book.value, dict):
            return None
        there, here = money_of(charge), money_of(book)
        if there.currency != sale.currency:
            return None
        charged += there.amount(charge, "amount_captured", there.amount(charge, "amount"))
        total += here.amount(book, "amount")
        currencies.add(here.currency)
    if charged != sale.total or total <= 0 or len(currencies) != 1:
        return None
    return currencies.pop(), total


def _in(sale: Sale, currency: str, total: Decimal) -> Sale:
    grosses = shares(total, [line.total for line in sale.lines])
    lines = tuple(
        at_gross(replace(line, subtotal=ZERO, discount=ZERO), gross)
        for line, gross in zip(sale.lines, grosses, strict=True)
    )
    amounts = [one.amount for one in sale.payments]
    paid = shares(total, amounts) if sum(amounts, ZERO) > 0 else amounts
    payments = tuple(
        replace(one, amount=amount) for one, amount in zip(sale.payments, paid, strict=True)
    )
    return replace(sale, currency=currency, total=total, lines=lines, payments=payments)
