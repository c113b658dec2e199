"""What was given back: refunds, and credit notes with the refunds they made.

A credit note that refunds money tells of it three times (credit note, refund, charge): the refund's
id stands for it, and the credit note says which lines it was. What of a credit note went to the
customer's balance or was given back outside of Stripe stands under the credit note's own id.
https://docs.stripe.com/invoicing/dashboard/credit-notes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.reader import Reader
from connectors.stripe.lines import Maker, Raw, credit_note_lines
from connectors.stripe.money import ZERO, Money, share, shares
from connectors.stripe.netting import alike, less_by_key
from connectors.stripe.shapes import Document, ident, instant, key_of
from hub.domain.sale import Refund, RefundLine, SaleLine

#: https://docs.stripe.com/api/refunds/object#refund_object-status
_DONE = "succeeded"
_NOT_YET = frozenset({"pending", "requires_action"})
_NEVER = frozenset({"failed", "canceled"})


@dataclass(frozen=True, slots=True)
class _Note:
    """A credit note in force."""

    key: str
    reason: str
    place: Reader
    total: Decimal
    #: Of the total what lowered an invoice not yet paid; the rest was given back.
    before: Decimal
    #: By refund, what of it this note gave back.
    refunds: Mapping[str, Decimal]

    @property
    def back(self) -> Decimal:
        return self.total - self.before


class Reversals:
    """The credit notes and refunds of a document, against its lines."""

    def __init__(
        self, document: Document, money: Money, maker: Maker, lines: tuple[SaleLine, ...]
    ) -> None:
        self._document, self._money, self._maker = document, money, maker
        self._lines = {line.key: line for line in lines}
        self._done = {key_of(place): place for place in document.listed("refunds")}
        self._notes = [
            _note(place, money, self._done)
            for place in document.listed("credit_notes")
            if place.text("status", "") == "issued"
        ]

    @property
    def before_payment(self) -> Decimal:
        """What credit notes took off while the invoice was open."""
        name = "pre_payment_credit_notes_amount"
        return self._money.amount(self._document.object, name, ZERO)

    def lower(self, lines: tuple[SaleLine, ...], doubts: list[str]) -> tuple[SaleLine, ...] | None:
        """The lines less what was credited before payment; None if it does not fit in them."""
        given = self.before_payment
        by_key: dict[str, Decimal] = {}
        for note in self._notes:
            for line in self._part(note, note.before):
                gross = line.base + sum(line.taxes, ZERO)
                by_key[line.key] = by_key.get(line.key, ZERO) + gross
        if sum(by_key.values(), ZERO) != given:
            if not alike(lines):
                doubts.append("Una nota de crédito no dice qué renglones bajó.")
            whole = sum((line.total for line in lines), ZERO)
            if not 0 < given <= whole or min(line.total for line in lines) < 0:
                return None
            parts = shares(given, [line.total for line in lines])
            by_key = {line.key: part for line, part in zip(lines, parts, strict=True)}
        if any(amount > self._lines[key].total for key, amount in by_key.items()):
            return None
        return less_by_key(lines, by_key)

    def refunds(self, *, with_credits: bool, doubts: list[str]) -> tuple[Refund, ...]:
        """Each amount given back, once. `with_credits`: those of an open invoice count too."""
        parts: dict[str, list[tuple[_Note, Decimal]]] = {key: [] for key in self._done}
        for note in self._notes:
            for key, amount in note.refunds.items():
                parts.setdefault(key, []).append((note, amount))
        found = [self._of_refund(key, of, doubts) for key, of in parts.items()]
        found += [refund for note in self._notes for refund in self._of_note(note, with_credits)]
        self._check(doubts)
        told = [refund for refund in found if refund is not None]
        return tuple(sorted(told, key=lambda one: (one.at is None, one.at, one.key)))

    def _of_refund(
        self, key: str, parts: Sequence[tuple[_Note, Decimal]], doubts: list[str]
    ) -> Refund | None:
        """A refund, with the lines of the credit notes that it paid for: those may come later."""
        noted = sum((amount for _, amount in parts), ZERO)
        place = self._done.get(key)
        if place is not None and _word(place, doubts) != _DONE:
            return None
        total = noted if place is None else self._money.amount(place, "amount")
        if total <= 0:
            return None
        source = parts[0][0].place if place is None else place
        reason = parts[0][0].reason if parts else source.text("reason", "")
        lines = [line for note, amount in parts for line in self._part(note, amount)]
        fitting = tuple(lines) if noted <= total else ()
        return Refund(key, total, reason, instant(source, "created"), fitting)

    def _of_note(self, note: _Note, with_credits: bool) -> Iterable[Refund]:  # noqa: FBT001 - passed on as it came
        """What of a credit note no refund of Stripe's gave back."""
        at = instant(note.place, "created")
        rest = note.back - sum(note.refunds.values(), ZERO)
        if rest > 0:
            yield Refund(note.key, rest, note.reason, at, self._part(note, rest))
        if with_credits and note.before > 0:
            lines = self._part(note, note.before)
            yield Refund(f"{note.key}-open", note.before, note.reason, at, lines)

    def _part(self, note: _Note, amount: Decimal) -> tuple[RefundLine, ...]:
        """The lines of so much of the note; none unless they name lines taxed as the sale's."""
        lines = [self._line(key, raw) for key, raw in credit_note_lines(note.place, self._money)]
        found = [line for line in lines if line is not None]
        whole = sum((line.base + sum(line.taxes, ZERO) for line in found), ZERO)
        if not amount or whole != note.total or len(found) != len(lines):
            return ()
        if amount == note.total:
            return tuple(found)
        return _scaled(found, amount, note.total)

    def _line(self, key: str, raw: Raw) -> RefundLine | None:
        original = self._lines.get(key)
        if original is None:
            return None
        line = self._maker.line(replace(raw, product=original.product))
        taxes = {tax.ref: tax.amount for tax in line.taxes}
        if set(taxes) != {tax.ref for tax in original.taxes} or line.base < 0:
            return None
        amounts = tuple(taxes[tax.ref] for tax in original.taxes)
        quantity = line.quantity if line.quantity <= original.quantity else ZERO
        return RefundLine(key, quantity, line.base, amounts)

    def _check(self, doubts: list[str]) -> None:
        """Doubts where Stripe says that more came back than what we were told of."""
        money, thing = self._money, self._document.object
        told = sum(
            (
                money.amount(one, "amount")
                for one in self._done.values()
                if one.text("status", "") not in _NEVER
            ),
            ZERO,
        )
        charges = [*self._document.listed("charges")]
        charges += [thing] if thing.text("object", "") == "charge" and not charges else []
        given = sum((money.amount(one, "amount_refunded", ZERO) for one in charges), ZERO)
        if given > told:
            doubts.append("Stripe indica devoluciones que no llegaron con la venta.")
        if any(was_cut(one, money) for one in charges) and (given or told):
            doubts.append("Se cobró menos de lo autorizado y hay devoluciones: revisa de qué son.")
        noted = sum((note.back for note in self._notes), ZERO)
        if money.amount(thing, "post_payment_credit_notes_amount", ZERO) > noted:
            doubts.append("Stripe indica notas de crédito que no llegaron con la venta.")


def was_cut(charge: Reader, money: Money) -> bool:
    """What was authorized and not captured is released, and may be told as if it were refunded.

    https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
    """
    whole = money.amount(charge, "amount")
    return money.amount(charge, "amount_captured", whole) < whole


def _word(place: Reader, doubts: list[str]) -> str:
    status = place.text("status", "")
    if status not in {_DONE, *_NOT_YET, *_NEVER}:
        doubts.append(f"Estado de devolución desconocido: {status[:60]!r}.")
    return status


def _note(place: Reader, money: Money, done: Mapping[str, Reader]) -> _Note:
    """https://docs.stripe.com/api/credit_notes/object"""
    total = money.amount(place, "total")
    whole_before = total if place.text("type", "") == "pre_payment" else ZERO
    before = money.amount(place, "pre_payment_amount", whole_before)
    refunds = {
        ident(one, "refund"): money.amount(one, "amount_refunded", ZERO)
        for one in place.items("refunds")
        if ident(one, "refund")
    }
    older = ident(place, "refund")
    if older and not place.has("refunds"):
        outside = money.amount(place, "out_of_band_amount", ZERO)
        most = total - before - outside
        refunds = {older: min(most, money.amount(done[older], "amount")) if older in done else most}
    reason = place.text("reason", "") or place.text("memo", "")
    return _Note(key_of(place), reason, place, total, before, refunds)


def _scaled(lines: Sequence[RefundLine], amount: Decimal, whole: Decimal) -> tuple[RefundLine, ...]:
    """The lines in proportion, adding up to `amount`: what rounding leaves is in the first."""
    found = [
        replace(
            line,
            quantity=ZERO,
            base=share(line.base, amount, whole),
            taxes=tuple(share(tax, amount, whole) for tax in line.taxes),
        )
        for line in lines
    ]
    gap = amount - sum((one.base + sum(one.taxes, ZERO) for one in found), ZERO)
    return (replace(found[0], base=found[0].base + gap), *found[1:])
