"""Passes that were made up and numbers that are none, against a whole hub over HTTP."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest

from hub.steps.find import find

RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ndividir = true\n'


@pytest.fixture
def sale(site: Any) -> dict[str, Any]:
    """With its merchant's id, in `of`."""
    of = site.merchant()
    site.told("rules", "set", "--merchant", of, "--file", site.file("divide.toml", RULES))
    return dict(site.sell(of, "PED-1")) | {"of": of}


def form(site: Any, path: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', site.client.get(path).text)
    assert found is not None
    return {"csrf_token": found[1]}


HUGE = ("1e30", "1e9999", "1e999999999999", "9" * 20, "1000000000001")
NONE = (
    "NaN",
    "sNaN",
    "Infinity",
    "-1",
    "-0",
    "1e-99999",
    "1_0",
    "+1",
    "0x1",
    "²",
    "٣",
    ".",
    "1.1.1",
)


@pytest.mark.parametrize("typed", [*HUGE, *NONE])
def test_a_quantity_is_a_number_of_few_digits(site: Any, sale: dict[str, Any], typed: str) -> None:
    path = urlsplit(sale["link"]).path
    signed = form(site, path)
    for action in ("", "dividir"):
        answer = site.client.post(f"{path}/dividir", data=signed | {"u0": typed, "accion": action})
        assert answer.status_code == 422, action
    assert site.client.post(f"{path}/dividir", data=signed | {"u0": "1,5"}).status_code == 200


def opened(payload: str) -> list[Any]:
    raw = base64.urlsafe_b64decode(payload.lstrip(".") + "==")
    found: list[Any] = json.loads(zlib.decompress(raw) if payload.startswith(".") else raw)
    return found


def closed(content: list[Any]) -> str:
    packed = zlib.compress(json.dumps(content, separators=(",", ":")).encode())
    return "." + base64.urlsafe_b64encode(packed).decode().rstrip("=")


Change = Callable[[list[Any]], list[Any]]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one,  # else right: only its form is another
        lambda one: ["0" * 32, *one[1:]],
        lambda one: [*one[:2], one[2] + 10**9, one[3]],
        lambda one: [*one[:3], 1],
        lambda one: [*one[:1], [[one[1][0][0], 2]], *one[2:]],
    ],
)
def test_what_a_pass_says_is_what_was_signed(
    site: Any, sale: dict[str, Any], change: Change
) -> None:
    token = find(site.hub.ctx, sale["code"], Decimal(sale["total"]), sale["of"])
    assert token is not None
    assert site.client.get(f"/f/{token}").status_code == 200
    payload, _, signature = token.rpartition(".")
    other = closed(change(opened(payload)))
    if other != payload:
        assert site.client.get(f"/f/{other}.{signature}").status_code == 404
    for forged in (f"{payload}A.{signature}", f"{payload}.{signature[:-2]}", f"{payload}.x"):
        assert site.client.get(f"/f/{forged}").status_code == 404
    bomb = closed([sale["of"], [["0" * 10**6, 1]] * 20, 2**40, 0])[:4000]
    assert site.client.get(f"/f/{bomb}.{signature}").status_code == 404
    of_mail = site.hub.ctx.passes.leaving(sale["of"], b"\0" * 32)
    assert site.client.get(f"/f/{of_mail}").status_code == 404
    assert site.client.get(f"/baja/{token}").status_code == 404
