"""Customers who come again: what is remembered, who is served unasked, and what changes it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import CredentialsRefused, OrderNotFound, PlatformUnreachable
from hub.domain.customers import Fiscal, Source
from hub.domain.purchase import Estado, FiscalForm
from hub.domain.sale import Buyer, PaymentState, Refund
from hub.domain.snapshot import to_json
from hub.domain.states import State
from hub.steps import automatic, customers, find, invite, request, review

#: The rules of a merchant who wants it.
HUSH = '[forma_pago]\ndefault = "03"\n[invitaciones]\nrecordatorio_dias = 0\n'
RULES = f"{HUSH}[automatico]\nfacturar = true\n"
KEY = "c1"
EMAIL = "ana@example.com"
ADRIANA = {
    "rfc": "JUFA7608212V6",
    "fiscal_name": "ADRIANA JUAREZ FERNANDEZ",
    "postal_code": "01160",
    "regimen": "612",
    "uso": "G03",
}
OSCAR = ADRIANA | {
    "rfc": "KAHO641101B39",
    "fiscal_name": "OSCAR KALA HAAK",
    "postal_code": "76074",
}
#: Well formed, and unknown to SAT under that name.
WRONG = ADRIANA | {"fiscal_name": "ADRIANA JUAREZ FERNANDES"}
XOCHILT = "CACX7605101P8"


def who(**more: Any) -> Buyer:
    return Buyer(**({"key": KEY, "name": "Ana", "email": EMAIL} | more))


@dataclass
class Club:
    """What the platform knows of its customers, and who was asked about."""

    buyers: dict[str, Buyer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    away: Exception | None = None

    def customer(self, customer_id: str, _connection: Any, _credentials: Any) -> Buyer:
        self.asked.append(customer_id)
        if self.away:
            raise self.away
        if customer_id not in self.buyers:
            raise OrderNotFound("no such customer")
        return self.buyers[customer_id]


@pytest.fixture
def club(world: Any) -> Club:
    made = Club()
    world.shop.customer = made.customer
    return made


@pytest.fixture
def merchant(world: Any) -> Any:
    return world.settle(rules=RULES)


def buy(world: Any, merchant: Any, key: str, *, wait: bool = True, **changes: Any) -> str:
    """A sale made now; with its letters and its invoice unless told not to wait."""
    now = world.clock.now()
    given = {"buyer": who(), "placed_at": now, "paid_at": now} | changes
    sale_id = str(merchant.keep(key, **given))
    if wait:
        world.quiet()
    return sale_id


def later(world: Any, days: float = 1) -> None:
    world.clock.advance(days * 86400)


def confirmed(world: Any, merchant: Any, form: FiscalForm, key: str = "1", **changes: Any) -> str:
    """The customer's first purchase, invoiced by the buyer."""
    sale_id = buy(world, merchant, key, **changes)
    assert merchant.request(sale_id, form).errors == ()
    world.quiet()
    assert merchant.state(sale_id) is State.STAMPED
    later(world)
    return sale_id


def profile(merchant: Any, key: str = KEY) -> Any:
    return merchant.of(lambda tenant: tenant.customers.get(merchant.connection.id, key))


def receiver(merchant: Any, sale_id: str) -> tuple[str, str]:
    invoice = merchant.invoice(sale_id)
    return invoice.origin, invoice.receptor.rfc


def no_invoice(merchant: Any, sale_id: str) -> bool:
    return merchant.of(lambda tenant: tenant.invoices.for_sale(sale_id)) is None


def subjects(world: Any, address: str = EMAIL) -> list[str]:
    """What was mailed there: invitations and invoices by their kind."""
    return ["invoice" if one.attachments else "invitation" for one in world.post.to(address)]


def rules(merchant: Any, text: str) -> None:
    merchant.change(lambda tenant: tenant.rules.set(text))


class TestRemembered:
    def test_what_a_buyer_gave_once_it_was_stamped(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        sale_id = buy(world, merchant, "2", buyer=who(key="c2"))
        assert merchant.request(sale_id, form).errors == ()
        assert profile(merchant, "c2") is None, "nothing before the stamp"
        asked_at = world.clock.now()
        world.quiet()
        kept = profile(merchant, "c2")
        assert kept.data == Fiscal(
            form.rfc, form.nombre, form.cp, form.regimen, form.uso, form.correo
        )
        assert (kept.source, kept.since_at, kept.owner) == (Source.BUYER, asked_at, EMAIL)
        assert kept.environment == "test"

    @pytest.mark.parametrize("corrected", [False, True])
    def test_nothing_that_came_with_a_ticket(
        self, world: Any, merchant: Any, form: FiscalForm, corrected: bool
    ) -> None:
        """Anybody may have picked it up: else later purchases would be invoiced to the finder."""
        sale_id = buy(world, merchant, "1")
        row = merchant.of(lambda tenant: tenant.sales.get(sale_id))
        ticket = find.find(world.ctx, row.code, row.sale.total)
        assert ticket is not None
        if corrected:  # by the link that the right RFC opens
            refused = replace(form, nombre="XOCHITL CASAS CHAVEZ")
            assert request.request(world.ctx, ticket, refused, "es").errors == ()
            world.quiet()
            assert merchant.state(sale_id) is State.REJECTED
            assert merchant.request(sale_id, form).errors == ()
        else:
            assert request.request(world.ctx, ticket, form, "es").errors == ()
        world.quiet()
        assert receiver(merchant, sale_id) == ("ticket", form.rfc)
        assert merchant.state(sale_id) is State.STAMPED
        assert profile(merchant) is None

    def test_what_staff_gave(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        sale_id = buy(world, merchant, "1")
        request.issue(world.ctx, merchant.id, sale_id, form, actor="staff")
        world.quiet()
        assert profile(merchant).data.rfc == form.rfc

    @pytest.mark.parametrize("key", ["", "c" * 256, "c\x0b1"])
    def test_nobody_without_an_id(
        self, world: Any, merchant: Any, form: FiscalForm, key: str
    ) -> None:
        confirmed(world, merchant, form, buyer=who(key=key))
        assert merchant.of(lambda tenant: tenant.customers.list()) == []
        again = buy(world, merchant, "2", buyer=who(key=key))
        assert no_invoice(merchant, again)

    def test_nothing_that_sat_refused(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        sale_id = buy(world, merchant, "1")
        merchant.request(sale_id, replace(form, nombre="XOCHILT CASAS"))
        world.quiet()
        assert merchant.state(sale_id) is State.REJECTED
        assert profile(merchant) is None

    def test_one_shop_s_customer_is_no_other_s(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        other = world.settle(1, rules=RULES)
        sale_id = buy(world, other, "2")
        assert no_invoice(other, sale_id)
        keys = {"secret": "hush", "api": "yes"}
        second = merchant.change(
            lambda tenant: tenant.connections.create("shop", "two.example", keys, {}, None)
        )
        assert merchant.of(lambda tenant: customers.known(tenant, second.id, KEY)) is None


class TestUnasked:
    def test_what_the_merchant_stated(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        """It serves what waits, holds against what the platform said, gives way to an edit."""
        waiting = buy(world, merchant, "1", buyer=who(rfc="JUFA7608212V6"))
        later(world, 0.1)
        stated = customers.state(world.ctx, merchant.id, merchant.connection.id, KEY, form)
        assert stated == ()
        world.quiet()
        assert receiver(merchant, waiting) == ("automatic", XOCHILT)
        assert profile(merchant).source is Source.STAFF
        later(world)
        second = buy(world, merchant, "2", buyer=who(rfc="JUFA7608212V6", email=""))
        assert receiver(merchant, second) == ("automatic", XOCHILT)
        later(world)
        third = buy(world, merchant, "3", buyer=who(**OSCAR))
        assert receiver(merchant, third) == ("automatic", "KAHO641101B39")

    def test_a_customer_who_comes_again(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        sale_id = buy(world, merchant, "2")
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)
        assert merchant.estado(sale_id) is Estado.LISTA
        assert subjects(world, form.correo) == ["invoice"]
        (letter,) = world.post.to(form.correo)
        assert merchant.token(sale_id) in letter.text
        # A link can be passed on: whoever paid is told of what another may have given.
        assert subjects(world) == ["invoice"]
        world.quiet()
        assert len(world.post.letters) == 2
        later(world, 30)
        third = buy(world, merchant, "3")
        assert receiver(merchant, third) == ("automatic", XOCHILT)
        assert profile(merchant).source is Source.BUYER

    def test_the_first_time_if_the_platform_knows_it_all(self, world: Any, merchant: Any) -> None:
        sale_id = buy(world, merchant, "1", buyer=who(**ADRIANA))
        assert receiver(merchant, sale_id) == ("automatic", "JUFA7608212V6")
        assert subjects(world) == ["invoice"]
        assert profile(merchant).source is Source.PLATFORM

    def test_a_guest_who_gave_it_all_at_the_checkout(self, world: Any, merchant: Any) -> None:
        sale_id = buy(world, merchant, "1", buyer=who(key="", **ADRIANA))
        assert receiver(merchant, sale_id) == ("automatic", "JUFA7608212V6")
        assert merchant.of(lambda tenant: tenant.customers.list()) == []

    def test_never_unless_the_merchant_wants_it(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        rules(merchant, HUSH)
        confirmed(world, merchant, form)
        world.post.letters.clear()
        for key, buyer in (("2", who()), ("3", who(**ADRIANA))):
            assert no_invoice(merchant, buy(world, merchant, key, buyer=buyer))
        assert subjects(world) == ["invitation", "invitation"]

    def test_turned_off_before_it_was_done(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        sale_id = buy(world, merchant, "2", wait=False)
        rules(merchant, HUSH)
        world.quiet()
        assert no_invoice(merchant, sale_id)
        assert subjects(world) == ["invitation"]

    @pytest.mark.parametrize(
        "buyer",
        [who(), who(rfc="JUFA7608212V6"), who(**(ADRIANA | {"uso": ""})), who(key="", rfc="x")],
        ids=["nothing", "rfc", "no uso", "guest"],
    )
    def test_incomplete_gets_the_link_once(self, world: Any, merchant: Any, buyer: Buyer) -> None:
        sale_id = buy(world, merchant, "1", buyer=buyer)
        buy(world, merchant, "1", buyer=buyer, revision=2, status="on its way")
        assert no_invoice(merchant, sale_id)
        assert subjects(world) == ["invitation"]

    def test_what_the_rules_fill_in(self, world: Any, merchant: Any) -> None:
        rules(merchant, RULES + 'uso = "G03"\nregimen = "612"\n')
        buyer = who(**(ADRIANA | {"uso": "", "regimen": ""}))
        sale_id = buy(world, merchant, "1", buyer=buyer)
        data = merchant.invoice(sale_id).receptor
        assert (data.regimen, data.uso) == ("612", "G03")

    @pytest.mark.parametrize(
        "changes",
        [
            {"test": True},
            {"payment_state": PaymentState.PENDING},
            {"payment_state": PaymentState.UNKNOWN},
            {"doubts": ("Los renglones no suman.",)},
            {"total": Decimal("116.05")},
            {"refunds": (Refund("r", Decimal(116)),)},
            {"hold": "disputed"},
            {"barred": "another seller of record"},
        ],
        ids=str,
    )
    def test_never(
        self, world: Any, merchant: Any, form: FiscalForm, changes: dict[str, Any]
    ) -> None:
        confirmed(world, merchant, form)
        sale_id = buy(world, merchant, "2", **changes)
        assert no_invoice(merchant, sale_id)
        merchant.promise("automatic", sale_id)
        world.quiet()
        assert no_invoice(merchant, sale_id)

    @pytest.mark.parametrize("days", [8, 40])
    def test_never_for_an_old_payment(
        self, world: Any, merchant: Any, form: FiscalForm, days: int
    ) -> None:
        """Older than an invitation may be, than the connection, or than the window."""
        confirmed(world, merchant, form)
        paid_at = world.clock.now() - timedelta(days=days)
        sale_id = buy(world, merchant, "2", paid_at=paid_at, placed_at=paid_at)
        assert no_invoice(merchant, sale_id)
        merchant.promise("automatic", sale_id)
        world.quiet()
        assert no_invoice(merchant, sale_id)

    def test_never_once_the_window_is_over(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        rules(merchant, HUSH)
        sale_id = buy(world, merchant, "2")
        rules(merchant, RULES)
        later(world, 15)
        assert merchant.estado(sale_id) is Estado.VENCIDA
        merchant.promise("automatic", sale_id)
        assert world.drain("stamp") == 1
        assert no_invoice(merchant, sale_id)
        assert merchant.of(lambda tenant: tenant.claims.of_sale(sale_id)) == []
        world.quiet()

    def test_an_old_purchase_seen_late_changes_nothing(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        """It says what was true before the buyer gave other data."""
        before = world.clock.now() - timedelta(minutes=30)
        confirmed(world, merchant, form)
        buyer = who(**OSCAR)
        sale_id = buy(world, merchant, "0", buyer=buyer, placed_at=before, paid_at=before)
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)
        assert profile(merchant).source is Source.BUYER

    def test_a_released_hold_is_served(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        confirmed(world, merchant, form)
        sale_id = buy(world, merchant, "2", hold="disputed")
        buy(world, merchant, "2", revision=2)
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)

    def test_another_person_under_the_same_record(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        for key, email in (("2", "eva@example.com"), ("3", "")):
            sale_id = buy(world, merchant, key, buyer=who(email=email))
            assert no_invoice(merchant, sale_id)

    def test_a_purchase_that_names_another_rfc(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        sale_id = buy(world, merchant, "2", buyer=who(rfc="KAHO641101B39"))
        assert no_invoice(merchant, sale_id)
        assert merchant.page(sale_id).form.rfc == "KAHO641101B39"

    def test_taken_from_a_copy_it_waits_for_the_shop(
        self, world: Any, merchant: Any, form: FiscalForm, make_sale: Any
    ) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        now = world.clock.now()
        sale = make_sale("2", buyer=who(), paid_at=now, placed_at=now)
        world.shop.away = PlatformUnreachable("away")
        merchant.deliver(to_json(sale).encode(), order="2", key="e2")
        world.drain()
        sale_id = merchant.sale_id("2")
        assert no_invoice(merchant, sale_id)
        assert subjects(world) == []
        world.shop.away = None
        world.shop.put(sale)
        world.quiet()
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)
        assert subjects(world) == ["invoice"]

    def test_while_the_shop_stays_away_the_link_serves(
        self, world: Any, merchant: Any, form: FiscalForm, make_sale: Any
    ) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        now = world.clock.now()
        sale = make_sale("2", buyer=who(), paid_at=now, placed_at=now)
        world.shop.away = PlatformUnreachable("away")
        merchant.deliver(to_json(sale).encode(), order="2", key="e2")
        for _ in range(4):
            world.drain()
            world.clock.advance(300)
        assert no_invoice(merchant, merchant.sale_id("2"))
        assert subjects(world) == ["invitation"]

    def test_without_a_certificate_nobody_is_made_to_wait(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        later(world, 5 * 366)
        sale_id = buy(world, merchant, "2")
        assert no_invoice(merchant, sale_id)
        assert subjects(world) == ["invitation"]

    def test_practice_counts_for_no_live_account(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        merchant.set_pac("live")
        assert no_invoice(merchant, buy(world, merchant, "2"))
        assert merchant.of(lambda t: customers.known(t, merchant.connection.id, KEY)) is None


class TestGuestsAsCustomers:
    """A platform where who types a customer's e-mail address buys as that customer."""

    @pytest.fixture(autouse=True)
    def merging(self, world: Any, merchant: Any) -> None:
        world.shop.merges_guests = True

    def test_what_one_gave_is_not_used_for_the_next(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        assert no_invoice(merchant, buy(world, merchant, "2"))
        assert subjects(world) == ["invitation"]
        assert world.post.to(form.correo) == []

    def test_what_one_typed_at_the_checkout_is_neither_used_nor_shown(
        self, world: Any, merchant: Any
    ) -> None:
        first = buy(world, merchant, "1", buyer=who(**ADRIANA))
        assert receiver(merchant, first) == ("automatic", "JUFA7608212V6")
        later(world)
        second = buy(world, merchant, "2")
        assert no_invoice(merchant, second)
        assert merchant.page(second).form == FiscalForm(correo=EMAIL)

    def test_nor_is_what_was_kept_before(self, world: Any, merchant: Any) -> None:
        world.shop.merges_guests = False
        buy(world, merchant, "1", buyer=who(**ADRIANA))
        world.shop.merges_guests = True
        later(world)
        second = buy(world, merchant, "2")
        assert no_invoice(merchant, second)
        assert merchant.page(second).form == FiscalForm(correo=EMAIL)

    def test_what_the_merchant_stated_is(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        buy(world, merchant, "1")
        later(world, 0.1)
        customers.state(world.ctx, merchant.id, merchant.connection.id, KEY, form)
        world.quiet()
        later(world)
        second = buy(world, merchant, "2")
        assert receiver(merchant, second) == ("automatic", XOCHILT)


class TestRefused:
    def test_the_link_after_all_and_not_again(self, world: Any, merchant: Any) -> None:
        sale_id = buy(world, merchant, "1", buyer=who(**WRONG))
        assert merchant.state(sale_id) is State.REJECTED
        assert merchant.estado(sale_id) is Estado.RECHAZADA
        assert [error.campo for error in merchant.page(sale_id).errors] == ["nombre"]
        assert subjects(world) == ["invitation"]
        (letter,) = world.post.to(EMAIL)
        assert "el SAT no los" in letter.text
        assert "el SAT no los" in letter.html
        assert [one.path for one in profile(merchant).refused] == ["nombre"]
        second = buy(world, merchant, "2", buyer=who(**WRONG))
        assert no_invoice(merchant, second)
        assert subjects(world) == ["invitation", "invitation"]

    def test_a_guest_s_is_not_tried_for_ever(self, world: Any, merchant: Any) -> None:
        sale_id = buy(world, merchant, "1", buyer=who(key="", **WRONG))
        assert merchant.state(sale_id) is State.REJECTED
        assert subjects(world) == ["invitation"]
        invoice_id = merchant.invoice(sale_id).id
        assert len(merchant.of(lambda t: t.invoices.attempts(invoice_id))) == 1

    def test_the_buyer_mends_it_for_ever(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        sale_id = buy(world, merchant, "1", buyer=who(**WRONG))
        assert merchant.request(sale_id, form).errors == ()
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        kept = profile(merchant)
        assert (kept.data.rfc, kept.refused, kept.source) == (XOCHILT, (), Source.BUYER)
        later(world)
        # The platform still says what it said: the buyer's word is worth more.
        second = buy(world, merchant, "2", buyer=who(**WRONG))
        assert receiver(merchant, second) == ("automatic", XOCHILT)

    def test_it_shows_no_stored_data_to_who_holds_the_link(
        self, world: Any, merchant: Any, form: FiscalForm, clock: Any
    ) -> None:
        """Data that SAT took once and takes no more: a company was renamed, say."""
        confirmed(world, merchant, form)
        kept = profile(merchant)
        stale = replace(kept, data=replace(kept.data, nombre="XOCHILT CASAS CHAVES"))
        merchant.change(lambda t: t.customers.keep(merchant.connection.id, KEY, stale))
        sale_id = buy(world, merchant, "2")
        page = merchant.page(sale_id)
        assert page.estado is Estado.RECHAZADA
        assert (page.form.rfc, page.form.nombre, page.form.cp) == ("", "", "")
        assert page.form.correo == EMAIL
        assert subjects(world)[-1] == "invitation"

    def test_amounts_that_change_are_asked_for_anew(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        sale_id = buy(world, merchant, "2", wait=False)
        world.drain("stamp", rows=1)  # asked for, not sealed yet
        assert merchant.state(sale_id) is State.REQUESTED
        merchant.keep(
            "2",
            revision=2,
            buyer=who(),
            placed_at=world.clock.now(),
            paid_at=world.clock.now(),
            refunds=(Refund("r", Decimal("50.00")),),
        )
        world.quiet()
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)
        assert merchant.invoice(sale_id).total == Decimal("66.00")
        assert profile(merchant).refused == ()


class TestChangedAtThePlatform:
    def tell(self, world: Any, merchant: Any, key: str = KEY) -> None:
        customers.customer_changed(world.ctx, merchant.id, merchant.connection.id, key)

    def test_edited_before_the_renewal(
        self, world: Any, merchant: Any, club: Club, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form)
        club.buyers[KEY] = who(**OSCAR)
        self.tell(world, merchant)
        world.quiet()
        later(world)
        sale_id = buy(world, merchant, "2")
        assert receiver(merchant, sale_id) == ("automatic", "KAHO641101B39")

    def test_edited_before_the_renewal_told_by_the_purchase_alone(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        confirmed(world, merchant, form, buyer=who(rfc="JUFA7608212V6"))
        sale_id = buy(world, merchant, "2", buyer=who(**OSCAR))
        assert receiver(merchant, sale_id) == ("automatic", "KAHO641101B39")

    def test_corrected_in_the_portal_before_the_renewal(
        self, world: Any, merchant: Any, club: Club, form: FiscalForm
    ) -> None:
        rules(merchant, HUSH)
        club.buyers[KEY] = who(**ADRIANA)
        self.tell(world, merchant)
        world.quiet()
        assert profile(merchant).source is Source.PLATFORM
        confirmed(world, merchant, form, buyer=who(**ADRIANA))
        rules(merchant, RULES)
        self.tell(world, merchant)  # of something else: the platform says what it said
        world.quiet()
        sale_id = buy(world, merchant, "2", buyer=who(**ADRIANA))
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"rfc": "KAHO641101B39"},
            OSCAR | {"regimen": "601"},
            OSCAR | {"rfc": "XAXX010101000"},
        ],
        ids=["nothing", "rfc alone", "regimen of a company", "generic"],
    )
    def test_weaker_data_replace_nothing(
        self, world: Any, merchant: Any, club: Club, form: FiscalForm, said: dict[str, str]
    ) -> None:
        confirmed(world, merchant, form)
        before = profile(merchant)
        club.buyers[KEY] = who(**said)
        self.tell(world, merchant)
        world.quiet()
        assert profile(merchant) == before

    def test_an_rfc_taken_away_is_used_no_more(self, world: Any, merchant: Any, club: Club) -> None:
        club.buyers[KEY] = who(**ADRIANA)
        self.tell(world, merchant)
        world.quiet()
        assert profile(merchant) is not None
        later(world)
        club.buyers[KEY] = who()
        self.tell(world, merchant)
        world.quiet()
        assert profile(merchant) is None

    def test_what_waited_is_served_oldest_first(
        self, world: Any, merchant: Any, club: Club
    ) -> None:
        world.clock.advance(3 * 86400)
        now = world.clock.now()
        waiting = {}
        for key, hours in (("2", 5), ("1", 30), ("3", 1)):
            at = now - timedelta(hours=hours)
            waiting[key] = buy(world, merchant, key, paid_at=at, placed_at=at)
        stranger = buy(world, merchant, "9", buyer=who(key="c2"))
        world.post.letters.clear()
        club.buyers[KEY] = who(**ADRIANA)
        for _ in range(5):
            self.tell(world, merchant)
        world.quiet()
        assert club.asked == [KEY], "told five times, asked once"
        for sale_id in waiting.values():
            assert receiver(merchant, sale_id) == ("automatic", "JUFA7608212V6")
        made = [merchant.invoice(waiting[key]) for key in "123"]
        assert [one.id for one in made] == sorted(one.id for one in made)
        assert no_invoice(merchant, stranger)
        assert subjects(world) == ["invoice"] * 3
        self.tell(world, merchant)
        world.quiet()
        assert len(merchant.of(lambda tenant: tenant.invoices.list())) == 3

    def test_what_was_refused_is_tried_again_with_the_mended_data(
        self, world: Any, merchant: Any, club: Club
    ) -> None:
        sale_id = buy(world, merchant, "1", buyer=who(**WRONG))
        assert merchant.state(sale_id) is State.REJECTED
        later(world, 0.1)
        club.buyers[KEY] = who(**ADRIANA)
        self.tell(world, merchant)
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert receiver(merchant, sale_id) == ("automatic", "JUFA7608212V6")

    def test_what_a_buyer_sent_is_never_replaced(
        self, world: Any, merchant: Any, club: Club, form: FiscalForm
    ) -> None:
        sale_id = buy(world, merchant, "1")
        merchant.request(sale_id, replace(form, nombre="XOCHILT CASAS"))
        world.quiet()
        assert merchant.state(sale_id) is State.REJECTED
        club.buyers[KEY] = who(**ADRIANA)
        self.tell(world, merchant)
        world.quiet()
        assert merchant.state(sale_id) is State.REJECTED
        assert merchant.invoice(sale_id).receptor.rfc == XOCHILT

    def test_served_only_if_the_merchant_wants_it(
        self, world: Any, merchant: Any, club: Club
    ) -> None:
        rules(merchant, HUSH)
        sale_id = buy(world, merchant, "1")
        club.buyers[KEY] = who(**ADRIANA)
        self.tell(world, merchant)
        world.quiet()
        assert no_invoice(merchant, sale_id)
        assert merchant.page(sale_id).form.rfc == "JUFA7608212V6"

    @pytest.mark.parametrize("confirmed_by_buyer", [True, False])
    def test_a_customer_who_is_gone(
        self, world: Any, merchant: Any, club: Club, form: FiscalForm, confirmed_by_buyer: bool
    ) -> None:
        if confirmed_by_buyer:
            confirmed(world, merchant, form)
        else:
            club.buyers[KEY] = who(**ADRIANA)
            self.tell(world, merchant)
            world.quiet()
        assert profile(merchant) is not None
        club.buyers.clear()
        self.tell(world, merchant)
        world.quiet()
        assert (profile(merchant) is not None) is confirmed_by_buyer

    @pytest.mark.parametrize(
        "away", [PlatformUnreachable("away"), CredentialsRefused("keys")], ids=["away", "keys"]
    )
    def test_a_shop_that_cannot_be_asked_is_asked_later(
        self, world: Any, merchant: Any, club: Club, away: Exception
    ) -> None:
        club.buyers[KEY] = who(**ADRIANA)
        club.away = away
        self.tell(world, merchant)
        world.drain()
        assert profile(merchant) is None
        club.away = None
        world.quiet()
        assert profile(merchant).data.rfc == "JUFA7608212V6"

    def test_a_platform_that_keeps_no_customers(self, world: Any, merchant: Any) -> None:
        self.tell(world, merchant)
        self.tell(world, merchant, key="c" * 1000)
        world.quiet()
        assert profile(merchant) is None

    def test_an_id_with_a_slash(self, world: Any, merchant: Any, club: Club) -> None:
        club.buyers["gid://x/Customer/7"] = who(**ADRIANA)
        self.tell(world, merchant, key="gid://x/Customer/7")
        world.quiet()
        assert club.asked == ["gid://x/Customer/7"]
        assert profile(merchant, "gid://x/Customer/7") is not None


class TestOnce:
    def test_two_hundred_at_a_time(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        """The job, the buyer, staff and the edit of the customer: one invoice, whoever is first."""
        confirmed(world, merchant, form)
        sale_id = buy(world, merchant, "2", wait=False)
        token, failed = merchant.token(sale_id), list[BaseException]()
        other = replace(form, uso="G01")

        def one(number: int) -> None:
            try:
                if number % 4 == 0:
                    request.request(world.ctx, token, other, "es")
                elif number % 4 == 1:
                    request.issue(world.ctx, merchant.id, sale_id, other, actor="staff")
                else:
                    automatic.automatic(world.ctx, merchant.id, sale_id)
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(one, range(200)))
        assert [error for error in failed if type(error).__name__ != "RunLater"] == []
        assert len(merchant.of(lambda tenant: tenant.invoices.list())) == 2
        assert len(merchant.of(lambda tenant: tenant.claims.of_sale(sale_id))) == 1
        world.quiet()
        assert merchant.state(sale_id) is State.STAMPED
        assert len(world.provider.stamps()) == 2

    def test_one_customer_s_profile_from_all_sides(
        self, world: Any, merchant: Any, club: Club, form: FiscalForm
    ) -> None:
        club.buyers[KEY] = who(**ADRIANA)
        subject = f"{merchant.connection.id}/{KEY}"
        barrier, failed = threading.Barrier(8), list[BaseException]()

        def look() -> None:
            barrier.wait()
            try:
                for _ in range(5):
                    customers.look_at_customer(world.ctx, merchant.id, subject)
            except BaseException as error:  # noqa: BLE001 - told below
                failed.append(error)

        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert profile(merchant).data.rfc == "JUFA7608212V6"

    @pytest.mark.parametrize("commit", range(1, 8))
    def test_killed_at_any_commit(
        self, world: Any, merchant: Any, form: FiscalForm, commit: int
    ) -> None:
        confirmed(world, merchant, form)
        world.post.letters.clear()
        sale_id = buy(world, merchant, "2", wait=False)
        world.kill.arm(commit, "commit")
        world.die(world.drain)
        world.kill.arm(0, "")
        world.quiet()
        assert receiver(merchant, sale_id) == ("automatic", XOCHILT)
        assert len(world.provider.stamps()) == 2
        assert set(subjects(world)) == {"invoice"}


class TestPage:
    def test_what_is_known_of_the_platform_is_filled_in(
        self, world: Any, merchant: Any, club: Club
    ) -> None:
        club.buyers[KEY] = who(**ADRIANA)
        rules(merchant, HUSH)
        sale_id = buy(world, merchant, "1")
        customers.customer_changed(world.ctx, merchant.id, merchant.connection.id, KEY)
        world.quiet()
        assert merchant.page(sale_id).form == FiscalForm(
            "JUFA7608212V6", "ADRIANA JUAREZ FERNANDEZ", "01160", "612", "G03", EMAIL
        )

    def test_what_a_buyer_gave_is_told_to_nobody(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        rules(merchant, HUSH)
        confirmed(world, merchant, form)
        sale_id = buy(world, merchant, "2")
        assert merchant.page(sale_id).form == FiscalForm(regimen="612", uso="G03", correo=EMAIL)


class TestErased:
    def test_nothing_is_left_and_nothing_is_served(
        self, world: Any, merchant: Any, form: FiscalForm
    ) -> None:
        first = confirmed(world, merchant, form)
        connection = merchant.connection.id
        assert merchant.of(lambda t: t.customers.sales(connection, KEY)) == [first]
        assert merchant.change(lambda t: t.customers.erase(connection, KEY))
        assert not merchant.change(lambda t: t.customers.erase(connection, KEY))
        assert merchant.of(lambda t: t.customers.sales(connection, KEY)) == []
        assert no_invoice(merchant, buy(world, merchant, "2"))

    def test_of_a_whole_shop(self, world: Any, merchant: Any, form: FiscalForm) -> None:
        confirmed(world, merchant, form)
        assert merchant.change(lambda t: t.customers.erase_all(merchant.connection.id)) == 1
        assert merchant.of(lambda t: t.customers.list()) == []


def test_an_invitation_in_flight_is_not_sent_once_it_was_served(
    world: Any, merchant: Any, form: FiscalForm
) -> None:
    confirmed(world, merchant, form)
    world.post.letters.clear()
    sale_id = buy(world, merchant, "2", wait=False)
    world.drain("stamp")
    invite.invite(world.ctx, merchant.id, sale_id)
    world.quiet()
    assert subjects(world) == ["invoice"]


def test_a_sale_freed_from_review_is_served(world: Any, merchant: Any, form: FiscalForm) -> None:
    confirmed(world, merchant, form)
    sale_id = buy(world, merchant, "2", doubts=("Un renglón no se entiende.",))
    assert no_invoice(merchant, sale_id)
    review.accept(world.ctx, merchant.id, sale_id)
    world.quiet()
    assert receiver(merchant, sale_id) == ("automatic", XOCHILT)
