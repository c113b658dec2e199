"""merchant, csd, pac, rules: what each answers, and what it refuses without doing half of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cfdi.pac.sandbox.authority import Authority
from hub.clock import SystemClock

RULES = '[forma_pago]\ndefault = "04"\n'


def test_create_list_show(home: Any) -> None:
    made = home.told("merchant", "create", "--rfc", " eku9003173c9 ", "--nombre",
                     "Escuela  Kemper Urgate", "--regimen", "601", "--cp", "42501")  # fmt: skip
    assert set(made) == {"id"}
    (one,) = home.told("merchant", "list")["data"]
    assert (one["id"], one["rfc"], one["nombre"]) == (
        made["id"],
        "EKU9003173C9",
        "ESCUELA KEMPER URGATE",
    )
    assert datetime.fromisoformat(one["created_at"]).tzinfo is not None
    shown = home.told("merchant", "show", made["id"])
    assert shown["pac"] == {"provider": "sandbox", "environment": "test"}
    assert home.run("merchant", "list").stdout.startswith(made["id"])


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--rfc", "EKU9003173C", "rfc_invalid"),
        ("--rfc", "", "rfc_invalid"),
        ("--rfc", "XAXX010101000", "rfc_invalid"),
        ("--rfc", "XEXX010101000", "rfc_invalid"),
        ("--rfc", "E" * 10_000, "rfc_invalid"),
        ("--nombre", "  ", "nombre_invalid"),
        ("--nombre", "A|B", "nombre_invalid"),
        ("--nombre", "N" * 301, "nombre_invalid"),
        ("--regimen", "612", "regimen_invalid"),
        ("--regimen", "999", "regimen_invalid"),
        ("--cp", "00000", "cp_invalid"),
        ("--cp", "4250l", "cp_invalid"),
    ],
)
def test_wrong_data_of_a_merchant(home: Any, option: str, value: str, code: str) -> None:
    data = {"--rfc": "EKU9003173C9", "--nombre": "ESCUELA KEMPER URGATE", "--regimen": "601",
            "--cp": "42501"} | {option: value}  # fmt: skip
    given = [word for pair in data.items() for word in pair]
    error = home.refused("merchant", "create", *given, status=2)
    assert (error["code"], option in error["message"]) == (code, True)
    assert home.told("merchant", "list") == {"data": []}


def test_one_rfc_is_one_merchant(home: Any) -> None:
    home.merchant()
    place = ("--regimen", "601", "--cp", "42501")
    given = ("--rfc", "EKU9003173C9", "--nombre", "X", *place)
    error = home.refused("merchant", "create", *given)
    assert error["code"] == "merchant_exists"


def test_a_name_that_is_no_text(home: Any) -> None:
    """Bytes of a terminal that are not UTF-8 come as lone surrogates."""
    place = ("--regimen", "601", "--cp", "42501")
    given = ("--rfc", "EKU9003173C9", "--nombre", "A\udcff", *place)
    assert home.run("merchant", "create", *given).exit_code == 2
    assert home.run("merchant", "show", "\udcff").exit_code == 2
    assert home.told("merchant", "list") == {"data": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("merchant", "create"),
        ("merchant", "create", "--rfc"),
        ("sale", "list", "--merchant", "x", "--limit", "0"),
        ("sale", "list", "--merchant", "x", "--limit", "many"),
        ("sale", "close", "--merchant", "x", "--until", "tomorrow", "--global-uuid", "x"),
        ("sale", "create", "--merchant", "x", "--file", "/nowhere"),
        ("sale", "create", "--merchant", "x", "--file", "/"),
        ("pac", "set", "--merchant", "x", "--provider", "sw", "--env", "real"),
        ("review", "resolve", "--merchant", "x", "y"),
        ("review", "resolve", "--merchant", "x", "y", "--retry", "--found", "/etc/hostname"),
        ("review", "resolve", "--merchant", "x", "y", "--not-stamped", "--ask-again"),
        ("review", "resolve", "--merchant", "x", "y", "--done", "--declined", "--answer", "no"),
        ("inbox", "replay", "--merchant", "x"),
        ("restore", "--from", "/nowhere"),
        ("restore", "--from", "/"),
        ("csd", "add", "--merchant", "x", "--cer", "/nowhere", "--key", "/nowhere"),
    ],
)
def test_bad_arguments_are_exit_2(home: Any, arguments: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        result = home.run(*arguments, *more)
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("merchant", "show", "{}"),
        ("rules", "show", "--merchant", "{}"),
        ("pac", "test", "--merchant", "{}"),
        ("sale", "list", "--merchant", "{}"),
        ("connection", "list", "--merchant", "{}"),
        ("review", "list", "--merchant", "{}"),
        ("invoice", "list", "--merchant", "{}"),
        ("inbox", "list", "--merchant", "{}"),
    ],
)
@pytest.mark.parametrize("merchant_id", ["x", "", "' OR 1=1 --", "ñ" * 5000])
def test_no_such_merchant(home: Any, arguments: tuple[str, ...], merchant_id: str) -> None:
    given = [word.format(merchant_id) for word in arguments]
    error = home.refused(*given)
    assert error["code"] == "merchant_not_found"
    assert "merchant list" in error["message"]


@pytest.fixture
def shop(home: Any) -> str:
    return str(home.merchant())


def csd_add(home: Any, shop: str, cer: str, key: str, password: str) -> tuple[str, ...]:
    return ("csd", "add", "--merchant", shop, "--cer", cer, "--key", key, "--password", password)


def certificates(home: Any, shop: str) -> list[Any]:
    found: list[Any] = home.told("merchant", "show", shop)["csd"]
    return found


def pair(home: Any, authority: Authority, **more: Any) -> tuple[str, str, str]:
    more = {
        "rfc": "EKU9003173C9",
        "nombre": "ESCUELA KEMPER URGATE",
        "now": datetime.now(UTC),
    } | more
    made = authority.issue_csd(more.pop("rfc"), more.pop("nombre"), **more)
    return home.file("c.cer", made.cer_der), home.file("c.key", made.key_der), made.password


@pytest.mark.parametrize(("days", "soon"), [(29, True), (32, False)])
def test_a_certificate_near_its_end_is_told(home: Any, shop: str, days: int, soon: bool) -> None:
    mine = Authority.create(home.var_dir / "sandbox", now=datetime.now(UTC))
    given = csd_add(home, shop, *pair(home, mine, life=timedelta(days=days)))
    assert home.told(*given)["expires_soon"] is soon
    assert ("the next one" in home.run(*given).output) is soon


@pytest.fixture
def sats_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of the years of SAT's test certificates: the next end in May 2027."""
    instant = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    monkeypatch.setattr(SystemClock, "now", lambda _self: instant)


@pytest.mark.usefixtures("sats_are_valid")
def test_a_test_certificate_of_sat_is_kept(home: Any, shop: str, shared: Path) -> None:
    base = shared / "sat" / "csd" / "valid" / "EKU9003173C9_csd_30001000000500003416"
    given = csd_add(home, shop, f"{base}.cer", f"{base}.key", "12345678a")
    added = home.told(*given)
    assert (added["no_certificado"], added["authority"]) == ("30001000000500003416", "sat-test")
    (kept,) = certificates(home, shop)
    assert kept["no_certificado"] == "30001000000500003416"
    for path in home.var_dir.iterdir():
        if path.is_file():
            assert b"12345678a" not in path.read_bytes()


@pytest.mark.usefixtures("sats_are_valid")
@pytest.mark.parametrize(
    ("files", "password", "code"),
    [
        ("valid/EKU9003173C9_fiel_30001000000500003415", "12345678a", "certificate_is_fiel"),
        ("valid/EKU9003173C9_csd_30001000000500003416", "canary-password", "password_wrong"),
        ("valid/CACX7605101P8_csd_30001000000500003316", "12345678a", "certificate_of_another_rfc"),
        ("expired/EKU9003173C9_csd_30001000000400002434", "12345678a", "certificate_expired"),
    ],
)
def test_wrong_certificates(
    home: Any, shop: str, shared: Path, files: str, password: str, code: str
) -> None:
    base = shared / "sat" / "csd" / files
    error = home.refused(*csd_add(home, shop, f"{base}.cer", f"{base}.key", password))
    assert error["code"] == code
    assert password not in error["message"]
    assert certificates(home, shop) == []


def test_files_that_are_no_certificate(home: Any, shop: str, authority: Authority) -> None:
    cer, key, password = pair(home, authority)
    for content in (b"", b"rubbish", b"\x30\x82" * 1000):
        rubbish = home.file("rubbish", content)
        home.refused(*csd_add(home, shop, rubbish, key, password))
        home.refused(*csd_add(home, shop, cer, rubbish, password))
    huge = home.file("huge", b"\x30" * 200_000)
    error = home.refused(*csd_add(home, shop, huge, key, password), status=2)
    assert error["code"] == "file_too_large"
    assert certificates(home, shop) == []


def test_an_unreadable_file_is_named(home: Any, shop: str) -> None:
    error = home.run("csd", "add", "--merchant", shop, "--cer", "/proc/self/mem", "--key",
                     "/proc/self/mem", "--password", "x")  # fmt: skip
    assert error.exit_code == 1
    assert "Error: " in error.stderr


@pytest.mark.usefixtures("sats_are_valid")
def test_live_accounts_and_test_certificates_refuse_each_other(
    home: Any, shop: str, authority: Authority, shared: Path
) -> None:
    live = (
        "pac",
        "set",
        "--merchant",
        shop,
        "--provider",
        "sw",
        "--env",
        "live",
        "--token",
        "canary",
    )
    base = shared / "sat" / "csd" / "valid" / "EKU9003173C9_csd_30001000000500003416"
    sat_test = csd_add(home, shop, f"{base}.cer", f"{base}.key", "12345678a")
    home.told(*sat_test)
    error = home.refused(*live)
    assert error["code"] == "csd_not_for_pac"
    assert home.told("merchant", "show", shop)["pac"]["environment"] == "test"


def test_a_certificate_of_the_sandbox_is_refused_by_a_live_account(
    home: Any, shop: str, authority: Authority
) -> None:
    (home.var_dir / "sandbox").mkdir()
    mine = Authority.create(home.var_dir / "sandbox" / "x", now=datetime.now(UTC))
    for file in (home.var_dir / "sandbox" / "x").iterdir():
        file.rename(home.var_dir / "sandbox" / file.name)
    home.told("pac", "set", "--merchant", shop, "--provider", "sw", "--env", "live", "--token", "t")
    error = home.refused(*csd_add(home, shop, *pair(home, mine)))
    assert (error["code"], "sandbox" in error["message"]) == ("csd_not_for_pac", True)
    home.refused(*csd_add(home, shop, *pair(home, authority)))  # of nobody we know
    home.told("pac", "set", "--merchant", shop, "--provider", "sandbox", "--env", "test")
    assert home.told(*csd_add(home, shop, *pair(home, mine)))["authority"] == "sandbox"


@pytest.mark.parametrize(
    "given",
    [
        ("--provider", "none", "--env", "test"),
        ("--provider", "sandbox", "--env", "live"),
        ("--provider", "sw", "--env", "live"),
        ("--provider", "sw", "--env", "live", "--user", "u"),
        (
            "--provider",
            "sw",
            "--env",
            "live",
            "--token",
            "canary",
            "--user",
            "u",
            "--password",
            "p",
        ),
        ("--provider", "sw", "--env", "test", "--token", "canary", "--url", "http://10.0.0.1"),
        (
            "--provider",
            "sw",
            "--env",
            "test",
            "--token",
            "canary",
            "--url",
            "https://169.254.169.254",
        ),
    ],
)
def test_accounts_that_cannot_be(home: Any, shop: str, given: tuple[str, ...]) -> None:
    error = home.refused("pac", "set", "--merchant", shop, *given, status=2)
    assert error["code"] == "account_invalid"
    assert "canary" not in error["message"]


def test_the_own_sandbox_follows_the_port(home: Any, shop: str) -> None:
    home.told("pac", "set", "--merchant", shop, "--provider", "sandbox", "--env", "test")
    with home.tenant(shop) as tenant:
        account = tenant.pac.active()
    assert "url" not in account.settings


def test_a_provider_that_is_away(home: Any, shop: str) -> None:
    address = ("--url", "http://127.0.0.1:1", "--token", "canary")
    home.told("pac", "set", "--merchant", shop, "--provider", "sandbox", "--env", "test", *address)
    error = home.refused("pac", "test", "--merchant", shop)
    assert error["code"] == "pac_not_usable"
    assert "canary" not in json.dumps(error)


@pytest.mark.parametrize("option", ["--user", "--username"])
def test_finkok_takes_a_user_and_a_password(home: Any, shop: str, option: str) -> None:
    login = (option, "me@example.com", "--password", "canary")
    account = ("--merchant", shop, "--provider", "finkok", "--env", "test")
    told = home.told("pac", "set", *account, *login)
    assert told["provider"] == "finkok"
    with home.tenant(shop) as tenant:
        kept = tenant.pac.active()
    assert kept.settings == {
        "url": "https://demo-facturacion.finkok.com",
        "user": "me@example.com",
        "password": "canary",
    }
    error = home.refused("pac", "set", *account, "--token", "canary", status=2)
    assert "canary" not in error["message"]


def test_rules_are_kept_as_given_and_repeatable(home: Any, shop: str) -> None:
    for _ in range(2):
        file = home.file("r.toml", RULES)
        assert home.told("rules", "set", "--merchant", shop, "--file", file) == {"freed": 0}
    assert home.told("rules", "set", "--merchant", shop, "--file", "-", input=RULES) == {"freed": 0}
    assert home.told("rules", "show", "--merchant", shop) == {"rules": RULES}


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"[forma_pago",
        b'[forma_pago]\ndefault = "99"',
        b"[nothing]\nx = 1",
        b"x" * 2_000_000,
    ],
)
def test_wrong_rules_change_nothing(home: Any, shop: str, content: bytes) -> None:
    home.told("rules", "set", "--merchant", shop, "--file", home.file("r.toml", RULES))
    error = home.refused("rules", "set", "--merchant", shop, "--file", home.file("w.toml", content))
    assert error["code"] == "rules_invalid"
    if b"nothing" in content:
        assert error["details"][0].keys() == {"path", "message"}
    assert home.told("rules", "show", "--merchant", shop) == {"rules": RULES}


@pytest.fixture
def waiting(home: Any, shop: str) -> dict[str, Any]:
    """A sale that no rule maps yet."""
    made: dict[str, Any] = home.sale(shop, "W-1", currency="USD")
    return made


def test_rules_free_what_waited_for_them(home: Any, shop: str, waiting: dict[str, Any]) -> None:
    assert (waiting["state"], waiting["link"]) == ("en_revision", None)
    (item,) = home.told("review", "list", "--merchant", shop)["data"]
    assert (item["kind"], item["sale"]) == ("sale", waiting["id"])
    assert item["reasons"][0]["message"]
    rules = RULES + '[moneda.USD]\ntipo_cambio = "18.50"\n'
    file = home.file("r.toml", rules)
    assert home.told("rules", "set", "--merchant", shop, "--file", file) == {"freed": 1}
    (sale,) = home.told("sale", "list", "--merchant", shop)["data"]
    assert (sale["state"], sale["link"] is None) == ("abierta", False)
