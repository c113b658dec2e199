"""Every route: safe headers, no cookie, no state changed by looking, no trust in what is sent."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

#: Every rule there is, with a path that reaches it. A new route must be added here, and so is
#: tried by all tests below; with `POST` alone it needs tests of its own.
KNOWN = {
    "/": "/",
    "/health": "/health",
    "/ready": "/ready",
    "/metrics": "/metrics",
    "/assets/<filename>": "/assets/icon.svg",
    "/design": "/design",
    "/design/<name>": "/design/abierta",
    "/design/theme/<theme>.css": "/design/theme/dark.css",
    "/assets/brand/<merchant>.<digest>.png": "/assets/brand/x.y.png",  # test_brand.py
    "/tls/ask": "/tls/ask?domain=example.com",
    "/f/<token>/privacidad": "/f/{token}/privacidad",
    "/facturar/<merchant>/privacidad": "/facturar/x/privacidad",
    "/webhooks/<platform>/<connection>": "/webhooks/woocommerce/x",  # test_webhook_route.py
    "/webhooks/<platform>": "/webhooks/shopify",  # test_apps.py
    "/webhooks/whatsapp/<merchant>": "/webhooks/whatsapp/x",  # test_reports.py
    "/connect/shopify": "/connect/shopify",  # test_apps.py
    "/connect/shopify/return": "/connect/shopify/return",
    "/connect/shopify/app": "/connect/shopify/app",
    "/connect/shopify/app/state": "/connect/shopify/app/state",
    "/connect/shopify/app/pair": "/connect/shopify/app/pair",
    "/connect/shopify/app/disconnect": "/connect/shopify/app/disconnect",
    "/connect/woocommerce": "/connect/woocommerce",  # test_hand_off.py
    "/connect/woocommerce/return": "/connect/woocommerce/return",
    "/connect/woocommerce/callback": "/connect/woocommerce/callback",
    "/connect/woocommerce/pair": "/connect/woocommerce/pair",  # test_pairing.py
    "/connect/woocommerce/<connection>/status": "/connect/woocommerce/x/status",
    "/connect/woocommerce/<connection>/orders/<order>": "/connect/woocommerce/x/orders/1",
    "/connect/woocommerce/<connection>/disconnect": "/connect/woocommerce/x/disconnect",
    "/s/<platform>/<connection>/<order>": "/s/woocommerce/x/1?c=" + "p" * 43,  # test_shop_links.py
    "/robots.txt": "/robots.txt",
    "/facturar": "/facturar?codigo=2222-2222",  # test_ways_in.py, and in tests/portal
    "/facturar/<merchant>": "/facturar/x",
    "/f/<token>/qr.svg": "/f/{token}/qr.svg",
    "/f/<token>/probar": "/f/{token}/probar",
    "/f/<token>/reenviar": "/f/{token}/reenviar",
    "/f/<token>/no-fui-yo": "/f/{token}/no-fui-yo",
    "/f/<token>": "/f/{token}",
    "/baja/<token>": "/baja/{token}",  # tests/portal/test_unsubscribe.py
    "/f/<token>/estado": "/f/{token}/estado",
    "/f/<token>/cfdi.xml": "/f/{token}/cfdi.xml",
    "/f/<token>/cfdi.pdf": "/f/{token}/cfdi.pdf",
    "/f/<token>/nota/<int:number>.xml": "/f/{token}/nota/1.xml",
    "/f/<token>/nota/<int:number>.pdf": "/f/{token}/nota/1.pdf",
    "/f/<token>/sat": "/f/{token}/sat",
    "/f/<token>/correo": "/f/{token}/correo",
    "/f/<token>/constancia": "/f/{token}/constancia",
    "/f/<token>/solicitud": "/f/{token}/solicitud",
    "/f/<token>/corregir": "/f/{token}/corregir",
    "/f/<token>/aviso": "/f/{token}/aviso",
    "/f/<token>/zip": "/f/{token}/zip",
    "/f/<token>/varias": "/f/{token}/varias",
    "/f/<token>/separar": "/f/{token}/separar",
    "/f/<token>/dividir": "/f/{token}/dividir",
    "/f/<token>/unir": "/f/{token}/unir",
}
NOWHERE = (
    "/nothing",
    "/f/",
    "/f/a/b/c",
    "/webhooks/x/y/z",
    "/%00",
    "/f/" + "a" * 5000,
    "//evil.test/f",
)


@pytest.fixture
def token(site: Any) -> str:
    merchant_id = site.merchant()
    made = site.sell(merchant_id, "PED-1")
    return str(made["link"]).rpartition("/")[2]


def paths(token: str) -> list[str]:
    return [path.format(token=token) for path in KNOWN.values()] + [
        f"/f/{token}?prueba=1",
        f"/f/{token}.",
        *NOWHERE,
    ]


def test_every_route_is_known_here(site: Any) -> None:
    assert {rule.rule for rule in site.app.url_map.iter_rules()} == set(KNOWN)


def test_every_answer_is_safe_and_sets_no_cookie(site: Any, token: str) -> None:
    for path in paths(token):
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PROPFIND"):
            answer = site.client.open(path, method=method)
            headers = answer.headers
            where = f"{method} {path}: {answer.status}"
            assert answer.status_code < 500 or path == "/ready", where
            assert "Set-Cookie" not in headers, where
            assert headers["X-Content-Type-Options"] == "nosniff", where
            assert headers["Referrer-Policy"] == "no-referrer", where
            assert "default-src 'none'" in headers["Content-Security-Policy"], where
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], where
            assert headers["X-Robots-Tag"].startswith("noindex"), where
            assert "no-store" in headers["Cache-Control"] or path.startswith("/assets/"), where
            assert "Werkzeug" not in headers.get("Server", ""), where


@pytest.mark.parametrize(
    "path", ["/f//evil.example", "//f/x", "/f///x/..//y", "/facturar//x?next=//evil.example"]
)
def test_no_address_is_made_of_the_host_that_was_named(site: Any, path: str) -> None:
    for headers in ({}, {"X-Forwarded-Host": "evil.example"}):
        answer = site.client.open(
            path, base_url="https://evil.example", headers=headers, follow_redirects=False
        )
        location = answer.headers.get("Location", "/")
        assert location.startswith("/")
        assert not location.startswith("//")
        assert "https://evil.example" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/whatsapp/a%00b",
        "/webhooks/woocommerce/a%00b",
        "/facturar/a%00b",
        "/s/shopify/a%00.b/1?c=ABCDEFGHJ",
    ],
)
def test_nothing_is_looked_for_that_no_database_holds(site: Any, path: str) -> None:
    """PostgreSQL takes no text with a NUL: it were a failure of ours at every stranger's word."""
    answer = site.client.get(path)
    assert answer.status_code == 404
    assert answer.text == "404 Not Found\n" or "No pudimos leer lo que enviaste" in answer.text


def test_an_unknown_page_repeats_nothing_of_its_address(site: Any) -> None:
    answer = site.client.get("/f/canary-of-a-token/nowhere")
    assert answer.status_code == 404
    assert "canary" not in answer.text
    allowed = site.client.get("/webhooks/woocommerce/x").headers["Allow"]
    assert set(allowed.split(", ")) == {"OPTIONS", "POST"}


def dump(site: Any) -> list[str]:
    with sqlite3.connect(site.var_dir / "hub.sqlite3") as database:
        return list(database.iterdump())


def test_looking_changes_nothing(site: Any, token: str) -> None:
    before = dump(site)
    for path in paths(token):
        for method in ("GET", "HEAD", "OPTIONS"):
            site.client.open(path, method=method, headers={"Accept-Language": "en"})
    assert dump(site) == before
    site.sell(site.told("merchant", "list")["data"][0]["id"], "PED-2")
    assert dump(site) != before


def test_no_address_is_built_from_what_the_client_sends(site: Any, token: str) -> None:
    evil = {
        "Host": "evil.test",
        "X-Forwarded-Host": "evil.test",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.test",
        "X-Original-URL": "/evil.test",
    }
    for path in paths(token):
        if "evil" in path:
            continue
        answer = site.client.get(path, headers=evil, base_url="http://evil.test")
        assert b"evil.test" not in answer.data, path
        assert "evil.test" not in str(answer.headers), path


def test_a_form_from_another_host_is_refused(site: Any, token: str, buyer: dict[str, str]) -> None:
    for origin in ("http://evil.test", "http://127.0.0.1:8001"):
        answer = site.client.post(f"/f/{token}", data=buyer, headers={"Origin": origin})
        assert answer.status_code == 403


def wrong_tokens(site: Any, addresses: list[str]) -> list[int]:
    return [
        site.client.get(f"/f/wrong{number}", headers={"X-Forwarded-For": address}).status_code
        for number, address in enumerate(addresses)
    ]


def test_forwarded_addresses_are_not_believed_by_default(make_site: Callable[..., Any]) -> None:
    """31 wrong tokens of one socket, each under another name."""
    statuses = wrong_tokens(make_site(), [f"198.51.100.{n}" for n in range(40)])
    assert 429 in statuses


def test_one_stated_proxy_is_believed_and_no_more(make_site: Callable[..., Any]) -> None:
    site = make_site(PROXY_HOPS="1")
    assert 429 not in wrong_tokens(site, [f"198.51.100.{n}" for n in range(40)])
    forged = [f"203.0.113.{n}, 198.51.100.99" for n in range(40)]  # the proxy adds the last
    assert 429 in wrong_tokens(site, forged)


def test_alive_and_ready(site: Any) -> None:
    assert site.client.get("/health").json == {"status": "ok"}
    answer = site.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json["problems"] == ["no worker is running: start `autofactura worker`"]
    with site.hub.ctx.store.transaction() as tx:
        tx.leases.hold("sweeper", "w", 3600)
    answer = site.client.get("/ready")
    assert (answer.status_code, answer.json["status"], answer.json["redis"]) == (
        200,
        "degraded",
        "none",
    )


def test_a_redis_that_is_away_degrades_and_no_more(make_site: Callable[..., Any]) -> None:
    site = make_site(REDIS_URL="redis://127.0.0.1:1/0")
    with site.hub.ctx.store.transaction() as tx:
        tx.leases.hold("sweeper", "w", 3600)
    answer = site.client.get("/ready")
    assert (answer.status_code, answer.json["status"], answer.json["redis"]) == (
        200,
        "degraded",
        "away",
    )
    assert site.client.get("/").status_code == 200


def test_pending_migrations_are_not_ready(site: Any) -> None:
    with sqlite3.connect(site.var_dir / "hub.sqlite3") as database:
        database.execute("DELETE FROM schema_migration WHERE name LIKE '0002%'")
    answer = site.client.get("/ready")
    assert answer.status_code == 503
    assert "1 migrations pending: run `autofactura migrate`" in answer.json["problems"]


def test_a_database_without_tables_is_not_ready(make_site: Callable[..., Any]) -> None:
    site = make_site()
    with sqlite3.connect(site.var_dir / "hub.sqlite3") as database:
        database.execute("PRAGMA foreign_keys = 0")
        database.execute("DROP TABLE lease")
    assert site.client.get("/ready").status_code == 503
    assert site.client.get("/metrics").status_code in {200, 503}


def test_metrics_are_what_prometheus_reads_and_name_nobody(
    site: Any, token: str, order: bytes, sign: Callable[..., dict[str, str]]
) -> None:
    (merchant,) = site.told("merchant", "list")["data"]
    door = f"/webhooks/woocommerce/{site.connection(merchant['id'])}"
    site.client.post(door, data=order, headers=sign(order))
    site.client.post(door, data=order, headers=sign(order, "wrong"))
    site.client.post("/webhooks/attacker/chosen", data=b"{}")
    answer = site.client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    families = list(text_string_to_metric_families(answer.text))
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    assert {"autofactura_webhooks", "autofactura_due", "autofactura_invoices"} <= set(names)
    labels = {pair for family in families for one in family.samples for pair in one.labels.items()}
    assert {name for name, _ in labels} <= {"platform", "outcome", "queue", "state"}
    assert ("outcome", "refused") in labels
    for secret in (merchant["id"], "EKU9003173C9", token, door.rpartition("/")[2], "attacker"):
        assert secret not in answer.text
    assert not re.search(r"@|[0-9a-f]{32}", answer.text)


def test_the_home_page_tells_strangers_nothing(make_site: Callable[..., Any]) -> None:
    at_home = make_site().client.get("/").text
    assert "autofactura merchant create" in at_home
    for environ in ({"HOST": "0.0.0.0"}, {"HOST": "::"}):
        assert "autofactura merchant create" not in make_site(**environ).client.get("/").text
