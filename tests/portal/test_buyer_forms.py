"""What a posted form does, and what it never does."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

from hub.domain.purchase import ASKABLE, Estado, FiscalForm

NOT_OPEN = [each for each in Estado if each not in {Estado.ABIERTA, Estado.RECHAZADA}]


def test_a_good_form_is_accepted_and_answered_by_a_redirect(kit: Any) -> None:
    answer = kit.post(kit.good)
    assert answer.status_code == 303
    assert answer.headers["Location"] == kit.path
    assert kit.service.requests == [(FiscalForm(**kit.good), "es")]
    assert "Estamos generando" in kit.client.get(kit.path).text


def test_a_second_click_asks_for_nothing_more(kit: Any) -> None:
    signed = kit.signed()
    for _ in range(3):
        assert kit.client.post(kit.path, data=kit.good | signed).status_code == 303
    assert len(kit.service.requests) == 1


@pytest.mark.parametrize("estado", NOT_OPEN)
def test_only_an_open_purchase_is_asked_for(kit: Any, estado: Estado) -> None:
    signed = kit.signed()
    kit.service.current = kit.purchase(estado)
    answer = kit.client.post(kit.path, data=kit.good | signed)
    assert answer.status_code == 303
    assert kit.service.calls == 0


def test_wrong_data_come_back_with_all_that_was_typed(kit: Any) -> None:
    wrong = kit.good | {"rfc": "EKU9003", "cp": "1", "uso": "", "correo": "a@b"}
    answer = kit.post(wrong)
    assert answer.status_code == 422
    assert kit.service.requests == []
    for name in ("rfc", "nombre", "cp", "correo"):
        assert f'name="{name}" value="{wrong[name]}"' in answer.text
    assert '<option value="601" selected' in answer.text
    for name in ("rfc", "cp", "uso"):
        assert f'id="{name}-error"' in answer.text
        assert f'href="#{name}"' in answer.text
    assert "<title>Error:" in answer.text


def test_a_review_shows_what_would_be_stamped_and_changes_nothing(kit: Any) -> None:
    typed = kit.good | {"rfc": " eku-9003173 c9", "nombre": "escuela  kemper urgate"}
    answer = kit.post(typed | {"accion": "revisar"})
    assert answer.status_code == 200
    assert kit.service.requests == []
    assert "EKU9003173C9</dd>" in answer.text
    assert "ESCUELA KEMPER URGATE</dd>" in answer.text
    assert "601 · General de Ley Personas Morales" in answer.text
    assert "$1,062.00 <small>MXN</small>" in answer.text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert hidden["rfc"] == "EKU9003173C9"  # what is shown is what is sent
    assert kit.client.post(kit.path, data=hidden).status_code == 303
    assert len(kit.service.requests) == 1


def test_a_review_warns_of_a_name_with_its_company_type(kit: Any) -> None:
    answer = kit.post(kit.good | {"nombre": "ESCUELA SA DE CV", "accion": "revisar"})
    assert 'name="usar_nombre" value="ESCUELA"' in answer.text


def test_a_review_of_wrong_data_is_the_form_again(kit: Any) -> None:
    answer = kit.post(kit.good | {"cp": "abc", "accion": "revisar"})
    assert answer.status_code == 422
    assert 'id="cp-error"' in answer.text


@pytest.mark.parametrize("action", ["corregir", "borrar", "GENERAR", "\x00"])
def test_another_action_never_issues(kit: Any, action: str) -> None:
    answer = kit.post(kit.good | {"accion": action})
    assert answer.status_code == 200
    assert kit.service.requests == []
    assert f'value="{kit.good["nombre"]}"' in answer.text


def test_an_unsigned_or_forged_form_comes_back_with_its_data(kit: Any) -> None:
    good = kit.signed()["csrf_token"]
    forged = "".join(reversed(good))
    for value in (None, "", "x", forged, good[:-1], good + "A" * 600, "é.ñ.\x00", "1.1.1"):
        data = kit.good if value is None else kit.good | {"csrf_token": value}
        answer = kit.client.post(kit.path, data=data)
        assert answer.status_code == 422, value
        assert f'value="{kit.good["nombre"]}"' in answer.text
        assert "abierta mucho tiempo" in answer.text
    assert kit.service.requests == []


def test_a_signature_lasts_a_day(kit: Any) -> None:
    signed = kit.signed()
    kit.clock.advance(24 * 3600 + 1)
    answer = kit.client.post(kit.path, data=kit.good | signed)
    assert answer.status_code == 422
    fresh = re.search(r'name="csrf_token" value="([^"]+)"', answer.text)
    assert fresh
    again = kit.client.post(kit.path, data=kit.good | {"csrf_token": fresh[1]})
    assert again.status_code == 303


def test_a_signature_is_good_for_its_own_link_and_installation_only(kit: Any) -> None:
    signed = kit.signed()
    kit.token_of_service("another" + kit.token[7:])
    answer = kit.client.post(f"/f/another{kit.token[7:]}", data=kit.good | signed)
    assert answer.status_code == 422
    kit.token_of_service(kit.token)
    kit.remake(secret_key="another secret of these tests")
    assert kit.client.post(kit.path, data=kit.good | signed).status_code == 422
    assert kit.service.requests == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": "https://facturas.example.com"}, 303),
        ({"Origin": "HTTPS://Facturas.Example.com"}, 303),
        # Under our own no-referrer, browsers say no more than this.
        ({"Origin": "null"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://facturas.example.com.evil.example"}, 403),
        ({"Origin": "http://facturas.example.com"}, 403),
        ({"Origin": ""}, 403),
    ],
)
def test_a_form_of_another_site_is_refused(kit: Any, headers: dict[str, str], status: int) -> None:
    answer = kit.client.post(kit.path, data=kit.good | kit.signed(), headers=headers)
    assert answer.status_code == status
    assert len(kit.service.requests) == (status == 303)


def test_the_port_of_the_scheme_goes_without_saying(kit: Any) -> None:
    kit.remake(public_url="https://Facturas.example.com:443/base")
    answer = kit.post(kit.good, headers={"Origin": "https://facturas.example.com"})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "hostile",
    [
        {"rfc": "\x00\x01\x1b[31m"},
        {"nombre": "A" * 50_000},
        {"nombre": "<script>alert(1)</script>"},
        {"nombre": '"><img src=x onerror=alert(1)>'},
        {"rfc": ["EKU9003173C9", "XAXX010101000"]},
        {"rfc[]": "EKU9003173C9", "nombre[a][b]": "x"},
        {"cp": "４２５０１"},
        {"regimen": "601' OR 1=1 --", "uso": "{{7*7}}"},
        {"correo": "a@example.com\r\nBcc: b@example.com"},
        {"nombre": "\u202eABC\u2028\ufeff\U0001f4a9"},
        {"csrf_token": "\x00"},
        {"accion": ["revisar", ""]},
    ],
)
def test_hostile_fields_are_only_ever_text(kit: Any, hostile: dict[str, Any]) -> None:
    signed = kit.signed()
    for path in ("", "/correo", "/solicitud"):
        for estado in (Estado.ABIERTA, Estado.LISTA, Estado.VENCIDA):
            kit.service.current = kit.purchase(estado)
            answer = kit.client.post(kit.path + path, data={**kit.good, **signed, **hostile})
            assert answer.status_code in {200, 303, 422}
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert "\x00" not in answer.text
            assert "49" not in re.findall(r'value="(\d+)"', answer.text)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"%ff%fe=%00&rfc=%ed%a0%80", "application/x-www-form-urlencoded; charset=utf-16"),
        (b"&&&===" * 1000, "application/x-www-form-urlencoded"),
        (b'{"rfc": ["x"]}', "application/json"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b"\xff\xfe\x00", "nonsense"),
    ],
)
def test_a_body_of_another_shape_is_never_a_failure(
    kit: Any, body: bytes, content_type: str
) -> None:
    answer = kit.client.post(kit.path, data=body, content_type=content_type)
    assert 400 <= answer.status_code < 500
    assert kit.service.requests == []


def test_a_body_beyond_the_bound_is_refused_unread(kit: Any) -> None:
    answer = kit.client.post(kit.path, data={"nombre": "A" * 70_000})
    assert answer.status_code == 413
    assert "No pudimos leer" in answer.text
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="p%d"\r\n\r\n1\r\n' % n for n in range(1500)
    )
    content_type = "multipart/form-data; boundary=x"
    answer = kit.client.post(kit.path, data=parts + b"--x--\r\n", content_type=content_type)
    assert answer.status_code == 413


def test_a_field_beyond_any_datum_is_told_and_cut(kit: Any) -> None:
    answer = kit.post(kit.good | {"nombre": "A" * 20_000})
    assert answer.status_code == 422
    assert 'id="nombre-error"' in answer.text
    assert "A" * 502 not in answer.text
    assert kit.service.calls == 0


def test_the_invoice_is_sent_to_another_address(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    answer = kit.post({"correo": "otra@example.com"}, "/correo")
    assert answer.status_code == 303
    assert kit.service.letters == [("otra@example.com", "es")]
    assert "La mandamos." in kit.client.get(answer.headers["Location"]).text


def test_a_wrong_address_is_told_at_its_field(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.LISTA)
    answer = kit.post({"correo": "no es correo"}, "/correo")
    assert answer.status_code == 422
    assert 'id="correo-error"' in answer.text
    assert 'value="no es correo"' in answer.text


def test_nothing_is_sent_before_there_is_an_invoice(kit: Any) -> None:
    assert kit.post({"correo": "otra@example.com"}, "/correo").status_code == 303
    assert kit.service.letters == []


@pytest.mark.parametrize("estado", sorted(ASKABLE))
def test_the_merchant_is_asked_once(kit: Any, estado: Estado) -> None:
    kit.service.current = kit.purchase(estado)
    assert 'id="solicitud"' in kit.client.get(kit.path).text
    signed = kit.signed()
    data = kit.good | signed | {"mensaje": "Por favor", "is_admin": "1"}
    for _ in range(2):
        assert kit.client.post(f"{kit.path}/solicitud", data=data).status_code == 303
    assert kit.service.questions == [kit.good | {"mensaje": "Por favor", "idioma": "es"}]


@pytest.mark.parametrize("estado", sorted(ASKABLE))
def test_a_question_that_lacks_something_comes_back_whole(kit: Any, estado: Estado) -> None:
    kit.service.current = kit.purchase(estado)
    answer = kit.post(kit.good | {"rfc": "", "mensaje": "Por favor <b>"}, "/solicitud")
    assert answer.status_code == 422
    assert 'id="rfc-error"' in answer.text
    assert "Por favor &lt;b&gt;" in answer.text
    assert kit.service.questions == []


@pytest.mark.parametrize("estado", sorted(set(Estado) - ASKABLE))
def test_where_the_merchant_could_do_no_more_there_is_no_question(kit: Any, estado: Estado) -> None:
    signed = kit.signed()
    kit.service.current = kit.purchase(estado)
    assert 'id="solicitud"' not in kit.client.get(kit.path).text
    data = kit.good | signed
    assert kit.client.post(f"{kit.path}/solicitud", data=data).status_code == 303
    assert kit.service.questions == []


def test_no_get_changes_anything(kit: Any) -> None:
    for estado in Estado:
        kit.service.current = before = kit.purchase(estado)
        for path in ("", "/estado", "/cfdi.xml", "/cfdi.pdf", "/sat", "/correo", "/solicitud"):
            kit.client.get(kit.path + path, query_string=kit.good | {"accion": "generar"})
        assert kit.service.current is before
    assert (kit.service.requests, kit.service.letters, kit.service.questions) == ([], [], [])


@pytest.mark.parametrize("path", ["/correo", "/solicitud"])
def test_the_address_of_a_page_with_errors_can_be_reloaded(kit: Any, path: str) -> None:
    answer = kit.client.get(kit.path + path)
    assert answer.status_code == 303
    assert answer.headers["Location"] == kit.path


def test_a_failure_shows_a_page_and_leaves_no_data_in_the_log(
    kit: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(f"broken for {kit.good['rfc']} {kit.good['correo']} {kit.token}")

    signed = kit.signed()
    kit.service.request = fails
    with caplog.at_level(logging.DEBUG):
        answer = kit.client.post(kit.path, data=kit.good | signed)
        kit.client.get("/f/canary-token-of-nobody")
        kit.client.post(kit.path, data=kit.good)
    assert answer.status_code == 500
    assert "Algo falló de nuestro lado" in answer.text
    assert "RuntimeError" in caplog.text
    logged = "\n".join(str(record.__dict__) for record in caplog.records)
    for canary in (kit.good["rfc"], kit.good["correo"], kit.token, "canary-token-of-nobody"):
        assert canary not in logged
    # The address that was asked for leads back; of what was typed nothing is shown.
    for canary in (kit.good["rfc"], kit.good["correo"], "canary-token-of-nobody"):
        assert canary not in answer.text
    assert f'href="{kit.path}">Volver a mi compra' in answer.text
