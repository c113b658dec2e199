"""Run the Python of one page, in its order: ``python running.py PAGE FOLDER``.

A script and no module: it runs where `cfdi` is a copy that stands alone.
"""

from __future__ import annotations

import io
import pkgutil
import re
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import segno
import typst

import cfdi
from cfdi.constancia import reading
from cfdi.pac.sandbox import tfd
from cfdi.pac.sandbox.authority import Authority
from cfdi.xml import parse

RFC, NOMBRE = "EKU9003173C9", "ESCUELA KEMPER URGATE"
PAPER = (
    "CONSTANCIA DE SITUACIÓN FISCAL\n\nRFC: CACX7605101P8\n\nNombre (s): XOCHILT\n\n"
    "Primer Apellido: CASAS\n\nSegundo Apellido: CHAVEZ\n\nCódigo Postal: 36257\n"
)
CODE = (
    "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf"
    "?D1=10&D2=1&D3=12345678901_CACX7605101P8"
)
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M0 0H9V9Z"/></svg>'


#: Installed beside `cfdi` where the tests run, and not to be touched by it.
OTHERS = {"hub", "connectors", "portal"}


def given(place: Path) -> dict[str, object]:
    """What the pages say is there already."""
    now = datetime.now(UTC).replace(microsecond=0)
    authority = Authority.open(place / "authority", now=now)
    csd = authority.issue_csd(RFC, NOMBRE, now=now)

    def stamp(sealed: bytes) -> bytes:
        return tfd.make(sealed, parse(sealed), authority, now).cfdi.encode()

    image = io.BytesIO()
    segno.make(CODE, error="m").save(image, kind="png", scale=6)
    return {
        "cer": csd.cer_der,
        "key": csd.key_der,
        "password": csd.password,
        "now": now,
        "stamp": stamp,
        "pdf_bytes": typst.compile(PAPER.encode()),
        "image_bytes": image.getvalue(),
        "text": CODE,
        "svg": LOGO,
    }


def run(page: Path, names: dict[str, object]) -> int:
    text = page.read_text(encoding="utf-8")
    blocks = list(re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    for block in blocks:
        line = text[: block.start()].count("\n") + 1
        # Padded, so that a failure names the line of the page.
        exec(compile("\n" * line + block.group(1), str(page), "exec"), names)
    return len(blocks)


def main() -> None:
    page, place = Path(sys.argv[1]), Path(sys.argv[2])
    for module in pkgutil.walk_packages(cfdi.__path__, "cfdi."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    reading.SECONDS = 300.0  # type: ignore[misc] # a machine that runs tests is busy
    names = given(place)
    if "stamped_xml" in page.read_text(encoding="utf-8"):
        made = dict(names)
        run(page.with_name("README.md"), made)
        names["stamped_xml"] = made["stamped"]
    blocks = run(page, names)
    if touched := OTHERS & sys.modules.keys():
        raise ImportError(f"cfdi imports {touched}")
    print(cfdi.__file__, blocks)


if __name__ == "__main__":
    main()
