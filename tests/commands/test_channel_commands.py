"""channel, mail bounce: keys that are never shown, what providers answer, what came back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.messages.server import PHONE_ID, TOKEN, Provider, graph_error, running

TWILIO = "twilio://AC" + "a" * 32 + ":" + "b" * 32 + "@15551234567/{telefono}"


@pytest.fixture
def phones() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def of(home: Any) -> tuple[str, ...]:
    home.environ["ALLOW_PRIVATE_HOSTS"] = "1"
    return "--merchant", home.merchant()


def whatsapp(home: Any, **changes: str) -> list[str]:
    token = changes.pop("token", TOKEN)
    given = {"phone-id": PHONE_ID, "template": "factura_disponible", **changes}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    return ["--kind", "whatsapp", *words, "--token-file", home.file("token", token + "\n")]


def sms(home: Any, url: str) -> list[str]:
    return ["--kind", "sms", "--url-file", home.file("url", url + "\n")]


def test_set_listed_removed_and_never_shown(home: Any, of: tuple[str, ...]) -> None:
    for _ in range(2):
        assert home.told("channel", "set", *of, *whatsapp(home)) == {"kind": "whatsapp"}
        assert home.told("channel", "set", *of, *sms(home, TWILIO)) == {"kind": "sms"}
    listed = home.told("channel", "list", *of)["data"]
    assert [one["kind"] for one in listed] == ["sms", "whatsapp"]
    assert listed[1]["phone_id"] == PHONE_ID
    for words in (("channel", "list", *of), ("merchant", "show", of[1]), ("doctor",)):
        shown = home.run(*words).output + home.run(*words, "--json").output
        assert TOKEN not in shown
        assert "bbbb" not in shown
    assert TOKEN.encode() not in (home.var_dir / "hub.sqlite3").read_bytes()
    home.told("channel", "remove", *of, "--kind", "sms")
    assert home.refused("channel", "remove", *of, "--kind", "sms")["code"] == "channel_not_found"
    assert [one["kind"] for one in home.told("channel", "list", *of)["data"]] == ["whatsapp"]


def test_metas_reports_need_the_apps_secret_which_is_never_shown(
    home: Any, of: tuple[str, ...]
) -> None:
    secret = "0123456789abcdef" * 2
    given = [*whatsapp(home), "--app-secret-file", home.file("secret", secret + "\n")]
    told = home.told("channel", "set", *of, *given)
    assert told["webhook_url"].endswith(f"/webhooks/whatsapp/{of[1]}")
    assert len(told["verify_token"]) == 32
    (listed,) = home.told("channel", "list", *of)["data"]
    assert {name: listed[name] for name in ("webhook_url", "verify_token")} == {
        name: told[name] for name in ("webhook_url", "verify_token")
    }
    for words in (("channel", "set", *of, *given), ("channel", "list", *of)):
        shown = home.run(*words).output
        assert told["webhook_url"] in shown
        assert told["verify_token"] in shown
        assert secret not in shown + str(listed)
    wrong = [*whatsapp(home), "--app-secret-file", home.file("secret", secret + "0\n")]
    assert home.refused("channel", "set", *of, *wrong, status=2)["code"] == "channel_invalid"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "mailto://a:secret@b.mx/{telefono}",
        TWILIO.replace("{telefono}", "1"),
        "json://10.0.0.1/" + "x" * 5000,
    ],
)
def test_a_wrong_url_is_refused_and_not_repeated(home: Any, of: tuple[str, ...], url: str) -> None:
    error = home.refused("channel", "set", *of, *sms(home, url), status=2)
    assert error["code"] in {"channel_invalid", "secret_invalid"}
    assert "secret" not in error["message"].replace("secret_", "")
    assert home.told("channel", "list", *of)["data"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"phone-id": "x"},
        {"template": "Á"},
        {"language": "x" * 30},
        {"token": "kurz"},
        {"token": "a" * 5000},
    ],
)
def test_wrong_settings_of_whatsapp_are_refused(
    home: Any, of: tuple[str, ...], changes: dict[str, str]
) -> None:
    home.refused("channel", "set", *of, *whatsapp(home, **changes), status=2)


def test_what_is_missing_is_said(home: Any, of: tuple[str, ...]) -> None:
    error = home.refused("channel", "set", *of, "--kind", "sms", status=2)
    assert "--url-file" in error["message"]
    binary = home.file("binary", b"\xff\xfe\x00")
    home.refused("channel", "set", *of, "--kind", "sms", "--url-file", binary, status=2)
    assert home.run("channel", "set", *of, "--kind", "pigeon").exit_code == 2
    other = ("--merchant", "m0")
    for words in (("list", *other), ("remove", *other, "--kind", "sms")):
        assert home.refused("channel", *words)["code"] == "merchant_not_found"


def test_tried_and_told_by_doctor(home: Any, of: tuple[str, ...], phones: Provider) -> None:
    url = f"json://127.0.0.1:{phones.port}/sms/{{telefono}}"
    home.told("channel", "set", *of, *sms(home, url))
    test = ("channel", "test", *of, "--kind", "sms", "--to", "55 1234 5678")
    assert home.told(*test) == {"kind": "sms", "sent": True}
    assert phones.numbers() == ["525512345678"]
    phones.instead = [(401, {}), (401, {})]
    assert "401" in home.refused(*test)["message"]
    checks = json.loads(home.run("doctor", "--json").stdout)["checks"]
    (check,) = [one for one in checks if one["name"].startswith("channel sms")]
    assert (check["ok"], "401" in check["detail"]) == (False, True)
    home.told(*test)
    checks = json.loads(home.run("doctor", "--json").stdout)["checks"]
    assert [one["ok"] for one in checks if one["name"].startswith("channel sms")] == [True]
    home.refused("channel", "test", *of, "--kind", "sms", "--to", "x", status=2)
    missing = ("channel", "test", *of, "--kind", "whatsapp", "--to", "5512345678")
    assert home.refused(*missing)["code"] == "channel_not_found"


def test_doctor_misses_what_the_rules_name(home: Any, of: tuple[str, ...]) -> None:
    rules = home.file("rules.toml", '[canales]\ninvitacion = ["whatsapp", "correo"]\n')
    home.told("rules", "set", *of, "--file", rules)
    checks = json.loads(home.run("doctor", "--json").stdout)["checks"]
    (check,) = [one for one in checks if one["name"].startswith("channel ")]
    assert (check["ok"], "channel set" in check["detail"]) == (False, True)


def test_an_error_of_meta_is_a_code_alone(home: Any, of: tuple[str, ...], phones: Provider) -> None:
    """The address of Meta is fixed in the command: what is stored here leads to ours."""
    home.told("channel", "set", *of, *whatsapp(home))
    with home.hub() as hub, hub.ctx.store.transaction() as tx:
        tx.tenant(of[1]).channels.set("whatsapp", phones.whatsapp)
    phones.instead = [graph_error(132001, 404), graph_error(132001, 404)]
    words = ("channel", "test", *of, "--kind", "whatsapp", "--to", "5512345678")
    message = home.refused(*words)["message"]
    assert "132001" in message
    assert TOKEN not in message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_report"),
        (b"\xff" * 100, "not_a_report"),
        (b"x" * (3 * 1024 * 1024), "not_a_report"),
        (
            b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
            b"message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n\n"
            b"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <"
            + b"a" * 40
            + b"@x>\n--b--\n",
            "letter_not_found",
        ),
    ],
    ids=["empty", "bytes", "huge", "not ours"],
)
def test_a_report_that_says_nothing_to_us(home: Any, content: bytes, code: str) -> None:
    home.merchant()
    file = home.file("report.eml", content)
    assert home.refused("mail", "bounce", "--file", file)["code"] == code
    result = home.run("mail", "bounce", "--file", "-", "--json", input=content)
    assert json.loads(result.stdout)["error"]["code"] == code


def test_a_sale_shows_its_letters(home: Any, of: tuple[str, ...]) -> None:
    made = home.sale(of[1])
    assert home.told("sale", "show", *of, made["id"])["letters"] == []
    with home.hub() as hub, hub.ctx.store.transaction() as tx:
        tenant, key = tx.tenant(of[1]), ("invitation", made["id"], "<" + "a" * 40 + "@localhost>")
        tenant.mails.begin(*key)
    (letter,) = home.told("sale", "show", *of, made["id"])["letters"]
    assert (letter["kind"], letter["state"]) == ("invitation", "doubtful")
    report = (
        "Content-Type: multipart/report; boundary=b\n\n--b\n"
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Action: failed\nStatus: 5.2.2\n\n--b\n"
        f"Content-Type: text/rfc822-headers\n\nMessage-ID: {key[2]}\n--b--\n"
    )
    told = home.told("mail", "bounce", "--file", home.file("report.eml", report))
    assert told == {"kind": "invitation"}
    (letter,) = home.told("sale", "show", *of, made["id"])["letters"]
    assert (letter["state"], letter["reason"]) == ("returned", "returned with 5.2.2")
    assert "5.2.2" in home.run("sale", "show", *of, made["id"]).output
