"""From a ticket to the documents on a real installation, with a phone and in its own language."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def shop(chromium: Browser, install: Any) -> Any:
    return install().merchant()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_ticket_becomes_an_invoice(
    chromium: Browser, shop: Any, buyer: dict[str, str], *, script: bool
) -> None:
    number = 2 if script else 1
    shop.sell(number)
    shop.digested()
    sale = shop.sales()[str(number)]
    context = chromium.new_context(
        viewport={"width": 360, "height": 740},
        locale="es-MX",
        java_script_enabled=script,
        is_mobile=True,
    )
    page = context.new_page()
    page.goto(f"{shop.home.url}/facturar?codigo={sale['code'].lower()}")
    page.fill("#total", sale["total"])
    page.click("text=Buscar mi compra")
    page.wait_for_url("**/f/**")
    passed = page.url
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", buyer[name])
    page.select_option("#regimen", buyer["regimen"])
    page.select_option("#uso", buyer["uso"])
    page.get_by_role("button", name="Continuar").click()
    page.click("text=Generar mi factura")
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    assert page.url.split("?")[0] == sale["link"]
    assert requests.get(f"{sale['link']}/cfdi.xml", timeout=60).status_code == 200
    # Whoever finds the ticket on the counter.
    page.goto(passed)
    expect(page.locator("h1")).to_have_text("Esta compra ya fue facturada")
    shown = page.content()
    for secret in (buyer["rfc"], "UNIVERSIDAD", buyer["cp"], sale["link"].rpartition("/")[2]):
        assert secret not in shown
    assert not re.search(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}", shown)
    assert requests.get(f"{passed}/cfdi.xml", timeout=60).status_code == 404
    page.fill("#rfc", buyer["rfc"].lower())
    page.click("text=Ver mi factura")
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    context.close()
