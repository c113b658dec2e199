"""What WhatsApp tells later of messages: signed, in any order, more than once, of one merchant."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import flask
import pytest

from hub.domain.sale import Buyer
from hub.steps import reported
from hub.steps.mailing import INVITATIONS, REMINDERS
from hub.web import reports
from hub.work.channels import Messengers, statuses
from tests.fakes.messages.server import PHONE_ID, Provider, running

APP_SECRET = "0123456789abcdef" * 2
RULES = """
[forma_pago]
default = "03"
[canales]
invitacion = ["whatsapp", "correo"]
[invitaciones]
recordatorio_dias = 3
"""


@pytest.fixture(scope="module")
def listening() -> Iterator[Provider]:
    with running() as phones:
        yield phones


@pytest.fixture
def phones(listening: Provider, world: Any) -> Provider:
    listening.got.clear()
    listening.instead.clear()
    world.ctx = replace(world.ctx, messenger=Messengers(allow_private=True))
    return listening


@pytest.fixture
def hook(world: Any, phones: Provider) -> Any:
    app = flask.Flask("reports")
    app.register_blueprint(reports.blueprint(world.ctx, statuses))
    return app.test_client()


def reachable(shopkeeper: Any, phones: Provider) -> None:
    shopkeeper.change(lambda tenant: tenant.rules.set(RULES))
    keys = {**phones.whatsapp, "app_secret": APP_SECRET}
    shopkeeper.change(lambda tenant: tenant.channels.set("whatsapp", keys))


@pytest.fixture
def invited(merchant: Any, phones: Provider, hook: Any) -> str:
    """A sale whose buyer was sent a message; no letter."""
    reachable(merchant, phones)
    buyer = Buyer(name="Ana", email="ana@example.com", phone="55 1234 5678")
    sale_id = str(merchant.keep(invite=True, buyer=buyer))
    assert len(phones.got) == 1
    return sale_id


def said(phones: Provider, status: str, code: int = 0, number: int = -1) -> dict[str, Any]:
    """As Meta tells of the message that was sent last."""
    told: dict[str, Any] = {
        "id": "wamid.HBgM",
        "status": status,
        "timestamp": "1795000000",
        "recipient_id": "525512345678",
        "biz_opaque_callback_data": phones.got[number].body["biz_opaque_callback_data"],
    }
    if code:
        told["errors"] = [{"code": code, "title": "told", "error_data": {"details": "5512345678"}}]
    return told


def tell(
    hook: Any, merchant_id: str, *told: Any, phone: str = PHONE_ID, secret: str = APP_SECRET
) -> int:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "5215500000000", "phone_number_id": phone},
        "statuses": list(told),
    }
    entry = {"id": "1", "changes": [{"value": value, "field": "messages"}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    return post(hook, merchant_id, body, secret)


def post(hook: Any, merchant_id: str, body: bytes, secret: str = APP_SECRET) -> int:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={digest}"}
    answer = hook.post(f"/webhooks/whatsapp/{merchant_id}", data=body, headers=headers)
    return int(answer.status_code)


def stands(merchant: Any, sale_id: str) -> tuple[str, list[str]]:
    """How the message is, and the reasons of what did not arrive."""
    (row,) = merchant.of(lambda tenant: tenant.mails.about(["invitation.whatsapp"], sale_id))
    bounces = merchant.of(lambda tenant: tenant.bounces.of_sale(sale_id))
    return row.state, [one.reason for one in bounces]


def test_it_arrived(world: Any, merchant: Any, phones: Any, hook: Any, invited: str) -> None:
    assert stands(merchant, invited) == ("sent", [])
    for status in ("sent", "delivered", "delivered", "read"):
        assert tell(hook, merchant.id, said(phones, status)) == 200
    assert stands(merchant, invited) == ("arrived", [])
    world.quiet()
    assert len(phones.got) == 2, "the invitation, and the reminder"
    assert not world.post.letters


def test_it_did_not_and_the_next_way_is_taken_once(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    for _ in range(3):
        assert tell(hook, merchant.id, said(phones, "failed", 131026)) == 200
        world.drain()
    reason = "WhatsApp told later that it failed, code 131026"
    assert stands(merchant, invited) == ("sent", [reason])
    (bounce,) = merchant.of(lambda tenant: tenant.bounces.of_sale(invited))
    assert bounce.address == "+525512345678"
    assert [letter.to for letter in world.post.letters] == ["ana@example.com"]
    assert len(phones.got) == 1
    # Nor is the reminder sent to where the invitation did not arrive; it is promised once.
    world.quiet()
    kinds = merchant.of(lambda tenant: [row.kind for row in tenant.mails.about(REMINDERS, invited)])
    assert kinds == ["reminder"]
    assert len(world.post.letters) == 2


@pytest.mark.parametrize("order", [*itertools.permutations(("sent", "read", "failed"))], ids=str)
def test_that_it_arrived_is_the_last_word_in_any_order(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str, order: tuple[str, ...]
) -> None:
    for status in order:
        told = said(phones, status, 131026 if status == "failed" else 0)
        assert tell(hook, merchant.id, told) == 200
    assert stands(merchant, invited) == ("arrived", [])


def test_a_message_in_doubt_was_sent_after_all(
    world: Any, merchant: Any, phones: Any, hook: Any
) -> None:
    reachable(merchant, phones)
    phones.instead = ["cut"]
    sale_id = merchant.keep(invite=True, buyer=Buyer(phone="5512345678", email="a@example.com"))
    assert stands(merchant, sale_id) == ("doubtful", [])
    tell(hook, merchant.id, said(phones, "sent"))
    assert stands(merchant, sale_id) == ("sent", [])


def test_a_reminder_that_failed_goes_by_the_next_way(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    world.quiet()
    assert len(phones.got) == 2
    tell(hook, merchant.id, said(phones, "failed", 131026))
    world.drain()
    assert len(world.post.letters) == 1


def test_what_people_must_mend_is_told_of_the_channel(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    tell(hook, merchant.id, said(phones, "failed", 131042))
    row = merchant.of(lambda tenant: tenant.channels.get("whatsapp"))
    assert row.problem == "WhatsApp told later that it failed, code 131042"
    merchant.change(lambda tenant: tenant.channels.note("whatsapp", ""))  # a person mended it
    tell(hook, merchant.id, said(phones, "failed", 131042))
    assert merchant.of(lambda tenant: tenant.channels.get("whatsapp")).problem == ""


def test_a_number_that_changed_since_is_not_held_responsible(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    merchant.keep(revision=2, buyer=Buyer(phone="5587654321"))
    tell(hook, merchant.id, said(phones, "failed", 131026))
    (bounce,) = merchant.of(lambda tenant: tenant.bounces.of_sale(invited))
    assert bounce.address == ""


def test_merchants_are_apart(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    other = world.settle(1)
    assert tell(hook, other.id, said(phones, "failed", 131026)) == 401, "takes no reports"
    reachable(other, phones)
    assert tell(hook, other.id, said(phones, "failed", 131026)) == 200
    assert stands(merchant, invited) == ("sent", [])
    assert tell(hook, merchant.id, said(phones, "failed", 131026), phone="999999") == 200
    assert stands(merchant, invited) == ("sent", [])


def test_only_metas_own_bytes_count(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    told = said(phones, "failed", 131026)
    for secret in ("", "f" * 32, APP_SECRET.upper()):
        assert tell(hook, merchant.id, told, secret=secret) == 401
    path = f"/webhooks/whatsapp/{merchant.id}"
    for headers in ({}, {"X-Hub-Signature-256": "sha256="}, {"X-Hub-Signature-256": "ñ"}):
        assert hook.post(path, data=b"{}", headers=headers).status_code == 401
    assert hook.post("/webhooks/whatsapp/nobody", data=b"{}").status_code == 401
    assert stands(merchant, invited) == ("sent", [])


@pytest.mark.parametrize(
    "body",
    [
        *(b" ", b"{", b"[]", b"null", b"7", b'"x"', b"[" * 100_000, b"\xff\xfe", b'{"entry": 7}'),
        *(b'{"entry": [7, null, {"changes": {}}]}', b'{"entry": [{"changes": [{"value": []}]}]}'),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_not_understood_is_taken_and_does_nothing(
    world: Any, merchant: Any, hook: Any, invited: str, body: bytes
) -> None:
    assert post(hook, merchant.id, body) == 200
    assert stands(merchant, invited) == ("sent", [])


def test_hostile_statuses_do_nothing(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    good = said(phones, "failed", 131026)
    hostile = [
        *(7, None, [], {}),
        *({**good, "status": word} for word in ("FAILED", "deleted", "", 7, None, ["failed"])),
        *({**good, "biz_opaque_callback_data": word} for word in ("", "x", 7, None, "<a@b>" * 500)),
    ]
    assert tell(hook, merchant.id, *hostile) == 200
    assert stands(merchant, invited) == ("sent", [])
    # One good among them counts, whatever its errors look like.
    assert tell(hook, merchant.id, *hostile, {**good, "errors": [7, {"code": "x"}]}) == 200
    assert stands(merchant, invited)[1] == ["WhatsApp told later that it failed, code none"]


def test_a_thousand_at_once_are_taken(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str
) -> None:
    unknown = {**said(phones, "sent"), "biz_opaque_callback_data": "<nobody@hub.example>"}
    assert tell(hook, merchant.id, *[unknown] * 999, said(phones, "delivered")) == 200
    assert stands(merchant, invited)[0] == "arrived"


def test_letters_are_not_touched(world: Any, merchant: Any, phones: Any, hook: Any) -> None:
    """Their Message-IDs stand in their headers, for whoever got one."""
    reachable(merchant, phones)
    sale_id = merchant.keep(invite=True, buyer=Buyer(email="ana@example.com"))
    (letter,) = world.post.letters
    told = {"status": "failed", "biz_opaque_callback_data": letter.message_id}
    assert tell(hook, merchant.id, told) == 200
    (row,) = merchant.of(lambda tenant: tenant.mails.about(INVITATIONS, sale_id))
    assert row.state == "sent"


def test_the_database_that_does_not_answer_is_told_again(
    world: Any, merchant: Any, phones: Any, hook: Any, invited: str, monkeypatch: Any
) -> None:
    def broken(*_given: object) -> int:
        raise OSError("canary 5512345678")

    monkeypatch.setattr(reported, "reported", broken)
    assert tell(hook, merchant.id, said(phones, "sent")) == 503


def test_hands_are_shaken_with_who_knows_the_token(merchant: Any, phones: Any, hook: Any) -> None:
    reachable(merchant, phones)
    path, token = f"/webhooks/whatsapp/{merchant.id}", statuses.verify_token(APP_SECRET)
    right = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1158201444"}
    answer = hook.get(path, query_string=right)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.mimetype == "text/plain"
    for wrong in (
        {"hub.mode": "unsubscribe"},
        {"hub.verify_token": "x"},
        {"hub.verify_token": ""},
        {"hub.verify_token": "ñ"},
        {"hub.challenge": "<script>"},
        {"hub.challenge": ""},
        {"hub.challenge": "1" * 5000},
    ):
        assert hook.get(path, query_string=right | wrong).status_code == 403
    assert hook.get("/webhooks/whatsapp/x", query_string=right).status_code == 403
