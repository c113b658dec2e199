"""bundle: the documents of the purchases whose links somebody holds, one after the other.

Nothing is ever looked up by an RFC or an address: holding the link of a purchase is the right to
its documents, and whoever holds no link gets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.domain.purchase import Paper
from hub.domain.states import State
from hub.steps.brand import paper
from hub.steps.context import Context
from hub.steps.deliver import print_of
from hub.steps.facts import notes_of
from hub.steps.issuer import issuer_of
from hub.store.records import Invoice, Stamp

#: In these the page shows the document.
_SHOWN = frozenset({State.STAMPED, State.SUPERSEDED, State.CANCELLING})
_UNFIT = re.compile(r"[^0-9A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class _Found:
    number: str
    invoice: Invoice
    stamp: Stamp
    day: str
    word: str  # "factura" or "nota"


def bundle(ctx: Context, token: str, others: Sequence[str]) -> Iterator[Paper] | None:
    """XML and PDF of each, made while they are read. None if `token` shows no document.

    Of `others` those are left out that are no links in force, of another merchant or without a
    document; what is named twice comes once.
    """
    first = list(_behind(ctx, token, None))
    if not first:
        return None
    return _papers(ctx, first, token, others)


def _papers(
    ctx: Context, first: list[_Found], token: str, others: Sequence[str]
) -> Iterator[Paper]:
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        if found is None:
            return
        looks, merchant_id = paper(tx.tenant(found.merchant_id)), found.merchant_id
    told: set[str] = set()
    for one in _all(ctx, merchant_id, first, [one for one in others if one != token]):
        if one.stamp.uuid in told:
            continue
        told.add(one.stamp.uuid)
        name = f"{one.day}-{_UNFIT.sub('_', one.number)[:40]}-{one.word}-{one.stamp.uuid}"
        yield Paper(f"{name}.xml", one.stamp.xml)
        yield Paper(f"{name}.pdf", print_of(one.invoice, one.stamp, looks))


def _all(
    ctx: Context, merchant_id: str, first: list[_Found], others: Sequence[str]
) -> Iterator[_Found]:
    yield from first
    for token in dict.fromkeys(others):
        yield from _behind(ctx, token, merchant_id)


def _behind(ctx: Context, token: str, merchant_id: str | None) -> list[_Found]:
    """The invoice in force behind a link, and its credit notes."""
    with ctx.store.reading() as tx:
        found = ctx.opened(tx, token)
        if found is None or not found.proven or merchant_id not in {None, found.merchant_id}:
            return []
        tenant, sale_id = tx.tenant(found.merchant_id), found.sale_id
        invoice, row = tenant.invoices.for_sale(sale_id, found.part), tenant.sales.get(sale_id)
        if invoice is None or row is None or invoice.state not in _SHOWN:
            return []
        stamp = tenant.invoices.stamp_of(invoice.id)
        notes = notes_of(tenant, sale_id).values()
        zone = issuer_of(tenant).zone
    of = [(invoice, stamp, "factura"), *((*note, "nota") for note in notes)]
    return [
        _Found(row.sale.number, made, its, f"{its.stamped_at.astimezone(zone):%Y-%m-%d}", word)
        for made, its, word in of
        if its is not None
    ]
