"""The plug-in's folder, and PHP where it is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

_LOST = "the PHP of the WooCommerce plug-in is NOT tested (install php-cli, php-mbstring, php-intl)"


@pytest.fixture(scope="session")
def php() -> str:
    found = shutil.which("php")
    if found is None:
        pytest.skip(f"no `php` here: {_LOST}")
    modules = subprocess.run([found, "-m"], capture_output=True, text=True, check=True).stdout
    if missing := {"mbstring", "intl"} - set(modules.split()):
        pytest.skip(f"php lacks {', '.join(sorted(missing))}: {_LOST}")
    return found
