"""What became of a message of WhatsApp: sent and told of over sockets, on a whole hub."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.fakes.messages.server import PHONE_ID, running

APP_SECRET = "0123456789abcdef" * 2
RULES = """
[forma_pago]
default = "03"
[producto.default]
clave_prod_serv = "01010101"
clave_unidad = "H87"
[canales]
invitacion = ["whatsapp", "correo"]
"""


@pytest.fixture
def site(make_site: Callable[..., Any]) -> Any:
    return make_site(ALLOW_PRIVATE_HOSTS="1")


def test_from_the_message_to_what_became_of_it(site: Any, serve: Callable[[Any], str]) -> None:
    merchant = site.merchant()
    of = ("--merchant", merchant)
    site.told("rules", "set", *of, "--file", site.file("more.toml", RULES))
    with running() as phones:
        keys = {**phones.whatsapp, "app_secret": APP_SECRET}
        with site.hub.ctx.store.transaction() as tx:
            tx.tenant(merchant).channels.set("whatsapp", keys)
        sale = site.sell(
            merchant, "PED-1", buyer={"phone": "5512345678", "email": "ana@example.com"}
        )
        while site.work():
            pass
        (sent,) = phones.got
    hook = site.told("channel", "list", *of)["data"][0]
    url = serve(site.app) + urlsplit(hook["webhook_url"]).path
    shake = {"hub.mode": "subscribe", "hub.verify_token": hook["verify_token"]}
    challenged = requests.get(url, params={**shake, "hub.challenge": "1158201444"}, timeout=60)
    assert (challenged.status_code, challenged.text) == (200, "1158201444")

    def tell(status: str, **more: Any) -> int:
        told = {"status": status, "id": "wamid.x", **more}
        told["biz_opaque_callback_data"] = sent.body["biz_opaque_callback_data"]
        value = {"metadata": {"phone_number_id": PHONE_ID}, "statuses": [told]}
        # As Meta writes it: with escapes, so that only the raw bytes have that signature.
        told_in = {"entry": [{"changes": [{"value": value}]}], "note": "á/<"}
        body = json.dumps(told_in).replace("/", "\\/").encode()
        digest = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}
        return requests.post(url, data=body, headers=headers, timeout=60).status_code

    assert tell("failed", errors=[{"code": 131026}]) == 200
    while site.work():
        pass
    letters = {
        one["kind"]: (one["state"], one["reason"])
        for one in site.told("sale", "show", *of, sale["id"])["letters"]
    }
    assert letters == {
        "invitation.whatsapp": (
            "returned",
            "WhatsApp told later that it failed, code 131026",
        ),
        "invitation": ("sent", ""),
    }
    assert tell("read") == 200
    first = site.told("sale", "show", *of, sale["id"])["letters"][0]
    assert (first["kind"], first["state"]) == ("invitation.whatsapp", "arrived")

    for body in (b"", b"x" * (3 * 1024 * 1024 + 1)):
        assert requests.post(url, data=body, timeout=60).status_code in {401, 413}
    with requests.post(url, data=iter([b"x"]), timeout=60) as chunked:
        assert chunked.status_code in {401, 411}
    elsewhere = url.replace(merchant, "x" * 40)
    assert requests.post(elsewhere, data=b"{}", timeout=60).status_code == 401
