"""A Constancia fills the form: in memory, for a moment, and never as a condition."""

from __future__ import annotations

import io
import logging
import re
import tempfile
from typing import Any

import pypdf
import pytest
import segno
import typst
from waitress.adjustments import Adjustments

from cfdi import constancia
from cfdi.constancia import reading
from hub.domain.purchase import Estado
from portal.buyer import paper

CEDULA = """
#set document(date: none)
= CÉDULA DE DATOS FISCALES
RFC #linebreak() CACX7605101P8

Nombre, denominación o razón social #linebreak() XOCHILT CASAS CHAVEZ

Código postal #linebreak() 36257

Régimen fiscal #linebreak() {regimenes}
"""
EMPRESARIAL = "Régimen de las Personas Físicas con Actividades Empresariales y Profesionales"
SALARIOS = "Régimen de Sueldos y Salarios e Ingresos Asimilados a Salarios"
VALIDATOR = "https://siat.sat.gob.mx/app/qr/faces/pages/mobile/validadorqr.jsf"


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", 600.0)


def cedula(*regimenes: str) -> bytes:
    made = typst.compile(
        CEDULA.format(regimenes=" #linebreak() ".join(regimenes)).encode(), format="pdf"
    )
    assert isinstance(made, bytes)
    return made


def photo() -> bytes:
    out = io.BytesIO()
    code = segno.make(f"{VALIDATOR}?D1=10&D2=1&D3=12345678901_CACX7605101P8", error="m")
    code.save(out, kind="png", scale=6)
    return out.getvalue()


def send(kit: Any, data: bytes, **typed: str) -> Any:
    fields = kit.signed() | typed | {"constancia": (io.BytesIO(data), "a.pdf")}
    return kit.client.post(
        f"{kit.path}/constancia", data=fields, content_type="multipart/form-data"
    )


def test_what_the_paper_says_fills_the_form_and_nothing_else(kit: Any) -> None:
    answer = send(kit, cedula(EMPRESARIAL), nombre="x", uso="G03", correo="a@example.com")
    assert answer.status_code == 200
    for name, value in (
        ("rfc", "CACX7605101P8"),
        ("nombre", "XOCHILT CASAS CHAVEZ"),
        ("cp", "36257"),
        ("correo", "a@example.com"),
    ):
        assert f'name="{name}" value="{value}"' in answer.text
    assert '<option value="612" selected' in answer.text
    assert re.search(r'<option value="G03"[^>]* selected', answer.text)
    assert "ya la olvidamos" in answer.text
    assert kit.service.requests == []


def test_of_several_regimenes_the_buyer_chooses(kit: Any) -> None:
    answer = send(kit, cedula(EMPRESARIAL, SALARIOS), regimen="601")
    assert "Tienes varios regímenes" in answer.text
    group = answer.text.partition('label="En tu constancia"')[2].partition("</optgroup>")[0]
    assert 'value="612"' in group
    assert 'value="605"' in group
    select = answer.text.partition('<select id="regimen"')[2].partition("</select>")[0]
    assert " selected" not in select


def test_a_photo_of_the_code_gives_the_rfc_alone(kit: Any) -> None:
    answer = send(kit, photo(), nombre="XOCHILT CASAS CHAVEZ", regimen="612")
    assert 'name="rfc" value="CACX7605101P8"' in answer.text
    assert 'name="nombre" value="XOCHILT CASAS CHAVEZ"' in answer.text
    assert '<option value="612" selected' in answer.text
    assert "Escribe los demás datos" in answer.text


def encrypted() -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(cedula(EMPRESARIAL)))
    writer.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def empty_pdf() -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(600, 800)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "Elige primero el archivo"),
        (b"hello", "No pudimos abrir la foto"),
        (b"%PDF-1.7 nonsense", "dañado"),
        (empty_pdf, "imagen sin texto"),
        (encrypted, "pide una contraseña"),
        (lambda: bytes(typst.compile(b"Hola", format="pdf")), "no es una Constancia"),
    ],
)
def test_what_cannot_be_read_is_told_at_the_field_and_nothing_is_lost(
    kit: Any, data: Any, told: str
) -> None:
    answer = send(kit, data if isinstance(data, bytes) else data(), **kit.good)
    assert answer.status_code == 422
    error = answer.text.partition('id="constancia-error"')[2].partition("</p>")[0]
    assert told in error
    assert 'href="#constancia"' in answer.text
    assert f'name="nombre" value="{kit.good["nombre"]}"' in answer.text


def test_a_file_beyond_the_bound_is_told_unread(kit: Any) -> None:
    answer = send(kit, b"%PDF-1.7" + b"x" * paper.BODY_MAX, **kit.good)
    assert answer.status_code == 413
    assert "demasiado grande" in answer.text
    assert 'id="constancia"' in answer.text


def test_nothing_of_it_is_written_or_logged(
    kit: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As large as may come: the form parser must keep it in memory."""

    def written(*_: object, **__: object) -> None:
        raise AssertionError("a file on the disk")

    monkeypatch.setattr(tempfile, "TemporaryFile", written)
    monkeypatch.setattr(tempfile, "_TemporaryFileWrapper", written)
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", written)
    with caplog.at_level(logging.DEBUG):
        answer = send(kit, cedula(EMPRESARIAL) + b"\0" * (paper.BODY_MAX - 60_000))
    assert answer.status_code in {200, 422}
    assert "CACX7605101P8" not in caplog.text
    assert "XOCHILT" not in caplog.text


def test_the_web_server_keeps_as_much_in_memory() -> None:
    """Beyond this waitress writes what comes in to a file. `hub/work/server.py` leaves it so."""
    assert Adjustments.inbuf_overflow > paper.BODY_MAX


def test_a_third_at_once_is_asked_to_wait(kit: Any) -> None:
    for _ in range(2):
        assert paper._SEATS.acquire(blocking=False)
    try:
        answer = send(kit, cedula(EMPRESARIAL))
    finally:
        paper._SEATS.release(2)
    assert answer.status_code == 422
    assert "Inténtalo en un momento" in answer.text
    assert send(kit, cedula(EMPRESARIAL)).status_code == 200


def test_one_address_may_not_keep_the_machine_busy(
    kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constancia, "read", lambda _data: pytest.fail("read again"))
    for _ in range(30):
        send(kit, b"no file of ours")
    answer = send(kit, b"%PDF-1.7")
    assert "Ya leímos varios archivos" in answer.text


@pytest.mark.parametrize("estado", [Estado.LISTA, Estado.PROCESANDO, Estado.VENCIDA])
def test_it_is_read_for_an_open_form_alone(kit: Any, estado: Estado) -> None:
    signed = kit.signed()
    kit.service.current = kit.purchase(estado)
    data = signed | {"constancia": (io.BytesIO(photo()), "a.png")}
    answer = kit.client.post(f"{kit.path}/constancia", data=data)
    assert answer.status_code == 303


def test_only_our_own_page_may_send_one(kit: Any) -> None:
    for fields, headers, status in (
        ({}, {}, 422),
        (kit.signed(), {"Origin": "https://evil.example"}, 403),
    ):
        data = fields | {"constancia": (io.BytesIO(photo()), "a.png")}
        answer = kit.client.post(f"{kit.path}/constancia", data=data, headers=headers)
        assert answer.status_code == status
        assert "CACX7605101P8" not in answer.text
    unknown = kit.client.post("/f/nobody/constancia", data={})
    assert unknown.status_code == 404


def test_its_address_can_be_reloaded(kit: Any) -> None:
    answer = kit.client.get(f"{kit.path}/constancia")
    assert (answer.status_code, answer.headers["Location"]) == (303, kit.path)


def test_the_page_says_that_nobody_may_demand_it(kit: Any) -> None:
    page = kit.client.get(kit.path).text
    assert "(opcional)" in page
    assert "Nadie te la puede exigir" in page
