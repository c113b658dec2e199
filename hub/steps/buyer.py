"""The buyer's page asks, the steps answer: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hub.domain.brand import Brand
from hub.domain.purchase import (
    Draft,
    FieldError,
    FiscalForm,
    Joined,
    Listed,
    Paper,
    Purchase,
    Visit,
    Word,
    field_error,
)
from hub.domain.receiver import Receiver
from hub.steps import (
    ask,
    awaited,
    bundle,
    correct,
    deliver,
    divide,
    find,
    join,
    look,
    request,
    unsubscribe,
)
from hub.steps.brand import paper_behind
from hub.steps.context import Context
from hub.steps.fresh import Refreshing
from hub.steps.known_at_sat import KnownAtSat


@dataclass(slots=True)
class Buyer:
    """`portal.buyer.service.BuyerService` on the real steps."""

    ctx: Context
    refreshing: Refreshing = field(init=False)
    known_at_sat: KnownAtSat = field(init=False)

    def __post_init__(self) -> None:
        self.refreshing = Refreshing(self.ctx)
        self.known_at_sat = KnownAtSat(self.ctx)

    def purchase(self, token: str) -> Purchase | None:
        return look.purchase(self.ctx, token)

    def word(self, token: str) -> Word | None:
        return look.word(self.ctx, token)

    def visit(self, token: str, *, asks: bool = True, of: str | None = None) -> Visit | None:
        return look.visit(self.ctx, token, refreshing=self.refreshing if asks else None, of=of)

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
        receiver = self.examine(token, form)
        if receiver is not None and receiver.findings:
            return tuple(field_error(finding) for finding in receiver.findings)
        self.refreshing.asked_for(token)
        requested = request.request(self.ctx, token, form, language)
        return requested.errors if requested else (request.NOT_OPEN,)

    def examine(self, token: str, form: FiscalForm) -> Receiver | None:
        receiver = request.examine(self.ctx, token, form)
        return self.known_at_sat.examined(token, receiver) if receiver else None

    def xml(self, token: str) -> bytes | None:
        found = look.stamped(self.ctx, token)
        return found[1].xml if found else None

    def pdf(self, token: str) -> bytes | None:
        found = look.stamped(self.ctx, token)
        return deliver.print_of(*found, paper_behind(self.ctx, token)) if found else None

    def note_xml(self, token: str, number: int) -> bytes | None:
        found = look.noted(self.ctx, token, number)
        return found[1].xml if found else None

    def note_pdf(self, token: str, number: int) -> bytes | None:
        found = look.noted(self.ctx, token, number)
        return deliver.print_of(*found, paper_behind(self.ctx, token)) if found else None

    def send_again(self, token: str, correo: str, language: str) -> FieldError | None:
        return deliver.send_again(self.ctx, token, correo, language)

    def seller(self, name: str) -> Brand | None:
        return find.seller(self.ctx, name)

    def find(self, code: str, total: Decimal, merchant_id: str | None) -> str | None:
        return find.find(self.ctx, code, total, merchant_id)

    def prove(self, token: str, rfc: str, nombre: str = "") -> str | None:
        return find.prove(self.ctx, token, rfc, nombre)

    def resend(self, token: str) -> None:
        find.resend(self.ctx, token)

    def dispute(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        return ask.dispute(self.ctx, token, form)

    def leaving(self, token: str) -> Brand | None:
        return unsubscribe.leaving(self.ctx, token)

    def unsubscribe(self, token: str) -> Brand | None:
        return unsubscribe.unsubscribe(self.ctx, token)

    def ask(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        return ask.ask(self.ctx, token, form)

    def stamped_data(self, token: str) -> FiscalForm | None:
        return correct.data_of(self.ctx, token)

    def correct(
        self, token: str, form: FiscalForm, mensaje: str, language: str
    ) -> tuple[FieldError, ...]:
        receiver = self.examine(token, form)
        if receiver is not None and receiver.findings:
            return tuple(field_error(finding) for finding in receiver.findings)
        return correct.correct(self.ctx, token, form, mensaje, language)

    def let_know(self, token: str, correo: str) -> FieldError | None:
        return awaited.let_know(self.ctx, token, correo)

    def bundle(self, token: str, others: Sequence[str]) -> Iterator[Paper] | None:
        return bundle.bundle(self.ctx, token, others)

    def listed(self, token: str) -> tuple[Listed, ...]:
        return join.listed(self.ctx, token)

    def unjoinable(self, token: str) -> FieldError | None:
        return join.problem(self.ctx, token)

    def join(self, token: str, code: str, total: Decimal) -> Joined:
        return join.add(self.ctx, token, code, total)

    def join_link(self, token: str, text: str) -> Joined:
        return join.add_link(self.ctx, token, text)

    def take_off(self, token: str, place: int) -> str | None:
        return join.take_off(self.ctx, token, place)

    def separate(self, token: str) -> bool:
        return join.separate(self.ctx, token)

    def draft(self, token: str, units: Mapping[str, Decimal] | None) -> Draft | None:
        return divide.draft(self.ctx, token, units)

    def divide(self, token: str, units: Mapping[str, Decimal], vista: str) -> FieldError | None:
        return divide.divide(self.ctx, token, units, vista)

    def unite(self, token: str) -> FieldError | None:
        return divide.unite(self.ctx, token)
