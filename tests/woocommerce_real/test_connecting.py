"""From activation to removal, as the merchant's browser sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOPICS = {"order.created", "order.updated", "order.deleted", "order.restored"}


def test_a_code_that_is_not_good_leaves_nothing_behind(
    admin: Any, shop: Any, hub: Any, pair: Callable[..., str]
) -> None:
    said = pair(admin, shop, hub.url, "ABCD-EFGH-JKLM")
    assert "código" in said.lower()
    assert admin.input_value("#autofactura-hub-address") == hub.url, "typed once is enough"
    said = pair(admin, shop, f"{shop.url}/", "ABCD-EFGH-JKLM")
    assert said, "a shop is no hub"
    assert shop.do("traces")["keys"] == []
    assert hub.connections() == []


def test_a_code_connects_and_everything_is_well(
    admin: Any,
    shop: Any,
    hub: Any,
    pair: Callable[..., str],
    eventually: Callable[..., Any],
    picture: Callable[..., None],
) -> None:
    admin.reload()
    admin.fill("#autofactura-hub-address", "https://facturas.example.com")
    picture(admin.locator("form:has(#autofactura-hub-code)"), "connect")
    assert "ESCUELA KEMPER URGATE" in pair(admin, shop, hub.url, hub.code())
    eventually(lambda: hub.connection()["state"] == "connected")
    assert hub.connection()["keys"] == "ok"
    made = shop.do("webhooks")
    assert {one["topic"] for one in made} == TOPICS
    assert {(one["status"], one["failures"]) for one in made} == {("active", 0)}
    assert len(shop.do("traces")["keys"]) == 1
    admin.reload()
    assert admin.locator(".dashicons-dismiss").count() == 0, admin.inner_text("table.widefat")
    assert re.search(r"\b(ck|cs)_[0-9a-f]{20}", admin.content()) is None
    assert "Plazo para facturar: hasta 366 días" in admin.inner_text("table.widefat")
    picture(admin.locator("table.widefat"), "panel")
    admin.set_viewport_size({"width": 390, "height": 844})
    picture(admin, "panel-phone", whole=True)
    admin.set_viewport_size({"width": 1280, "height": 900})


def test_pairing_again_keeps_the_connection_and_one_key(
    admin: Any, shop: Any, hub: Any, pair: Callable[..., str], eventually: Callable[..., Any]
) -> None:
    before = hub.connection()["id"]
    admin.on("dialog", lambda dialog: dialog.accept())
    admin.click("form:has(input[value=autofactura_hub_disconnect]) input[type=submit]")
    admin.wait_for_selector("#autofactura-hub-code")
    assert shop.do("traces")["hooks"] == []
    assert shop.do("traces")["keys"] == []
    closed = hub.connection()
    assert (closed["state"], closed["problem"]) == ("closed", "")
    pair(admin, shop, hub.url, hub.code())
    eventually(lambda: hub.connection()["state"] == "connected")
    assert hub.connection()["id"] == before
    assert len(shop.do("webhooks")) == len(TOPICS)


def test_removal_leaves_nothing(shop: Any, hub: Any) -> None:
    shop.order()
    assert shop.do("traces")["actions"]
    left = shop.uninstall()
    assert {name: rows for name, rows in left.items() if rows} == {}
    assert hub.connection()["state"] == "closed"
    assert shop.php_errors() == ""
    shop.install()
