"""The page's word for a purchase, and why it is so, from the rows of its invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hub.domain import policy
from hub.domain.purchase import DOWN, Estado
from hub.domain.states import State
from hub.steps.context import Context
from hub.store.records import Attempt, Invoice

#: The page's word for each state of the invoice; a rejected one depends on the sale as well.
_ESTADOS = {
    State.REQUESTED: Estado.PROCESANDO,
    State.SEALED: Estado.PROCESANDO,
    State.SENDING: Estado.PROCESANDO,
    State.UNKNOWN: Estado.POR_CONFIRMAR,
    State.REVIEW: Estado.EN_REVISION,
    State.STAMPED: Estado.LISTA,
    State.SUPERSEDED: Estado.LISTA,
    State.CANCELLING: Estado.LISTA,
    State.CANCELLED: Estado.CANCELADA,
}
_STANDINGS = {
    policy.Kind.OPEN: Estado.ABIERTA,
    policy.Kind.REVIEW: Estado.EN_REVISION,
    policy.Kind.EXPIRED: Estado.VENCIDA,
    policy.Kind.PENDING: Estado.CANCELADA,
    policy.Kind.CANCELLED: Estado.CANCELADA,
    policy.Kind.REFUNDED: Estado.CANCELADA,
    policy.Kind.FREE: Estado.CANCELADA,
    policy.Kind.HELD: Estado.EN_REVISION,
    policy.Kind.BARRED: Estado.CANCELADA,
}
#: The invoice is being made.
AWAITED = frozenset({Estado.PROCESANDO, Estado.POR_CONFIRMAR})
_ON_ITS_WAY = frozenset({State.SEALED, State.SENDING})
#: After so long something is down, whether the invoice was sent or not.
LATE = timedelta(minutes=1)


def estado_of(
    invoice: Invoice | None,
    attempts: Sequence[Attempt],
    standing: policy.Standing,
    *,
    in_global: bool,
) -> Estado:
    if in_global:
        return Estado.EN_GLOBAL
    if invoice is None:
        return _STANDINGS[standing.kind]
    state = invoice.state
    if state is State.REQUESTED and standing.kind is policy.Kind.HELD:
        return Estado.EN_REVISION  # nothing is sealed until the hold is over
    if state is State.REJECTED:
        return Estado.RECHAZADA if standing.kind is policy.Kind.OPEN else _STANDINGS[standing.kind]
    if state in _ON_ITS_WAY and _was_answered(invoice, attempts):
        return Estado.POR_CONFIRMAR  # sent, and nobody could say: the provider or SAT is down
    return _ESTADOS[state]


def _was_answered(invoice: Invoice, attempts: Sequence[Attempt]) -> bool:
    """The document was sent before, without a word on it."""
    return any(one.version == invoice.version and one.outcome is not None for one in attempts)


def reason_of(
    ctx: Context,
    invoice: Invoice | None,
    attempts: Sequence[Attempt],
    estado: Estado,
    standing: policy.Standing,
) -> str:
    """`Purchase.reason`."""
    if invoice is not None and invoice.state is State.CANCELLED:
        return "invoice_cancelled"
    if invoice is None or estado not in AWAITED:
        return standing.reason
    doubtful = any(one.outcome in {"unknown", "lost"} for one in attempts)
    waits = invoice.state is not State.UNKNOWN and not doubtful
    late = estado is Estado.POR_CONFIRMAR or ctx.clock.now() - invoice.updated_at > LATE
    return DOWN if waits and late else ""
