"""What each page says, in both languages, and the headers it says it with."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from hub.domain.purchase import Estado, FieldError, FiscalForm

LANGUAGES = ("es", "en")
SAYS = {
    Estado.ABIERTA: ("Continuar", "Continue"),
    Estado.PROCESANDO: ("Estamos generando tu factura", "We are issuing your invoice"),
    Estado.POR_CONFIRMAR: ("No la generes otra vez", "Do not issue it again"),
    Estado.LISTA: ("Tu factura está lista", "Your invoice is ready"),
    Estado.RECHAZADA: ("todavía no hay factura", "there is no invoice yet"),
    Estado.VENCIDA: ("El plazo para facturar terminó", "The deadline to invoice has passed"),
    Estado.CANCELADA: ("no se puede facturar", "cannot be invoiced"),
    Estado.EN_REVISION: ("está revisando esta compra", "is looking at this purchase"),
    Estado.EN_GLOBAL: ("factura global", "global invoice"),
}
NAME_REFUSED = FieldError("nombre", "CFDI40145", "El nombre no coincide.", "The name differs.")


@pytest.mark.parametrize("estado", Estado)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_estado_has_its_own_page(kit: Any, estado: Estado, language: str) -> None:
    kit.service.current = kit.purchase(estado)
    answer = kit.client.get(f"{kit.path}?lang={language}")
    assert answer.status_code == 200
    assert SAYS[estado][LANGUAGES.index(language)] in answer.text
    assert f'<html lang="{"en" if language == "en" else "es-MX"}">' in answer.text
    assert "Escuela Kemper Urgate" in answer.text
    assert "$1,062.00\u00a0MXN" in answer.text


def test_only_the_ready_page_offers_downloads(kit: Any) -> None:
    for estado in Estado:
        kit.service.current = kit.purchase(estado)
        offered = "cfdi.pdf" in kit.client.get(kit.path).text
        assert offered is (estado is Estado.LISTA)


def test_only_open_and_rejected_pages_offer_to_issue(kit: Any) -> None:
    for estado in Estado:
        kit.service.current = kit.purchase(estado)
        offered = "Continuar" in kit.client.get(kit.path).text
        assert offered is (estado in {Estado.ABIERTA, Estado.RECHAZADA})


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("pending", "Tu pago todavía no está confirmado"),
        ("cancelled", "Esta compra fue cancelada"),
        ("refunded", "Esta compra fue devuelta"),
        ("barred", "Otro vendedor factura esta compra"),
        ("free", "Esta compra no tuvo costo"),
        ("invoice_cancelled", "La factura de esta compra fue cancelada"),
        ("", "Esta compra no se puede facturar"),
        ("a reason of tomorrow", "Esta compra no se puede facturar"),
    ],
)
def test_a_cancelled_purchase_says_why(kit: Any, reason: str, words: str) -> None:
    kit.service.current = kit.purchase(Estado.CANCELADA, reason=reason)
    assert f'<h1 id="titulo">{words}</h1>' in kit.client.get(kit.path).text


@pytest.mark.parametrize("cancelling", [True, False])
def test_an_invoice_that_is_being_cancelled_says_so(kit: Any, cancelling: bool) -> None:
    kit.service.current = kit.purchase(Estado.LISTA, cancelling=cancelling)
    text = kit.client.get(kit.path).text
    assert ("pidió al SAT cancelar" in text) is cancelling
    assert "Descargar XML" in text


def test_the_purchase_is_shown_before_the_form(kit: Any) -> None:
    text = kit.client.get(kit.path).text
    order = [text.index(words) for words in ("Tu compra", "Playera", "IVA 16%", 'name="rfc"')]
    assert order == sorted(order)
    assert "hasta el lunes 30 de noviembre de 2026 a las 23:59" in text
    assert "Quedan 10 días." in text
    assert "2 ×" in text


@pytest.mark.parametrize(
    ("days", "words"), [(0, "Es hoy."), (1, "Queda 1 día."), (40, ""), (-1, "")]
)
def test_the_days_left_are_counted_in_calendar_days(kit: Any, days: int, words: str) -> None:
    kit.clock.advance(10 * 86400 - days * 86400)
    text = kit.client.get(kit.path).text
    assert words in text
    if not words:
        assert "Queda" not in text


def test_a_partial_refund_is_told(kit: Any) -> None:
    kit.service.current = kit.purchase(refunded=Decimal("100.00"), total=Decimal("962.00"))
    text = kit.client.get(kit.path).text
    assert "\u2212$100.00" in text
    assert "después de la devolución" in text


def test_many_lines_are_all_there_the_rest_behind_a_summary(kit: Any) -> None:
    line = kit.purchase().lines[0]
    kit.service.current = kit.purchase(
        lines=tuple(replace(line, description=f"Cosa {n}") for n in range(30))
    )
    text = kit.client.get(kit.path).text
    assert all(f"Cosa {n}<" in text for n in range(30))
    assert "Ver 26 artículos más" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rejection_stands_at_its_field_and_in_the_summary(kit: Any, language: str) -> None:
    typed = FiscalForm("EKU9003173C9", "ESCUELA <KEMPER>", "42501", "601", "G03", "a@example.com")
    kit.service.current = kit.purchase(Estado.RECHAZADA, form=typed, errors=(NAME_REFUSED,))
    text = kit.client.get(f"{kit.path}?lang={language}").text
    said = NAME_REFUSED.mensaje_en if language == "en" else NAME_REFUSED.mensaje_es
    assert f'<a href="#nombre">{said}</a>' in text
    assert 'id="nombre-error"' in text
    field = re.search(r'<input id="nombre"[^>]*>', text)
    assert field
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="nombre-error nombre-pista' in field[0]
    assert "ESCUELA &lt;KEMPER&gt;" in field[0]
    assert '<option value="601" selected' in text
    assert re.search(r'<option value="G03"[^>]*selected', text)


def test_an_error_of_the_whole_form_is_told_at_the_top(kit: Any) -> None:
    error = FieldError("", "later", "El SAT no responde.", "The SAT does not answer.")
    kit.service.current = kit.purchase(Estado.RECHAZADA, errors=(error,))
    assert "<li>El SAT no responde.</li>" in kit.client.get(kit.path).text


def test_fields_help_a_phone_to_fill_them(kit: Any) -> None:
    text = kit.client.get(kit.path).text
    wanted = {
        "rfc": ('autocapitalize="characters"', 'autocomplete="off"', 'spellcheck="false"'),
        "nombre": ('autocomplete="name"',),
        "cp": ('inputmode="numeric"', 'autocomplete="postal-code"'),
        "correo": ('type="email"', 'inputmode="email"', 'autocomplete="email"'),
    }
    for name, attributes in wanted.items():
        field = re.search(rf'<input id="{name}"[^>]*>', text)
        assert field
        assert all(attribute in field[0] for attribute in attributes)
        assert f'<label for="{name}">' in text


def test_the_merchant_chooses_the_usos(kit: Any) -> None:
    kit.service.current = kit.purchase(usos=("G03", "S01"))
    text = kit.client.get(kit.path).text
    usos = re.findall(r'<option value="([A-Z]+\d\d)"', text)
    assert sorted(usos) == ["G03", "S01"]


def test_a_regimen_of_both_kinds_is_marked_once_in_the_right_group(kit: Any) -> None:
    for rfc, group in (("EKU9003173C9", "m"), ("CACX7605101P8", "f"), ("", "f")):
        kit.service.current = kit.purchase(form=FiscalForm(rfc=rfc, regimen="626"))
        text = kit.client.get(kit.path).text
        assert text.count('<option value="626" selected') == 1
        groups = re.split(r'<optgroup[^>]*data-personas="', text)[1:]
        assert [each[0] for each in groups if 'value="626" selected' in each] == [group]


def test_a_buyer_who_asked_sees_when(kit: Any) -> None:
    asked_at = kit.purchase(Estado.LISTA).issued_at
    kit.service.current = kit.purchase(Estado.EN_GLOBAL, asked_at=asked_at)
    text = kit.client.get(kit.path).text
    assert "el 20 de noviembre de 2026" in text
    assert "<form" not in text


def test_sandbox_pages_say_so_and_offer_test_data(kit: Any) -> None:
    kit.service.current = kit.purchase(sandbox=True)
    text = kit.client.get(kit.path).text
    assert "no tienen validez fiscal" in text
    filled = kit.client.get(f"{kit.path}?prueba=1").text
    assert 'value="ESCUELA KEMPER URGATE"' in filled
    assert '<option value="601" selected' in filled
    assert kit.service.requests == []


def test_live_pages_offer_no_test_data(kit: Any) -> None:
    text = kit.client.get(f"{kit.path}?prueba=1").text
    assert "ESCUELA KEMPER" not in text
    assert "prueba" not in text


def test_the_language_is_the_browsers_unless_asked_for(kit: Any) -> None:
    def heading(path: str, accept: str) -> str:
        text = kit.client.get(path, headers={"Accept-Language": accept}).text
        found = re.search(r"<h1>(.*?)</h1>", text)
        assert found
        return found[1]

    assert heading(kit.path, "en-US,en;q=0.9") == "Invoice your purchase"
    assert heading(kit.path, "es-MX") == "Factura tu compra"
    assert heading(kit.path, "fr") == "Factura tu compra"
    assert heading(kit.path, "en;q=broken,,;;") in {"Factura tu compra", "Invoice your purchase"}
    assert heading(f"{kit.path}?lang=en", "es-MX") == "Invoice your purchase"
    assert heading(f"{kit.path}?lang=xx", "es-MX") == "Factura tu compra"


def test_a_chosen_language_is_kept_by_forms_and_links(kit: Any) -> None:
    text = kit.client.get(f"{kit.path}?lang=en").text
    assert f'action="{kit.path}?lang=en"' in text
    answer = kit.post({**kit.good, "lang": "es"}, query="?lang=en")
    assert answer.headers["Location"].endswith("?lang=en")


def test_the_state_is_told_to_programs(kit: Any) -> None:
    kit.service.current = kit.purchase(Estado.RECHAZADA, errors=(NAME_REFUSED,))
    answer = kit.client.get(f"{kit.path}/estado?lang=en")
    assert answer.json == {
        "estado": "rechazada",
        "uuid": None,
        "errores": [{"campo": "nombre", "codigo": "CFDI40145", "mensaje": "The name differs."}],
    }
    kit.service.current = kit.purchase(Estado.LISTA)
    assert kit.client.get(f"{kit.path}/estado").json["uuid"] == kit.uuid
    assert kit.client.get("/f/x/estado").status_code == 404
    assert kit.client.get("/f/x/estado").json["error"]["code"] == "not_found"


def test_the_home_page_says_what_runs_and_where_to_go(kit: Any) -> None:
    text = kit.client.get("/").text
    for words in ("El hub está funcionando", "Servidor web", "autofactura sale list", kit.path):
        assert words in text
    assert "The hub is running" in kit.client.get("/?lang=en").text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "El pago de esta compra está en aclaración"),
        ("en", "The payment of this purchase is in dispute"),
    ],
)
def test_a_purchase_on_hold_asks_nothing_of_anybody(kit: Any, language: str, words: str) -> None:
    signed = kit.signed()
    kit.service.current = kit.purchase(Estado.EN_REVISION, reason="held")
    page = kit.client.get(f"{kit.path}?lang={language}").text
    assert page.count(words) == 2  # title and heading
    assert "<form" not in page
    assert kit.post(signed | {"rfc": "X"}, "/solicitud").status_code == 303
    assert kit.service.questions == []
    kit.service.current = kit.purchase(Estado.EN_REVISION, reason="findings")
    page = kit.client.get(f"{kit.path}?lang={language}").text
    assert words not in page
    assert "<form" in page


@pytest.mark.parametrize(
    ("kind", "spanish", "english"),
    [
        ("tip", "No incluye propina de $20.00", "A tip of $20.00"),
        ("gift_card", "No incluye la tarjeta de regalo de $20.00", "The gift card of $20.00"),
        ("other", "No incluye otros cargos por $20.00", "Other charges of $20.00"),
    ],
)
def test_what_the_invoice_does_not_hold_is_said(
    kit: Any, kind: str, spanish: str, english: str
) -> None:
    kit.service.current = kit.purchase(excluded=((kind, Decimal("20.00")),))
    assert spanish in kit.client.get(kit.path).text
    assert english in kit.client.get(f"{kit.path}?lang=en").text
    kit.service.current = kit.purchase()
    assert "No incluye" not in kit.client.get(kit.path).text


def test_a_link_of_a_part_leads_to_the_page_of_the_whole(kit: Any) -> None:
    kit.service.place = "B" * 43
    answer = kit.client.get(f"{kit.path}?lang=en")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/f/{'B' * 43}?lang=en"
    assert kit.client.get(f"{kit.path}/estado").status_code == 200
