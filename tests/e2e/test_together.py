"""Several purchases in one invoice, in Chromium on the real installation: by ticket, by link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NUMBERS = iter(range(1, 100))
PHONE: ViewportSize = {"width": 360, "height": 740}
#: Where to put pictures for somebody to look at; nowhere by default.
SHOTS = os.environ.get("SHOTS_DIR", "")


@pytest.fixture(scope="module")
def shop(chromium: Browser, install: Any) -> Any:
    return install().merchant()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        viewport=PHONE, locale="es-MX", java_script_enabled=request.param, is_mobile=True
    )
    yield context.new_page()
    context.close()


def bought(shop: Any, many: int) -> list[dict[str, Any]]:
    numbers = [next(NUMBERS) for _ in range(many)]
    for number in numbers:
        shop.sell(number)
    shop.digested()
    sales = shop.sales()
    return [sales[str(number)] for number in numbers]


def shot(page: Page, name: str) -> None:
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def fill(page: Page, data: dict[str, str]) -> None:
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", data[name])
    page.select_option("#regimen", data["regimen"])
    page.select_option("#uso", data["uso"])
    page.click("#factura .primary")
    page.click("text=Generar mi factura")


def test_three_purchases_in_one_invoice(page: Page, shop: Any, buyer: dict[str, str]) -> None:
    first, second, third = bought(shop, 3)
    before = {one["uuid"] for one in shop.home.stamps()}
    page.goto(first["link"])
    shot(page, "1-abierta")
    page.click("text=Agregar otra compra de este comercio")
    shot(page, "2-varias-una")
    page.fill("#codigo", second["code"].lower())
    page.fill("#total", second["total"])
    page.click("text=Agregar a la lista")
    expect(page.locator("#lista")).to_have_text("2 compras")
    page.fill("#codigo", "AAAA-2222")
    page.fill("#total", "1.00")
    page.click("text=Agregar a la lista")
    expect(page.get_by_role("alert")).to_contain_text("No encontramos esa compra")
    shot(page, "3-varias-error")
    page.fill("#codigo", f"mira: {third['link']}")
    page.click("text=Agregar a la lista")
    expect(page.locator("#lista")).to_have_text("3 compras")
    shot(page, "4-varias-tres")
    page.click("text=Continuar con 3 compras")
    expect(page.locator("#compra")).to_have_text("3 compras")
    shot(page, "5-formulario")
    fill(page, buyer)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    shot(page, "6-lista")
    [uuid] = {one["uuid"] for one in shop.home.stamps()} - before
    for one in (first, second, third):
        page.goto(one["link"])
        expect(page.get_by_text(uuid)).to_be_visible()
    stored = {one["number"]: one for one in shop.sales().values()}
    assert {stored[one["number"]]["uuid"] for one in (first, second, third)} == {uuid}


def test_one_is_taken_off_again(page: Page, shop: Any, buyer: dict[str, str]) -> None:
    first, second = bought(shop, 2)
    page.goto(first["link"])
    page.click("text=Agregar otra compra de este comercio")
    page.fill("#codigo", second["link"])
    page.click("text=Agregar a la lista")
    page.click("button[name=quitar] >> nth=0")
    expect(page.locator("#lista")).to_have_text("1 compra")
    expect(page.get_by_text(f"Compra {second['number']}")).to_be_visible()
    page.click("text=Facturar solo esta compra")
    fill(page, buyer)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    assert shop.sales()[first["number"]]["state"] == "abierta"
    page.goto(first["link"])
    page.click("text=Agregar otra compra de este comercio")
    page.fill("#codigo", second["code"])
    page.fill("#total", second["total"])
    page.click("text=Agregar a la lista")
    expect(page.get_by_role("alert")).to_contain_text("ya tiene factura")


@pytest.fixture(scope="module")
def restaurant(chromium: Browser, install: Any) -> Any:
    rules = "[forma_pago]\ndefault = '03'\n[pagina]\nnombre = 'Fonda'\ndividir = true\n"
    return install().merchant(rules=rules)


def test_one_purchase_in_two_invoices(page: Page, restaurant: Any, buyer: dict[str, str]) -> None:
    (sale,) = bought(restaurant, 1)
    before = {one["uuid"] for one in restaurant.home.stamps()}
    page.goto(sale["link"])
    page.click("text=Dividir en dos facturas")
    shot(page, "7-dividir")
    page.fill("#u0", "5000")
    page.click("text=Calcular los totales")
    expect(page.get_by_role("alert")).to_contain_text("Revisa las cantidades")
    page.click("text=Mitad y mitad")
    expect(page.locator("#totales")).to_be_visible()
    shot(page, "8-mitad")
    page.click("text=Dividir así")
    expect(page.locator("h1")).to_have_text("Compra dividida en dos facturas")
    shot(page, "9-partes")
    address = page.url
    page.click("#parte-1")
    expect(page.locator("#compra")).to_have_text("Parte 1 de 2")
    shot(page, "10-parte")
    fill(page, buyer)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    page.goto(address)
    expect(page.locator(".parts li").first).to_contain_text("Lista")
    expect(page.get_by_text("Deshacer la división")).to_have_count(0)
    page.click("#parte-2")
    fill(page, buyer)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    assert len({one["uuid"] for one in restaurant.home.stamps()} - before) == 2
    page.goto(address)
    shot(page, "11-partes-listas")
