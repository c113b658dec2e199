"""A buyer: the checkout, every place with the link, the invoice before any delivery, refunds."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: SAT's fictitious taxpayers.
PERSON = {
    "rfc": "CACX7605101P8",
    "nombre": "XOCHILT CASAS CHAVEZ",
    "cp": "36257",
    "regimen": "612",
    "uso": "G03",
}
KINDS = ("html", "plain")
SECTION = ".autofactura-hub-invoice"


def into_cart(page: Page, shop: Any, path: str) -> None:
    page.goto(f"{shop.url}/?add-to-cart={shop.facts['product']}")
    page.goto(shop.url + path)


def fill_block_address(page: Page) -> None:
    page.fill("#email", "buyer@example.test")
    given = {"first_name": "XOCHILT", "last_name": "CASAS CHAVEZ", "address_1": "Calle 1"}
    for name, value in (given | {"city": "León", "postcode": "36257"}).items():
        field = page.locator(f"#shipping-{name}, #billing-{name}").first
        field.fill(value)


def place_block_order(page: Page) -> None:
    page.get_by_text("Transferencia (SPEI)").first.click()
    page.click(".wc-block-components-checkout-place-order-button")


def order_of(page: Page) -> int:
    page.wait_for_url("**/order-received/**")
    found = re.search(r"order-received/(\d+)", page.url)
    assert found is not None
    return int(found[1])


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def invoice(page: Page) -> None:
    page.click("#factura .primary")
    page.click("text=Generar mi factura")
    expect(page.locator("h1")).to_have_text("Tu factura está lista", timeout=40_000)


def ask(page: Page, link: str) -> None:
    """By hand, from the link to the invoice."""
    page.goto(link)
    for name in ("rfc", "nombre", "cp"):
        page.fill(f"#{name}", PERSON[name])
    page.select_option("#regimen", PERSON["regimen"])
    page.select_option("#uso", PERSON["uso"])
    invoice(page)


def total_of(page: Page, tmp_path: Path) -> tuple[Decimal, str, str]:
    """Of the XML that the buyer can download: what it comes to, who receives it, its UUID."""
    with page.expect_download() as download:
        page.click("text=Descargar XML")
    target = tmp_path / "cfdi.xml"
    download.value.save_as(target)
    root = etree.parse(str(target)).getroot()
    receptor = root.find("{http://www.sat.gob.mx/cfd/4}Receptor")
    timbre = root.find(".//{http://www.sat.gob.mx/TimbreFiscalDigital}TimbreFiscalDigital")
    assert receptor is not None
    assert timbre is not None
    return Decimal(str(root.get("Total"))), str(receptor.get("Rfc")), str(timbre.get("UUID"))


def test_block_checkout_to_invoice_before_the_hub_heard_of_the_order(
    desktop: Page,
    admin: Page,
    shop: Any,
    paired: Any,
    tmp_path: Path,
    eventually: Callable[..., Any],
    picture: Callable[..., None],
) -> None:
    into_cart(desktop, shop, "/checkout/")
    desktop.wait_for_selector("#email")
    fill_block_address(desktop)
    expect(desktop.locator("#order-autofactura-rfc")).to_be_hidden()
    desktop.get_by_label("Quiero factura").check()
    for name, value in (PERSON | {"regimen": "601"}).items():
        field = desktop.locator(f"#order-autofactura-{name}")
        if name in {"regimen", "uso"}:
            field.select_option(value)
        else:
            field.fill(value.lower())
    place_block_order(desktop)
    said = desktop.locator(".wc-block-components-notice-banner.is-error").first
    expect(said).to_contain_text("régimen")  # 601 is for companies
    desktop.locator("#order-autofactura-regimen").select_option(PERSON["regimen"])
    picture(desktop.locator("#order-fields"), "checkout")
    desktop.click(".wc-block-components-checkout-place-order-button")
    order_id = order_of(desktop)
    told = shop.told(order_id)
    assert desktop.content().count(told["link"].replace("&", "&amp;")) == 1, "once on the page"
    assert paired.sale(order_id) is None, "nothing of the queue has run"
    desktop.click(f"{SECTION} a")
    for name, value in PERSON.items():
        expect(desktop.locator(f"#{name}")).to_have_value(value)
    invoice(desktop)
    total, rfc, uuid = total_of(desktop, tmp_path)
    assert (total, rfc) == (Decimal(told["total"]), PERSON["rfc"])
    stamped = len(paired.stamps(told["total"]))
    assert shop.run_queue() > 0  # now it hears, several times over
    eventually(paired.digested)
    assert len(paired.stamps(told["total"])) == stamped
    admin.goto(told["edit"])
    box = admin.locator("#autofactura-hub")
    expect(box).to_contain_text("Facturado")
    expect(box).to_contain_text(uuid, ignore_case=True)
    expect(box).to_contain_text(PERSON["rfc"])
    expect(box).to_contain_text("G03 Gastos en general")
    expect(admin.locator("#autofactura-hub-link")).to_have_value(told["link"])
    picture(box, "order-box")


def test_classic_checkout_on_a_telephone(
    phone: Page, shop: Any, paired: Any, tmp_path: Path, picture: Callable[..., None]
) -> None:
    into_cart(phone, shop, "/pagar/")
    given = {"first_name": "XOCHILT", "last_name": "CASAS CHAVEZ", "address_1": "Calle 1"}
    given |= {"city": "León", "postcode": "36257", "phone": "5555555555"}
    for name, value in (given | {"email": "buyer@example.test"}).items():
        phone.fill(f"#billing_{name}", value)
    expect(phone.locator("#autofactura_rfc")).to_be_hidden()
    phone.check("#autofactura_quiero")
    phone.fill("#autofactura_rfc", "XAXX010101000")
    assert fits(phone)
    phone.click("label[for=payment_method_bacs]")
    picture(phone, "classic-checkout", whole=True)
    phone.click("#place_order")
    error = phone.locator(".wc-block-components-notice-banner.is-error, .woocommerce-error")
    expect(error.first).to_contain_text("RFC")
    phone.fill("#autofactura_rfc", PERSON["rfc"])
    phone.click("#place_order")
    told = shop.told(order_of(phone))
    assert fits(phone)
    assert phone.content().count(told["link"]) == 1
    phone.locator(f"{SECTION} a").evaluate("link => link.scrollIntoView({block: 'center'})")
    picture(phone, "order-received")
    phone.click(f"{SECTION} a")
    expect(phone.locator("#rfc")).to_have_value(PERSON["rfc"])
    assert fits(phone)
    ask(phone, told["link"])
    assert total_of(phone, tmp_path)[0] == Decimal(told["total"])


def test_each_place_has_the_link_once(
    customer: Page, shop: Any, paired: Any, picture: Callable[..., None]
) -> None:
    order = shop.order()
    link = order["link"]
    customer.goto(order["received"])
    assert customer.content().count(link) == 1
    picture(customer, "order-received-desktop", whole=True)
    customer.goto(f"{shop.url}/my-account/view-order/{order['id']}/")
    assert customer.content().count(link) == 1
    picture(customer, "my-account-order", whole=True)
    customer.goto(f"{shop.url}/my-account/orders/")
    action = customer.locator(f'a[href="{link}"]')
    expect(action).to_have_count(1)
    assert str(order["id"]) in str(action.get_attribute("aria-label"))
    picture(customer, "my-account-list", whole=True)
    customer.set_viewport_size({"width": 390, "height": 844})
    picture(customer, "my-account-list-phone", whole=True)
    mails = shop.do("mails", order=order["id"])
    counted = {name: tuple(one[kind].count(link) for kind in KINDS) for name, one in mails.items()}
    assert counted == {
        "new_order": (0, 0),
        "customer_on_hold_order": (0, 0),
        "customer_processing_order": (1, 1),
        "customer_completed_order": (1, 1),
        "customer_invoice": (1, 1),
    }
    assert "<" not in mails["customer_completed_order"]["plain"].split(link)[0][-200:]
    for width in (390, 800):
        customer.set_viewport_size({"width": width, "height": 844})
        customer.set_content(mails["customer_processing_order"]["html"])
        picture(customer, f"mail-{width}", whole=True)


def test_a_stranger_with_the_number_gets_nothing(
    desktop: Page, phone: Page, shop: Any, paired: Any
) -> None:
    order = shop.order()
    seen = desktop.goto(f"{shop.url}/checkout/order-received/{order['id']}/?key=wc_order_guess")
    assert seen is not None
    assert order["link"] not in desktop.content()
    proof = order["link"].rpartition("=")[2]
    other = shop.order()
    wrong = other["link"].rpartition("=")[0] + "=" + proof
    answer = desktop.goto(wrong)
    assert answer is not None
    assert answer.status == 404
    assert paired.sale(other["id"]) is None


def test_what_was_given_back_whole_cannot_be_invoiced(
    desktop: Page, shop: Any, paired: Any, eventually: Callable[..., Any]
) -> None:
    order = shop.order()
    desktop.goto(order["link"])
    expect(desktop.locator("#rfc")).to_be_visible()
    assert shop.do("refund", order=order["id"], amount=order["total"])["link"] is None
    assert shop.run_queue("autofactura_hub_deliver") > 0

    def closed() -> bool:
        answer = desktop.goto(order["link"])
        assert answer is not None
        assert answer.ok
        return desktop.locator("#rfc").count() == 0

    eventually(closed)


def test_a_refund_after_the_invoice_is_known_and_makes_no_second_document(
    desktop: Page, shop: Any, paired: Any, eventually: Callable[..., Any]
) -> None:
    order = shop.order()
    ask(desktop, order["link"])
    stamped = len(paired.stamps(order["total"]))
    shop.do("refund", order=order["id"], amount="100.00")
    shop.run_queue()

    def known() -> bool:
        shown = paired.cli("sale", "show", "--merchant", paired.merchant_id, sale["id"])
        return "100" in str(shown)

    sale = paired.sale(order["id"])
    assert sale is not None
    eventually(known)
    desktop.goto(order["link"])
    expect(desktop.locator("h1")).to_have_text("Tu factura está lista")
    assert len(paired.stamps(order["total"])) == stamped
