"""The buyer's page asks, the steps answer: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.domain.purchase import FieldError, FiscalForm, Purchase
from hub.steps import ask, deliver, look, request
from hub.steps.context import Context
from hub.steps.fresh import Refreshing


@dataclass(slots=True)
class Buyer:
    """`portal.buyer.service.BuyerService` on the real steps."""

    ctx: Context
    refreshing: Refreshing = field(init=False)

    def __post_init__(self) -> None:
        self.refreshing = Refreshing(self.ctx)

    def refresh(self, token: str) -> None:
        self.refreshing.looked_at(token)

    def purchase(self, token: str) -> Purchase | None:
        return look.purchase(self.ctx, token)

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
        self.refreshing.asked_for(token)
        requested = request.request(self.ctx, token, form, language)
        return requested.errors if requested else (request.NOT_OPEN,)

    def check(self, token: str, form: FiscalForm) -> tuple[FieldError, ...]:
        return request.check(self.ctx, token, form)

    def xml(self, token: str) -> bytes | None:
        found = look.stamped(self.ctx, token)
        return found[1].xml if found else None

    def pdf(self, token: str) -> bytes | None:
        found = look.stamped(self.ctx, token)
        return deliver.print_of(*found) if found else None

    def send_again(self, token: str, correo: str, language: str) -> FieldError | None:
        return deliver.send_again(self.ctx, token, correo, language)

    def ask(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        return ask.ask(self.ctx, token, form)
