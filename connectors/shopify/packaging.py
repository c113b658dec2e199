"""The app as Shopify's CLI deploys it, written out for one hub and one client id.

`python -m connectors.shopify.packaging DIRECTORY --hub https://… --client-id …` copies app/ there.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

APP: Final = Path(__file__).parent / "app"
#: Where the hub stands in the files of app/: a name that can never be anybody's.
PLACEHOLDER: Final = "https://facturas.example"
#: The package is named: `npx shopify` alone would run whatever has that name.
DEPLOY: Final = "npx --package @shopify/cli shopify app deploy"
#: What is made on the spot, or only for the tests of app/.
_LEFT: Final = shutil.ignore_patterns("node_modules", "dist", ".shopify", "tests", ".gitignore")
_WITH_HUB: Final = ("shopify.app.toml", "src/hub.ts", "email/factura.liquid")
_CLIENT_ID: Final = re.compile(r"[0-9a-zA-Z]{8,64}")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


class HubAddressUnusable(ValueError):
    """Shopify calls the hub and buyers' browsers go there: https, and the host alone."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m connectors.shopify.packaging")
    parser.add_argument("directory", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--hub", required=True, help="the hub's PUBLIC_URL")
    parser.add_argument("--client-id", required=True, help="of the app in Shopify's Dev Dashboard")
    given = parser.parse_args(arguments)
    try:
        write(given.directory, hub=given.hub, client_id=given.client_id)
    except (ValueError, FileExistsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{given.directory}: run `npm install` and `{DEPLOY}` there\n")
    return 0


def write(directory: Path, *, hub: str, client_id: str) -> None:
    """The whole app in a new folder.

    Raises `HubAddressUnusable`, `ValueError` for a client id that is none, or `FileExistsError`.
    """
    hub = _address(hub)
    if not _CLIENT_ID.fullmatch(client_id):
        raise ValueError("--client-id is the Client ID of the Dev Dashboard: letters and digits")
    if directory.exists():
        raise FileExistsError(f"{directory} is there already: give a folder that is not")
    shutil.copytree(APP, directory, ignore=_LEFT)
    for name in _WITH_HUB:
        path = directory / name
        path.write_text(_put(path.read_text("utf-8"), PLACEHOLDER, hub), "utf-8")
    toml = directory / "shopify.app.toml"
    named = _put(toml.read_text("utf-8"), 'client_id = ""', f'client_id = "{client_id}"')
    toml.write_text(named, "utf-8")


def _address(hub: str) -> str:
    parts = urlsplit(hub.strip().rstrip("/"))
    if parts.scheme != "https" or not _HOST.fullmatch(parts.netloc) or parts.path or parts.query:
        raise HubAddressUnusable("--hub is the hub's PUBLIC_URL: https:// and the host alone")
    return f"https://{parts.netloc}"


def _put(text: str, placeholder: str, value: str) -> str:
    if placeholder not in text:
        raise AssertionError(f"{placeholder} is not in the file any more")
    return text.replace(placeholder, value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
