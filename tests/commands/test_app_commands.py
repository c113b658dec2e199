"""Apps of platforms: their secrets go in and never out; what was erased by request is listed."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import pytest

SECRET, NEWER = "shpss_canary-secret", "shpss_canary-newer"
ADD = ("app", "add", "--platform", "woocommerce", "--client-id", "client-1")


def add(home: Any, *more: str) -> str:
    return str(home.told(*ADD, *more, env={"APP_CLIENT_SECRET": SECRET})["id"])


def keys(home: Any, app_id: str) -> dict[str, str]:
    with home.hub() as hub, hub.ctx.store.reading() as tx:
        return dict(tx.apps.get(app_id).keys)


def connected(home: Any, app_id: str) -> tuple[str, str]:
    merchant_id = home.merchant()
    with home.tenant(merchant_id) as tenant:
        made = tenant.connections.create("woocommerce", "https://s.example", {"own": "1"}, {}, None,
                                         app_id=app_id)  # fmt: skip
        tenant.bonds.manual(made.id, made.platform, made.account)
    return merchant_id, made.id


def test_it_says_where_the_platform_goes_and_no_secret(home: Any) -> None:
    file = home.file("private.pem", "-----BEGIN\nx\n-----END")
    result = home.run(*ADD, "--key", "region=mx", "--key-file", f"private_key={file}",
                      env={"APP_CLIENT_SECRET": SECRET})  # fmt: skip
    app_id, webhooks, page = result.output.split()
    assert webhooks.endswith("/webhooks/woocommerce")
    assert page.endswith("/connect/woocommerce")
    assert keys(home, app_id) == {
        "client_id": "client-1",
        "client_secret": SECRET,
        "region": "mx",
        "private_key": "-----BEGIN\nx\n-----END",
    }
    (one,) = home.told("app", "list")["data"]
    assert (one["id"], one["platform"], one["client_id"]) == (app_id, "woocommerce", "client-1")
    assert one["connections"] == 0
    assert SECRET not in home.run("app", "list").output
    for row in sqlite3.connect(home.var_dir / "hub.sqlite3").iterdump():
        assert SECRET not in row
        assert SECRET.encode().hex().upper() not in row


def test_the_secret_may_come_by_a_file_or_standard_input(home: Any) -> None:
    file = home.file("secret", SECRET + "\n")
    made = home.told(*ADD, env={"APP_CLIENT_SECRET_FILE": file})
    assert keys(home, made["id"])["client_secret"] == SECRET
    home.told("app", "rotate-secret", "--app", made["id"], "--client-secret-file", "-", input=NEWER)
    assert keys(home, made["id"])["client_secret"] == NEWER
    twice = {"APP_CLIENT_SECRET_FILE": file, "APP_CLIENT_SECRET": SECRET}
    assert home.refused(*ADD, status=2, env=twice)["code"] == "secret_twice"


@pytest.mark.parametrize(
    ("arguments", "secret"),
    [(ADD, ""), (ADD, "with\nnewline"), (ADD, "ñandú"), (ADD, "x" * 501),
     ((*ADD, "--key", "client_secret=x"), SECRET), ((*ADD, "--key", "Bad Name=x"), SECRET),
     ((*ADD, "--key", "empty="), SECRET), ((*ADD[:-1], ""), SECRET)],
)  # fmt: skip
def test_what_is_no_key_is_refused(home: Any, arguments: tuple[str, ...], secret: str) -> None:
    error = home.refused(*arguments, status=2, env={"APP_CLIENT_SECRET": secret})
    assert error["code"] == "key_invalid"
    assert not secret or secret not in error["message"]
    assert home.told("app", "list") == {"data": []}


def test_one_client_id_is_one_app(home: Any) -> None:
    add(home)
    assert home.refused(*ADD, env={"APP_CLIENT_SECRET": NEWER})["code"] == "app_exists"
    unknown = ("app", "add", "--platform", "nowhere", "--client-id", "c")
    error = home.refused(*unknown, status=2, env={"APP_CLIENT_SECRET": SECRET})
    assert error["code"] == "platform_unknown"


def test_a_secret_is_replaced_in_two_strides(home: Any) -> None:
    app_id = add(home)
    _, connection_id = connected(home, app_id)
    home.told("app", "rotate-secret", "--app", app_id, env={"APP_CLIENT_SECRET": NEWER})
    home.told("app", "rotate-secret", "--app", app_id, env={"APP_CLIENT_SECRET": NEWER})
    assert keys(home, app_id)["client_secret_before"] == SECRET
    with home.hub() as hub, hub.ctx.store.reading() as tx:
        connection = tx.doors.connection(connection_id)
        current = tx.tenant(connection.merchant_id).connections.credentials(connection_id).current()
    assert current == {"own": "1", "app.client_id": "client-1", "app.client_secret": NEWER,
                       "app.client_secret_before": SECRET}  # fmt: skip
    assert home.told("app", "forget-old-secret", "--app", app_id)["forgotten"] is True
    assert home.told("app", "forget-old-secret", "--app", app_id)["forgotten"] is False
    assert "client_secret_before" not in keys(home, app_id)


def test_an_app_that_is_in_use_stays(home: Any) -> None:
    app_id = add(home)
    merchant_id, connection_id = connected(home, app_id)
    shown = home.told("connection", "show", "--merchant", merchant_id, connection_id)
    assert shown["app"] == app_id
    assert f"connection {connection_id} by app {app_id}" in home.run("doctor").output
    assert home.refused("app", "remove", "--app", app_id)["code"] == "app_in_use"
    home.told("connection", "disconnect", "--merchant", merchant_id, connection_id)
    # What the platform still says of it, by law, is signed with the app's secret.
    assert home.refused("app", "remove", "--app", app_id)["code"] == "app_in_use"
    with home.tenant(merchant_id) as tenant:
        closed_at = tenant.bonds.get(connection_id).closed_at - timedelta(days=31)
    with sqlite3.connect(home.var_dir / "hub.sqlite3") as database:
        micros = int(closed_at.timestamp() * 1_000_000)
        database.execute("UPDATE bond SET closed_at = ?", (micros,))
    home.told("app", "remove", "--app", app_id)
    assert home.told("app", "list") == {"data": []}
    shown = home.told("connection", "show", "--merchant", merchant_id, connection_id)
    assert shown["app"] is None


@pytest.mark.parametrize("verb", ["rotate-secret", "forget-old-secret", "remove"])
def test_an_app_that_there_is_not(home: Any, verb: str) -> None:
    home.merchant()
    secret = {"APP_CLIENT_SECRET": SECRET}
    assert home.refused("app", verb, "--app", "0" * 32, env=secret)["code"] == "app_not_found"


def test_what_was_erased_by_request_is_listed(home: Any) -> None:
    merchant_id = home.merchant()
    with home.tenant(merchant_id) as tenant:
        made = tenant.connections.create("woocommerce", "https://s.example", {}, {}, None)
        tenant.erasures.audit(made.id, "request-1", "access", sales=2)
        tenant.erasures.audit(made.id, "request-2", "erase_customer")
        assert not tenant.erasures.audit(made.id, "request-2", "erase_customer")
    told = home.told("audit", "list", "--merchant", merchant_id, "--limit", "1")
    assert [row["action"] for row in told["data"]] == ["erase_customer"]
    rest = home.told("audit", "list", "--merchant", merchant_id, "--after", told["next"])
    assert [(row["action"], row["sales"]) for row in rest["data"]] == [("access", 2)]
    assert "2 sales" in home.run("audit", "list", "--merchant", merchant_id).output
