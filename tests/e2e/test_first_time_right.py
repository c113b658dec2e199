"""Hundreds of ways to type the same fiscal data end in the same receiver, the first time.

Each is posted as a buyer does it: looked over, what the page offers is pressed where it is what
stands in the buyer's constancia, and what is shown then is what goes to SAT. All are posted to one
purchase, which shows and changes nothing; one of each kind is stamped by the sandbox PAC.
"""

from __future__ import annotations

import html
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from lxml import etree

from cfdi.receptor import foreigner

pytestmark = pytest.mark.slow

Data = dict[str, str]
#: SAT's fictitious taxpayers, with Ñ and & and zeros in front, companies and persons.
TAXPAYERS: tuple[Data, ...] = tuple(
    dict(zip(("rfc", "nombre", "cp", "regimen", "uso", "correo"), row, strict=True))
    for row in (
        ("URE180429TM6", "UNIVERSIDAD ROBOTICA ESPAÑOLA", "86991", "601", "G03", "a@example.com"),
        ("H&E951128469", "HERRERIA & ELECTRICOS", "06002", "601", "G03", "b@example.com"),
        ("OÑO120726RX3", "ORGANICOS ÑAVEZ OSORIO", "40501", "601", "G01", "c@example.com"),
        ("S&S051221SE2", "S & SOFTWARE", "76022", "601", "G03", "d@example.com"),
        ("CACX7605101P8", "XOCHILT CASAS CHAVEZ", "36257", "612", "G03", "e@example.com"),
        ("IAÑL750210963", "LUIS IAN ÑUZCO", "85256", "612", "D01", "f@example.com"),
        ("FUNK671228PH6", "KARLA FUENTE NOLASCO", "01160", "612", "S01", "g@example.com"),
        ("XOJI740919U48", "INGRID XODAR JIMENEZ", "76028", "612", "G03", "h@example.com"),
    )
)
REGIMENES = {
    "601": "General de Ley Personas Morales",
    "612": "Personas Físicas con Actividades Empresariales y Profesionales",
}
USOS = {
    "G03": "Gastos en general",
    "G01": "Adquisición de mercancías",
    "S01": "Sin efectos fiscales",
    "D01": "Honorarios médicos, dentales y gastos hospitalarios",
}
CAPITALS = (
    *(" SA DE CV", ", S.A. de C.V.", " S. A. DE C. V.", " s.a. de c.v", ", SA. CV.", " S A de C V"),
    *(" Sociedad Anónima de Capital Variable", " S. de R.L. de C.V.", ", S de RL", " SAPI de CV"),
    *(" S.A.S. de C.V.", " S.C.", ", A.C.", " Sociedad Civil", " SPR de RL de CV"),
)
ACCENTS = str.maketrans("AEIOU", "ÁÉÍÓÚ")


def wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def apart(text: str, mark: str) -> str:
    """With a mark where people put one: after the letters and after the date."""
    return f"{text[:-9]}{mark}{text[-9:-3]}{mark}{text[-3:]}"


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def rfcs(one: Data) -> Iterator[tuple[str, str]]:
    rfc, name = one["rfc"], one["nombre"]
    letters, date, tail = rfc[:-9], rfc[-9:-3], rfc[-3:]
    yield "small letters", rfc.lower()
    yield "blanks", apart(rfc, " ")
    yield "hyphens", apart(rfc.lower(), "-")
    yield "dashes", apart(rfc, "–")
    yield "no-break blanks", apart(rfc, "\u00a0")
    yield "a point at the end", f" {rfc}. "
    yield "a label", f"RFC: {rfc}"
    yield "a dotted label", f"R.F.C. {rfc.lower()}"
    yield "full width", wide(rfc)
    yield "decomposed", nfd(rfc)
    yield "invisible marks", f"\u202a{apart(rfc, chr(0x200B))}\u202c\ufeff"
    yield "quotes", f"“{rfc}”"
    yield "as HTML", rfc.replace("&", "&amp;").replace("Ñ", "&ntilde;")
    yield "every letter apart", " ".join(rfc)
    yield "with the name", f"{rfc} - {name}"
    yield "in a sentence", f"mi rfc es {rfc} gracias"
    yield "O for 0", f"{letters}{date.replace('0', 'O')}{tail}"
    yield "l for 1", f"{letters}{date.replace('1', 'l')}{tail}".lower()
    yield "0 for O", f"{letters.replace('O', '0').replace('I', '1')}{date}{tail}"
    yield "label and O for 0", f"rfc: {letters}{date.replace('0', 'o')}{tail}"
    for digit, letter in ("5S", "2Z", "8B", "6G"):
        if digit in date:
            yield "offered: a letter for a digit", f"{letters}{date.replace(digit, letter)}{tail}"


def nombres(one: Data) -> Iterator[tuple[str, str]]:
    name = one["nombre"]
    yield "small letters", name.lower()
    yield "as a title", name.title()
    yield "blanks", f"  {name.replace(' ', '   ')}\t"
    yield "lines", name.replace(" ", "\r\n")
    yield "no-break blanks", name.replace(" ", "\u00a0")
    yield "decomposed", nfd(name.title())
    yield "invisible marks", f"\u200f{name[:3]}\u00ad\u200b{name[3:]}"
    yield "offered: accents", name.translate(ACCENTS)
    yield "offered: small accents", name.lower().translate(str.maketrans("aeo", "áéó"))
    yield "offered: a point at the end", f"{name}."
    yield "offered: quotes", f'"{name}"'
    yield "offered: curly quotes", f"“{name.title()}”"
    yield "offered: a label", f"Nombre: {name}"
    yield "offered: HTML", name.replace("&", "&amp;").replace("Ñ", "&Ntilde;")
    if "&" in name:
        yield "offered: Y for &", name.replace("&", "Y")
    if "ESPAÑOLA" in name:
        yield "offered: N for Ñ", name.replace("Ñ", "N")
        yield "offered: N for Ñ and its kind", name.replace("Ñ", "N").title() + ", S.A. de C.V."
    if len(one["rfc"]) == 12:
        yield from (("offered: its kind", name.title() + kind) for kind in CAPITALS)
        yield "offered: quotes and kind", f"“{name.translate(ACCENTS)}”, S.A. DE C.V."
        yield "offered: a long label", f"Denominación/Razón Social: {name}"
    else:
        first, *surnames = name.split()
        yield "offered: a title", f"Lic. {name.title()}"
        yield "offered: surnames first", " ".join((*surnames, first))
        yield "offered: a comma", f"{' '.join(surnames)}, {first}".title()


def cps(one: Data) -> Iterator[tuple[str, str]]:
    cp = one["cp"]
    yield "blanks", f" {cp[:2]} {cp[2:]} "
    yield "a label", f"C.P. {cp}"
    yield "a joined label", f"cp{cp}"
    yield "a long label", f"Código Postal: {cp}"
    yield "full width", wide(cp)
    yield "a no-break blank", f"{cp}\u00a0"
    yield "a point", f"{cp}."
    yield "a hyphen", f"{cp[:2]}-{cp[2:]}"
    yield "letters", cp.replace("0", "O").replace("1", "l")
    if cp[0] == "0":
        yield "offered: without its zero", cp[1:]


def regimenes(one: Data) -> Iterator[tuple[str, str]]:
    key, words = one["regimen"], REGIMENES[one["regimen"]]
    yield "blanks", f" {key} "
    yield "full width", wide(key)
    yield "key and words", f"{key} - {words}"
    yield "words", words
    yield "small words", words.lower()
    yield "more words", f"Régimen {words}"


def usos(one: Data) -> Iterator[tuple[str, str]]:
    key, words = one["uso"], USOS[one["uso"]]
    yield "small letters", f" {key.lower()} "
    yield "full width", wide(key)
    yield "key and words", f"{key} - {words}"
    yield "words", words.upper()
    yield "a point", f"{words}."


def correos(one: Data) -> Iterator[tuple[str, str]]:
    name, _, domain = one["correo"].partition("@")
    yield "blanks", f"  {name} @ {domain} "
    yield "capitals", f"{name}@{domain.upper()}"
    yield "a point", f"{name}@{domain}."
    yield "a link", f"mailto:{name}@{domain}"
    yield "brackets", f"<{name}@{domain}>;"


KINDS: dict[str, Callable[[Data], Iterator[tuple[str, str]]]] = {
    "rfc": rfcs,
    "nombre": nombres,
    "cp": cps,
    "regimen": regimenes,
    "uso": usos,
    "correo": correos,
}


@dataclass(frozen=True)
class Way:
    meant: Data
    kind: str
    typed: Data


def ways() -> Iterator[Way]:
    """One datum typed otherwise; then one of each at once."""
    for one in TAXPAYERS:
        made = {name: list(kind(one)) for name, kind in KINDS.items()}
        for name, found in made.items():
            yield from (Way(one, f"{name}: {kind}", one | {name: text}) for kind, text in found)
        for number in range(6):
            mixed = {name: found[number % len(found)][1] for name, found in made.items()}
            yield Way(one, f"all: {number}", mixed)


class Buyer:
    """Somebody at a page, without a script; `pressed` counts what was taken of what was offered."""

    def __init__(self, link: str, meant: Data) -> None:
        self.link, self.meant, self.pressed = link, meant, 0
        self.page = requests.get(link, timeout=60).text

    def looks_over(self, typed: Data) -> Data | None:
        """The data as they would be stamped; None if the page wants something else typed."""
        self._post(typed | {"accion": "revisar"})
        for _ in range(4):
            offer = self._offered()
            if offer is None:
                break
            self.pressed += 1
            self._post(self._hidden(self._form_of(offer[0])) | {offer[0]: offer[1]})
        return self._hidden('id="confirmar"') if 'id="confirmar"' in self.page else None

    def issues(self) -> None:
        self._post(self._hidden('id="confirmar"') | {"accion": "generar"})

    def _offered(self) -> tuple[str, str] | None:
        """A button that says what stands in the constancia."""
        for name, value in re.findall(r'name="(usar_\w+)" value="([^"]*)"', self.page):
            if html.unescape(value) == self.meant[name.removeprefix("usar_")]:
                return name, html.unescape(value)
        return None

    def _form_of(self, button: str) -> str:
        """What stands in the form that the button belongs to."""
        if 'id="sugerencias"' in self.page:
            return 'id="sugerencias"'
        form = self.page[: self.page.index(f'name="{button}"')].rpartition("<form")[2]
        return form[: form.index(">")]

    def _hidden(self, form: str) -> Data:
        body = self.page[self.page.index(form) :].partition("</form>")[0]
        found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', body)
        return {name: html.unescape(value) for name, value in found}

    def _post(self, data: Data) -> None:
        token = re.findall(r'name="csrf_token" value="([^"]+)"', self.page)[0]
        sent = {"csrf_token": token} | data
        answer = requests.post(self.link, data=sent, timeout=60, allow_redirects=False)
        assert answer.status_code in {200, 303, 422}, answer.status_code
        self.page = answer.text


@pytest.fixture(scope="module")
def shop(install: Any) -> Any:
    return install().merchant()


def links(shop: Any, first: int, count: int) -> list[str]:
    for number in range(first, first + count):
        shop.sell(number)
    shop.digested()
    sales = shop.sales()
    return [sales[str(number)]["link"] for number in range(first, first + count)]


def receiver_of(xml: bytes) -> tuple[str | None, ...]:
    [found] = etree.fromstring(xml).iter("{http://www.sat.gob.mx/cfd/4}Receptor")
    names = ("Rfc", "Nombre", "DomicilioFiscalReceptor", "RegimenFiscalReceptor", "UsoCFDI")
    return tuple(found.get(name) for name in names)


def test_every_way_of_typing_ends_in_the_same_receiver(shop: Any) -> None:
    [link] = links(shop, 81_000, 1)
    # All of them with WAYS=all; otherwise a third, of every taxpayer and almost every kind.
    every, wrong = list(ways())[:: 1 if os.environ.get("WAYS") == "all" else 3], []
    for way in every:
        buyer = Buyer(link, way.meant)
        shown = buyer.looks_over(way.typed)
        if shown is None or any(shown[name] != way.meant[name] for name in KINDS):
            wrong.append((way.kind, way.typed, shown))
        elif "offered" in way.kind:
            # What changes the meaning is asked about, never done.
            assert buyer.pressed or way.typed == way.meant, way
    assert wrong == []
    assert len(every) >= 200
    assert len({way.kind for way in every}) >= 60


def test_one_of_each_kind_is_stamped_so(shop: Any, link_of: Any) -> None:
    sample = list({way.kind: way for way in ways()}.values())
    receivers = []
    found = links(shop, 82_000, len(sample))
    for way, link in zip(sample, found, strict=True):
        buyer = Buyer(link, way.meant)
        assert buyer.looks_over(way.typed) is not None, way
        buyer.issues()
    for way, link in zip(sample, found, strict=True):
        side = link_of({"link": link})
        assert side.settled()["estado"] == "lista", way
        receivers.append(receiver_of(side.download("cfdi.xml")))
    meant = [
        tuple(way.meant[name] for name in ("rfc", "nombre", "cp", "regimen", "uso"))
        for way in sample
    ]
    assert receivers == meant


def test_a_foreigner_gives_a_name_alone(shop: Any, link_of: Any) -> None:
    [link] = links(shop, 83_000, 1)
    meant = foreigner("JOHN SMITH & SONS LTD", "42501")
    buyer = Buyer(link, {"rfc": meant.rfc, "nombre": meant.nombre, "cp": "42501"})
    shown = buyer.looks_over({"rfc": meant.rfc, "nombre": "John  Smith & Sons Ltd"})
    assert shown is not None
    buyer.issues()
    side = link_of({"link": link})
    assert side.settled()["estado"] == "lista"
    assert receiver_of(side.download("cfdi.xml")) == (
        *("XEXX010101000", "JOHN SMITH & SONS LTD", "42501", "616", "S01"),
    )


def test_the_general_public_is_told_the_way_out(shop: Any) -> None:
    [link] = links(shop, 84_000, 1)
    one = TAXPAYERS[0] | {"rfc": "XAXX010101000"}
    buyer = Buyer(link, one)
    assert buyer.looks_over(one) is None
    assert "elige «Soy extranjero»" in buyer.page
