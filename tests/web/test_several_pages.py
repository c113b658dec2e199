"""Lists of purchases, and divided ones, over HTTP on a whole hub: what is typed, pressed, sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

NOT_FOUND = "No encontramos esa compra en este comercio"
RULES = '[forma_pago]\ndefault = "03"\n[pagina]\ndividir = true\n'


class Pages:
    """A merchant's purchases, and whoever sends forms to their pages."""

    def __init__(self, site: Any, merchant: str) -> None:
        self.site, self.merchant = site, merchant

    def sell(self, number: str, **more: Any) -> dict[str, Any]:
        return dict(self.site.sell(self.merchant, number, **more))

    def get(self, path: str) -> str:
        answer = self.site.client.get(path)
        assert answer.status_code == 200, answer.status
        return str(answer.text)

    def send(self, path: str, action: str, **data: str) -> Any:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path + action))
        given = {"csrf_token": found[1] if found else ""}
        return self.site.client.post(path + action, data=given | data)

    def rules(self, text: str) -> None:
        site = self.site
        site.told("rules", "set", "--merchant", self.merchant, "--file", site.file("r.toml", text))


def link(sale: dict[str, Any]) -> str:
    return urlsplit(sale["link"]).path


@pytest.fixture
def pages(make_site: Callable[..., Any], sandbox: Any) -> Pages:
    site = make_site()
    merchant = site.merchant()
    site.stamps_with(sandbox, merchant, "EKU9003173C9", "ESCUELA KEMPER URGATE")
    made = Pages(site, merchant)
    made.rules(RULES)
    return made


def to(answer: Any) -> str:
    """The list that an answer leads to, without its last word."""
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"]).removesuffix("/varias")


def test_a_list_grows_by_ticket_and_by_link_and_shrinks(pages: Pages) -> None:
    first, second, third = (pages.sell(f"PED-{n}") for n in (1, 2, 3))
    ticket = {"codigo": second["code"].lower(), "total": second["total"]}
    two = to(pages.send(link(first), "/varias", **ticket))
    assert two != link(first)
    three = to(pages.send(two, "/varias", codigo=f"mira: {third['link']}", total=""))
    for number in ("PED-1", "PED-2", "PED-3"):
        assert number in pages.get(three + "/varias")
    again = pages.send(three, "/varias", codigo=third["link"], total="")
    assert (again.status_code, "ya está en la lista" in again.text) == (422, True)
    less = to(pages.send(three, "/varias", quitar="0"))
    assert "PED-1" not in pages.get(less + "/varias")
    for place in ("9", "x", "-1"):
        assert to(pages.send(less, "/varias", quitar=place)) == less
    last = to(pages.send(less, "/varias", quitar="0"))
    assert to(pages.send(last, "/varias", quitar="0")) == last  # one stays


@pytest.mark.parametrize(
    ("codigo", "total"),
    [
        ("ZZZZ-ZZZZ", "1.00"),
        ("/f/" + "a" * 43, ""),
        ("http://other.example/f/" + "b" * 43, ""),
        ("/f/short", ""),
        ("/f/" + "c" * 1900, ""),
    ],
)
def test_what_names_nothing_is_not_found(pages: Pages, codigo: str, total: str) -> None:
    path = link(pages.sell("PED-1"))
    answer = pages.send(path, "/varias", codigo=codigo, total=total)
    assert (answer.status_code, NOT_FOUND in answer.text) == (422, True)


def test_another_merchants_link_is_not_found(pages: Pages) -> None:
    foreign = pages.site.sell(
        pages.site.merchant("IVD920810GU2", "INNOVACION VALOR Y DESARROLLO"), "PED-9"
    )
    path = link(pages.sell("PED-1"))
    for codigo, total in ((foreign["link"], ""), (foreign["code"], foreign["total"])):
        answer = pages.send(path, "/varias", codigo=codigo, total=total)
        assert (answer.status_code, NOT_FOUND in answer.text) == (422, True)
        assert "PED-9" not in answer.text


def test_what_is_incomplete_is_said_at_its_field_and_counts_for_nothing(pages: Pages) -> None:
    path = link(pages.sell("PED-1"))
    for codigo, total, words in (
        ("", "1.00", "Escribe el código completo"),
        ("AAAA-2222", "mucho", "Escribe el total con números"),
        ("x" * 3000, "", "Escribe el código completo"),
    ):
        for _ in range(5):
            answer = pages.send(path, "/varias", codigo=codigo, total=total)
            assert (answer.status_code, words in answer.text) == (422, True)


def test_who_guesses_waits(pages: Pages) -> None:
    path = link(pages.sell("PED-1"))
    known = pages.sell("PED-2")
    for letter in "ABCDEFGHJK":
        missed = pages.send(path, "/varias", codigo=f"{letter}AAA-ZZZZ", total="1")
        assert missed.status_code == 422
    answer = pages.send(path, "/varias", codigo=known["code"], total=known["total"])
    assert (answer.status_code, "Ya probaste varias veces" in answer.text) == (429, True)


def test_a_form_of_somebody_else_changes_nothing(pages: Pages) -> None:
    path = link(pages.sell("PED-1"))
    for action in ("/varias", "/separar", "/dividir", "/unir"):
        strange = {"Origin": "https://evil.example"}
        assert pages.site.client.post(path + action, headers=strange).status_code == 403
        assert pages.site.client.post(path + action, data={"csrf_token": "x"}).status_code == 422


def test_a_division_is_computed_fixed_and_undone(pages: Pages) -> None:
    lines = [{"description": "Taza", "quantity": 3, "total": "348.00", "rate": 0.16}]
    path = link(pages.sell("PED-1", lines=lines))
    assert "Mitad y mitad" in pages.get(path + "/dividir")
    half = pages.send(path, "/dividir", accion="mitad")
    assert (half.status_code, half.text.count("$174.00")) == (200, 2)
    seen = pages.send(path, "/dividir", accion="ver", u0="1")
    assert (seen.status_code, "$116.00" in seen.text, "$232.00" in seen.text) == (200, True, True)
    old = pages.send(path, "/dividir", accion="dividir", u0="1", vista="of other amounts")
    assert old.status_code == 422
    vista = re.search(r'name="vista" value="([^"]+)"', pages.get(path + "/dividir"))
    assert vista
    done = pages.send(path, "/dividir", accion="dividir", u0="1", vista=vista[1])
    assert (done.status_code, done.headers["Location"]) == (303, path)
    parts = pages.get(path)
    assert "Compra dividida en dos facturas" in parts
    assert pages.site.client.get(path + "/dividir").status_code == 303  # it is divided already
    token = re.search(r'name="csrf_token" value="([^"]+)"', parts)
    assert token
    pages.site.client.post(path + "/unir", data={"csrf_token": token[1]})
    assert "Compra dividida" not in pages.get(path)


def test_only_totals_that_were_shown_are_fixed(pages: Pages) -> None:
    lines = [{"description": "Taza", "quantity": 3000, "total": "3480.00", "rate": 0.16}]
    path = link(pages.sell("PED-1", lines=lines))
    half = pages.send(path, "/dividir", accion="mitad").text
    assert 'name="u0" class="short" inputmode="decimal" autocomplete="off" value="1500"' in half
    hidden = dict(re.findall(r'name="(vista|calculado)" value="([^"]+)"', half))
    assert len(hidden) == 2
    again = pages.send(path, "/dividir", accion="dividir", u0="1,000", **hidden)
    assert (again.status_code, "$1,160.00" in again.text) == (200, True)
    assert "Compra dividida" not in pages.get(path)
    done = pages.send(path, "/dividir", accion="dividir", u0="1,500", **hidden)
    assert done.status_code == 303
    assert pages.get(path).count("$1,740.00") == 2


@pytest.mark.parametrize(
    "units", ["", "0", "3", "-1", "4", "NaN", "Infinity", "1e9", "0.0000001", "x", "9" * 5000]
)
def test_units_that_make_no_two_invoices_are_refused(pages: Pages, units: str) -> None:
    lines = [{"description": "Taza", "quantity": 3, "total": "348.00", "rate": 0.16}]
    path = link(pages.sell("PED-1", lines=lines))
    for accion in ("ver", "dividir"):
        answer = pages.send(path, "/dividir", accion=accion, u0=units)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert "Compra dividida" not in pages.get(path)


def test_what_may_not_be_divided_leads_back(pages: Pages) -> None:
    pages.rules('[forma_pago]\ndefault = "03"\n')
    path = link(pages.sell("PED-1"))
    assert pages.site.client.get(path + "/dividir").status_code == 303
    assert pages.send(path, "", accion="revisar").status_code == 422
    token = re.search(r'name="csrf_token" value="([^"]+)"', pages.get(path))
    assert token
    for action in ("/dividir", "/unir", "/separar"):
        answer = pages.site.client.post(path + action, data={"csrf_token": token[1]})
        assert (answer.status_code, answer.headers["Location"]) == (303, path)
