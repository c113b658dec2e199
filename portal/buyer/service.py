"""What the buyer's page asks of the hub. The page decides nothing: it shows and passes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

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
)
from hub.domain.receiver import Receiver


class BuyerService(Protocol):
    """Everything is looked up by the link's token; no answer tells why a token is not known."""

    def purchase(self, token: str) -> Purchase | None:
        """The purchase of this link, or None if there is no such link (any more)."""
        ...

    def word(self, token: str) -> Word | None:
        """How it is, for those who wait: what `purchase` says of it, and no more."""
        ...

    def visit(self, token: str, *, asks: bool = True, of: str | None = None) -> Visit | None:
        """Somebody opens the page: the purchase, with the amounts of now if the seller says them
        within a moment.

        Without `asks` nobody is asked for them. None as well if it is not of the merchant `of`.
        """
        ...

    def request(self, token: str, form: FiscalForm, language: str) -> tuple[FieldError, ...]:
        """Ask for the invoice. Nothing returned: accepted, now or by an earlier submission."""
        ...

    def examine(self, token: str, form: FiscalForm) -> Receiver | None:
        """What `request` would make the invoice out to, and refuse of it. Changes nothing."""
        ...

    def xml(self, token: str) -> bytes | None: ...

    def pdf(self, token: str) -> bytes | None: ...

    def note_xml(self, token: str, number: int) -> bytes | None:
        """The credit note of that number in `Purchase.notes`; None if there is none."""
        ...

    def note_pdf(self, token: str, number: int) -> bytes | None: ...

    def send_again(self, token: str, correo: str, language: str) -> FieldError | None:
        """Mail the issued invoice to this address."""
        ...

    def seller(self, name: str) -> Brand | None:
        """The merchant that an address names, as its buyers know it."""
        ...

    def find(self, code: str, total: Decimal, merchant_id: str | None) -> str | None:
        """A token for the purchase with this code and total, of any merchant without one named.

        Nothing and anything else that does not fit are answered alike, after the same time.
        """
        ...

    def prove(self, token: str, rfc: str, nombre: str = "") -> str | None:
        """The token of the link, for whoever knows the RFC of the invoice's receiver; of one
        without an RFC of its own the name as well.
        """
        ...

    def resend(self, token: str) -> None:
        """Mail the invoice to the address that it was given with, if it was with one."""
        ...

    def dispute(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        """Tell the merchant that the invoice is not of whoever holds the ticket."""
        ...

    def leaving(self, token: str) -> Brand | None:
        """The merchant whose invitations this token of a letter ends. Changes nothing."""
        ...

    def unsubscribe(self, token: str) -> Brand | None:
        """End them, from now on."""
        ...

    def ask(self, token: str, form: Mapping[str, str]) -> FieldError | None:
        """File a question for the merchant: the six fields of the form, `mensaje` and `idioma`."""
        ...

    def listed(self, token: str) -> tuple[Listed, ...]:
        """The purchases that this address is of, each with what keeps it out of one invoice."""
        ...

    def unjoinable(self, token: str) -> FieldError | None:
        """Why they cannot be invoiced together; None if they can."""
        ...

    def join(self, token: str, code: str, total: Decimal) -> Joined:
        """The list with one more purchase of the same merchant (`ticket.code`, total)."""
        ...

    def join_link(self, token: str, text: str) -> Joined:
        """The same, by a text that has the address of that purchase in it."""
        ...

    def take_off(self, token: str, place: int) -> str | None:
        """The token of the list without that one, 0 being the first; None if there is no such."""
        ...

    def separate(self, token: str) -> bool:
        """Each of several is by itself again, where their one invoice was turned down."""
        ...

    def stamped_data(self, token: str) -> FiscalForm | None:
        """What the invoice in force was made out to."""
        ...

    def correct(
        self, token: str, form: FiscalForm, mensaje: str, language: str
    ) -> tuple[FieldError, ...]:
        """Ask the merchant for the invoice with these data instead."""
        ...

    def let_know(self, token: str, correo: str) -> FieldError | None:
        """Mail the invoice there when it is done; only where no address was given before."""
        ...

    def bundle(self, token: str, others: Sequence[str]) -> Iterator[Paper] | None:
        """The documents of this link and of those others that are links of the same merchant.

        None if this one has none.
        """
        ...

    def draft(self, token: str, units: Mapping[str, Decimal] | None) -> Draft | None:
        """How it would be divided, `units` of each line in the first; None: half of everything.

        None for a purchase that cannot be divided now.
        """
        ...

    def divide(self, token: str, units: Mapping[str, Decimal], vista: str) -> FieldError | None:
        """Divide it so, if its amounts are those of `vista`. None if it is done."""
        ...

    def unite(self, token: str) -> FieldError | None:
        """Undo it. None if it is done."""
        ...
