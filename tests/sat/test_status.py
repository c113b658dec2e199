"""SAT's status service: words known and unknown, trouble, the cache, when to look again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from cfdi.consulta import verification_url
from cfdi.pac.contract import Later
from cfdi.sat.status import (
    KEPT,
    URL,
    EsCancelable,
    Estado,
    EstatusCancelacion,
    SatStatus,
    Status,
    ValidacionEfos,
    envelope,
    expression,
    next_look,
    read,
)

UUID = "5D0C5A3C-0000-4000-8000-000000000001"
ASKED = f"?id={UUID}&re=EKU9003173C9&rr=URE180429TM6&tt=2010.01&fe=/OAgdg=="
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
STAMPED = (
    '<c:Comprobante xmlns:c="http://www.sat.gob.mx/cfd/4" Total="1160.00" Sello="xyz/OAgdg==">'
    '<c:Emisor Rfc="H&amp;E951128469"/><c:Receptor Rfc="OÑO120726RX3"/><c:Complemento>'
    '<t:TimbreFiscalDigital xmlns:t="http://www.sat.gob.mx/TimbreFiscalDigital" UUID="{uuid}"/>'
    "</c:Complemento></c:Comprobante>"
)


def answer(**said: str) -> bytes:
    fields = {"CodigoEstatus": "S - Comprobante obtenido satisfactoriamente."} | said
    inner = "".join(f"<a:{name}>{text}</a:{name}>" for name, text in fields.items())
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<ConsultaResponse xmlns="http://tempuri.org/"><ConsultaResult xmlns:a="urn:a">'
        f"{inner}</ConsultaResult></ConsultaResponse></s:Body></s:Envelope>"
    ).encode()


def test_sats_own_answer(shared: Path) -> None:
    said = read((shared / "sat/pac/sat/consulta-response.xml").read_bytes())
    assert said.codigo.startswith("S - ")
    assert said.estado is Estado.VIGENTE
    assert said.es_cancelable is EsCancelable.CON_ACEPTACION
    assert said.estatus_cancelacion is EstatusCancelacion.RECHAZADA
    assert said.validacion_efos is ValidacionEfos.NOT_SAID
    assert not said.is_cancelled


def test_the_request_is_sats(shared: Path) -> None:
    theirs = etree.fromstring((shared / "sat/pac/sat/consulta-request.xml").read_bytes())
    ours = etree.fromstring(envelope(ASKED))
    assert [node.tag for node in ours.iter()] == [node.tag for node in theirs.iter()]
    assert [node.text for node in ours.iter()][-1] == [node.text for node in theirs.iter()][-1]


@pytest.mark.parametrize(
    ("field", "name", "words"),
    [
        ("Estado", "estado", Estado),
        ("EsCancelable", "es_cancelable", EsCancelable),
        ("EstatusCancelacion", "estatus_cancelacion", EstatusCancelacion),
        ("ValidacionEFOS", "validacion_efos", ValidacionEfos),
    ],
)
def test_every_word_is_known_and_no_other(field: str, name: str, words: type) -> None:
    def said(text: str) -> object:
        return getattr(read(answer(**({"Estado": "Vigente"} | {field: text}))), name)

    for word in words:
        if word.name == "UNKNOWN" or (field, word) == ("Estado", ""):
            continue
        for written in (word, word.upper(), f" {word} ", word.replace("ó", "o")):
            assert said(written) is word
    for other in ("Cancelado a medias", "unknown", "vigente?", "1000", "Cancelada"):
        assert said(other) is words["UNKNOWN"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>503</html>",
        answer(Estado=""),
        answer(),
        b"<!DOCTYPE a><a/>",
        answer(Estado="Vigente").replace(b"ConsultaResult", b"OtherResult"),
        answer(Estado="Vigente")[:-20],
    ],
)
def test_what_is_no_answer_is_none(raw: bytes) -> None:
    with pytest.raises(ValueError, match="SAT's status service"):
        read(raw)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    with pytest.raises(ValueError):
        read(raw)


def test_the_expression_is_that_of_the_qr_code() -> None:
    stamped = STAMPED.format(uuid="5D0C5A3C-0000-4000-8000-000000000001").encode()
    asked = expression(stamped)
    assert asked == (
        "?id=5D0C5A3C-0000-4000-8000-000000000001&re=H&amp;E951128469&rr=OÑO120726RX3"
        "&tt=1160.0&fe=/OAgdg=="
    )
    assert asked.replace("&amp;", "%26") == "?" + verification_url(stamped).partition("?")[2]


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
def sat(clock: list[float]) -> SatStatus:
    return SatStatus(monotonic=lambda: clock[0])


@responses.activate
def test_an_answer_is_kept_a_while_and_no_longer(sat: SatStatus, clock: list[float]) -> None:
    responses.post(URL, body=answer(Estado="Vigente"))
    first = sat.ask(ASKED)
    clock[0] += KEPT.total_seconds() - 1
    assert sat.ask(ASKED) is first
    assert len(responses.calls) == 1
    clock[0] += 1
    sat.ask(ASKED)
    assert len(responses.calls) == 2
    sat.ask(ASKED + "1")
    assert len(responses.calls) == 3


@responses.activate
def test_no_answer_is_never_kept(sat: SatStatus) -> None:
    responses.post(URL, status=503)
    responses.post(URL, body=answer(Estado="Cancelado"))
    assert isinstance(sat.ask(ASKED), Later)
    said = sat.ask(ASKED)
    assert isinstance(said, Status)
    assert said.is_cancelled


@responses.activate
@pytest.mark.parametrize(
    "broken",
    [
        {"status": 500},
        {"status": 302, "headers": {"Location": "http://127.0.0.1/"}},
        {"body": b"<html>"},
        {"body": b" " * 100_000},
        {"body": requests.ReadTimeout()},
        {"body": requests.ConnectionError("reset")},
    ],
    ids=["500", "302", "html", "huge", "late", "reset"],
)
def test_trouble_is_later(broken: dict[str, object], sat: SatStatus) -> None:
    responses.post(URL, **broken)
    assert isinstance(sat.ask(ASKED), Later)


@responses.activate
def test_the_call_is_sats(sat: SatStatus) -> None:
    responses.post(URL, body=answer(Estado="Vigente"))
    sat.ask(ASKED)
    sent = responses.calls[0].request
    assert sent.headers["SOAPAction"] == '"http://tempuri.org/IConsultaCFDIService/Consulta"'
    assert sent.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert sent.body == envelope(ASKED)


def test_only_so_many_answers_are_kept(sat: SatStatus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cfdi.sat.status.KEPT_MOST", 3)
    with responses.RequestsMock() as mock:
        mock.post(URL, body=answer(Estado="Vigente"))
        for number in range(5):
            sat.ask(f"{ASKED}{number}")
        sat.ask(f"{ASKED}4")
        assert len(mock.calls) == 5
        sat.ask(f"{ASKED}0")
        assert len(mock.calls) == 6


@given(st.integers(min_value=0, max_value=1000))
def test_looks_grow_rarer_and_never_stop(tries: int) -> None:
    wait = next_look(NOW, tries) - NOW
    assert KEPT < wait <= timedelta(hours=12)
    assert wait <= next_look(NOW, tries + 1) - NOW


def test_a_request_is_looked_after_a_few_times_a_day() -> None:
    look: Callable[[int], timedelta] = lambda tries: next_look(NOW, tries) - NOW  # noqa: E731 - short
    waits = [look(tries) for tries in range(20)]
    first_day = sum(1 for n in range(20) if sum(waits[: n + 1], timedelta()) <= timedelta(days=1))
    assert first_day == 6
    with pytest.raises(ValueError):
        next_look(NOW, -1)
