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

from cfdi.cancelacion import read_acuse
from cfdi.pac import sw_cancel
from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import (
    AlreadyStamped,
    Answer,
    CancelFiled,
    CancelRefused,
    Dedupe,
    Later,
    Never,
    Pending,
    Registered,
    Reply,
    Stamped,
    Terms,
    Unknown,
)
from cfdi.pac.sw import AUTHENTICATE, BALANCE, CANCEL, STAMP, SwSapien
from cfdi.pac.sw_answers import classify

URL = "https://services.test.sw.com.mx"
UUID = "5D0C5A3C-0000-4000-8000-000000000001"
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
def test_a_refused_token_without_end_is_not_sent_twice() -> None:
    responses.post(URL + STAMP, status=401)
    assert isinstance(SwSapien(URL, token="t0ken", terms=TERMS).stamp(SEALED, "r"), Later)
    assert bearers() == ["Bearer t0ken"]


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


def cancel_body(code: object, name: str = UUID.lower(), **more: object) -> bytes:
    data = {"acuse": "<Acuse/>", "uuid": {name: code}} | more
    return json.dumps({"status": "success", "data": data}).encode()


@pytest.mark.parametrize(
    ("status", "raw", "kind"),
    [
        (200, cancel_body("201"), CancelFiled),
        (200, cancel_body("202", acuse=None), CancelFiled),
        (200, cancel_body("205"), Later),
        (200, cancel_body("203"), CancelRefused),
        (200, cancel_body("999"), Unknown),
        (200, cancel_body(201), Unknown),
        (200, cancel_body("201", "another"), Unknown),
        (200, cancel_body("201", uuid=[]), Unknown),
        (200, cancel_body("201", uuid=None), Unknown),
        (400, error("CACFDI33 - Problemas con el xml."), Unknown),
        (400, error("300 - Usuario no válido"), CancelRefused),
        (400, error("CACFDI33", {"uuid": {UUID: "201"}}), Unknown),
        (401, b"", Later),
        (402, b"", Later),
        (429, cancel_body("201"), Later),
        (500, cancel_body("201"), Unknown),
        (503, b"<html>", Unknown),
        (404, b"", Unknown),
    ],
)
def test_classification_of_a_cancellation(status: int, raw: bytes, kind: type) -> None:
    assert type(sw_cancel.cancelled(status, raw, UUID)) is kind


def test_sws_own_bodies_of_cancellations(body: Callable[[str], bytes]) -> None:
    uuid = "3eaeabc9-ea41-4627-9609-c6856b78e2b1"
    filed = sw_cancel.cancelled(200, body("cancel-200"), uuid)
    assert isinstance(filed, CancelFiled)
    assert filed.code == "202"
    assert read_acuse(filed.acuse).codigos == {uuid.upper(): "202"}
    for name, code in (("cancel-error-cert", "308"), ("cancel-error-signature", "309")):
        refused = sw_cancel.cancelled(400, body(name), uuid)
        assert isinstance(refused, CancelRefused)
        assert [each.code for each in refused.findings] == [code]
    missing = sw_cancel.cancelled(400, body("cancel-error-missing"), uuid)
    assert isinstance(missing, Unknown)


@pytest.mark.parametrize(
    ("folios", "kind"),
    [
        ([{"uuid": UUID.lower(), "estatusUUID": "1000", "respuesta": "Rechazo"}], CancelFiled),
        ([{"Uuid": UUID, "EstatusUuid": "1002"}], CancelFiled),
        ([{"uuid": UUID, "estatusUUID": "1001", "respuesta": "Rechazo"}], CancelRefused),
        ([{"uuid": UUID, "estatusUUID": "1000", "respuesta": "Aceptacion"}], Unknown),
        ([{"uuid": "another", "estatusUUID": "1000"}], Unknown),
        ([7, None, {}], Unknown),
        ("1000", Unknown),
    ],
)
def test_classification_of_a_reply(folios: object, kind: type) -> None:
    raw = json.dumps({"status": "success", "data": {"folios": folios}, "codStatus": "1000"})
    assert type(sw_cancel.replied(200, raw.encode(), UUID, Reply.RECHAZO)) is kind


@pytest.mark.parametrize(
    ("status", "data", "uuids"),
    [
        (200, {"UUID": [UUID.lower()], "CodEstatus": "1100"}, (UUID,)),
        (200, {"uuid": [UUID, 7], "codStatus": "1100"}, (UUID,)),
        (200, {"UUID": None, "CodEstatus": "1101"}, ()),
        (200, {"CodEstatus": "1200"}, None),
        (500, {"UUID": [], "CodEstatus": "1100"}, None),
    ],
)
def test_pendings(status: int, data: object, uuids: tuple[str, ...] | None) -> None:
    raw = json.dumps({"status": "success", "data": data}).encode()
    said = sw_cancel.pending(status, raw)
    assert said == (Pending(uuids, raw) if uuids is not None else said)
    assert isinstance(said, Later) == (uuids is None)


def test_no_pendings_may_come_as_an_error() -> None:
    raw = error("1101 - No existen peticiones para el RFC Receptor.")
    assert sw_cancel.pending(400, raw) == Pending((), raw)
    assert isinstance(sw_cancel.pending(400, error("Error")), Later)


@responses.activate
def test_lists_are_asked_at_both_hosts() -> None:
    """https://developers.sw.com.mx/knowledge-base/lista-69-b and its SDK's tests."""
    none = {
        "status": "error",
        "message": "Error en la consulta.",
        "messageDetail": "CS1002 - La consulta no arrojo resultados.",
    }
    malformed = none | {"messageDetail": "CS1002 - RFC malformado: X"}
    api = "https://api.test.sw.com.mx/lrfc/H%26E951128469"
    taxpayers = f"{URL}/taxpayers/H%26E951128469"
    pac = SwSapien(URL, token="t", terms=TERMS)
    responses.get(api, json={"status": "success", "data": {"contribuyenteRFC": "H&E951128469"}})
    responses.get(taxpayers, json=none, status=400)
    assert pac.registered("H&E951128469") == Registered(known=True, listed_69b="")
    responses.replace(responses.GET, api, json=none, status=404)
    situation = {"situacion_del_contribuyente": "Definitivo"}
    responses.replace(
        responses.GET, taxpayers, json={"status": "success", "data": situation}, status=200
    )
    assert pac.registered("H&E951128469") == Registered(known=False, listed_69b="Definitivo")
    for trouble in ({"json": malformed, "status": 400}, {"status": 500}, {"body": b"<html>"}):
        responses.replace(responses.GET, api, **trouble)
        assert isinstance(pac.registered("H&E951128469"), Later)


@responses.activate
def test_a_signed_request_is_sent_as_it_is() -> None:
    responses.post(URL + CANCEL, body=cancel_body("201"))
    SwSapien(URL, token="t0ken", terms=TERMS).cancel(b"<signed>\r\n</signed>", UUID)
    sent = responses.calls[0].request
    assert sent.headers["Authorization"] == "Bearer t0ken"
    assert isinstance(sent.body, bytes)
    assert b"<signed>\r\n</signed>" in sent.body


@responses.activate
def test_the_word_of_sat_is_no_trouble_of_the_provider() -> None:
    responses.post(URL + CANCEL, body=cancel_body("205"))
    breaker = Breaker(lambda: 0.0, window=4, rest_seconds=30)
    pac = SwSapien(URL, token="t", terms=TERMS, breaker=breaker)
    assert all("205" in repr(pac.cancel(b"<x/>", UUID)) for _ in range(5))
    responses.replace(responses.POST, URL + CANCEL, status=503)
    kinds = [type(pac.cancel(b"<x/>", UUID)) for _ in range(3)]
    assert kinds == [Unknown, Unknown, Later]


def token(tokens: Iterator[str]) -> str:
    return json.dumps({"status": "success", "data": {"token": next(tokens)}})


def bearers() -> list[str]:
    return [
        str(call.request.headers["Authorization"])
        for call in responses.calls
        if str(call.request.url).endswith(STAMP)
    ]
