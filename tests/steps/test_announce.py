"""An order says in its shop what became of its invoice, where the merchant wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cfdi.cancelacion import Motivo
from connectors.abilities import News
from connectors.contract import CredentialsRefused, OrderNotFound, PlatformUnreachable
from hub.domain.states import State
from hub.steps import announce, cancel, connect, shops


class Board:
    """What the shop was told, and its echo: an order that is newer and no other."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.told: list[tuple[str, News]] = []
        self.fails: list[Exception] = []
        world.shop.announce = self.announce

    def announce(self, order_id: str, news: News, *_: Any) -> None:
        if self.fails:
            raise self.fails.pop(0)
        self.told.append((order_id, news))


@pytest.fixture
def board(world: Any) -> Board:
    return Board(world)


@pytest.fixture
def wanting(merchant: Any) -> Any:
    merchant.change(lambda tenant: tenant.connections.settle(merchant.connection.id, announce=True))
    return merchant


def invoiced(world: Any, merchant: Any, key: str = "7001") -> str:
    sale_id: str = merchant.keep(key)
    merchant.request(sale_id)
    world.drain("stamp")
    assert merchant.state(sale_id) is State.STAMPED
    return sale_id


def test_nobody_is_told_unasked(world: Any, merchant: Any, board: Board) -> None:
    invoiced(world, merchant)
    world.quiet()
    assert board.told == []


def test_issued_and_cancelled(world: Any, wanting: Any, board: Board) -> None:
    sale_id = invoiced(world, wanting)
    world.quiet()
    uuid = wanting.invoice(sale_id).uuid
    [(order, news)] = board.told
    assert (order, news.state, news.uuid) == ("7001", "stamped", uuid)
    assert uuid in news.text
    assert "sin valor fiscal" in news.text
    invoice_id = wanting.invoice(sale_id).id
    cancel.ask(world.ctx, wanting.id, invoice_id, Motivo.ERRORES_SIN_RELACION, actor="staff")
    world.quiet()
    assert [one.state for _, one in board.told] == ["stamped", "cancelled"]


def test_a_shop_that_is_away_hears_later(world: Any, wanting: Any, board: Board) -> None:
    board.fails = [PlatformUnreachable("down"), PlatformUnreachable("down")]
    invoiced(world, wanting)
    world.quiet()
    assert len(board.told) == 1


@pytest.mark.parametrize("error", [PlatformUnreachable("down"), CredentialsRefused("read only")])
def test_old_news_are_given_up(world: Any, wanting: Any, board: Board, error: Exception) -> None:
    board.fails = [error] * 2000
    invoiced(world, wanting)
    began = world.clock.now()
    world.quiet(rounds=200)
    assert board.told == []
    assert announce.GIVE_UP <= world.clock.now() - began < announce.GIVE_UP + timedelta(days=1)


def test_refused_keys_are_told_at_the_connection(world: Any, wanting: Any, board: Board) -> None:
    board.fails = [CredentialsRefused("no")]
    invoiced(world, wanting)
    world.drain()
    connection = wanting.of(lambda tenant: tenant.connections.get(wanting.connection.id))
    assert "write" in connection.problem


def test_an_order_that_is_gone_is_no_trouble(world: Any, wanting: Any, board: Board) -> None:
    board.fails = [OrderNotFound("gone")]
    invoiced(world, wanting)
    world.quiet()
    assert board.told == []


def test_what_another_invoice_replaced_is_no_news(world: Any, wanting: Any, board: Board) -> None:
    """The first was cancelled while the shop was away, and the sale invoiced anew."""
    sale_id = invoiced(world, wanting)
    first = wanting.invoice(sale_id)
    board.fails = [PlatformUnreachable("down")] * 3
    cancel.ask(world.ctx, wanting.id, first.id, Motivo.ERRORES_SIN_RELACION, actor="staff")
    for _ in range(6):
        world.drain("stamp")
        world.clock.advance(60)
    wanting.request(sale_id)
    world.drain("stamp")
    second = wanting.invoice(sale_id)
    assert second.uuid not in {None, first.uuid}
    world.quiet()
    announce.announce(world.ctx, wanting.id, first.id)
    assert {news.uuid for _, news in board.told} == {second.uuid}


def test_the_echo_of_it_changes_nothing(world: Any, wanting: Any, board: Board) -> None:
    sale_id = invoiced(world, wanting)
    world.quiet()
    before = wanting.of(lambda tenant: tenant.sales.get(sale_id))
    letters = len(world.post.letters)
    wanting.keep(revision=2, invite=True)
    world.quiet()
    after = wanting.of(lambda tenant: tenant.sales.get(sale_id))
    assert (after.updated_at, after.sale.total) == (before.updated_at, Decimal(116))
    assert len(world.post.letters) == letters
    assert len(board.told) == 1
    assert wanting.of(lambda tenant: tenant.asks.list()) == []


class LinkBoard(Board):
    """A shop that also takes news of orders that can be invoiced."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        world.shop.announces_unasked = False


def test_an_order_that_can_be_invoiced_is_told_once_with_its_link(world: Any, wanting: Any) -> None:
    board = LinkBoard(world)
    sale_id = wanting.keep("7001")
    link = f"{world.ctx.public_url}/f/{wanting.token(sale_id)}"
    [(order, news)] = board.told
    assert (order, news.state, news.uuid, news.link) == ("7001", "open", "", link)
    wanting.keep("7001", revision=2)  # the echo of what was written, and any later change
    assert len(board.told) == 1
    wanting.request(sale_id)
    world.quiet()
    assert [(one.state, one.link) for _, one in board.told[1:]] == [("stamped", link)]


def test_what_is_being_invoiced_is_not_told_as_open(world: Any, wanting: Any) -> None:
    board = LinkBoard(world)
    sale_id = wanting.keep("7001")
    wanting.request(sale_id)
    board.told.clear()
    announce.announce_sale(world.ctx, wanting.id, sale_id)
    assert board.told == []


def test_a_shop_whose_page_shows_links_is_told_unasked_from_its_connection_on(
    world: Any, merchant: Any
) -> None:
    LinkBoard(world)
    world.shop.announces_unasked = True
    shop = shops.shop_of(world.ctx, merchant.id, merchant.connection.id)
    for said, settled in ((None, True), (False, False)):
        given = {} if said is None else {"announce": said}
        merchant.change(
            lambda tenant, given=given: connect._announce_unasked(
                tenant,
                replace(shop, connection=replace(shop.connection, settings=given)),
            )
        )
        known = merchant.of(lambda tenant: tenant.connections.get(merchant.connection.id))
        if said is None:
            assert known.settings["announce"] is settled
            merchant.change(
                lambda tenant: tenant.connections.settle(merchant.connection.id, announce=False)
            )
        else:
            assert known.settings["announce"] is settled


def test_a_shop_that_shows_no_links_is_not_told_them(
    world: Any, wanting: Any, board: Board
) -> None:
    sale_id = wanting.keep("7001")
    announce.announce_sale(world.ctx, wanting.id, sale_id)
    assert board.told == []
    wanting.request(sale_id)
    world.quiet()
    assert [one.link for _, one in board.told] == [""]
