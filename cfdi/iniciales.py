"""The letters an RFC begins with, and whether they can be those of a name.

A hint, never a rule: an RFC keeps its letters when its holder changes the name, and SAT gave
others out where two came to the same. How the letters are taken, among others:
https://es.wikipedia.org/wiki/Registro_Federal_de_Contribuyentes_(M%C3%A9xico)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from cfdi.rfc import GENERIC_FOREIGN, GENERIC_NATIONAL, person, well_formed

_VOWELS: Final = "AEIOU"


def _set_of(*words: str) -> frozenset[str]:
    return frozenset(" ".join(words).split())


#: Left out of a person's surnames and given names.
_PARTICLES_OF_PERSONS = _set_of("DA DAS DE DEL DER DI DIE DD EL LA LAS LE LES LOS MAC MC VAN VON Y")
#: Given names left out where another follows.
_PASSED_OVER = _set_of("J JOSE M MA MARIA")
#: Left out of a company's name, some of them by part of SAT's offices alone.
_PARTICLES_OF_COMPANIES = _set_of(
    "A AL AND CIA CO COMPANIA COMPANY CON COOP COOPERATIVA DE DEL E EL EN LA LAS LOS MAC MC MI OF",
    "PARA POR SOC SOCIEDAD SUS THE UN UNA VAN VON Y",
)
#: Letters that would be rude: SAT writes X for the last one.
_INCONVENIENT = _set_of(
    "BUEI BUEY CACA CACO CAGA CAGO CAKA CAKO COGE COJA COJE COJI COJO CULO FETO GUEY JOTO KACA",
    "KACO KAGA KAGO KAKA KOGE KOJO KULO LOCA LOCO LOKA LOKO MAME MAMO MEAR MEAS MEON MION MOCO",
    "MULA PEDA PEDO PENE PUTA PUTO QULO RATA RUIN",
)
#: Words of a longer name are not looked at: the ways to divide it grow with their square.
_MOST_WORDS = 12
_LONGEST = 1000
_APOSTROPHES = str.maketrans(dict.fromkeys("'`´‘’\u02bc"))


def fits(nombre: str, rfc: str) -> bool:
    """Whether the letters of `rfc` can come from `nombre`, written given names first.

    True as well where nothing can be said: no RFC, a generic one, no name, or a company's with a
    number, of which the letters are those of its words ("7 ELEVEN" is SIETE).
    """
    if not well_formed(rfc) or rfc in {GENERIC_NATIONAL, GENERIC_FOREIGN}:
        return True
    readings = [words for words in _readings(nombre) if words]
    if not readings:
        return True
    if person(rfc) == "moral":
        numbered = any(word[0].isdigit() for words in readings for word in words)
        return numbered or any(rfc[:3] in set(_of_company(words)) for words in readings)
    return any(rfc[:4] in set(_of_person(words)) for words in readings)


def _readings(nombre: str) -> Iterator[list[str]]:
    """As written, and with D'ANGELO or D ANGELO as one word, as SAT counts it."""
    name = nombre.upper()[:_LONGEST]
    joined = re.sub(r"\b([DO]) +(?=\w)", r"\1", name.translate(_APOSTROPHES))
    for each in dict.fromkeys((name, joined)):
        yield _words(each)[:_MOST_WORDS]


def _words(nombre: str) -> list[str]:
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", nombre.upper().replace("Ñ", "\0"))
        if not unicodedata.combining(letter)
    ).replace("\0", "Ñ")
    return re.findall(r"&|[A-ZÑ0-9]+", plain)


def _of_company(words: Sequence[str]) -> Iterator[str]:
    """Every reading: & counts or not, particles count or not."""
    for with_and in (True, False):
        for with_particles in (False, True):
            left = [
                word
                for word in words
                if (with_and or word != "&")
                and (with_particles or word not in _PARTICLES_OF_COMPANIES)
            ]
            if len(left) >= 3:
                yield left[0][0] + left[1][0] + left[2][0]
            elif len(left) == 2:
                yield (left[0][0] + left[1][:2]).ljust(3, "X")
            elif left:
                yield left[0][:3].ljust(3, "X")


def _of_person(words: Sequence[str]) -> Iterator[str]:
    """Every way to divide the words into given names, first and second surname."""
    for given in range(1, len(words) + 1):
        names = _significant(words[:given])
        for first in range(given + 1, len(words) + 1):
            paternal = _significant(words[given:first])
            maternal = _significant(words[first:])
            for letters in _letters(names, paternal, maternal):
                yield f"{letters[:3]}X" if letters in _INCONVENIENT else letters


def _letters(names: str, paternal: str, maternal: str) -> Iterator[str]:
    if not names or not paternal:
        return
    if not maternal:
        yield (paternal[:2] + names[:2]).ljust(4, "X")
    elif len(paternal) <= 2:
        yield (paternal[0] + maternal[0] + names[:2]).ljust(4, "X")
    if maternal:
        inner = next((letter for letter in paternal[1:] if letter in _VOWELS), "X")
        yield paternal[0] + inner + maternal[0] + names[0]


def _significant(words: Sequence[str]) -> str:
    """The word that gives the letters: the first that is no particle, nor a José before another."""
    left = [word for word in words if word not in _PARTICLES_OF_PERSONS and word != "&"]
    for word in left[:-1]:
        if word not in _PASSED_OVER:
            return word
    return left[-1] if left else ""
