"""One open transaction: what belongs to all tenants, and the way to one tenant."""

from __future__ import annotations

from datetime import datetime

from hub.store import outbox
from hub.store.apps import Apps
from hub.store.asks import Asks
from hub.store.bonds import Bonds
from hub.store.books import Books
from hub.store.brand import Addresses, Logos
from hub.store.cancellations import Cancellations
from hub.store.channels import Bounces, Channels, OptOuts
from hub.store.claims import Claims
from hub.store.connections import Connections
from hub.store.credits import Credits
from hub.store.customers import Customers
from hub.store.divisions import Divisions
from hub.store.erasures import Erasures
from hub.store.errors import RowUnknown
from hub.store.inbox import Inbox
from hub.store.invoices import Invoices
from hub.store.mails import Mails
from hub.store.merchant_settings import Csd, Pac, Rules
from hub.store.merchants import Doors, Merchants
from hub.store.objects import Objects
from hub.store.pairings import PairingDoors, Pairings, Proofs
from hub.store.records import Merchant
from hub.store.sales import Links, Sales
from hub.store.session import Opening, Scope, Session


class Transaction:
    """Valid until its `with` ends."""

    def __init__(self, session: Session, opening: Opening) -> None:
        self.session = session
        self._opening = opening
        self.merchants = Merchants(session)
        self.doors = Doors(session)
        self.pairing = PairingDoors(session)
        self.apps = Apps(session)
        self.outbox = outbox.Outbox(session)
        self.leases = outbox.Leases(session)

    def tenant(self, merchant_id: str) -> Tenant:
        """Everything of one merchant, and nothing of any other."""
        return Tenant(Scope(self.session, merchant_id), self._opening)


class Tenant:
    """One merchant's rows. Whatever is asked for here is asked for within that merchant."""

    def __init__(self, scope: Scope, opening: Opening) -> None:
        self._scope = scope
        self.id = scope.merchant_id
        self.rules = Rules(scope)
        self.csd = Csd(scope)
        self.pac = Pac(scope)
        self.connections = Connections(scope, opening)
        self.inbox = Inbox(scope)
        self.sales = Sales(scope)
        self.objects = Objects(scope)
        self.links = Links(scope)
        self.claims = Claims(scope)
        self.divisions = Divisions(scope)
        self.invoices = Invoices(scope)
        self.mails = Mails(scope)
        self.channels = Channels(scope)
        self.optouts = OptOuts(scope)
        self.bounces = Bounces(scope)
        self.credits = Credits(scope)
        self.cancellations = Cancellations(scope)
        self.asks = Asks(scope)
        self.pairings = Pairings(scope)
        self.bonds = Bonds(scope)
        self.books = Books(scope)
        self.proofs = Proofs(scope)
        self.logos = Logos(scope)
        self.addresses = Addresses(scope)
        self.customers = Customers(scope)
        self.erasures = Erasures(scope)

    def merchant(self) -> Merchant:
        """Raises `RowUnknown` if there is no such merchant."""
        merchant = Merchants(self._scope.session).get(self.id)
        if merchant is None:
            raise RowUnknown("no such merchant")
        return merchant

    def promise(
        self, job: str, subject: str, *, queue: str, due_at: datetime | None = None
    ) -> None:
        """Promise that `job` will be run for `subject`, now or at `due_at`.

        Joins an equal promise that waits, keeping the earlier time. If the equal one is being run
        right now, it may have read what was there before: then it will be run once more.
        """
        outbox.promise(self._scope, job, subject, queue, due_at)
