"""A buyer with a phone, in Chromium, on the real installation: with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NUMBERS = iter(range(1, 100))
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def shop(chromium: Browser, install: Any) -> Any:
    return install().merchant()


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def page(request: pytest.FixtureRequest, chromium: Browser, shop: Any) -> Iterator[Page]:
    """The page of a sale just made."""
    number = next(NUMBERS)
    shop.sell(number)
    shop.digested()
    context = chromium.new_context(
        viewport=PHONE, locale="es-MX", java_script_enabled=request.param, is_mobile=True
    )
    page = context.new_page()
    page.goto(shop.sales()[str(number)]["link"])
    yield page
    context.close()


def fill(page: Page, data: dict[str, str]) -> None:
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", data[name])
    page.select_option("#regimen", data["regimen"])
    page.select_option("#uso", data["uso"])
    page.click("#factura .primary")
    page.click("text=Generar mi factura")


def test_five_data_and_the_invoice_is_there(
    page: Page, shop: Any, buyer: dict[str, str], tmp_path: Any
) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    before = {one["uuid"] for one in shop.home.stamps()}
    fill(page, buyer)
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
    [uuid] = {one["uuid"] for one in shop.home.stamps()} - before
    expect(page.get_by_text(uuid)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    with page.expect_download() as download:
        page.click("text=Descargar PDF")
    target = tmp_path / "cfdi.pdf"
    download.value.save_as(target)
    assert download.value.suggested_filename == f"{uuid}.pdf"
    assert uuid in "".join(one.extract_text() for one in pypdf.PdfReader(target).pages).replace(
        "\n", ""
    )


def test_a_refusal_of_sat_stands_at_its_field_and_nothing_typed_is_lost(
    page: Page, buyer: dict[str, str]
) -> None:
    fill(page, buyer | {"nombre": "UNIVERSIDAD ROBOTICA ESPANOLA"})
    nombre = page.locator("#nombre")
    expect(nombre).to_have_attribute("aria-invalid", "true")
    expect(nombre).to_have_value("UNIVERSIDAD ROBOTICA ESPANOLA")
    expect(page.locator("#rfc")).to_have_value(buyer["rfc"])
    expect(page.locator("#cp")).to_have_value(buyer["cp"])
    expect(page.locator("#regimen")).to_have_value(buyer["regimen"])
    expect(page.locator("#uso")).to_have_value(buyer["uso"])
    page.fill("#nombre", buyer["nombre"])
    page.click("#factura .primary")
    page.click("text=Generar mi factura")
    expect(page.locator("h1")).to_have_text("Tu factura está lista")
