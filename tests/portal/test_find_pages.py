"""The page for code and total, and what whoever came by it may do about an invoice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from limits import RateLimitItemPerHour

from hub.domain.purchase import Estado
from portal.buyer import limits

TICKET = {"codigo": "7KQ4-M2XD", "total": "1,062.00"}
OTHER = {"REMOTE_ADDR": "203.0.113.9"}


def signed(kit: Any, path: str = "/facturar") -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', kit.client.get(path).text)
    return {"csrf_token": found[1] if found else ""}


def search(kit: Any, data: Mapping[str, str], path: str = "/facturar", **more: Any) -> Any:
    return kit.client.post(path, data={**signed(kit, path), **data}, **more)


def holder(kit: Any, **changes: Any) -> None:
    """Somebody with the ticket, of a sale that is invoiced."""
    kit.service.current = replace(
        kit.purchase(Estado.LISTA), proven=False, uuid=None, masked_email="", **changes
    )


@pytest.mark.parametrize("path", ["/facturar", "/facturar/m1", "/facturar?lang=en"])
def test_the_page_asks_for_two_data_and_needs_no_script(kit: Any, path: str) -> None:
    page = kit.client.get(path)
    assert page.status_code == 200
    assert re.findall(r'<input id="(\w+)"', page.text) == ["codigo", "total"]
    assert "Set-Cookie" not in page.headers
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Permissions-Policy"].startswith("camera=(self)")
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert not re.search(r"\sstyle=|\son[a-z]+=", page.text)
    assert not re.search(r'(src|href|action)="(https?:)?//', page.text)


def test_the_camera_is_for_that_page_alone(kit: Any) -> None:
    for path in ("/", kit.path, "/f/nobody"):
        assert kit.client.get(path).headers["Permissions-Policy"].startswith("camera=()")


def test_the_merchants_page_names_it_and_the_hubs_names_nobody(kit: Any) -> None:
    merchants, hubs = (kit.client.get(path).text for path in ("/facturar/m1", "/facturar"))
    assert "Escuela Kemper Urgate" in merchants
    assert "Escuela Kemper Urgate" not in hubs
    assert ("<footer" in merchants, "<footer" in hubs) == (True, False)  # nobody's has no line


def test_a_merchant_that_is_not_there(kit: Any) -> None:
    for method in ("GET", "POST"):
        answer = kit.client.open("/facturar/nobody", method=method)
        assert answer.status_code == 404
        assert "No encontramos esa compra" in answer.text


@pytest.mark.parametrize("path", ["/facturar", "/facturar/m1"])
def test_the_right_ticket_leads_to_the_purchase(kit: Any, path: str) -> None:
    answer = search(kit, TICKET, path)
    assert answer.status_code == 303
    assert answer.headers["Location"] == kit.path
    merchant = "m1" if path.endswith("m1") else None
    assert kit.service.looked == [("7KQ4M2XD", Decimal("1062.00"), merchant)]


@pytest.mark.parametrize(
    ("codigo", "total"),
    [
        (" 7kq4 m2xd ", "$1,062.00 MXN"),
        ("Código: 7KQ4–M2XD", "1 062,00"),
        ("７ＫＱ４Ｍ２ＸＤ", "１０６２"),
        ("https://facturas.example.com/facturar?codigo=7KQ4M2XD", "1062.0 pesos"),
    ],
)
def test_what_is_typed_is_forgiven(kit: Any, codigo: str, total: str) -> None:
    assert search(kit, {"codigo": codigo, "total": total}).status_code == 303


def test_a_miss_says_one_thing_and_keeps_what_was_typed(kit: Any) -> None:
    pages = [
        search(kit, {"codigo": "7KQ4-M2XD", "total": "1062.01"}),
        search(kit, {"codigo": "ZZZZ-ZZZZ", "total": "1062.01"}),
    ]
    assert [page.status_code for page in pages] == [404, 404]
    texts = [
        re.sub(r'(name="csrf_token" value)="[^"]+"', r"\1", page.text).replace(
            "ZZZZ-ZZZZ", "7KQ4-M2XD"
        )
        for page in pages
    ]
    assert texts[0] == texts[1]
    assert 'value="7KQ4-M2XD"' in texts[0]
    assert 'value="1062.01"' in texts[0]
    assert "No encontramos esa compra" in texts[0]


def test_what_is_no_code_and_no_total_is_said_at_its_field_and_not_counted(kit: Any) -> None:
    for _ in range(15):
        page = search(kit, {"codigo": "7KQ4", "total": "mucho"})
        assert page.status_code == 422
        assert page.text.count('class="field-error"') == 2
    assert kit.service.looked == []
    assert search(kit, TICKET).status_code == 303


def test_a_get_opens_nothing_and_fills_in_the_code(kit: Any) -> None:
    page = kit.client.get("/facturar/m1?codigo=7kq4m2xd&total=1062.00")
    assert page.status_code == 200
    assert 'value="7KQ4-M2XD"' in page.text
    assert "1062" not in page.text
    assert kit.service.looked == []


@pytest.mark.parametrize(
    "codigo",
    ["<script>alert(1)</script>", '"><img src=x>', "' OR 1=1 --", "\x00\ud800".encode(
        "utf-8", "surrogatepass").decode("utf-8", "replace"), "A" * 100_000, "{{7*7}}", "%s%n"],
)  # fmt: skip
def test_a_hostile_code_is_text(kit: Any, codigo: str) -> None:
    answers = [
        kit.client.get("/facturar", query_string={"codigo": codigo}),
        search(kit, {"codigo": codigo[:60_000], "total": codigo[:300]}),
    ]
    for answer in answers:
        assert answer.status_code in {200, 404, 413, 422}
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "{{7*7}}" in answer.text or "49" not in answer.text
        assert len(answer.text) < 40_000


def test_arrays_and_strange_bodies(kit: Any) -> None:
    twice = search(kit, {"codigo": ["7KQ4-M2XD", "x"], "total": ["1062", "1"]})  # type: ignore[dict-item]
    assert twice.status_code == 303
    for body in (b"", b"{", b"\xff" * 1000, b"a" * 70_000):
        answer = kit.client.post("/facturar", data=body, content_type="application/json")
        assert answer.status_code in {413, 422}


def test_a_form_that_is_not_ours_finds_nothing(kit: Any) -> None:
    assert kit.client.post("/facturar", data=TICKET).status_code == 422
    # Signed for the page of all merchants: no form of this one.
    crossed = kit.client.post("/facturar/m1", data={**signed(kit), **TICKET})
    assert crossed.status_code == 422
    for origin in ("https://evil.example", "http://facturas.example.com"):
        answer = search(kit, TICKET, headers={"Origin": origin})
        assert answer.status_code == 403
    assert kit.service.looked == []
    kit.clock.advance(25 * 3600)
    fresh = search(kit, TICKET)
    assert fresh.status_code == 303


def test_an_old_form_keeps_what_was_typed(kit: Any) -> None:
    old = signed(kit)
    kit.clock.advance(25 * 3600)
    page = kit.client.post("/facturar", data={**old, **TICKET})
    assert page.status_code == 422
    assert 'value="7KQ4-M2XD"' in page.text
    assert "1,062.00" in page.text


def test_no_host_and_no_parameter_leads_away(kit: Any) -> None:
    more = {"next": "https://evil.example", "Location": "https://evil.example"}
    answer = search(kit, {**TICKET, **more}, headers={"X-Forwarded-Host": "evil.example"})
    assert answer.headers["Location"] == kit.path
    for path in ("/facturar//evil.example", "/facturar/https:%2F%2Fevil.example"):
        assert kit.client.get(path).status_code in {308, 404}
        assert "evil" not in kit.client.get(path, follow_redirects=True).text


def test_wrong_tickets_of_one_address_are_limited(kit: Any) -> None:
    codes = [f"{n:0>8}".replace("0", "Z").replace("1", "Y") for n in range(2, 16)]
    answers = [search(kit, {"codigo": code, "total": "5"}) for code in codes]
    assert [one.status_code for one in answers] == [404] * 10 + [429] * 4
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "Espera 1 minuto" in answers[-1].text
    assert f'value="{codes[-1]}"' in answers[-1].text
    # Nor is a right one let in: else every eleventh guess would tell.
    assert search(kit, TICKET).status_code == 429
    assert len(kit.service.looked) == 10
    assert search(kit, TICKET, environ_base=OTHER).status_code == 303


def guess(kit: Any, n: int, address: str) -> int:
    """The same code, as typed in two ways, with a total that is not its own."""
    typed = {"codigo": "7KQ4M2XD" if n % 2 else "7kq4-mZxd", "total": f"{n + 1}.00"}
    status: int = search(kit, typed, environ_base={"REMOTE_ADDR": address}).status_code
    return status


@pytest.mark.parametrize("near", ["198.51.100.{}", "2001:db8:7:{}::1"])
def test_who_guesses_the_total_of_a_code_locks_out_itself_alone(kit: Any, near: str) -> None:
    assert [guess(kit, n, near.format(n)) for n in range(8)] == [404] * 5 + [429] * 3
    wait = search(kit, TICKET, environ_base={"REMOTE_ADDR": near.format(9)})
    assert wait.status_code == 429
    assert re.search(r"Espera (59|60) minutos", wait.text)
    assert search(kit, TICKET, environ_base=OTHER).status_code == 303
    # Another code is not in the way, nor is the link.
    elsewhere = {"REMOTE_ADDR": near.format(10)}
    other = search(kit, {"codigo": "22223333", "total": "5"}, environ_base=elsewhere)
    assert other.status_code == 404
    assert kit.client.get(kit.path, environ_base=elsewhere).status_code == 200


def test_the_second_hour_of_guessing_ends_the_day(
    kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WRONG_TOTALS", RateLimitItemPerHour(100, namespace="many"))
    tried = [guess(kit, n, f"198.51.100.{n}") for n in range(12)]
    assert tried == [404] * 10 + [429] * 2
    wait = search(kit, TICKET, environ_base={"REMOTE_ADDR": "198.51.100.99"})
    assert 23 * 3600 < int(wait.headers["Retry-After"]) <= 24 * 3600
    assert "Espera 24 horas" in wait.text


def test_the_totals_of_one_code_are_not_tried_out_from_everywhere(kit: Any) -> None:
    statuses = [guess(kit, n, f"198.51.{n % 100}.1") for n in range(105)]
    assert statuses == [404] * 100 + [429] * 5
    assert len(kit.service.looked) == 100
    assert search(kit, TICKET, environ_base=OTHER).status_code == 429


def test_a_thousand_guesses_of_one_address_look_ten_times(kit: Any) -> None:
    form = signed(kit)
    for n in range(1000):
        code = "".join("23456789AB"[int(digit)] for digit in f"{n:08}")
        kit.client.post("/facturar", data={**form, "codigo": code, "total": "116"})
    assert len(kit.service.looked) == 10


def test_right_tickets_are_never_limited(kit: Any) -> None:
    assert {search(kit, TICKET).status_code for _ in range(40)} == {303}


# --- whoever holds the ticket of a sale that is invoiced


@pytest.mark.parametrize("query", ["", "?lang=en"])
def test_an_invoice_of_somebody_shows_its_date_and_nothing_else(kit: Any, query: str) -> None:
    holder(kit)
    page = kit.client.get(kit.path + query)
    assert page.status_code == 200
    assert ("20 de noviembre de 2026" if not query else "November 20, 2026") in page.text
    for secret in (kit.uuid, "example.com", "cfdi.pdf", "cfdi.xml", "c•••"):
        assert secret not in page.text
    for name in ("cfdi.xml", "cfdi.pdf", "sat"):
        assert kit.client.get(f"{kit.path}/{name}").status_code == 404


def test_who_knows_the_rfc_is_led_to_the_invoice(kit: Any) -> None:
    holder(kit)
    answer = kit.post({"rfc": kit.good["rfc"]}, "/probar")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/f/pRoVeN")


def test_rfcs_are_not_guessed(kit: Any) -> None:
    holder(kit)
    statuses = []
    for n in range(1, 8):
        address = {"REMOTE_ADDR": f"192.0.2.{n}"}
        statuses.append(kit.post({"rfc": f"AAA01010{n}AAA"}, "/probar", environ_base=address))
    assert [one.status_code for one in statuses] == [422] * 5 + [429] * 2
    assert kit.post({"rfc": kit.good["rfc"]}, "/probar").status_code == 429
    assert len(kit.service.proofs) == 5
    assert 'value="AAA010107AAA"' in statuses[-1].text


def test_it_is_sent_again_to_nobody_who_is_named(kit: Any) -> None:
    holder(kit)
    answers = [kit.post({"correo": "thief@example.com"}, "/reenviar") for _ in range(4)]
    assert [one.status_code for one in answers] == [303, 303, 303, 429]
    assert kit.service.resent == [kit.token] * 3
    assert kit.service.letters == []
    page = kit.client.get(answers[0].headers["Location"])
    assert "Si la factura se pidió con un correo" in page.text


def test_the_merchant_is_told(kit: Any) -> None:
    holder(kit)
    answer = kit.post({"correo": "yo@example.com", "mensaje": "No fui yo"}, "/no-fui-yo")
    assert answer.status_code == 303
    asked = {"correo": "yo@example.com", "mensaje": "No fui yo", "idioma": "es"}
    assert kit.service.disputes == [asked]
    assert "Avisamos al comercio" in kit.client.get(answer.headers["Location"]).text


@pytest.mark.parametrize("path", ["/probar", "/reenviar", "/no-fui-yo"])
def test_these_are_of_ticket_holders_and_of_our_own_forms(kit: Any, path: str) -> None:
    holder(kit)
    assert kit.client.post(kit.path + path, data={"rfc": kit.good["rfc"]}).status_code == 422
    origin = {"Origin": "https://evil.example"}
    assert kit.post({"rfc": kit.good["rfc"]}, path, headers=origin).status_code == 403
    assert kit.client.get(kit.path + path).status_code == 303
    assert kit.client.post("/f/nobody" + path).status_code == 404
    kit.service.current = kit.purchase(Estado.LISTA)
    assert kit.post({"rfc": kit.good["rfc"]}, path).headers["Location"] == kit.path
    service = kit.service
    assert (service.proofs, service.resent, service.disputes) == ([], [], [])


def test_who_asks_by_a_ticket_is_led_to_the_link_of_the_own_invoice(kit: Any) -> None:
    kit.service.current = replace(kit.purchase(), proven=False)
    token = kit.signed()
    kit.service.after = Estado.PROCESANDO
    made = kit.purchase(Estado.PROCESANDO)
    original = kit.purchase
    kit.service.request = lambda *_: (
        setattr(kit.service, "current", replace(made, proven=False)) or ()
    )
    answer = kit.client.post(kit.path, data={**token, **kit.good})
    assert answer.headers["Location"].startswith("/f/pRoVeN")
    assert original is kit.purchase


def test_the_qr_code_is_of_links_alone(kit: Any) -> None:
    image = kit.client.get(f"{kit.path}/qr.svg")
    assert image.mimetype == "image/svg+xml"
    assert image.headers["Cache-Control"] == "no-store"
    holder(kit)
    assert kit.client.get(f"{kit.path}/qr.svg").status_code == 404
    assert kit.client.get("/f/nobody/qr.svg").status_code == 404


def test_robots_are_asked_to_stay_out(kit: Any) -> None:
    answer = kit.client.get("/robots.txt")
    assert answer.text == "User-agent: *\nDisallow: /\n"
    assert answer.mimetype == "text/plain"
    assert answer.headers["X-Robots-Tag"].startswith("noindex")


@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}]
)
def test_who_only_passes_by_has_no_shop_asked(kit: Any, headers: dict[str, str]) -> None:
    kit.client.get(kit.path, headers=headers)
    kit.client.head(kit.path)
    assert kit.service.refreshed == []
    kit.client.get(kit.path)
    assert kit.service.refreshed == [kit.token]
