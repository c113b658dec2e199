"""The app that a merchant installs: its configuration, its copy for a hub, its extensions."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from connectors.shopify import announce, packaging
from connectors.shopify.packaging import APP, HubAddressUnusable, write
from tests.axe import unreachable

ROOT = Path(__file__).parents[2]
EXTENSIONS = sorted((APP / "extensions").iterdir())


def toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with the packages of the lock, as somebody has it who clones the project."""
    if shutil.which("npm") is None:
        return loud("npm is not installed")
    place = tmp_path_factory.mktemp("app") / "app"
    shutil.copytree(APP, place, ignore=shutil.ignore_patterns("node_modules", "dist"))
    if why := unreachable(place):
        return loud(why)
    return place


def loud(why: str) -> Any:
    pytest.skip(f"NOT TESTED: the Shopify app is not type-checked: {why}")


def run(place: Path, script: str) -> str:
    done = subprocess.run(
        ["npm", "run", "-s", script],
        cwd=place,
        check=False,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_extensions_have_the_types_that_shopify_publishes(built: Path) -> None:
    run(built, "check")


def test_a_wrong_field_fails_the_type_check(built: Path) -> None:
    page = built / "extensions/factura-order-status/src/OrderStatus.tsx"
    written = page.read_text("utf-8")
    page.write_text(written.replace("order?.confirmationNumber", "order?.confirmation"), "utf-8")
    try:
        with pytest.raises(AssertionError, match="confirmation"):
            run(built, "check")
    finally:
        page.write_text(written, "utf-8")


def test_the_extensions_draw_the_link_and_fit_shopifys_limit(built: Path) -> None:
    told = run(built, "test")
    assert "# fail 0" in told
    assert "# pass 0" not in told


def test_the_lock_names_no_place_to_get_packages_from() -> None:
    lock = json.loads((APP / "package-lock.json").read_text("utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if not one.get("link")}
    outside = {name: one for name, one in packages.items() if name.startswith("node_modules/")}
    assert outside
    assert not [name for name, one in outside.items() if "resolved" in one]
    assert not [name for name, one in outside.items() if "integrity" not in one]


@pytest.mark.parametrize("extension", EXTENSIONS, ids=lambda path: path.name)
def test_an_extension_is_complete(extension: Path) -> None:
    told = toml(extension / "shopify.extension.toml")
    assert told["extensions"][0]["handle"] == extension.name
    for target in told["extensions"][0]["targeting"]:
        assert (extension / target["module"]).is_file()
    assert told["extensions"][0].get("capabilities", {}).get("network_access") is False
    locales = {path.name for path in (extension / "locales").iterdir()}
    assert locales == {"es.default.json", "en.json"}, "exactly one default"


def test_what_the_order_status_page_reads_is_declared() -> None:
    app = toml(APP / "shopify.app.toml")
    extension = toml(APP / "extensions/factura-order-status/shopify.extension.toml")
    told = extension["extensions"][0]["metafields"]
    read = {one["key"] for one in told}
    assert {one["namespace"] for one in told} == {"$app"}
    declared = app["order"]["metafields"]["app"]
    assert read == set(declared)
    assert {one["access"]["customer_account"] for one in declared.values()} == {"read"}


def test_the_order_status_page_knows_the_word_for_an_invoice_that_is_there() -> None:
    page = APP / "extensions/factura-order-status/src/OrderStatus.tsx"
    assert f"state === '{announce.ESTADOS['stamped']}'" in page.read_text("utf-8")


def test_every_topic_stands_once_and_goes_to_the_one_address() -> None:
    app = toml(APP / "shopify.app.toml")
    subscriptions = app["webhooks"]["subscriptions"]
    topics = [topic for one in subscriptions for topic in one.get("topics", [])]
    compliance = [topic for one in subscriptions for topic in one.get("compliance_topics", [])]
    assert len(set(topics)) == len(topics)
    assert sorted(compliance) == ["customers/data_request", "customers/redact", "shop/redact"]
    assert {one["uri"] for one in subscriptions} == {f"{packaging.PLACEHOLDER}/webhooks/shopify"}
    assert app["embedded"] is True
    assert app["access_scopes"]["use_legacy_install_flow"] is False


def test_what_to_type_next_is_what_the_guide_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`npx shopify` alone would run whatever package has that name."""
    asked = [str(tmp_path / "mine"), "--hub", "https://facturas.tienda.example"]
    assert packaging.main([*asked, "--client-id", "0123456789abcdef"]) == 0
    told = capsys.readouterr().out
    for guide in ("guide.md", "guia.md"):
        text = (ROOT / "docs" / "shopify" / guide).read_text("utf-8")
        assert packaging.DEPLOY in text
    assert packaging.DEPLOY in told


def test_a_copy_is_made_for_a_hub(tmp_path: Path) -> None:
    place = tmp_path / "mine"
    write(place, hub="https://facturas.tienda.example/", client_id="0123456789abcdef")
    left = [path for path in place.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert not [path for path in left if packaging.PLACEHOLDER in path.read_text("utf-8")]
    app = toml(place / "shopify.app.toml")
    assert app["client_id"] == "0123456789abcdef"
    assert app["application_url"] == "https://facturas.tienda.example/connect/shopify/app"
    assert "'https://facturas.tienda.example'" in (place / "src/hub.ts").read_text("utf-8")
    assert not (place / "node_modules").exists()
    assert (place / "package-lock.json").is_file()


@pytest.mark.parametrize(
    "hub",
    [
        "",
        "facturas.example",
        "http://facturas.tienda.example",
        "https://facturas.tienda.example/hub",
        "https://user@facturas.tienda.example",
        "https://facturas.tienda.example?x=1",
        "https://x';alert(1)//",
        'https://x"\n.example',
    ],
)
def test_an_address_that_is_none_is_refused_and_writes_nothing(tmp_path: Path, hub: str) -> None:
    with pytest.raises(HubAddressUnusable):
        write(tmp_path / "mine", hub=hub, client_id="0123456789abcdef")
    assert not (tmp_path / "mine").exists()


def test_a_client_id_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = [str(tmp_path / "mine"), "--hub", "https://h.example", "--client-id", 'x"\nname = "']
    assert packaging.main(said) == 2
    assert "--client-id" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    said = [str(tmp_path), "--hub", "https://h.example", "--client-id", "0123456789abcdef"]
    assert packaging.main(said) == 2
    assert not list(tmp_path.iterdir())
