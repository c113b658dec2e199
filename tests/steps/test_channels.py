"""Invitations and reminders by every way: in the merchant's order, each once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.purchase import Estado
from hub.domain.sale import Buyer, PaymentState, Refund
from hub.steps import unsubscribe
from hub.steps.context import PostRefused, PostUnavailable, Wording
from hub.steps.mailing import INVITATIONS
from hub.work.channels import Messengers
from portal.mail.letters import TemplateLetters
from tests.fakes.messages.server import Provider, graph_error, running

BASE = '[forma_pago]\ndefault = "03"\n'
ALL = "invitacion = ['whatsapp', 'sms', 'correo']"
DAY = 86_400.0
#: Of the promise in hand, after which another worker takes it up.
LEASE = 300.0


@pytest.fixture(scope="module")
def listening() -> Iterator[Provider]:
    with running() as phones:
        yield phones


@pytest.fixture
def phones(listening: Provider, world: Any) -> Provider:
    """Both channels lead to it; nothing is said to it yet."""
    listening.got.clear()
    listening.instead.clear()
    listening.on_message = lambda: None
    world.ctx = replace(world.ctx, messenger=Messengers(allow_private=True))
    return listening


@pytest.fixture
def channelled(merchant: Any, phones: Provider) -> Callable[..., str]:
    """Rules, both channels, and a sale whose buyer gave both addresses, invited."""

    def keep(channels: str = ALL, more: str = "", **changes: Any) -> str:
        rules = f"{BASE}[canales]\n{channels}\n[invitaciones]\nrecordatorio_dias = 0\n{more}"
        merchant.change(lambda tenant: tenant.rules.set(rules))
        merchant.change(lambda tenant: tenant.channels.set("sms", phones.sms))
        merchant.change(lambda tenant: tenant.channels.set("whatsapp", phones.whatsapp))
        buyer = Buyer(name="Ana", email="ana@example.com", phone="55 1234 5678")
        return str(merchant.keep(invite=True, **{"buyer": buyer, **changes}))

    return keep


def ways(phones: Provider) -> list[str]:
    """What the phones got: "whatsapp" or "sms"."""
    return ["sms" if one.path.startswith("/sms/") else "whatsapp" for one in phones.got]


def about(merchant: Any, sale_id: str) -> dict[str, str]:
    rows = merchant.of(lambda tenant: tenant.mails.about(INVITATIONS, sale_id))
    return {row.kind: row.state for row in rows}


def bounces(merchant: Any, sale_id: str) -> list[tuple[str, str]]:
    rows = merchant.of(lambda tenant: tenant.bounces.of_sale(sale_id))
    return [(row.kind, row.address) for row in rows]


class TestWhichWay:
    def test_the_first_that_works_is_the_only_one(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        sale_id = channelled()
        assert ways(phones) == ["whatsapp"]
        assert phones.numbers() == ["525512345678"]
        assert not world.post.letters
        link = world.ctx.link(merchant.of(lambda tenant: tenant.links.current(sale_id)))
        assert phones.got[0].body["template"]["components"][1]["parameters"][0]["text"] in link

    def test_all_of_them_where_the_merchant_wants_it(
        self, world: Any, phones: Provider, channelled: Any
    ) -> None:
        channelled(f"{ALL}\nmodo = 'todos'")
        assert ways(phones) == ["whatsapp", "sms"]
        assert len(world.post.letters) == 1

    def test_without_rules_it_goes_by_mail(
        self, world: Any, phones: Provider, channelled: Any
    ) -> None:
        channelled("")
        assert not phones.got
        assert len(world.post.letters) == 1

    @pytest.mark.parametrize("phone", ["", "no tengo", "123"])
    def test_whom_no_number_leads_to_gets_a_letter(
        self, world: Any, phones: Provider, channelled: Any, phone: str
    ) -> None:
        channelled(buyer=Buyer(email="ana@example.com", phone=phone))
        assert not phones.got
        assert [letter.to for letter in world.post.letters] == ["ana@example.com"]

    def test_without_any_address_nobody_is_told_until_there_is_one(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        channelled(buyer=Buyer())
        assert not phones.got
        merchant.keep(revision=2, invite=True, buyer=Buyer(phone="+52 1 55 1234 5678"))
        assert phones.numbers() == ["525512345678"]

    def test_a_way_without_keys_is_left_out(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        channelled(buyer=Buyer())
        merchant.change(lambda tenant: tenant.channels.remove("whatsapp"))
        merchant.keep(revision=2, invite=True, buyer=Buyer(phone="5512345678"))
        assert ways(phones) == ["sms"]

    def test_refused_for_good_it_goes_by_the_next_and_that_is_kept(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = [graph_error(131026), (400, {})]
        world.post.before = [PostRefused("the mail server refused the recipient with 550")]
        sale_id = channelled()
        world.quiet()
        assert ways(phones) == ["whatsapp", "sms"]
        assert bounces(merchant, sale_id) == [
            ("invitation.whatsapp", "+525512345678"),
            ("invitation.sms", "+525512345678"),
            ("invitation", "ana@example.com"),
        ]


class TestOnce:
    def test_what_may_have_been_sent_is_never_sent_again_nor_by_another_way(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = ["cut"]
        sale_id = channelled()
        world.quiet()
        assert ways(phones) == ["whatsapp"]
        assert not world.post.letters
        assert about(merchant, sale_id) == {"invitation.whatsapp": "doubtful"}

    def test_too_many_at_once_waits_and_is_sent_once(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = [graph_error(130429), (429, {}), graph_error(2, 503)]
        sale_id = channelled()
        world.quiet()
        assert ways(phones) == ["whatsapp"] * 4
        assert about(merchant, sale_id) == {"invitation.whatsapp": "sent"}
        assert not world.post.letters

    def test_a_way_that_is_away_for_days_gives_way(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = [graph_error(130429)] * 5000
        channelled()
        for _ in range(4):
            world.clock.advance(DAY)
            world.drain("mail")
        assert set(ways(phones)) == {"whatsapp", "sms"}
        assert ways(phones).count("sms") == 1

    @pytest.mark.parametrize("at", range(1, 9))
    def test_a_kill_at_any_commit_sends_nothing_twice(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any, at: int
    ) -> None:
        rules = f"{BASE}[canales]\n{ALL}\nmodo = 'todos'\n[invitaciones]\nrecordatorio_dias = 0\n"
        channelled(buyer=Buyer())
        merchant.change(lambda tenant: tenant.rules.set(rules))
        buyer = Buyer(email="ana@example.com", phone="5512345678")
        merchant.keep(revision=2, buyer=buyer)
        world.kill.arm(at, "commit")
        died = world.die(lambda: world.drain("mail"))
        assert died
        world.clock.advance(LEASE)
        world.quiet()
        assert sorted(ways(phones)) == ["sms", "whatsapp"]
        assert len(world.post.letters) in {1, 2}
        assert len({letter.message_id for letter in world.post.letters}) == 1

    def test_a_process_that_dies_while_it_sends_has_sent(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        """The phones has it, and nobody is left to write that down."""
        channelled(buyer=Buyer())
        merchant.keep(revision=2, buyer=Buyer(phone="5512345678", email="ana@example.com"))
        phones.on_message = lambda: world.kill.arm(1, "commit")
        assert world.die(lambda: world.drain("mail"))
        phones.on_message = lambda: None
        world.clock.advance(LEASE)
        world.quiet()
        assert ways(phones) == ["whatsapp"]
        assert not world.post.letters


class TestBroken:
    def test_the_next_way_serves_and_the_problem_is_told(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = [graph_error(190, 401)]
        channelled()
        assert ways(phones) == ["whatsapp", "sms"]
        (whatsapp,) = (row for row in merchant.of(lambda tenant: tenant.channels.list()) if row.problem)  # fmt: skip  # noqa: E501
        assert (whatsapp.kind, "190" in whatsapp.problem) == ("whatsapp", True)
        merchant.keep("7002", invite=True, buyer=Buyer(phone="5587654321"))
        assert not any(row.problem for row in merchant.of(lambda tenant: tenant.channels.list()))

    def test_without_another_way_it_waits_until_it_is_mended(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = [graph_error(132001, 404)] * 3
        channelled("invitacion = ['whatsapp']")
        world.quiet()
        assert ways(phones) == ["whatsapp"] * 4
        assert not any(row.problem for row in merchant.of(lambda tenant: tenant.channels.list()))

    def test_for_days_and_no_longer(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        phones.instead = [graph_error(190, 401)] * 5000
        channelled("invitacion = ['whatsapp']")
        world.quiet(rounds=400)
        assert 50 < len(phones.got) < 250


class TestReminder:
    RULES = BASE + "[invitaciones]\nrecordatorio_dias = 3\n"

    def invited(self, merchant: Any, rules: str = RULES, **changes: Any) -> str:
        merchant.change(lambda tenant: tenant.rules.set(rules))
        return str(merchant.keep(invite=True, **changes))

    def test_once_three_days_before_the_deadline(self, world: Any, merchant: Any) -> None:
        sale_id = self.invited(merchant)
        deadline = merchant.page(sale_id).deadline_at
        with world.store.reading() as tx:
            assert tx.outbox.next_due_at() == deadline - timedelta(days=3)
        world.clock.advance(6 * DAY)
        world.drain()
        assert len(world.post.letters) == 1
        world.quiet()
        assert len(world.post.letters) == 2
        assert "Último aviso" in world.post.letters[1].subject
        assert world.post.letters[1].headers["List-Unsubscribe-Post"]
        merchant.promise("remind", sale_id, queue="mail")
        merchant.promise("invite", sale_id, queue="mail")
        world.quiet()
        assert len(world.post.letters) == 2

    @pytest.mark.parametrize(
        "rules",
        [
            BASE + "[invitaciones]\nrecordatorio_dias = 0\n",
            BASE + "[ventana]\ndias = 4\n[invitaciones]\nrecordatorio_dias = 3\n",
            BASE + "[invitaciones]\nrecordatorio_dias = 30\n",
        ],
    )
    def test_none_where_it_is_off_or_would_follow_at_once(
        self, world: Any, merchant: Any, rules: str
    ) -> None:
        self.invited(merchant, rules)
        world.quiet()
        assert len(world.post.letters) == 1

    def test_none_for_whom_was_not_invited(self, world: Any, merchant: Any) -> None:
        sale_id = merchant.keep(buyer=Buyer())
        merchant.promise("remind", sale_id, queue="mail")
        world.quiet()
        assert not world.post.letters

    def test_none_once_it_was_asked_for(self, world: Any, merchant: Any) -> None:
        merchant.request(self.invited(merchant))
        world.quiet()
        assert not any("Último aviso" in letter.subject for letter in world.post.letters)

    def test_none_if_it_is_asked_for_at_that_very_moment(self, world: Any, merchant: Any) -> None:
        """Between the look at the rows and the letter."""
        sale_id = self.invited(merchant)

        class Hasty(TemplateLetters):
            def reminder(self, *given: Any, **more: Any) -> Wording:
                merchant.request(sale_id)
                return super().reminder(*given, **more)

        world.ctx = replace(world.ctx, letters=Hasty())
        world.quiet()
        assert not any("Último aviso" in letter.subject for letter in world.post.letters)
        assert merchant.estado(sale_id) is Estado.LISTA

    def test_none_for_whom_sat_refused(self, world: Any, merchant: Any, form: Any) -> None:
        """The page says what to correct, and whoever asked knows it."""
        sale_id = self.invited(merchant)
        merchant.request(sale_id, replace(form, nombre="OTRO NOMBRE"))
        world.drain()
        assert merchant.estado(sale_id) is Estado.RECHAZADA
        world.quiet()
        assert len(world.post.letters) == 1

    @pytest.mark.parametrize(
        "changes",
        [
            {"payment_state": PaymentState.CANCELLED},
            {"payment_state": PaymentState.REFUNDED, "refunds": (Refund("r1", Decimal("116.00")),)},
            {"hold": "disputed"},
        ],
    )
    def test_none_for_what_cannot_be_invoiced_any_more(
        self, world: Any, merchant: Any, changes: dict[str, Any]
    ) -> None:
        self.invited(merchant)
        merchant.keep(revision=2, **changes)
        world.quiet()
        assert len(world.post.letters) == 1

    def test_none_after_the_merchant_stopped_inviting(self, world: Any, merchant: Any) -> None:
        self.invited(merchant)
        stopped = BASE + "[invitaciones]\nenviar = false\n"
        merchant.change(lambda tenant: tenant.rules.set(stopped))
        world.quiet()
        assert len(world.post.letters) == 1

    def test_a_deadline_that_moved_on_moves_it(self, world: Any, merchant: Any) -> None:
        sale_id = self.invited(merchant)
        longer = BASE + "[ventana]\nhasta = 'anio'\n"
        merchant.change(lambda tenant: tenant.rules.set(longer))
        world.clock.advance(8 * DAY)
        world.drain()
        assert len(world.post.letters) == 1
        world.quiet()
        assert len(world.post.letters) == 2
        left = merchant.page(sale_id).deadline_at - world.clock.now()
        assert timedelta(days=2) < left <= timedelta(days=3)

    def test_none_to_an_address_that_refused_the_invitation(
        self, world: Any, merchant: Any
    ) -> None:
        world.post.before = [PostRefused("the mail server refused the recipient with 550")]
        self.invited(merchant)
        world.quiet()
        assert not world.post.letters

    def test_by_the_same_ways(
        self, world: Any, merchant: Any, phones: Provider, channelled: Any
    ) -> None:
        merchant.change(lambda tenant: tenant.channels.set("sms", phones.sms))
        rules = self.RULES + "[canales]\ninvitacion = ['sms']\n"
        self.invited(merchant, rules, buyer=Buyer(phone="5512345678"))
        world.quiet()
        assert ways(phones) == ["sms", "sms"]
        assert "falta poco" in phones.got[1].body["message"]

    def test_a_part_that_became_another_sale_is_reminded_as_that_one(
        self, world: Any, merchant: Any
    ) -> None:
        part = self.invited(merchant)
        whole = merchant.keep("7002", claims=("7001",), buyer=Buyer(email="ana@example.com"))
        merchant.change(lambda tenant: tenant.objects.join(part, whole))
        merchant.change(lambda tenant: tenant.sales.mark_invited(whole, world.clock.now()))
        world.quiet()
        reminders = [one for one in world.post.letters if "Último aviso" in one.subject]
        assert [one.to for one in reminders] == ["ana@example.com"]
        assert "7002" in reminders[0].subject

    def test_a_forgotten_buyer_is_not_reminded(self, world: Any, merchant: Any) -> None:
        sale_id = self.invited(merchant)
        merchant.change(
            lambda tenant: tenant.erasures.erase(merchant.connection.id, "7001", sale_id)
        )
        world.quiet()
        assert len(world.post.letters) == 1


class TestUnsubscribe:
    def leave(self, world: Any, letter: Any) -> None:
        token = letter.headers["List-Unsubscribe"].strip("<>").rpartition("/baja/")[2]
        for _ in range(2):
            brand = unsubscribe.unsubscribe(world.ctx, token)
            assert brand is not None
            assert brand.name == "ESCUELA KEMPER URGATE"

    def test_no_more_invitations_but_the_invoice(self, world: Any, merchant: Any) -> None:
        merchant.change(lambda tenant: tenant.rules.set(TestReminder.RULES))
        buyer = Buyer(email="Ana@Example.com")
        sale_id = merchant.keep(invite=True, buyer=buyer)
        (invitation,) = world.post.letters
        assert invitation.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert invitation.headers["List-Unsubscribe"].startswith("<https://hub.example/baja/")
        self.leave(world, invitation)
        world.quiet()
        merchant.keep("7002", invite=True, buyer=Buyer(email="ana@example.com"))
        assert world.post.letters == [invitation]
        merchant.request(sale_id)
        world.quiet()
        letters = world.post.to("xochilt@example.com")
        assert len(letters) == 1
        assert not letters[0].headers

    def test_another_merchant_still_invites(self, world: Any, merchant: Any) -> None:
        merchant.keep(invite=True, buyer=Buyer(email="ana@example.com"))
        self.leave(world, world.post.letters[0])
        other = world.settle(1)
        other.keep(invite=True, buyer=Buyer(email="ana@example.com"))
        assert len(world.post.letters) == 2

    def test_no_address_can_be_read_from_it(self, world: Any, merchant: Any) -> None:
        blinded = merchant.of(lambda tenant: tenant.optouts.blinded("ana@example.com"))
        other = world.settle(1).of(lambda tenant: tenant.optouts.blinded("ana@example.com"))
        assert blinded != other
        assert len(blinded) == 16
        token = world.ctx.passes.leaving(merchant.id, blinded)
        assert world.ctx.passes.read_leaving(token) == (merchant.id, blinded)

    @pytest.mark.parametrize("token", ["", ".", "x.y", "W10.abc", "a" * 5000, "ñ", "WyJhIl0"])
    def test_what_nobody_signed_ends_nothing(self, world: Any, token: str) -> None:
        assert unsubscribe.leaving(world.ctx, token) is None
        assert unsubscribe.unsubscribe(world.ctx, token) is None

    def test_a_pass_or_another_signature_is_none(self, world: Any, merchant: Any) -> None:
        passed = world.ctx.passes.make(merchant.id, [("x", 1)], world.clock.now())
        assert unsubscribe.unsubscribe(world.ctx, passed) is None
        leaving = world.ctx.passes.leaving(merchant.id, b"x" * 16)
        assert world.ctx.passes.read(leaving, world.clock.now()) is None
        assert unsubscribe.unsubscribe(world.ctx, leaving[:-1] + "A") is None

    def test_a_merchant_that_is_gone_is_nobody(self, world: Any) -> None:
        assert unsubscribe.unsubscribe(world.ctx, world.ctx.passes.leaving("m0", b"x")) is None


def test_a_mail_server_that_is_away_does_not_hold_up_the_other_ways(
    world: Any, phones: Provider, channelled: Any
) -> None:
    world.post.before = [PostUnavailable("away") for _ in range(3)]
    channelled("invitacion = ['correo', 'sms']\nmodo = 'todos'")
    assert ways(phones) == ["sms"]
    assert not world.post.letters
    world.quiet()
    assert ways(phones) == ["sms"]
    assert len(world.post.letters) == 1
