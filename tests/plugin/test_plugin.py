"""The plug-in for WooCommerce: its PHP, the files made for it, its words, and the zip."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import subprocess
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI
from cfdi.receptor import usos_for
from connectors.woocommerce import packaging

PLUGIN = packaging.PLUGIN
SOURCES = sorted(PLUGIN.rglob("*.php"))
MAIN = (PLUGIN / "autofactura-hub.php").read_text(encoding="utf-8")
README = (PLUGIN / "readme.txt").read_text(encoding="utf-8")
#: Strings handed to WordPress for translation, in either kind of quotes.
TRANSLATED = re.compile(
    r"\b(?:__|esc_html__|esc_attr__)\(\s*'((?:[^'\\]|\\.)*)',\s*'autofactura-hub'\s*\)"
)
PLACEHOLDER = re.compile(r"%(?:\d\$)?[sd]")


def test_every_file_is_php(php: str) -> None:
    for path in SOURCES:
        checked = subprocess.run(
            [php, "-l", str(path)], capture_output=True, text=True, check=False, timeout=600
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_hold_without_wordpress(php: str) -> None:
    ran = subprocess.run(
        [php, "-d", "error_reporting=-1", str(PLUGIN / "tests" / "run.php")],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    checked = re.search(r"(\d+) checked, 0 failed", ran.stdout)
    assert checked is not None, ran.stdout
    assert int(checked[1]) > 1000


def test_catalogs_are_those_of_the_hub(php: str) -> None:
    told = subprocess.run(
        [
            php,
            "-r",
            "define('ABSPATH', '/'); echo json_encode(require $argv[1]);",
            str(PLUGIN / "data" / "catalogs.php"),
        ],
        capture_output=True,
        check=True,
        timeout=600,
    ).stdout
    catalogs = json.loads(told)
    assert catalogs["regimenes"] == {
        one.clave: {"nombre": one.nombre, "fisica": one.fisica, "moral": one.moral}
        for one in REGIMEN_FISCAL.values()
    }
    sold = {one.clave for one in usos_for("", "")}
    assert set(catalogs["usos"]) == sold < set(USO_CFDI)
    for clave, row in catalogs["usos"].items():
        known = USO_CFDI[clave]
        assert row.pop("regimenes") == sorted(known.regimenes)
        assert row == {"nombre": known.nombre, "fisica": known.fisica, "moral": known.moral}


@pytest.mark.parametrize("path", packaging.generated(), ids=lambda path: path.name)
def test_what_is_generated_is_as_it_would_be_made_now(path: Path) -> None:
    kept, made = path.read_bytes(), packaging.generated()[path]
    if path.suffix == ".mo":
        # The header names the version of the library that wrote it.
        kept, made = words(kept), words(made)
    assert kept == made, "run: python -m connectors.woocommerce.packaging generate"


def words(compiled: bytes) -> bytes:
    pairs = sorted(
        (str(one.id), str(one.string)) for one in read_mo(io.BytesIO(compiled)) if one.id
    )
    assert len(pairs) > 100
    return json.dumps(pairs).encode()


def test_compiled_words_hold_no_time_of_day() -> None:
    compiled = (PLUGIN / "languages" / "autofactura-hub-es_MX.mo").read_bytes()
    dates = re.findall(rb"-Date: ([^\n]+)", compiled)
    assert dates
    assert all(date.endswith(b" 00:00+0000") for date in dates)


def test_the_vectors_of_links_are_the_protocol() -> None:
    vectors = json.loads((PLUGIN / "tests" / "link-vectors.json").read_text(encoding="utf-8"))
    assert len(vectors["links"]) >= 3
    for link in vectors["links"]:
        text = f"{link['order']}\n{link['key']}".encode()
        mac = hmac.digest(vectors["secret"].encode(), text, hashlib.sha256)
        assert link["proof"] == urlsafe_b64encode(mac).decode().rstrip("=")
        assert len(link["proof"]) == 43


def test_the_vectors_of_receivers_hold_every_code() -> None:
    vectors = json.loads((PLUGIN / "tests" / "receptor-vectors.json").read_text(encoding="utf-8"))
    found = {code for vector in vectors if vector["tidy"] for code in vector["errors"].values()}
    assert found == {
        "rfc_generic",
        "rfc_malformed",
        "nombre_too_long",
        "nombre_generic",
        "nombre_characters",
        "cp_malformed",
        "regimen_unknown",
        "regimen_person",
        "uso_unknown",
        "uso_regimen",
    }
    assert any(vector["tidy"] and not vector["errors"] for vector in vectors)
    assert any(not vector["tidy"] for vector in vectors)


def strings() -> set[str]:
    return {
        re.sub(r"\\(.)", r"\1", text)
        for path in [*(PLUGIN / "src").glob("*.php"), PLUGIN / "autofactura-hub.php"]
        for text in TRANSLATED.findall(path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("name", ["autofactura-hub.pot", "autofactura-hub-es_MX.po"])
def test_every_word_is_in_the_catalog_and_nothing_else(name: str) -> None:
    with (PLUGIN / "languages" / name).open("rb") as file:
        messages = {message.id: message.string for message in read_po(file) if message.id}
    assert set(messages) == strings()
    if name.endswith(".po"):
        for english, spanish in messages.items():
            assert spanish, english
            assert sorted(PLACEHOLDER.findall(english)) == sorted(PLACEHOLDER.findall(spanish))


def test_no_word_goes_untranslated() -> None:
    """Every call of a translating function is one that the catalog's reader sees."""
    for path in (PLUGIN / "src").glob("*.php"):
        text = path.read_text(encoding="utf-8")
        assert len(re.findall(r"\b(?:__|esc_html__|esc_attr__)\(", text)) == len(
            TRANSLATED.findall(text)
        ), path.name
        assert not re.search(r"\b(?:_e|_n|_x|esc_html_e)\(", text), path.name


def test_the_versions_agree() -> None:
    version = re.search(r"Version: (\S+)\n", MAIN)
    assert version is not None
    plugin = (PLUGIN / "src" / "Plugin.php").read_text(encoding="utf-8")
    assert f"VERSION = '{version[1]}'" in plugin
    assert f"Stable tag: {version[1]}\n" in README
    assert f"= {version[1]} =" in README
    for name in ("Requires at least", "Requires PHP"):
        in_header = re.search(rf"\* {name}: (\S+)", MAIN)
        in_readme = re.search(rf"^{name}: (\S+)", README, re.MULTILINE)
        assert in_header is not None
        assert in_readme is not None
        assert in_header[1] == in_readme[1]


def test_what_the_directory_of_wordpress_asks_for_is_there() -> None:
    for section in ("Description", "Installation", "External services", "Changelog"):
        assert f"\n== {section} ==\n" in README
    tags = re.search(r"^Tags: (.+)$", README, re.MULTILINE)
    assert tags is not None
    assert len(tags[1].split(",")) <= 5
    assert "GNU GENERAL PUBLIC LICENSE" in (PLUGIN / "LICENSE").read_text(encoding="utf-8")


def test_no_file_runs_outside_of_wordpress() -> None:
    for path in packaging.shipped():
        if path.suffix == ".php":
            guard = "WP_UNINSTALL_PLUGIN" if path.name == "uninstall.php" else "ABSPATH"
            text = path.read_text(encoding="utf-8")
            assert f"defined( '{guard}' ) || exit;" in text, path.name
            assert not re.search(r"\b(?:eval|exec|shell_exec|unserialize|extract)\s*\(", text)


def test_secrets_are_not_printed() -> None:
    """Secrets are read where something is signed or kept, never where something is shown."""
    readers = {
        path.name
        for path in (PLUGIN / "src").glob("*.php")
        if re.search(r"webhook_secret|link_secret|consumer_secret", path.read_text("utf-8"))
    }
    assert readers == {"ApiKey.php", "Connection.php", "HubClient.php", "Signature.php"}


def test_the_zip_is_the_same_whenever_it_is_built(tmp_path: Path) -> None:
    first = packaging.build(tmp_path / "a")
    (PLUGIN / "readme.txt").touch()
    second = packaging.build(tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert "autofactura-hub/autofactura-hub.php" in names
    assert "autofactura-hub/languages/autofactura-hub-es_MX.mo" in names
    assert {name.split("/")[0] for name in names} == {"autofactura-hub"}
    assert not [name for name in names if "/tests/" in name or name.endswith(".dist")]
    assert len(names) == len(set(names)) > 30


def test_the_command_says_what_it_can_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert packaging.main([]) == 2
    assert "generate" in capsys.readouterr().err
    assert packaging.main(["zip", str(tmp_path)]) == 0
    assert Path(capsys.readouterr().out.strip()).is_file()
