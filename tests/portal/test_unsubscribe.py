"""`/baja/<token>`: a GET changes nothing, a POST of any mail program ends the invitations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.brand import Brand

TOKEN = "WyJtMSJd.aGVsbG8-_"


@pytest.fixture(autouse=True)
def named(kit: Any) -> None:
    brand = Brand(merchant_id="m1", name="Escuela Kemper")
    kit.service.current = replace(kit.service.current, brand=brand)


@pytest.mark.parametrize(("language", "words"), [("es", "¿Dejar de"), ("en", "Stop receiving")])
def test_looking_ends_nothing(kit: Any, language: str, words: str) -> None:
    for method in ("get", "head", "options"):
        answer = getattr(kit.client, method)(f"/baja/{TOKEN}?lang={language}")
        assert answer.status_code == 200
    page = kit.client.get(f"/baja/{TOKEN}?lang={language}")
    assert words in page.text
    assert 'method="post"' in page.text
    assert "Escuela Kemper" in page.text
    assert kit.service.left == 0


def test_a_mail_program_ends_it_in_one_click(kit: Any) -> None:
    """RFC 8058 §3.1: no cookie, no origin, no redirect."""
    answer = kit.client.post(
        f"/baja/{TOKEN}",
        data="List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert kit.service.left == 1
    assert "Las facturas que pidas te siguen llegando" in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{}, {"Origin": "null"}, {"Origin": "https://mail.example"}])
def test_whoever_posts_it_for_its_reader(kit: Any, headers: dict[str, str]) -> None:
    assert kit.client.post(f"/baja/{TOKEN}", headers=headers).status_code == 200
    assert kit.service.left == 1


@pytest.mark.parametrize("token", ["x", TOKEN[:-1], TOKEN + ".", "a" * 4000, "%00", "é"])
def test_no_other_token_is_told_of_anything(kit: Any, token: str) -> None:
    for method in ("get", "post"):
        answer = getattr(kit.client, method)(f"/baja/{token}")
        assert answer.status_code == 404
        assert "Escuela Kemper" not in answer.text
    assert kit.service.left == 0


def test_a_body_of_megabytes_is_refused(kit: Any) -> None:
    answer = kit.client.post(f"/baja/{TOKEN}", data={"x": "y" * 3_000_000})
    assert answer.status_code in {200, 413}
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_no_other_method(kit: Any, method: str) -> None:
    assert getattr(kit.client, method)(f"/baja/{TOKEN}").status_code == 405
    assert kit.service.left == 0


def test_the_page_is_as_safe_as_the_others(kit: Any) -> None:
    headers = kit.client.get(f"/baja/{TOKEN}").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Robots-Tag"].startswith("noindex")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Accept-Language" in headers["Vary"]
