"""Pages of a message only: unknown links, too many tries. Each in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

LINK = re.compile(r'<a class="language" href="([^"]+)" lang="(\w\w)"')


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/f/canary", 404),
        ("/f/canary/cfdi.xml", 404),
        ("/baja/canary", 404),
        ("/facturar/canary", 404),
    ],
)
def test_each_leads_to_itself_in_the_other_language(kit: Any, path: str, status: int) -> None:
    page = kit.client.get(path)
    assert page.status_code == status
    assert LINK.findall(page.text) == [("?lang=en", "en")]
    assert "canary" not in page.text
    other = kit.client.get(f"{path}?lang=en")
    assert other.status_code == status
    assert '<html lang="en">' in other.text
    assert LINK.findall(other.text) == [("?lang=es", "es")]


def test_too_many_tries_are_told_in_both(kit: Any) -> None:
    for n in range(31):
        page = kit.client.get(f"/f/guess{n}")
    assert page.status_code == 429
    assert LINK.findall(page.text) == [("?lang=en", "en")]


def test_what_was_posted_cannot_be_asked_for_again(kit: Any) -> None:
    page = kit.client.post(kit.path, data={}, headers={"Origin": "https://evil.example"})
    assert page.status_code == 403
    assert not LINK.findall(page.text)
    assert "Volver a mi compra" in page.text


def test_hostile_queries_stay_in_the_address(kit: Any) -> None:
    hostile = '"><script>alert(1)</script>'
    page = kit.client.get("/f/x", query_string={"c": hostile, "lang": hostile, "next": "//evil"})
    assert "<script>alert" not in page.text
    ((link, _),) = LINK.findall(page.text)
    assert link == "?lang=en"
