"""What the buyer's page asks of the hub. The page decides nothing: it shows and passes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from hub.domain.purchase import FieldError, FiscalForm, Purchase


class BuyerService(Protocol):
    """Everything is looked up by the link's token; no answer tells why a token is not known."""

    def purchase(self, token: str) -> Purchase | None:
        """The purchase of this link, or None if there is no such link (any more)."""
        ...

    def refresh(self, token: str) -> None:
        """Somebody looks: have the seller asked for the amounts of now, within a moment."""
        ...

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
        """Ask for the invoice. Nothing returned: accepted, now or by an earlier submission."""
        ...

    def check(self, token: str, form: FiscalForm) -> tuple[FieldError, ...]:
        """What `request` would refuse. Changes nothing."""
        ...

    def xml(self, token: str) -> bytes | None: ...

    def pdf(self, token: str) -> bytes | None: ...

    def send_again(self, token: str, correo: str, language: str) -> FieldError | None:
        """Mail the issued invoice to this address."""
        ...

    def ask(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        """File a question for the merchant: the six fields of the form, `mensaje` and `idioma`."""
        ...
