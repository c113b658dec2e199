"""The gallery of pages and components: here, and nowhere that anybody else could see it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from portal.design.examples import EXAMPLES

KEYS = {
    "AUTOFACTURA_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
}


def test_it_shows_every_page_in_both_themes(site: Any) -> None:
    index = site.client.get("/design").text
    for name in EXAMPLES:
        assert f'href="/design/{name}"' in index
        dark = site.client.get(f"/design/{name}?theme=dark")
        assert dark.status_code == 200
        assert '<link rel="stylesheet" href="/design/theme/dark.css">' in dark.text
    sheet = site.client.get("/design/theme/dark.css")
    assert sheet.mimetype == "text/css"
    assert "--ground: #0d1311;" in sheet.text
    assert "--space-1: 0.25rem;" in sheet.text


@pytest.mark.parametrize("path", ["/design/nothing", "/design/theme/nothing.css", "/design/"])
def test_what_is_not_there_is_not_there(site: Any, path: str) -> None:
    assert site.client.get(path).status_code == 404


def test_a_theme_is_one_of_two(site: Any) -> None:
    page = site.client.get("/design/lista", query_string={"theme": '"><script>alert(1)</script>'})
    assert "alert(1)" not in page.text
    assert "/design/theme/" not in page.text


@pytest.mark.parametrize(
    "environ",
    [{"PUBLIC_URL": "https://facturas.example.com", **KEYS}, {"HOST": "0.0.0.0"}],
    ids=["a public address", "every interface"],
)
def test_a_hub_that_others_can_see_has_none(
    make_site: Callable[..., Any], environ: dict[str, str]
) -> None:
    client = make_site(**environ).client
    for path in ("/design", "/design/lista", "/design/theme/dark.css"):
        assert client.get(path).status_code == 404
