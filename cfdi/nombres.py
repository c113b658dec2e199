"""A taxpayer's name: put in order, its régimen de capital found, and what else it may be.

SAT compares the name with its register letter by letter (CFDI40145). What is registered stands in
the Constancia de Situación Fiscal, for a company without its régimen de capital. Nothing here
changes a name by itself: suggestions are for a person to take or leave.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cfdi import iniciales
from cfdi.rfc import person

#: Well above every limit of SAT's, and short enough to normalise whatever it holds.
LONGEST_INPUT = 1000
_MOST_SUGGESTIONS = 6
_MOST_OFFERED = 3
#: Letters of one abbreviation may stand apart or with dots: "S.A.", "S. A.", "SA".
_APART = r"[\s.]*"
#: Régimen de capital as deeds write it; the words of each with blanks between.
_CAPITALS = (
    "SOCIEDAD ANONIMA PROMOTORA DE INVERSION BURSATIL",
    "SOCIEDAD ANONIMA PROMOTORA DE INVERSION",
    "SOCIEDAD ANONIMA BURSATIL",
    "SOCIEDAD ANONIMA",
    "SOCIEDAD POR ACCIONES SIMPLIFICADA",
    "SOCIEDAD DE RESPONSABILIDAD LIMITADA MICROINDUSTRIAL",
    "SOCIEDAD DE RESPONSABILIDAD LIMITADA DE INTERES PUBLICO",
    "SOCIEDAD DE RESPONSABILIDAD LIMITADA",
    "SOCIEDAD EN COMANDITA POR ACCIONES",
    "SOCIEDAD EN COMANDITA SIMPLE",
    "SOCIEDAD EN NOMBRE COLECTIVO",
    "SOCIEDAD DE PRODUCCION RURAL DE RESPONSABILIDAD LIMITADA",
    "SOCIEDAD DE PRODUCCION RURAL DE RESPONSABILIDAD ILIMITADA",
    "SOCIEDAD DE PRODUCCION RURAL DE RESPONSABILIDAD SUPLEMENTADA",
    "SOCIEDAD DE PRODUCCION RURAL",
    "SOCIEDAD DE SOLIDARIDAD SOCIAL",
    "SOCIEDAD COOPERATIVA DE RESPONSABILIDAD LIMITADA",
    "SOCIEDAD COOPERATIVA DE RESPONSABILIDAD SUPLEMENTADA",
    "SOCIEDAD COOPERATIVA",
    "SOCIEDAD CIVIL DE RESPONSABILIDAD LIMITADA",
    "SOCIEDAD CIVIL",
    "ASOCIACION CIVIL",
    "ASOCIACION RELIGIOSA",
    "INSTITUCION DE ASISTENCIA PRIVADA",
    "INSTITUCION DE BENEFICENCIA PRIVADA",
    "ASOCIACION DE BENEFICENCIA PRIVADA",
    *("SAPIB", "SAPI", "SAB", "SAS", "SA"),
    *("S DE RL MI", "S DE RL DE IP", "S DE RL", "S EN C POR A", "S EN CS", "S EN C", "S EN NC"),
    *("SPR DE RL", "SPR DE RI", "SPR DE RS", "SPR", "SSS"),
    *("SC DE P DE RL", "SC DE C DE RL", "SC DE AP DE RL", "SC DE RL", "SC DE RS", "SCL", "SCS"),
    *("SC", "AC", "IAP", "IBP", "ABP", "FAC", "AR"),
)
_MODES = (
    "DE CAPITAL VARIABLE",
    "SOCIEDAD FINANCIERA DE OBJETO MULTIPLE",
    "ENTIDAD NO REGULADA",
    "ENTIDAD REGULADA",
    "SOCIEDAD FINANCIERA POPULAR",
    *("SOFOM ENR", "SOFOM ER", "SOFOM", "SOFIPO", "SFP", "ENR", "ER"),
)


def _pattern(capital: str) -> str:
    """An abbreviation of up to five letters may be dotted or spaced; a whole word may not."""
    words = capital.split()
    spelled_out = len(max(words, key=len)) > 5
    parts = [
        word if spelled_out or word in {"DE", "EN", "POR"} else _APART.join(word) for word in words
    ]
    return (r"[\s.,]+" if spelled_out else r"[\s.,]*").join(parts)


#: Of the end of a name alone, which is long enough for all of them together.
_LONGEST_CAPITAL = 200
_CAPITAL = re.compile(
    rf"(?:\s*,\s*|\s+)(?P<capital>(?:{'|'.join(map(_pattern, _CAPITALS))})"
    rf"(?:[\s.,]*(?:DE[\s.,]*)?{_pattern('CV')}|[\s.,]+(?:{'|'.join(map(_pattern, _MODES))}))*)"
    r"[\s.,]*$"
)
_QUOTES = str.maketrans(dict.fromkeys("\"'`´‘’‚“”„«»"))
_ACCENTED_WORDS = """
ADRIÁN AGUSTÍN ÁLVAREZ ÁNGEL ANDRÉS ARTÍCULOS ASESORÍA BENÍTEZ BERMÚDEZ CAFÉ CHÁVEZ CLÍNICA
COMPAÑÍA CONSTRUCCIÓN CONSULTORÍA CORTÉS CRISTÓBAL CRÉDITO DÍAZ DISTRIBUCIÓN DOMÍNGUEZ EDUCACIÓN
ELÉCTRICOS FERNÁNDEZ GARCÍA GÓMEZ GONZÁLEZ GUTIÉRREZ GUZMÁN HERNÁNDEZ HÉCTOR INGENIERÍA IVÁN JESÚS
JIMÉNEZ JOSÉ JOAQUÍN JUÁREZ JULIÁN LEÓN LÓPEZ LOGÍSTICA MARÍA MARÍN MARTÍN MARTÍNEZ MÁRQUEZ MÉDICA
MÉDICOS MÉNDEZ MÉXICO MÓNICA NÉSTOR OPERACIÓN ÓSCAR PÉREZ PRODUCCIÓN RAMÍREZ RAMÓN RAÚL RENÉ RÍOS
RODRÍGUEZ ROMÁN RUBÉN SÁNCHEZ SEBASTIÁN SOFÍA SUÁREZ TECNOLOGÍA TECNOLOGÍAS TOMÁS VALDÉS VÁZQUEZ
VELÁZQUEZ VÍCTOR
"""
_WORDS_WITH_ENIE = """
ACUÑA AÑORVE BAÑOS BAÑUELOS BOLAÑOS BRISEÑO CAÑEDO CASTAÑEDA CASTAÑON CEDEÑO COMPAÑIA DISEÑO DISEÑOS
DUEÑAS ESPAÑA ESPAÑOL ESPAÑOLA IBAÑEZ MAGAÑA MONTAÑA MONTAÑO MUÑIZ MUÑOZ NIÑO NIÑOS NUÑEZ OCAÑA
ORDOÑEZ PATIÑO PEÑA PEÑALOZA PIÑA QUIÑONES SALDAÑA TREVIÑO VIÑA YAÑEZ ZUÑIGA
"""
_PLAIN = str.maketrans("ÁÉÍÓÚ", "AEIOU")
#: How they are often typed → how they are often registered.
_ACCENTED = {word.translate(_PLAIN): word for word in _ACCENTED_WORDS.split()}
_WITH_ENIE = {word.replace("Ñ", "N"): word for word in _WORDS_WITH_ENIE.split()}
_TITLE = re.compile(r"^(?:(?:LIC|ING|DRA?|SRA?|SRTA|ARQ|MTR[OA]|PROFR?A?|CP|C\.P)\b\.?\s*)+")
#: Copied from the Constancia or a form together with its label.
_LABEL = re.compile(
    r"^(?:(?:NOMBRE|DENOMINACI[OÓ]N)\s*(?:/|O)\s*RAZ[OÓ]N SOCIAL|RAZ[OÓ]N SOCIAL|NOMBRE|"
    r"DENOMINACI[OÓ]N)\s*(?:\(S\)\s*)?:\s*"
)
#: Around a name or a part of it; an apostrophe may well be a letter's.
_DOUBLE_QUOTES = re.compile('["“”„«»]')
#: What a name may be instead, given the RFC.
_Change = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another way to write the name. `codes` are stable; `fits` says the RFC's letters agree."""

    nombre: str
    codes: tuple[str, ...]
    reason_es: str
    reason_en: str
    fits: bool


def tidy(text: str) -> str:
    """As SAT writes it: NFC, capitals, single blanks, no invisible characters.

    Ñ, &, accents, digits and punctuation stay. A thousand characters at most are looked at.
    """
    visible = (c for c in text[:LONGEST_INPUT] if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFC", "".join(visible)).upper().split())


def split_capital(nombre: str) -> tuple[str, str]:
    """The name and, as written, its régimen de capital; ("…", "") where it ends in none.

    Dotted, spaced, joined, spelled out, after a comma or a blank. A few names legitimately end in
    such a word: whoever takes it off asks first.
    """
    name = tidy(nombre)
    plain = without_accents(name)
    found = _CAPITAL.search(plain, max(0, len(plain) - _LONGEST_CAPITAL))
    # Letters with two marks of which NFC joins one: places would not be the same in both.
    if found is None or len(plain) != len(name) or not name[: found.start()].strip(" ,."):
        return name, ""
    return name[: found.start()], name[found.start("capital") :].strip(" ,")


def without_accents(text: str) -> str:
    """Without accents and diaeresis, but with its Ñ."""
    letters = unicodedata.normalize("NFD", text.replace("Ñ", "\0").replace("ñ", "\1"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return plain.replace("\0", "Ñ").replace("\1", "ñ")


def suggestions(nombre: str, rfc: str = "") -> tuple[Suggestion, ...]:
    """What to try after CFDI40145 (the name is not the RFC's): the likeliest first, at most six.

    Names that fit the letters of the RFC come before those that do not. Never the name as given.
    """
    name, kind = tidy(nombre), person(rfc)
    found: dict[str, tuple[str, ...]] = {}
    for changed, codes in _variants(name, rfc, company=kind != "fisica", human=kind != "moral"):
        if changed not in {nombre, ""}:
            found.setdefault(changed, codes)
    ranked = sorted(found.items(), key=lambda each: not iniciales.fits(each[0], rfc))
    return tuple(_suggestion(*each, rfc) for each in ranked[:_MOST_SUGGESTIONS])


def offered(nombre: str, rfc: str = "") -> tuple[Suggestion, ...]:
    """What to ask before SAT is asked: the likeliest first, at most three.

    () where the name is written as SAT writes most of them and has the letters of the RFC.
    """
    name, kind = tidy(nombre), person(rfc)
    stem, codes = name, tuple[str, ...]()
    for code in _LIKELY:
        change, for_company, for_human = _CHANGES[code]
        suits = (kind != "fisica" and for_company) or (kind != "moral" and for_human)
        if code == "quotes" and not _DOUBLE_QUOTES.search(stem):
            continue
        if suits and (changed := change(stem, rfc)) not in {stem, ""}:
            stem, codes = changed, (*codes, code)
    found = {stem: codes}
    found.setdefault(_CHANGES["enie"][0](stem, rfc), (*codes, "enie"))
    likely = [_suggestion(*each, rfc) for each in found.items() if each[0] not in {name, ""}]
    if not iniciales.fits(stem, rfc):
        likely += [each for each in suggestions(name, rfc) if each.fits]
    return tuple({each.nombre: each for each in likely}.values())[:_MOST_OFFERED]


def _variants(
    name: str, rfc: str, *, company: bool, human: bool
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is hardly ever right is taken off; then one change more, then two."""
    changes = [
        (code, change)
        for code, (change, for_company, for_human) in _CHANGES.items()
        if (company and for_company) or (human and for_human)
    ]
    stem, codes = name, tuple[str, ...]()
    for code, change in changes:
        if code in _FIRST and (changed := change(stem, rfc)) != stem:
            stem, codes = changed, (*codes, code)
    yield stem, codes or ("blanks",)
    once = [(changed, code) for code, change in changes if (changed := change(stem, rfc)) != stem]
    yield from ((changed, (*codes, code)) for changed, code in once)
    for changed, first in once:
        for second, change in changes:
            if first != second and (twice := change(changed, rfc)) not in {changed, stem}:
                yield twice, (*codes, first, second)


def _suggestion(nombre: str, codes: tuple[str, ...], rfc: str) -> Suggestion:
    return Suggestion(
        nombre,
        codes,
        " ".join(_REASONS[code][0] for code in codes),
        " ".join(_REASONS[code][1] for code in codes),
        iniciales.fits(nombre, rfc),
    )


def _words(change: Callable[[str], str]) -> _Change:
    return lambda name, rfc: tidy(" ".join(map(change, name.split())))  # noqa: ARG005 # a _Change


def _text(change: Callable[[str], str]) -> _Change:
    return lambda name, rfc: tidy(change(name))  # noqa: ARG005 # a _Change


def _unescaped(name: str) -> str:
    """In capitals an entity is known as it begins: &NTILDE; is &Ntilde;."""
    known = html.unescape(name)
    return html.unescape(re.sub("&[A-Z]{3,8};", lambda found: found[0].title(), known))


def _in_order(name: str, rfc: str) -> str:
    """Given names first: after a comma, or where only so the RFC's letters fit."""
    surnames, comma, given = name.partition(",")
    if comma and surnames.strip() and given.strip():
        return tidy(f"{given} {surnames}")
    if iniciales.fits(name, rfc):
        return name
    words = name.split()
    for count in sorted(range(1, len(words)), key=lambda each: abs(each - 2)):
        turned = " ".join((*words[count:], *words[:count]))
        if iniciales.fits(turned, rfc):
            return turned
    return name


def _legal_part(name: str, rfc: str) -> str:
    """Of "ACME (GRUPO ACME)" or "ACME - GRUPO ACME" the part whose letters the RFC has."""
    parts = [tidy(part).strip(" ,") for part in re.split(r"\(|\)|\s[-–—/]\s", name)]
    parts = [part for part in parts if part]
    if len(parts) < 2:
        return name
    return next((part for part in parts if iniciales.fits(part, rfc)), parts[0])


#: In the order of how often they help: the change, whether for companies, whether for persons.
_CHANGES: dict[str, tuple[_Change, bool, bool]] = {
    "entity": (_text(_unescaped), True, True),
    "label": (_text(lambda name: _LABEL.sub("", name)), True, True),
    "title": (_text(lambda name: _TITLE.sub("", name)), False, True),
    "capital": (lambda name, rfc: split_capital(name)[0], True, False),  # noqa: ARG005 # a _Change
    "order": (_in_order, False, True),
    "trade_name": (_legal_part, True, False),
    "quotes": (_text(lambda name: name.translate(_QUOTES)), True, True),
    "final_mark": (_text(lambda name: name.rstrip(" .,;:-")), True, True),
    "accents_off": (_text(without_accents), True, True),
    "and_as_sign": (_words(lambda word: "&" if word in {"Y", "AND"} else word), True, False),
    "and_as_word": (_text(lambda name: re.sub(r"\s*&\s*", " Y ", name)), True, False),
    "enie": (_words(lambda word: _WITH_ENIE.get(word, word)), True, True),
    "maria": (_text(lambda name: re.sub(r"^MA\.?(?=\s)", "MARIA", name)), False, True),
    "accents_on": (_words(lambda word: _ACCENTED.get(word, word)), True, True),
    "dots": (_text(lambda name: name.replace(".", "").replace(",", "")), True, True),
}
_FIRST = frozenset({"entity", "label", "title", "capital"})
#: Hardly ever part of what SAT registered, so that it is asked about before the first try.
_LIKELY = (
    *("entity", "label", "title", "quotes", "capital"),
    *("order", "quotes", "final_mark", "accents_off"),
)
_REASONS: dict[str, tuple[str, str]] = {
    "blanks": (
        "Con espacios sencillos y en mayúsculas.",
        "With single blanks and in capitals.",
    ),
    "capital": (
        "Sin el régimen de capital (S.A. de C.V. o similar), que no va en la factura.",
        "Without the legal form (S.A. de C.V. or the like), which is not part of the name.",
    ),
    "entity": (
        "Con el signo en lugar de su código (&amp; es &).",
        "With the sign in place of its code (&amp; is &).",
    ),
    "label": (
        "Sin el rótulo («Nombre:», «Razón social:»…).",
        "Without its label (“Nombre:”, “Razón social:”…).",
    ),
    "order": (
        "Primero el nombre y después los apellidos.",
        "Given names first, then the surnames.",
    ),
    "title": ("Sin título (Lic., Ing., Dr.…).", "Without a title (Lic., Ing., Dr.…)."),
    "trade_name": (
        "Solo la razón social, sin el nombre comercial.",
        "The registered name alone, without the trade name.",
    ),
    "quotes": ("Sin comillas.", "Without quotation marks."),
    "final_mark": ("Sin puntuación al final.", "Without punctuation at the end."),
    "accents_off": (
        "Sin acentos: el SAT registró muchos nombres sin ellos.",
        "Without accents: SAT registered many names without them.",
    ),
    "accents_on": ("Con acentos.", "With accents."),
    "and_as_sign": ("Con & en lugar de Y.", "With & in place of Y."),
    "and_as_word": ("Con Y en lugar de &.", "With Y in place of &."),
    "enie": ("Con Ñ en lugar de N.", "With Ñ in place of N."),
    "maria": ("MARIA completo en lugar de MA.", "MARIA in full in place of MA."),
    "dots": ("Sin puntos ni comas.", "Without dots and commas."),
}
