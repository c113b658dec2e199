"""An order of Shopify as a `Sale`. Pure. Why each field is read as it is: README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from connectors.contract import DeliveryUnreadable
from connectors.reader import Reader
from connectors.shopify import graphql_order, rest
from connectors.shopify.buyer import buyer_of
from connectors.shopify.checks import Sums, contradictions, of_cancelled, some_of
from connectors.shopify.lines import EXCLUDED, less, lines_of, rounded
from connectors.shopify.money import tidy, total_of
from connectors.shopify.order import Order
from connectors.shopify.payments import credit_of, paid_at, payments_of, state_of
from connectors.shopify.reading import decoded, names_of_entity, tail
from connectors.shopify.refunds import Reckoning, apart, edited_out, missing, reckoned
from hub.domain.sale import Excluded, PaymentState, Sale, SaleLine

#: `Sale.hold` and `Sale.barred`: words of the hub's own.
ESTIMATED_TAXES: Final = "estimated_taxes"
DISPUTED: Final = "disputed"
REFUND_UNDER_WAY: Final = "refund_pending"
OTHER_SELLER: Final = "another seller of record"
OTHER_ENTITY: Final = "another legal entity"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: https://shopify.dev/docs/api/admin-graphql/latest/enums/DisputeStatus
_OPEN_DISPUTE: Final = frozenset({"needs_response", "under_review"})
_LOST_DISPUTE: Final = frozenset({"lost", "accepted", "charge_refunded"})


def sale_of(document: Reader, settings: Mapping[str, Any]) -> Sale:
    """Of what `fetch` returned ({"shape": "graphql", …}) or of an order as it was delivered.

    Raises `DeliveryUnreadable`.
    """
    document.names()
    fetched = document.at("shape").value == "graphql"
    place = document.at("order") if fetched else document
    place.names()
    order = graphql_order.order_of(place, settings) if fetched else rest.order_of(place, settings)
    _refuse_doubles(order)
    doubts: list[str] = []
    state = state_of(order, doubts)
    charged = lines_of(order, doubts)
    reckoning = reckoned(order, charged, doubts)
    removed = edited_out(order, charged, reckoning) if order.cancelled else reckoning.removed
    kept = less(charged, removed)
    lines = rounded(tuple(line for line in kept if line.kind not in EXCLUDED), order.rounding)
    refunds, given_back = apart(reckoning.refunds, charged)
    excluded = _excluded(kept, given_back)
    sums = _sums(order, charged, kept, reckoning)
    total = tidy(total_of(line.total for line in lines))
    if order.cancelled:
        due = total - total_of(refund.total for refund in refunds)
        state = of_cancelled(order, sums, reckoning, due, doubts)
    doubts += contradictions(order, sums, reckoning, state)
    doubts += _of_pieces(order)
    payments = payments_of(order, sums.charged - sums.removed + order.rounding, doubts)
    on_credit, due_at = credit_of(order, state)
    return Sale(
        key=order.key,
        number=order.number or order.key,
        revision=(order.updated_at - _EPOCH) // timedelta(microseconds=1),
        placed_at=order.placed_at,
        paid_at=paid_at(order, state, payments),
        payment_state=state,
        currency=order.currency,
        total=total,
        lines=lines,
        payments=payments,
        refunds=refunds,
        buyer=buyer_of(place, settings, fetched=fetched),
        exchange_rate=order.exchange_rate,
        test=order.test,
        status="cancelled" if order.cancelled else order.status,
        unverified=not fetched,
        doubts=(*doubts, *_lost(order)),
        excluded=excluded,
        hold=_hold(order, reckoning, state),
        barred=_barred(order, document if fetched else None, settings),
        on_credit=on_credit,
        due_at=due_at,
    )


def _refuse_doubles(order: Order) -> None:
    if len({one.key for one in order.charges}) != len(order.charges):
        raise DeliveryUnreadable("two lines of the order have one id")


def _sums(
    order: Order, charged: Sequence[SaleLine], kept: Sequence[SaleLine], reckoning: Reckoning
) -> Sums:
    whole = total_of(line.total for line in charged)
    left = total_of(line.total for line in kept)
    # The rounding of cash is no part of what Shopify counts as charged or given back.
    rounding = total_of(
        one.rounding
        for given in order.refunds
        for one in given.transactions
        if (one.kind, one.status) == ("refund", "success")
    )
    back = total_of(refund.total for refund in reckoning.refunds) - rounding
    return Sums(whole, whole - left, back, reckoning.goods, some_of(reckoning.taken))


def _excluded(kept: Sequence[SaleLine], given_back: Mapping[str, Decimal]) -> tuple[Excluded, ...]:
    """What is left of each: charged less given back."""
    return tuple(
        Excluded(line.kind, tidy(left))
        for line in kept
        if line.kind in EXCLUDED and (left := line.total - given_back.get(line.key, 0)) > 0
    )


def _of_pieces(order: Order) -> list[str]:
    return [
        f"Del renglón {one.key} quedan {one.current:f} piezas: más de las que sus reembolsos dicen."
        for one in order.charges
        if missing(order, one) < 0
    ]


def _lost(order: Order) -> tuple[str, ...]:
    if order.disputes & _LOST_DISPUTE:
        return ("Se perdió un contracargo de este pedido: el dinero ya no está.",)
    return ()


def _hold(order: Order, reckoning: Reckoning, state: PaymentState) -> str:
    if order.disputes & _OPEN_DISPUTE:
        return DISPUTED
    if state is PaymentState.PAID and order.estimated_taxes:
        return ESTIMATED_TAXES
    return REFUND_UNDER_WAY if reckoning.under_way else ""


def _barred(order: Order, fetched: Reader | None, settings: Mapping[str, Any]) -> str:
    if order.seller_of_record:
        return OTHER_SELLER
    ours = _ours(fetched, settings)
    return OTHER_ENTITY if order.entity and ours and not order.entity & ours else ""


def _ours(fetched: Reader | None, settings: Mapping[str, Any]) -> frozenset[str]:
    """The legal entity of this connection: the one it was set to, else the shop's primary one."""
    named = settings.get("legal_entity")
    if named:
        name = tail(str(named))
        return frozenset({name}) | decoded(name)
    entities = fetched.items("shop.businessEntities") if fetched else ()
    primary = [one for one in entities if one.flag("primary", default=False)]
    return frozenset().union(*map(names_of_entity, primary))
