"""How a connection is, in words; and who is looked after again today."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from connectors.connecting import OrderShown, Problem, Standing
from hub.domain.rules import Rules
from hub.steps.belong import last_of
from hub.steps.context import Context
from hub.steps.issuer import issuer_of
from hub.steps.look import purchase_of
from hub.steps.pairing import merchant_name
from hub.store.records import Bond, Connection

EVERY: Final = timedelta(days=1)
UNKNOWN: Final = "desconocida"

#: What a merchant is told in Spanish, by the code of the problem.
_SPANISH: Final = {
    "keys_refused": "La tienda rechaza las claves de la API. Vincula la tienda otra vez.",
    "store_address_refused": "La dirección de la tienda no se puede usar.",
    "shop_connected_elsewhere": "La tienda ya está conectada. Primero desconéctala donde lo está.",
    "store_unreachable": "La tienda no responde. Se intenta de nuevo cada pocos minutos.",
    "hub_outdated": "La tienda cambió de versión. Hay que actualizar el hub.",
    "webhooks_off": "La tienda apagó sus avisos. Enciende los webhooks en la tienda.",
    "app_removed": "La tienda quitó la aplicación. Instálala otra vez para conectarla.",
    "left_behind": "Quedaron avisos en la tienda que no se pudieron borrar. Bórralos ahí.",
}
_ELSE: Final = "Hay un problema con la tienda."


def check_all(ctx: Context) -> None:
    """Promise a look at each open connection that had none for a day; forget old codes."""
    now = ctx.clock.now()
    with ctx.store.transaction() as tx:
        tx.pairing.forget_old()
    with ctx.store.reading() as tx:
        due = [
            connection
            for connection in tx.doors.connections()
            if _due(tx.tenant(connection.merchant_id).bonds.get(connection.id), now - EVERY)
        ]
    for connection in due:
        with ctx.store.transaction() as tx:
            tx.tenant(connection.merchant_id).promise("connect", connection.id, queue="ingest")


def _due(bond: Bond | None, before: datetime) -> bool:
    if bond is None:
        return True
    return bond.state != "closed" and (bond.checked_at is None or bond.checked_at < before)


def standing(ctx: Context, merchant_id: str, connection_id: str) -> Standing:
    """Raises `LookupError` if there is no such connection."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        connection, bond = tenant.connections.get(connection_id), tenant.bonds.get(connection_id)
        name, rules = merchant_name(tx, merchant_id), issuer_of(tenant).rules
    if connection is None:
        raise LookupError("no such connection")
    problems = _problems(connection, bond)
    fetched = [at for at in (connection.swept_until, bond and bond.checked_at) if at]
    return Standing(
        state=_state(bond, problems),
        merchant_name=name,
        keys=bond.keys if bond else "unknown",
        subscriptions=bond.subscriptions if bond else (),
        last_delivery_at=connection.last_delivery_at,
        last_fetch_at=max(fetched, default=None),
        problems=problems,
        window=window(rules),
    )


def _state(bond: Bond | None, problems: tuple[Problem, ...]) -> str:
    if bond is not None and bond.state == "closed":
        return "closed"
    if problems:
        return "trouble"
    return "checking" if bond is not None and bond.state == "checking" else "connected"


def _problems(connection: Connection, bond: Bond | None) -> tuple[Problem, ...]:
    found = []
    if bond is not None and bond.problem_code:
        code = bond.problem_code
        found.append(Problem(code, bond.problem, _SPANISH.get(code, _ELSE)))
    if connection.problem:
        code = "store_trouble"
        found.append(Problem(code, connection.problem, _SPANISH["store_unreachable"]))
    return tuple(found)


def window(rules: Rules) -> tuple[str, str, str]:
    """How long a buyer has: the kind, and a sentence in English and Spanish."""
    if rules.dias is not None:
        return (
            "dias",
            f"Until {rules.dias} days after the payment.",
            f"Hasta {rules.dias} días después del pago.",
        )
    if rules.hasta == "anio":
        return (
            "anio",
            "Until the end of the year of the payment.",
            "Hasta el último día del año del pago.",
        )
    return (
        "mes",
        "Until the end of the month of the payment, and 72 hours at least.",
        "Hasta el último día del mes del pago, y al menos 72 horas.",
    )


def order_shown(
    ctx: Context, merchant_id: str, connection: Connection, order_id: str
) -> OrderShown:
    """What became of an order, for the shop's own staff and buyer."""
    with ctx.store.reading() as tx:
        tenant = tx.tenant(merchant_id)
        row = last_of(tenant, connection.id, order_id)
        proofs = tenant.proofs
        proof = row and proofs.current(connection.id, row.sale.key)
        proof = proof or proofs.current(connection.id, order_id)
    if row is None:
        return OrderShown(UNKNOWN)
    purchase = purchase_of(ctx, merchant_id, row.id)
    return OrderShown(
        estado=purchase.estado.value,
        uuid=purchase.uuid,
        link=shop_link(ctx, connection, order_id, proof) if proof else None,
    )


def shop_link(ctx: Context, connection: Connection, order_id: str, proof: str) -> str:
    return f"{ctx.public_url}/s/{connection.platform}/{connection.id}/{order_id}?c={proof}"
