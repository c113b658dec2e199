"""`[pagina]`, `[invitaciones]`, `[canales]`: what a merchant says of what its buyers see."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from hub.domain.pagina import Pagina
from hub.domain.rules import Rules, RulesInvalid, parse

ROOT = Path(__file__).resolve().parents[2]


def test_everything_of_the_documentation_is_read() -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    toml = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0]
    rules = parse(toml)
    assert rules.pagina.color == "#0b6e4f"
    assert rules.pagina.marcos == ("https://tienda.example.com",)
    assert (rules.recordatorio_dias, rules.canales) == (3, ("correo",))
    for one in fields(Pagina):
        assert re.search(rf"^{one.name} = ", toml, re.MULTILINE), one.name


def test_what_is_not_said_is_the_default_and_what_is_said_stands() -> None:
    assert parse("[pagina]").pagina == Pagina() == Rules().pagina
    rules = parse(
        "[pagina]\ncolor='#FFcc00'\njuntar=false\ncorrecciones=5\n"
        "[invitaciones]\nrecordatorio_dias=0\n[canales]\ninvitacion=['whatsapp', 'correo']"
    )
    assert (rules.pagina.color, rules.pagina.juntar, rules.pagina.correcciones) == (
        "#FFcc00",
        False,
        5,
    )
    assert (rules.recordatorio_dias, rules.canales) == (0, ("whatsapp", "correo"))


@pytest.mark.parametrize(
    ("toml", "path"),
    [
        ("[pagina]\ncolor='red'", "pagina.color"),
        ("[pagina]\ncolor='#12345'", "pagina.color"),
        ("[pagina]\ncolor='#123456;}'", "pagina.color"),
        ("[pagina]\ncolor=1", "pagina.color"),
        ("[pagina]\nmensaje=''", "pagina.mensaje"),
        (f"[pagina]\nmensaje='{'x' * 301}'", "pagina.mensaje"),
        ("[pagina]\ntelefono='llámanos'", "pagina.telefono"),
        ("[pagina]\nsitio='http://tienda.example.com'", "pagina.sitio"),
        ("[pagina]\nsitio='javascript:alert(1)'", "pagina.sitio"),
        ("[pagina]\nsitio='https://a@tienda.example.com'", "pagina.sitio"),
        ("[pagina]\naviso_privacidad='https://x.mx/\"onclick'", "pagina.aviso_privacidad"),
        ("[pagina]\nmarcos=['https://x.mx/']", "pagina.marcos[0]"),
        ("[pagina]\nmarcos=['http://x.mx']", "pagina.marcos[0]"),
        ("[pagina]\nmarcos=['*']", "pagina.marcos[0]"),
        ("[pagina]\nmarcos=['https://x.mx; script-src *']", "pagina.marcos[0]"),
        ("[pagina]\nmarcos=['https://x.mx','https://x.mx']", "pagina.marcos"),
        ("[pagina]\nmarcos='https://x.mx'", "pagina.marcos"),
        ("[pagina]\nformato_fecha='dd/mm'", "pagina.formato_fecha"),
        ("[pagina]\njuntar='no'", "pagina.juntar"),
        ("[pagina]\ncorrecciones=6", "pagina.correcciones"),
        ("[pagina]\ncorrecciones=-1", "pagina.correcciones"),
        ("[pagina]\ncorrecciones_dias=0", "pagina.correcciones_dias"),
        ("[invitaciones]\nrecordatorio_dias=31", "invitaciones.recordatorio_dias"),
        ("[canales]\ninvitacion=[]", "canales.invitacion"),
        ("[canales]\ninvitacion=['fax']", "canales.invitacion[0]"),
        ("[canales]\ninvitacion=['sms','sms']", "canales.invitacion"),
    ],
)
def test_what_could_do_harm_on_a_page_is_refused_with_its_place(toml: str, path: str) -> None:
    with pytest.raises(RulesInvalid) as caught:
        parse(toml)
    assert path in dict(caught.value.problems)


@pytest.mark.parametrize(
    "origin", ["https://mitienda.mx", "https://a-b.mx:8443", "http://127.0.0.1:5000"]
)
def test_origins_may_be_those_of_shops_and_of_this_machine(origin: str) -> None:
    assert parse(f"[pagina]\nmarcos=['{origin}']").pagina.marcos == (origin,)
