"""From practice to earnest: what was stamped in a test environment was never issued."""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain.states import State
from hub.steps.refund import CHANGED
from hub.store.database import Tenant
from hub.store.records import Invoice

_UNDER_WAY = (State.SEALED, State.SENDING, State.UNKNOWN, State.REVIEW)


class PracticeUnderWay(Exception):
    """Documents are on their way to a test account; `number` of them."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{number} test invoices are under way")
        self.number = number


def leave_practice(tenant: Tenant) -> int:
    """Free every sale that only a test invoice holds, so that it can be invoiced for real.

    The test documents stay, as superseded. How many there were. Raises `PracticeUnderWay` while any
    is at a provider or in doubt there.
    """
    under_way = sum(1 for state in _UNDER_WAY for one in _tests(tenant, state) if one.version)
    if under_way:
        raise PracticeUnderWay(under_way)
    freed = 0
    for state in (State.STAMPED, State.CANCELLING):
        for invoice in list(_tests(tenant, state)):
            tenant.invoices.move(
                invoice.id, state, State.SUPERSEDED, actor="staff", reason="was a test"
            )
            tenant.claims.release(invoice.id)
            tenant.credits.release(invoice.id, "test")
            freed += not invoice.is_note
    for invoice in list(_tests(tenant, State.CANCELLED)):
        tenant.claims.release(invoice.id)  # one cancelled as "no operation" holds its sale still
        tenant.credits.release(invoice.id, "test")  # and a note with a substitute its refund
        for sale_id in sorted(invoice.sale_ids):
            tenant.asks.settle(sale_id, CHANGED)  # what was told of that is over
    return freed


def _tests(tenant: Tenant, state: State) -> Iterator[Invoice]:
    return (one for one in tenant.invoices.each(state) if one.environment == "test")
