"""The plug-in for WooCommerce: its generated files, and the zip a merchant installs.

`python -m connectors.woocommerce.packaging generate` writes data/ and the vectors of its tests from
`cfdi`, so that the shop and the hub judge fiscal data alike; `… zip DIRECTORY` builds the zip.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import sys
import zipfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from cfdi import receptor
from cfdi.catalogs import REGIMEN_FISCAL, USO_CFDI

PLUGIN: Final = Path(__file__).parent / "plugin"
SLUG: Final = "autofactura-hub"
#: What WordPress needs to run it; tests stay here.
_SHIPPED: Final = ("autofactura-hub.php", "uninstall.php", "readme.txt", "LICENSE")
_FOLDERS: Final = ("src", "data", "languages")
#: The earliest instant a zip can hold: the same bytes whenever it is built.
_ALWAYS: Final = (1980, 1, 1, 0, 0, 0)

#: The plug-in's codes. CFDI40147, whether a postal code exists, only the hub can say.
_CODES: Final = {
    "rfc_generic": "rfc_generic",
    "rfc_malformed": "rfc_malformed",
    "nombre_too_long": "nombre_too_long",
    "nombre_characters": "nombre_characters",
    "CFDI40146": "nombre_generic",
    "cp_malformed": "cp_malformed",
    "CFDI40157": "regimen_unknown",
    "CFDI40158": "regimen_person",
    "CFDI40160": "uso_unknown",
    "CFDI40161": "uso_regimen",
}
_FIELDS: Final = ("rfc", "nombre", "cp", "regimen", "uso")


def main(arguments: Sequence[str]) -> int:
    match list(arguments):
        case ["generate"]:
            for path, content in generated().items():
                path.write_bytes(content)
        case ["zip", directory]:
            sys.stdout.write(f"{build(Path(directory))}\n")
        case _:
            sys.stderr.write("say: generate, or zip DIRECTORY\n")
            return 2
    return 0


def generated() -> dict[Path, bytes]:
    """Every file that is made here, as it must be."""
    languages = PLUGIN / "languages"
    return {
        PLUGIN / "data" / "catalogs.php": catalogs().encode(),
        PLUGIN / "tests" / "link-vectors.json": _json(signatures()),
        PLUGIN / "tests" / "receptor-vectors.json": _json(judgements()),
        **{po.with_suffix(".mo"): translations(po) for po in languages.glob("*.po")},
    }


def translations(po: Path) -> bytes:
    """A catalog of words as WordPress reads it. Its dates are those of the source's header."""
    compiled = io.BytesIO()
    with po.open("rb") as source:
        write_mo(compiled, read_po(source))
    return compiled.getvalue()


def build(directory: Path) -> Path:
    """The zip, named after the plug-in's version; equal sources give equal bytes."""
    head = (PLUGIN / "autofactura-hub.php").read_text(encoding="utf-8")
    version = re.search(r"^ \* Version: ([0-9.]+)$", head, re.MULTILINE)
    if version is None:
        raise ValueError("the plug-in's header names no version")
    directory.mkdir(parents=True, exist_ok=True)
    target = directory / f"{SLUG}-{version[1]}.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in shipped():
            entry = zipfile.ZipInfo(f"{SLUG}/{path.relative_to(PLUGIN).as_posix()}", _ALWAYS)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return target


def shipped() -> list[Path]:
    """The files of the zip, in its order."""
    inside = (path for folder in _FOLDERS for path in (PLUGIN / folder).rglob("*"))
    return sorted([*(PLUGIN / name for name in _SHIPPED), *(p for p in inside if p.is_file())])


def catalogs() -> str:
    """PHP that returns régimen and use, with names and for whom they are."""
    lines = [
        "<?php",
        "/**",
        " * SAT's c_RegimenFiscal and c_UsoCFDI. Generated from the hub's tables; do not edit.",
        " *",
        " * @package Autofactura\\Hub",
        " */",
        "",
        "defined( 'ABSPATH' ) || exit;",
        "",
        "return array(",
        "\t'regimenes' => array(",
    ]
    for regimen in REGIMEN_FISCAL.values():
        lines += _entry(regimen.clave, regimen.nombre, fisica=regimen.fisica, moral=regimen.moral)
    lines += ["\t),", "\t'usos'      => array("]
    for uso in receptor.usos_for("", ""):
        quoted = ", ".join(f"'{clave}'" for clave in sorted(uso.regimenes))
        more = f"\t\t\t'regimenes' => array( {quoted} ),"
        lines += _entry(uso.clave, uso.nombre, more, fisica=uso.fisica, moral=uso.moral)
    return "\n".join([*lines, "\t),", ");", ""])


def _entry(clave: str, nombre: str, *more: str, fisica: bool, moral: bool) -> list[str]:
    quoted = nombre.replace("\\", "\\\\").replace("'", "\\'")
    rows = {"nombre": f"'{quoted}'", "fisica": _php(fisica), "moral": _php(moral)}
    width = 11 if more else 8
    named = [f"\t\t\t{name!r:<{width}} => {value}," for name, value in rows.items()]
    return [f"\t\t'{clave}' => array(", *named, *more, "\t\t),"]


def _php(truth: bool) -> str:  # noqa: FBT001 # a value, not a switch
    return "true" if truth else "false"


def signatures() -> dict[str, Any]:
    """Keyed hashes of the protocol, for both sides' tests. The secrets are examples."""
    secret = "k" * 40 + "_-0"
    orders = [(1, "wc_order_a"), (103, "wc_order_Zq81hHc2LmXnB"), (2**31, "wc_order_ñ&\n")]
    links = [
        {"order": order, "key": key, "proof": _base64url(_mac(secret, f"{order}\n{key}"))}
        for order, key in orders
    ]
    asked = [
        ("GET", "/connect/woocommerce/c-1/status", 1790000000, ""),
        ("POST", "/hub/connect/woocommerce/c-1/disconnect", 1790000001, '{"a":"ñ"}'),
    ]
    requests = [
        {
            "method": method,
            "path": path,
            "time": time,
            "body": body,
            "signature": _base64url(_mac(secret, f"{method}\n{path}\n{time}\n{body}")),
        }
        for method, path, time, body in asked
    ]
    bodies = ["", '{"id":7}', '{"name":"Ni\\u00f1o \\/ ñ"}']
    deliveries = [
        {"body": body, "signature": b64encode(_mac(secret, body)).decode()} for body in bodies
    ]
    return {"secret": secret, "links": links, "requests": requests, "deliveries": deliveries}


def _mac(secret: str, text: str) -> bytes:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def judgements() -> list[dict[str, Any]]:
    """What was typed, and what is wrong with it by the hub's own rules.

    `tidy` says that the hub takes it as it is. Then the shop must judge alike; what was typed in
    another way it may leave to the hub, but never refuse what the hub would take.
    """
    return [_judged(dict(zip(_FIELDS, typed, strict=True))) for typed in _typed()]


def _judged(typed: dict[str, str]) -> dict[str, Any]:
    tidy = receptor.normalize(*(typed[name] for name in _FIELDS))
    values = (tidy.rfc, tidy.nombre, tidy.domicilio_fiscal, tidy.regimen_fiscal, tidy.uso_cfdi)
    data = dict(zip(_FIELDS, values, strict=True))
    errors = {
        found.path: _CODES[found.code]
        for found in receptor.check(tidy)
        if found.code in _CODES and data[found.path]
    }
    return {"typed": typed, "tidy": data == typed, "errors": errors}


def _typed() -> Iterator[tuple[str, str, str, str, str]]:
    moral, fisica = "EKU9003173C9", "CACX7605101P8"
    good = ("ESCUELA KEMPER URGATE", "42501")
    for rfc, regimen in product((moral, fisica, ""), (*REGIMEN_FISCAL, "609", "")):
        yield rfc, *good, regimen, "S01"
    for rfc, regimen, uso in product(
        (moral, fisica), ("601", "605", "612", "616", "626", ""), (*USO_CFDI, "P01")
    ):
        yield rfc, *good, regimen, uso
    for rfc in _RFCS:
        yield rfc, *good, "601", "G03"
    for nombre in _NAMES:
        yield moral, nombre, "42501", "601", "G03"
    for cp in ("", "4250", "425011", " 42501 ", "4250a", "٤٢٥٠١", "42501\n"):
        yield moral, good[0], cp, "601", "G03"


_RFCS: Final = (
    "",
    "eku-900317 3c9",
    "EKU9003173C",
    "EKU9003173C99",
    "EKU9013173C9",
    "EKU9002303C9",
    "EKU0002293C9",
    "EKU0102293C9",
    "EKU9003173CX",
    "XAXX010101000",
    "xexx010101000",
    "Ñ&A010101AB1",
    "ñ&a010101ab1",
    "cacx\u200b7605101p8",
    "CACX7605101P8\n",
    "１２３",
    "<script>alert(1)</script>",
    "EKU9003173C9" * 100,
)
_NAMES: Final = (
    "",
    "  Escuela   Kemper\tUrgate ",
    "público en general",
    "PUBLICO EN GENERAL",
    "A|B",
    "Ñandú & Cía",
    "N\u0303andu\u0301",
    "A" * 300,
    "A" * 301,
    "campana\x07",
    "\ue000",
    "straße",
)


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode() + b"\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
