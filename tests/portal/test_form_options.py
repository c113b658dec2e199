"""The lists of the form are kept once they were made, and are right for each form all the same."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

ONE = {"rfc": "CACX7605101P8", "regimen": "612", "uso": "G03"}
OTHER = {"rfc": "CACX7605101P8", "regimen": "605", "uso": "D01"}
COMPANY = {"rfc": "EKU9003173C9", "regimen": "601", "uso": "G01"}
NOBODY = {"rfc": "", "regimen": "", "uso": "no such use"}


def page(kit: Any, typed: dict[str, str], language: str = "es") -> str:
    answer = kit.post(kit.good | typed | {"accion": "corregir"}, query_string={"lang": language})
    return str(answer.text)


def marked(text: str) -> list[str]:
    return re.findall(r'<option value="(\w+)"[^>]* selected>', text)


def test_each_form_marks_what_was_chosen_in_it(kit: Any) -> None:
    forms = (ONE, OTHER, COMPANY, NOBODY, ONE)
    for language, typed in product(("es", "en", "es"), forms):
        text = page(kit, typed, language)
        assert marked(text) == [typed["regimen"], typed["uso"]] * (typed is not NOBODY)
        assert ("Elige tu régimen" in text) is (language == "es")
        assert ('<optgroup label="Gastos y compras">' in text) is (language == "es")


def test_a_company_is_offered_no_deductions_of_people(kit: Any) -> None:
    def refused(text: str) -> bool:
        return bool(re.search(r'<option value="D01"[^>]* disabled>', text))

    assert refused(page(kit, COMPANY))
    assert not refused(page(kit, OTHER))
    assert refused(page(kit, COMPANY))


def test_each_merchant_offers_its_own(kit: Any) -> None:
    everything = page(kit, ONE)
    kit.service.current = kit.purchase(usos=("G03", "S01"))
    few = page(kit, ONE)
    assert 'value="D01"' in everything
    assert 'value="D01"' not in few
    assert marked(few) == ["612", "G03"]
