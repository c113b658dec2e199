"""What Finkok is known to answer, body by body, and what it was seen to do wrong."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cfdi.cancelacion import read_acuse
from cfdi.pac import finkok_answers as answers
from cfdi.pac.breaker import Breaker
from cfdi.pac.contract import (
    AlreadyStamped,
    Answer,
    CancelFiled,
    CancelRefused,
    Dedupe,
    Later,
    Never,
    NotOffered,
    Pending,
    Reply,
    Stamped,
    Terms,
    Unknown,
)
from cfdi.pac.finkok import Delivery, Finkok, Relations
from cfdi.sat.status import EsCancelable, Estado, EstatusCancelacion, Status

Server = Any  # of conftest.py
NewDocument = Callable[[], tuple[bytes, str]]

NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
URL = "https://demo-facturacion.finkok.com"
UUID = "11111111-2222-3333-4444-000000000001"
TERMS = Terms(
    dedupe=Dedupe.BYTES,
    reference_lifetime=timedelta(hours=72),
    in_flight_max=timedelta(seconds=120),
    connect_timeout=timedelta(seconds=1),
    read_timeout=timedelta(seconds=1),
)
SECRET = "finkok-s3cret"


@pytest.fixture
def pac() -> Finkok:
    return Finkok(URL, user="u@example.com", password=SECRET, terms=TERMS)


@pytest.fixture
def body(shared: Path) -> Callable[[str], bytes]:
    """An answer of the SDK's tests, put back into the envelope that it was taken from."""

    def soap(name: str) -> bytes:
        found = json.loads((shared / "sat/pac/finkok" / f"{name}.json").read_bytes())
        ((result, fields),) = found.items()
        return envelope(f"<t:{result}>{inside(fields)}</t:{result}>")

    return soap


def envelope(inner: str) -> bytes:
    return (
        '<senv:Envelope xmlns:senv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:t="urn:t"'
        f' xmlns:s0="apps.services.soap.core.views"><senv:Body><t:x>{inner}</t:x></senv:Body>'
        "</senv:Envelope>"
    ).encode()


def inside(fields: dict[str, Any]) -> str:
    out = ""
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            text = inside(each) if isinstance(each, dict) else html.escape(str(each))
            out += f"<s0:{name}>{text}</s0:{name}>"
    return out


def stamp_answer(*codes: str, xml: str = "", status: str = "") -> bytes:
    each = "".join(
        f"<s0:Incidencia><s0:CodigoError>{code}</s0:CodigoError>"
        f"<s0:MensajeIncidencia>said</s0:MensajeIncidencia></s0:Incidencia>"
        for code in codes
    )
    return envelope(
        f"<t:stampResult><s0:xml>{html.escape(xml)}</s0:xml><s0:CodEstatus>{status}</s0:CodEstatus>"
        f"<s0:Incidencias>{each}</s0:Incidencias></t:stampResult>"
    )


def cancel_answer(folio: str = "", **fields: str) -> bytes:
    folios = f"<s0:Folios><s0:Folio>{folio}</s0:Folio></s0:Folios>" if folio else ""
    result = f"{folios}{inside(fields)}"
    return envelope(f"<t:cancel_signatureResult>{result}</t:cancel_signatureResult>")


def folio(code: str, uuid: str = UUID) -> str:
    return f"<s0:UUID>{uuid}</s0:UUID><s0:EstatusUUID>{code}</s0:EstatusUUID>"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (stamp_answer(xml="<a/>", status="Comprobante timbrado satisfactoriamente"), Stamped),
        (stamp_answer("307", "307", xml="<a/>"), AlreadyStamped),
        (stamp_answer(xml="<a/>", status="Comprobante timbrado previamente"), AlreadyStamped),
        (stamp_answer("307", "307"), AlreadyStamped),
        (stamp_answer("307", "CFDI40145"), AlreadyStamped),
        (stamp_answer("CFDI40145"), Never),
        (stamp_answer("CFDI40145", "CFDI40148"), Never),
        (stamp_answer("705"), Never),
        (stamp_answer("711"), Never),
        (stamp_answer("712"), Never),
        (stamp_answer("401"), Never),
        (stamp_answer("300"), Later),
        (stamp_answer("300", "705"), Unknown),
        (stamp_answer("708"), Unknown),
        (stamp_answer("707"), Unknown),
        (stamp_answer("CFDI40145", "708"), Unknown),
        (stamp_answer("CFDI40999"), Unknown),
        (stamp_answer("FAKE1"), Unknown),
        (stamp_answer(""), Unknown),
        (stamp_answer(), Unknown),
        (stamp_answer(xml="voucher"), Unknown),
    ],
)
def test_every_incidencia_is_read(raw: bytes, kind: type[Answer]) -> None:
    assert type(answers.stamped(200, raw)) is kind
    for status in (500, 503, 404, 302):
        assert isinstance(answers.stamped(status, raw), Unknown)


def test_each_incidencia_is_a_finding_once() -> None:
    said = answers.stamped(200, stamp_answer("CFDI40145", "712", "CFDI40145"))
    assert isinstance(said, Never)
    assert [(each.code, each.path) for each in said.findings] == [
        ("CFDI40145", "nombre"),
        ("712", "csd"),
    ]


def test_the_sdks_bodies(body: Callable[[str], bytes]) -> None:
    assert isinstance(answers.stamped(200, body("stamp-response-with-alerts")), Unknown)
    assert isinstance(answers.recovered(200, body("stamped-response-with-alerts")), Unknown)
    filed = answers.cancelled(200, body("cancel-cancelsignature-response-2-items"), UUID)
    assert isinstance(filed, CancelFiled)
    assert filed.code == "201"
    other = UUID[:-1] + "2"
    refused = answers.cancelled(200, body("cancel-cancelsignature-response-2-items"), other)
    assert isinstance(refused, CancelRefused)
    assert [each.code for each in refused.findings] == ["204"]
    assert isinstance(answers.pending(200, body("cancel-get-pending-response-2-items")), Later)


def test_the_stamped_example(shared: Path) -> None:
    raw = (shared / "sat/pac/finkok/stamp-response-constructed.xml").read_bytes()
    assert isinstance(answers.stamped(200, raw), Stamped)


@pytest.mark.parametrize(
    ("raw", "kind", "word"),
    [
        (cancel_answer(folio("201")), CancelFiled, "201"),
        (cancel_answer(folio("202")), CancelFiled, "202"),
        (cancel_answer(folio("201", UUID.lower())), CancelFiled, "201"),
        (cancel_answer(folio("no_cancelable")), CancelRefused, "204"),
        (cancel_answer(folio("203")), CancelRefused, "203"),
        (cancel_answer(folio("205")), Later, "205"),
        (cancel_answer(folio("201", "x")), Unknown, ""),
        (cancel_answer(folio("")), Unknown, ""),
        (cancel_answer(CodEstatus="708"), Later, "708"),
        (cancel_answer(CodEstatus="708: No se pudo conectar al SAT"), Later, "708"),
        (cancel_answer(CodEstatus="798"), Later, "798"),
        (cancel_answer(CodEstatus="799 - Excedieron"), CancelRefused, "799"),
        (cancel_answer(CodEstatus="711"), CancelRefused, "711"),
        (cancel_answer(CodEstatus="304"), CancelRefused, "304"),
        (cancel_answer(CodEstatus="1308 - Certificado revocado o caduco"), CancelRefused, "308"),
        (cancel_answer(CodEstatus="Already Cancelled"), CancelFiled, "202"),
        (cancel_answer(CodEstatus="Already en BufferCancellation"), Later, "earlier request"),
        (cancel_answer(CodEstatus=f"UUID {UUID} No Encontrado"), Later, "205"),
        (cancel_answer(CodEstatus="Invalid Passphrase"), Unknown, ""),
        (cancel_answer(error="Invalid username or password"), Later, "password"),
        (cancel_answer(), Unknown, ""),
    ],
)
def test_every_answer_to_a_cancellation(raw: bytes, kind: type, word: str) -> None:
    answer = answers.cancelled(200, raw, UUID)
    assert type(answer) is kind
    assert word in repr(answer)


def test_the_receipt_comes_as_sat_gave_it() -> None:
    acuse = f"<Acuse Fecha='f' RfcEmisor='H&amp;E'><Folios><UUID>{UUID}</UUID></Folios></Acuse>"
    for sent in (acuse, html.escape(acuse)):  # it was escaped twice for years
        filed = answers.cancelled(200, cancel_answer(folio("201"), Acuse=sent), UUID)
        assert isinstance(filed, CancelFiled)
        assert read_acuse(filed.acuse).rfc_emisor == "H&E"


@given(st.integers(100, 599), st.binary(max_size=200))
def test_no_bytes_are_a_verdict_or_an_error(status: int, raw: bytes) -> None:
    assert isinstance(answers.stamped(status, raw), Unknown)
    assert isinstance(answers.cancelled(status, raw, UUID), Unknown)
    assert isinstance(answers.replied(status, raw, UUID, Reply.RECHAZO), Unknown)
    assert isinstance(answers.pending(status, raw), Later)


def test_307_without_its_document_and_603_for_seconds(
    finkok: Server, document: NewDocument
) -> None:
    """https://github.com/phpcfdi/finkok/blob/main/docs/issues/StampServiceDobleEstampado.md"""
    breaker = Breaker(lambda: 0.0, window=10_000)
    user = "finkok@example.com"
    pac = Finkok(finkok.url, user=user, password=SECRET, terms=TERMS, breaker=breaker)
    sealed, reference = document()
    finkok.fault("307_without_data")
    finkok.slow_to_tell = 2
    answer = pac.stamp(sealed, reference)
    assert isinstance(answer, AlreadyStamped)
    assert answer.xml is None
    assert isinstance(pac.recover(sealed, reference), Unknown)
    assert isinstance(pac.recover(sealed, reference), Unknown)
    assert isinstance(pac.recover(sealed, reference), Stamped)
    assert len(finkok.uuids_of(sealed)) == 1


@responses.activate
def test_the_request_is_finkoks(pac: Finkok, shared: Path) -> None:
    responses.post(f"{URL}/servicios/soap/stamp", body=stamp_answer(xml="<a/>"))
    pac.stamp(b"<sealed/>", "reference")
    sent = responses.calls[0].request
    assert sent.headers["SOAPAction"] == '"stamp"'
    assert isinstance(sent.body, bytes)
    call = etree.fromstring(sent.body).find("{*}Body/{*}stamp")
    theirs = etree.fromstring((shared / "sat/pac/finkok/stamp-request.xml").read_bytes())
    expected = theirs.find("{*}Body/{*}stamp")
    assert call is not None
    assert expected is not None
    tags = [node.tag for node in expected if isinstance(node.tag, str)]
    assert [node.tag for node in call] == tags
    assert base64.b64decode(call[0].text or "") == b"<sealed/>"
    assert (call[1].text, call[2].text) == ("u@example.com", SECRET)


@responses.activate
def test_a_cancellation_is_not_kept_for_later(pac: Finkok) -> None:
    responses.post(f"{URL}/servicios/soap/cancel", body=cancel_answer(folio("201")))
    pac.cancel(b"<signed/>", UUID)
    body = responses.calls[0].request.body
    assert isinstance(body, bytes)
    call = etree.fromstring(body).find("{*}Body/{*}cancel_signature")
    assert call is not None
    named = {etree.QName(node).localname: node.text for node in call}
    assert list(named) == ["xml", "username", "password", "store_pending"]
    assert named["store_pending"] == "false"


@responses.activate
def test_the_smaller_services(pac: Finkok, body: Callable[[str], bytes]) -> None:
    responses.post(f"{URL}/servicios/soap/stamp", body=body("querypending-response"))
    assert pac.query_pending(UUID) == Delivery("S", b"<xml/>")
    cancel = f"{URL}/servicios/soap/cancel"
    responses.post(cancel, body=body("cancel-get-sat-status-response"))
    said = pac.sat_status("EKU9003173C9", "CACX7605101P8", UUID, "1.00")
    assert isinstance(said, Status)
    assert (said.estado, said.es_cancelable, said.estatus_cancelacion) == (
        Estado.VIGENTE,
        EsCancelable.SIN_ACEPTACION,
        EstatusCancelacion.EN_PROCESO,
    )
    responses.post(cancel, body=body("cancel-get-receipt-response"))
    assert pac.receipt("EKU9003173C9", UUID) == b"x-receipt"
    inner = inside({"Padres": {"Padre": [{"uuid": UUID}]}, "Hijos": {}})
    responses.post(
        cancel,
        body=envelope(f"<t:get_related_signatureResult>{inner}</t:get_related_signatureResult>"),
    )
    assert pac.related(b"<signed/>") == Relations((UUID,), ())
    responses.post(cancel, body=body("cancel-get-related-signature-response"))
    assert isinstance(pac.related(b"<signed/>"), Later)  # it names an error


@responses.activate
def test_trouble_of_the_smaller_services_is_later(pac: Finkok) -> None:
    fault = (
        b"<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><e:Fault>"
        b"<faultstring>local variable 'invoice' referenced before assignment</faultstring>"
        b"</e:Fault></e:Body></e:Envelope>"
    )
    for service in ("stamp", "cancel", "utilities"):
        responses.post(f"{URL}/servicios/soap/{service}", body=fault, status=500)
    assert isinstance(pac.query_pending(UUID), Later)
    assert isinstance(pac.sat_status("E", "R", UUID, "1.00"), Later)
    assert isinstance(pac.receipt("E", UUID), Later)
    assert isinstance(pac.related(b"<signed/>"), Later)
    assert isinstance(pac.pending("EKU9003173C9"), Later)
    assert isinstance(pac.registered("EKU9003173C9"), NotOffered)
    assert not pac.check().ok
    assert SECRET not in repr(pac)


def test_an_account_in_trouble_is_left_alone() -> None:
    breaker = Breaker(lambda: 0.0, window=4, rest_seconds=30)
    pac = Finkok(URL, user="u", password="p", terms=TERMS, breaker=breaker)
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/servicios/soap/cancel", status=503)
        kinds = [type(pac.cancel(b"<x/>", UUID)) for _ in range(3)]
    assert kinds == [Unknown, Unknown, Later]


def test_the_word_of_sat_is_no_trouble() -> None:
    breaker = Breaker(lambda: 0.0, window=4, rest_seconds=30)
    pac = Finkok(URL, user="u", password="p", terms=TERMS, breaker=breaker)
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/servicios/soap/cancel", body=cancel_answer(folio("205")))
        for _ in range(5):
            assert "205" in repr(pac.cancel(b"<x/>", UUID))
        assert len(mock.calls) == 5


def test_pendings_are_read() -> None:
    inner = "<s0:uuids><s0:string>a</s0:string><s0:string>B</s0:string></s0:uuids>"
    said = answers.pending(200, envelope(f"<t:get_pendingResult>{inner}</t:get_pendingResult>"))
    assert isinstance(said, Pending)
    assert said.uuids == ("A", "B")
    nobody = answers.pending(200, envelope("<t:get_pendingResult/>"))
    assert isinstance(nobody, Pending)
    assert nobody.uuids == ()


def test_the_reply_that_counts_is_ours(body: Callable[[str], bytes]) -> None:
    raw = body("cancel-accept-reject-signature-response")
    first, second = (f"12345678-1234-1234-1234-00000000000{number}" for number in (1, 2))
    taken = answers.replied(200, raw, first, Reply.ACEPTACION)
    assert isinstance(taken, CancelRefused)  # 1001: nothing waited
    before = answers.replied(200, raw, second, Reply.RECHAZO)
    assert isinstance(before, CancelFiled)  # 1002: it was said before
    assert isinstance(answers.replied(200, raw, first, Reply.RECHAZO), Unknown)
