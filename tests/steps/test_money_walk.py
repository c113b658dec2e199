"""Random walks: whatever happens in whatever order, each peso is invoiced once, or told of."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from cfdi.findings import Finding, FixableBy
from cfdi.pac.contract import Later, Never, Unknown
from hub.domain.purchase import Estado, FiscalForm
from hub.domain.sale import Payment, PaymentState, Refund, RefundLine, Sale, SaleLine, SaleTax
from hub.domain.states import State
from hub.steps import cancel, close, divide, join, look, request, review
from hub.steps.cancel import NotCancellable
from hub.steps.review import NotResolvable

D = Decimal
RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ndividir = true\n'
KEYS = ("7001", "7002", "7003")
_REFUSED = Never((Finding("CFDI40147", "nombre", "no", "no", FixableBy.BUYER),), b"")
_STUCK = Never((Finding("PAC1", "", "no", "no", FixableBy.MERCHANT),), b"")


def a_sale(key: str, price: str) -> dict[str, Any]:
    def line(number: str, quantity: int, amount: Decimal) -> SaleLine:
        iva = SaleTax(round(amount * D("0.16"), 2), D("0.16"), impuesto="IVA")
        return SaleLine(number, f"Plato {number}", D(quantity), amount, D(0), (iva,))

    lines = line("1", 2, D(price)), line("2", 1, D("50.05"))
    total = sum((one.total for one in lines), D(0))
    return {
        "lines": lines,
        "total": total,
        "refunds": (),
        "hold": "",
        "payment_state": PaymentState.PAID,
        "payments": (Payment("card", total, forma_pago="04"),),
    }


class Walk:
    """One merchant's day, by the dice."""

    def __init__(self, merchant: Any, forms: tuple[FiscalForm, ...], seed: int) -> None:
        self.merchant, self.forms, self.rng = merchant, forms, random.Random(seed)
        self.ctx, self.world = merchant.world.ctx, merchant.world
        self.now = {key: a_sale(key, "100.03") for key in KEYS}
        self.revision, self.globals, self.done = 1, 0, list[str]()
        self.ids = {key: merchant.keep(key, **self.now[key]) for key in KEYS}

    def step(self) -> None:
        name = self.rng.choice(
            [
                *("alone", "joint", "joint", "part", "part", "divide", "divide", "unite"),
                *("change", "change", "drain", "drain", "one", "one", "one", "staff"),
                *("fault", "fault", "cancel", "close", "reopen", "separate", "settle", "minutes"),
            ]
        )
        self.done.append(name)
        getattr(self, name)()

    @property
    def key(self) -> str:
        return self.rng.choice(KEYS)

    @property
    def form(self) -> FiscalForm:
        return self.rng.choice(self.forms)

    def ask(self, token: str) -> request.Requested | None:
        shown = look.purchase(self.ctx, token)
        vista = shown.vista if shown else ""
        return request.request(self.ctx, token, replace(self.form, vista=vista), "es")

    def passed(self, keys: list[str], part: int = 0) -> str:
        links = [self.merchant.change(lambda t, k=k: t.links.make(self.ids[k])) for k in keys]
        sold = [(link.sale_id, link.generation) for link in links]
        made: str = self.ctx.passes.make(self.merchant.id, sold, self.ctx.clock.now(), part)
        return made

    def alone(self) -> None:
        key = self.key
        self.ask(self.rng.choice([self.merchant.token(self.ids[key]), self.passed([key])]))

    def joint(self) -> None:
        self.ask(self.passed(self.rng.sample(KEYS, self.rng.choice([2, 3]))))

    def part(self) -> None:
        self.ask(self.passed([self.key], self.rng.choice([1, 2])))

    def staff(self) -> None:
        part = self.rng.choice([0, 0, 1, 2])
        sale_id = self.ids[self.key]
        request.issue(self.ctx, self.merchant.id, sale_id, self.form, actor="staff", part=part)

    def divide(self) -> None:
        token = self.merchant.token(self.ids[self.key])
        shown = look.purchase(self.ctx, token)
        assert shown is not None
        units = self.rng.choice([{"1": D(1)}, {"1": D("0.333333"), "2": D(1)}, {"2": D("0.5")}])
        divide.divide(self.ctx, token, units, shown.vista)

    def unite(self) -> None:
        divide.unite(self.ctx, self.merchant.token(self.ids[self.key]))

    def separate(self) -> None:
        join.separate(self.ctx, self.merchant.token(self.ids[self.key]))

    def change(self) -> None:
        key, how = self.key, self.rng.choice(["price", "refund", "refund", "hold", "state", "back"])
        now = self.now[key]
        if how == "price":
            now |= a_sale(key, self.rng.choice(["100.03", "120.01"]))
        elif how == "refund":
            now["refunds"] = self.rng.choice([(), self.some_back(now), self.all_back(now)])
        elif how == "hold":
            now["hold"] = "" if now["hold"] else "disputed"
        elif how == "state":
            states = [PaymentState.PENDING, PaymentState.CANCELLED, PaymentState.UNKNOWN]
            now["payment_state"] = self.rng.choice(states)
        else:
            now |= {"payment_state": PaymentState.PAID, "hold": ""}
        self.keep(key)

    def keep(self, key: str) -> None:
        self.revision += 1
        self.merchant.keep(key, revision=self.revision, **self.now[key])

    def some_back(self, now: dict[str, Any]) -> tuple[Refund, ...]:
        key = f"r{self.revision}"
        one = now["lines"][1]
        by_line = RefundLine("2", one.quantity, one.base, (one.taxes[0].amount,))
        return (
            self.rng.choice(
                [Refund(key, D("11.60")), Refund(key, one.total, "", None, (by_line,))]
            ),
        )

    def all_back(self, now: dict[str, Any]) -> tuple[Refund, ...]:
        return (Refund(f"r{self.revision}", now["total"]),)

    def drain(self) -> None:
        self.world.drain()

    def one(self) -> None:
        self.world.drain("stamp", rows=1)

    def fault(self) -> None:
        answers = [_REFUSED, _STUCK, Later("no credit"), Unknown("no answer")]
        answer = self.rng.choice(answers)
        self.world.pac(self.merchant.account).instead.append(lambda _sealed, _reference: answer)

    def minutes(self) -> None:
        self.world.clock.advance(self.rng.choice([60, 400, 4000]))

    def cancel(self) -> None:
        live = self.merchant.of(lambda t: t.invoices.list(state=State.STAMPED))
        if live:
            with suppress(NotCancellable):
                invoice = self.rng.choice(live)
                motivo = Motivo.ERRORES_SIN_RELACION
                cancel.ask(self.ctx, self.merchant.id, invoice.id, motivo)

    def close(self) -> None:
        listed = close.open_tickets(self.ctx, self.merchant.id, None, None)
        self.globals += 1
        closed = close.close(self.ctx, self.merchant.id, self.ctx.clock.now(), f"G-{self.globals}")
        assert closed.marked == len(listed), self.done

    def reopen(self) -> None:
        if self.globals:
            close.reopen(self.ctx, self.merchant.id, f"G-{self.rng.randint(1, self.globals)}")

    def settle(self) -> None:
        for one in self.merchant.of(lambda t: t.invoices.list(state=State.REVIEW)):
            with suppress(NotResolvable):
                if self.rng.random() < 0.5:
                    review.retry(self.ctx, self.merchant.id, one.id)
                else:
                    review.not_stamped(self.ctx, self.merchant.id, one.id, actor="staff")

    def rest(self) -> None:
        self.world.pac(self.merchant.account).instead.clear()
        for key in KEYS:
            if self.now[key]["hold"]:
                self.now[key]["hold"] = ""
                self.keep(key)
        self.world.quiet()


def in_force(merchant: Any, sale_id: str) -> list[tuple[int, Decimal]]:
    """Part and amount of the sale in each document that is in force."""
    found = []

    def look_up(tenant: Any) -> None:
        for state in (State.STAMPED, State.CANCELLING):
            for one in tenant.invoices.list(state=state):
                if sale_id in one.sale_ids and not one.is_note:
                    share = tenant.credits.share(one.id, one.version, sale_id)
                    part = tenant.claims.part_of(one.id, sale_id)
                    found.append((part, share.due if share else one.total))

    merchant.of(look_up)
    return found


def credited(merchant: Any, sale_id: str) -> Decimal:
    def look_up(tenant: Any) -> Decimal:
        notes = [one for one in tenant.credits.of_sale(sale_id) if one.closed_at is None]
        rows = [tenant.invoices.get(one.invoice_id) for one in notes]
        return sum((one.total for one in rows if one.state is State.STAMPED), D(0))

    total: Decimal = merchant.of(look_up)
    return total


def is_told(merchant: Any, sale_id: str) -> bool:
    """Somebody was asked to look: about the sale, or a document of it."""
    asks = {one.sale_id for one in merchant.of(lambda t: t.asks.list())}
    waiting = merchant.of(lambda t: t.invoices.list(state=State.REVIEW))
    return sale_id in asks or any(sale_id in one.sale_ids for one in waiting)


def judged(walk: Walk, key: str) -> None:
    """Each peso of the sale is invoiced once, can be had, or somebody knows why not."""
    merchant, sale_id = walk.merchant, walk.ids[key]
    row = merchant.of(lambda t: t.sales.get(sale_id))
    sale: Sale = row.sale
    documents = in_force(merchant, sale_id)
    assert len({part for part, _ in documents}) == len(documents), "a part has two documents"
    assert not (0 in {p for p, _ in documents} and len(documents) > 1), "a whole beside a part"
    left = sum((amount for _, amount in documents), D(0)) - credited(merchant, sale_id)
    assert left >= 0, "more was credited than invoiced"
    paid = sale.payment_state is PaymentState.PAID
    claims = merchant.of(lambda t: t.claims.of_sale(sale_id))
    in_global = [one for one in claims if one.global_uuid]
    if is_told(merchant, sale_id) or row.reasons:
        return
    if documents and not (paid and sale.due > 0):
        ended = sale.payment_state in {PaymentState.CANCELLED, PaymentState.REFUNDED} or paid
        assert ended, "it is not paid, and nobody was told"
        assert left == sale.due == 0, f"{left} are left of nothing, and nobody was told"
        return
    if not paid or sale.due <= 0:
        return
    if documents and not in_global and (documents[0][0] == 0 or len(documents) == 2):
        assert left == sale.due, f"{left} are invoiced of {sale.due}, and nobody was told"
        return
    if len(documents) + len(in_global) == len(claims) > 0 and (claims[0].parts == len(claims)):
        return
    can_be_had(walk, sale_id, left)


def can_be_had(walk: Walk, sale_id: str, left: Decimal) -> None:
    """The buyer, on the page of the sale, gets what is not invoiced yet, exactly."""
    merchant, sale = walk.merchant, sale_of(walk, sale_id)
    token = merchant.token(sale_id)
    shown = look.purchase(walk.ctx, token)
    assert shown is not None
    if shown.estado is Estado.VENCIDA:
        return
    assert shown.estado in {Estado.ABIERTA, Estado.RECHAZADA, Estado.EN_GLOBAL}, shown.estado
    walk.world.clock.advance(3700)
    tokens = [one.token for one in shown.parts if one.estado is not Estado.LISTA] or [token]
    for one in tokens:
        page = look.purchase(walk.ctx, one)
        assert page is not None
        if page.estado is Estado.EN_GLOBAL:
            return
        asked = request.request(walk.ctx, one, replace(walk.forms[0], vista=page.vista), "es")
        assert asked is not None
        assert asked.errors == (), asked.errors
    walk.world.quiet()
    documents = in_force(merchant, sale_id)
    assert sum((amount for _, amount in documents), D(0)) - credited(merchant, sale_id) == sale.due


def sale_of(walk: Walk, sale_id: str) -> Sale:
    found: Sale = walk.merchant.of(lambda t: t.sales.get(sale_id)).sale
    return found


@pytest.mark.parametrize("seed", range(6))
def test_each_peso_once(world: Any, form: FiscalForm, other_form: FiscalForm, seed: int) -> None:
    merchant = world.settle(rules=RULES)
    walk = Walk(merchant, (form, other_form), seed)
    for _ in range(40):
        walk.step()
        for sale_id in walk.ids.values():
            parts = [part for part, _ in in_force(merchant, sale_id)]
            assert len(parts) == len(set(parts)), walk.done
            assert not (0 in parts and len(parts) > 1), walk.done
    assert world.violations() == [], walk.done
    walk.rest()
    assert world.violations() == [], walk.done
    for key in KEYS:
        try:
            judged(walk, key)
        except AssertionError as error:
            raise AssertionError(f"{key}: {error}: {' '.join(walk.done)}") from error
