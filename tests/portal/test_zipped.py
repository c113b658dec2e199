"""Pages go compressed to whoever takes that, unless their length could tell a secret."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import flask
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from portal.zipped import WORTHWHILE, zipped

PAGE = "<!doctype html><title>ñ</title>" + "<p>Factura</p>" * 200
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def client() -> Iterator[FlaskClient]:
    app = Flask(__name__)
    app.after_request(zipped)
    app.add_url_rule("/page", "page", lambda: PAGE, methods=["GET", "POST"])
    app.add_url_rule("/short", "short", lambda: PAGE[: WORTHWHILE - 50])
    app.add_url_rule("/json", "json", lambda: flask.jsonify(page=PAGE))
    app.add_url_rule("/ready", "ready", _ready)
    app.add_url_rule("/in", "in", _lets_in)
    with app.test_client() as made:
        yield made


def _ready() -> Response:
    answer = Response(gzip.compress(PAGE.encode()), mimetype="text/html")
    answer.content_encoding = "gzip"
    return answer


def _lets_in() -> Response:
    answer = Response(PAGE, mimetype="text/html")
    answer.set_cookie("session", "1")
    return answer


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_is_zipped_for_who_takes_it(client: FlaskClient, method: str) -> None:
    answer = client.open("/page", method=method, headers=GZIP)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.content_length == len(answer.data) < len(PAGE) / 5
    assert gzip.decompress(answer.data).decode() == PAGE


def test_a_zipped_page_says_the_same_every_time(client: FlaskClient) -> None:
    assert len({client.get("/page", headers=GZIP).data for _ in range(3)}) == 1


@pytest.mark.parametrize("takes", ["", "identity", "br", "gzip;q=0", "deflate"])
def test_it_is_plain_for_who_does_not_take_it(client: FlaskClient, takes: str) -> None:
    answer = client.get("/page", headers={"Accept-Encoding": takes})
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert answer.text == PAGE


@pytest.mark.parametrize("path", ["/short", "/json"])
def test_what_is_short_or_no_page_stays_plain(client: FlaskClient, path: str) -> None:
    assert "Content-Encoding" not in client.get(path, headers=GZIP).headers


def test_what_is_zipped_already_is_not_zipped_again(client: FlaskClient) -> None:
    answer = client.get("/ready", headers=GZIP)
    assert gzip.decompress(answer.data).decode() == PAGE


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/page", {"Authorization": "Basic dTpw"}),
        ("/page", {"Authorization": "Bearer abc"}),
        ("/in", {}),
    ],
)
def test_who_is_let_in_by_more_than_the_address_gets_it_plain(
    client: FlaskClient, path: str, headers: dict[str, str]
) -> None:
    answer = client.get(path, headers={**GZIP, **headers})
    assert "Content-Encoding" not in answer.headers
    assert answer.text == PAGE


def test_who_has_a_cookie_gets_it_plain(client: FlaskClient) -> None:
    client.set_cookie("session", "1")
    answer = client.get("/page", headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert answer.text == PAGE


def test_a_head_says_the_length_of_what_a_get_would_bring(client: FlaskClient) -> None:
    got = client.get("/page", headers=GZIP)
    head = client.head("/page", headers=GZIP)
    assert head.data == b""
    assert head.content_length == got.content_length
