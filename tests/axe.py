"""axe-core, by the lock in tests/web/axe: https://github.com/dequelabs/axe-core"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

LOCK = Path(__file__).parent / "web" / "axe"
#: What another width or another theme can change; all the rest is the same page.
OF_LOOKS = ("color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block")


def fetched(place: Path) -> str:
    """The script, installed in `place`; without npm or its registry the test is skipped, loudly."""
    npm = shutil.which("npm")
    if npm is None:
        return _unjudged("npm is not installed")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(LOCK / name, place / name)
    if why := unreachable(place):
        return _unjudged(why)
    return (place / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


#: What npm says of a registry that it cannot reach, or that is not well.
_AWAY = re.compile(
    "ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|SOCKET_TIMEOUT"
    "|EIDLETIMEOUT|EAI_FAIL|ENETDOWN|ECONNABORTED|EPROTO|E40[137]|E429|E50[0234]"
    # In between stands somebody with a certificate of his own.
    "|SELF_SIGNED_CERT|UNABLE_TO_[A-Z_]*CERT|UNABLE_TO_VERIFY|CERT_(?:HAS_EXPIRED|UNTRUSTED)"
)


def unreachable(place: Path) -> str:
    """Install what the lock file of this folder pins. Why that is not possible here, if so."""
    try:
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            check=False,
            cwd=place,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        return "npm's registry does not answer in time"
    if done.returncode != 0 and _AWAY.search(done.stderr):
        return "npm's registry cannot be reached"
    assert done.returncode == 0, done.stderr
    return ""


def _unjudged(why: str) -> Any:
    pytest.skip(f"NOT TESTED: accessibility by axe-core: {why}")


def complaints(frame: Any, *rules: str) -> list[tuple[str, Any]]:
    """What axe-core finds or cannot tell, best practices included, where it is loaded already."""
    only = f"runOnly: {list(rules)!r}, " if rules else ""
    found = frame.evaluate(
        f"axe.run(document, {{{only}rules: {{'target-size': {{enabled: true}}}},"
        " resultTypes: ['violations', 'incomplete']})"
    )
    told = [
        (one["id"], [node["target"] for node in one["nodes"] if not _arrow(node)])
        for one in (*found["violations"], *found["incomplete"])
    ]
    return [each for each in told if each[1]]


def _arrow(node: Any) -> bool:
    """Whether axe-core cannot tell a contrast for the arrow that is drawn into a select alone.

    Its colours are those of the other fields: tests/portal/test_portal_design.py measures them.
    """
    why = [each["data"].get("messageKey") for each in node["any"] if each["data"]]
    return bool(node["html"].startswith("<select") and why == ["bgGradient"])


def judged(frame: Any, axe: str) -> None:
    """axe-core finds nothing."""
    if not frame.evaluate("'axe' in window"):
        frame.evaluate(axe)
    found = complaints(frame)
    assert found == [], found
