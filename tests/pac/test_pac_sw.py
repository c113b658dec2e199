"""What SW Sapien is known to answer, body by body, and how its token is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import responses
from requests.exceptions import SSLError

from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import AlreadyStamped, Answer, Dedupe, Later, Never, Stamped, Terms, Unknown
from cfdi.pac.sw import AUTHENTICATE, BALANCE, STAMP, SwSapien
from cfdi.pac.sw_answers import classify

URL = "https://services.test.sw.com.mx"
SEALED = b'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4" Sello="s"/>'
TFD = '<tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital" UUID="u"/>'
TERMS = Terms(
    dedupe=Dedupe.REFERENCE,
    reference_lifetime=timedelta(hours=72),
    in_flight_max=timedelta(seconds=120),
    connect_timeout=timedelta(seconds=1),
    read_timeout=timedelta(seconds=1),
)


@pytest.fixture
def body(shared: Path) -> Callable[[str], bytes]:
    return lambda name: (shared / "sat/pac/sw" / f"{name}.json").read_bytes()


def error(message: object, data: object = None) -> bytes:
    return json.dumps({"message": message, "data": data, "status": "error"}).encode()


def test_sws_own_bodies(body: Callable[[str], bytes]) -> None:
    assert isinstance(classify(200, body("stamp-v4-200"), SEALED), Stamped)
    assert isinstance(classify(400, body("stamp-307-400"), SEALED), AlreadyStamped)
    assert isinstance(classify(400, body("stamp-customid-duplicate-400"), SEALED), Unknown)
    assert isinstance(classify(401, body("auth-401"), SEALED), Later)
    for name, code, path in (
        ("stamp-validation-400", "CFDI40145", "nombre"),
        ("stamp-72h-400", "401", None),
    ):
        answer = classify(400, body(name), SEALED)
        assert isinstance(answer, Never)
        assert [finding.code for finding in answer.findings] == [code]
        assert path in {None, answer.findings[0].path}


@pytest.mark.parametrize(
    ("status", "raw", "kind"),
    [
        (400, error("301 - La estructura del comprobante es incorrecta."), Never),
        (400, error("302. El sello del emisor no es válido."), Never),
        (400, error("402 - El RFC del emisor no se encuentra en LCO."), Never),
        (400, error("CFDI140226 - ObjetoImp"), Never),
        (400, error("CRP20277 - Monto"), Never),
        (400, error("CO1003 - namespace"), Never),
        (200, error("CFDI40145 - El campo Nombre"), Never),
        (400, error("CO1000 - Error no controlado"), Unknown),
        (400, error("CFDI40999 - Error no clasificado."), Unknown),
        (400, error("CFDI40145x"), Unknown),
        (400, error("El campo 301"), Unknown),
        (400, error("3010"), Unknown),
        (400, error(None), Unknown),
        (400, error({"code": "301"}), Unknown),
        (500, error("CFDI40145 - El campo Nombre"), Unknown),
        (503, error("301 - La estructura"), Unknown),
        (429, error("301 - La estructura"), Unknown),
        (402, b"", Later),
        (403, b"<html>", Later),
        (400, error("307. El comprobante contiene un timbre previo."), AlreadyStamped),
        (200, b'{"status": "success", "data": {}}', AlreadyStamped),
        (200, b'{"status": "success", "data": {"cfdi": 7}}', AlreadyStamped),
        (200, b'{"status": "success", "data": {"cfdi": "<\\ud800/>"}}', AlreadyStamped),
        (200, b'{"status": "great", "data": {"cfdi": "<a/>"}}', Unknown),
        (200, b"\xff", Unknown),
        (201, b'{"status": "success", "data": {"cfdi": "<a/>"}}', Unknown),
    ],
)
def test_classification(status: int, raw: bytes, kind: type[Answer]) -> None:
    assert type(classify(status, raw, SEALED)) is kind


def test_a_bare_tfd_completes_the_document_that_was_sent() -> None:
    answer = classify(400, error("307. Timbre previo.", {"tfd": TFD}), SEALED)
    assert isinstance(answer, AlreadyStamped)
    assert answer.xml is not None
    assert b'Sello="s"' in answer.xml
    assert b"TimbreFiscalDigital" in answer.xml


@responses.activate
def test_the_request_is_sws() -> None:
    responses.post(URL + STAMP, json={"status": "success", "data": {"cfdi": "<a/>"}})
    SwSapien(URL, token="t0ken", terms=TERMS).stamp(SEALED, "reference-1")
    sent = responses.calls[0].request
    assert sent.headers["customid"] == "reference-1"
    assert sent.headers["Authorization"] == "Bearer t0ken"
    assert isinstance(sent.body, bytes)
    assert SEALED in sent.body
    assert b'name="xml"' in sent.body


@responses.activate
def test_a_token_is_asked_for_once_and_again_when_it_grows_old() -> None:
    time = [0.0]
    tokens = iter(["one", "two"])
    responses.add_callback(responses.POST, URL + AUTHENTICATE, lambda _: (200, {}, token(tokens)))
    responses.post(URL + STAMP, json={"status": "success", "data": {"cfdi": "<a/>"}})
    pac = SwSapien(URL, user="u", password="p", terms=TERMS, monotonic=lambda: time[0])
    pac.stamp(SEALED, "r")
    pac.stamp(SEALED, "r")
    time[0] = 7200
    pac.stamp(SEALED, "r")
    assert bearers() == ["Bearer one", "Bearer one", "Bearer two"]


@responses.activate
def test_a_refused_token_is_replaced_once() -> None:
    tokens = iter(["old", "new", "newer"])
    responses.add_callback(responses.POST, URL + AUTHENTICATE, lambda _: (200, {}, token(tokens)))
    responses.post(URL + STAMP, status=401)
    pac = SwSapien(URL, user="u", password="p", terms=TERMS)
    assert isinstance(pac.stamp(SEALED, "r"), Later)
    assert bearers() == ["Bearer old", "Bearer new"]


@responses.activate
@pytest.mark.parametrize("bad", ["", "a b", "a\nb", "ñ", 7, None])
def test_a_token_that_is_none_is_later(bad: object) -> None:
    responses.post(URL + AUTHENTICATE, json={"status": "success", "data": {"token": bad}})
    pac = SwSapien(URL, user="u", password="p", terms=TERMS)
    assert isinstance(pac.stamp(SEALED, "r"), Later)


@responses.activate
@pytest.mark.parametrize("broken", [requests.ReadTimeout(), requests.ConnectionError(), SSLError()])
def test_trouble_while_authenticating_is_later_for_nothing_was_sent(broken: Exception) -> None:
    responses.post(URL + AUTHENTICATE, body=broken)
    pac = SwSapien(URL, user="u", password="p", terms=TERMS)
    assert isinstance(pac.stamp(SEALED, "r"), Later)


@responses.activate
@pytest.mark.parametrize(
    "broken",
    [
        requests.ReadTimeout(),
        requests.ConnectionError("reset"),
        SSLError("eof"),
        requests.TooManyRedirects(),
    ],
)
def test_trouble_while_stamping_is_unknown_and_quotes_nothing(broken: Exception) -> None:
    responses.post(URL + STAMP, body=broken)
    answer = SwSapien(URL, token="t0ken", terms=TERMS).stamp(SEALED, "r")
    assert isinstance(answer, Unknown)
    assert "t0ken" not in answer.reason


@responses.activate
def test_a_connection_that_takes_too_long_to_come_to_be_is_later() -> None:
    responses.post(URL + STAMP, body=requests.ConnectTimeout())
    assert isinstance(SwSapien(URL, token="t", terms=TERMS).stamp(SEALED, "r"), Later)


@responses.activate
def test_an_account_in_trouble_is_left_alone_and_probed() -> None:
    time = [0.0]
    responses.post(URL + STAMP, status=503)
    breaker = Breaker(lambda: time[0], window=4, rest_seconds=30)
    pac = SwSapien(URL, token="t", terms=TERMS, breaker=breaker)
    assert [type(pac.stamp(SEALED, "r")) for _ in range(3)] == [Unknown, Unknown, Later]
    assert isinstance(pac.recover(SEALED, "r"), Unknown)
    time[0] = 30
    assert [type(pac.stamp(SEALED, "r")) for _ in range(2)] == [Unknown, Later]
    assert len(responses.calls) == 3


@responses.activate
def test_the_balance_is_told() -> None:
    responses.get(URL + BALANCE, json={"status": "success", "data": {"saldoTimbres": 12}})
    standing = SwSapien(URL, token="t", terms=TERMS).check()
    assert standing.ok
    assert "12" in standing.detail


@responses.activate
@pytest.mark.parametrize(("status", "text"), [(401, ""), (500, ""), (200, "{}"), (302, "")])
def test_an_account_that_cannot_be_checked_is_not_ok(status: int, text: str) -> None:
    responses.get(URL + BALANCE, status=status, body=text)
    assert not SwSapien(URL, token="t", terms=TERMS).check().ok


def token(tokens: Iterator[str]) -> str:
    return json.dumps({"status": "success", "data": {"token": next(tokens)}})


def bearers() -> list[str]:
    return [
        str(call.request.headers["Authorization"])
        for call in responses.calls
        if str(call.request.url).endswith(STAMP)
    ]
