"""Lines at another price: an invoice has no negative concept, and a credit lowers what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from connectors.stripe.money import ZERO, share, shares
from hub.domain.sale import SaleLine, SaleTax


def net(lines: tuple[SaleLine, ...], doubts: list[str]) -> tuple[SaleLine, ...]:
    """The lines less every negative one, each off those of the very same taxes.

    https://docs.stripe.com/billing/subscriptions/prorations: what was paid and not used comes back
    as a negative line. One that does not fit stays, so that the sums hold, with a doubt.
    """
    negative = {line.key: line for line in lines if line.total < 0}
    for key in {_key(line): None for line in negative.values()}:
        spent = {line.key for line in negative.values() if _key(line) == key}
        given = -sum((negative[one].total for one in spent), ZERO)
        weights = [line.total if line.total > 0 and _key(line) == key else ZERO for line in lines]
        if given > sum(weights, ZERO):
            doubts.append("Un renglón negativo no cabe en los renglones con sus mismos impuestos.")
            continue
        lowered = less(lines, shares(given, weights))
        lines = tuple(one for one in lowered if one.key not in spent)
    return lines


def _key(line: SaleLine) -> object:
    return tuple(sorted((tax.ref, tax.label, str(tax.rate), tax.factor) for tax in line.taxes)), (
        "" if line.taxes else line.objeto_imp
    )


def less(lines: Sequence[SaleLine], given: Sequence[Decimal]) -> tuple[SaleLine, ...]:
    """Each line for so much less, tax included; what it was listed at stays."""
    return tuple(
        at_gross(line, line.total - amount) if amount else line
        for line, amount in zip(lines, given, strict=True)
    )


def less_by_key(lines: Sequence[SaleLine], given: Mapping[str, Decimal]) -> tuple[SaleLine, ...]:
    return less(lines, [given.get(line.key, ZERO) for line in lines])


def at_gross(line: SaleLine, gross: Decimal) -> SaleLine:
    """The line at another price, tax included, exactly; its taxes stay at their rate."""
    base, taxes = _parts(line, gross)
    subtotal = max(line.subtotal, base)
    return replace(line, subtotal=subtotal, discount=subtotal - base, taxes=taxes)


def _parts(line: SaleLine, gross: Decimal) -> tuple[Decimal, tuple[SaleTax, ...]]:
    if len(line.taxes) == 1 and (rate := line.taxes[0].rate) is not None:
        base = share(gross, Decimal(1), 1 + rate)
        return base, (replace(line.taxes[0], amount=gross - base),)
    taxes = tuple(replace(tax, amount=share(tax.amount, gross, line.total)) for tax in line.taxes)
    return gross - sum((tax.amount for tax in taxes), ZERO), taxes


def alike(lines: Sequence[SaleLine]) -> bool:
    """Whether all of them are taxed alike, so that what concerns all may be spread over them."""
    return len({_key(line) for line in lines}) <= 1
