"""Every row of SAT's matrices is checked, or said not to be and why; the page cannot drift."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cfdi.findings import explain
from cfdi.validator import RULES, Needs
from cfdi.validator.coverage import NOTES, UNCHECKED, states
from cfdi.validator.messages import finding
from cfdi.validator.order import ORDER
from cfdi.validator.page import page
from cfdi.validator.rule import Failure
from cfdi.validator.schema_codes import CODES as OF_STRUCTURE
from tests.validator.cases import CASES

PAGE = Path(__file__).resolve().parents[2] / "docs/fiscal/validator.md"
#: Asked of a document alone, and told by tests of their own (seals, certificates).
ELSEWHERE = {"CFDI40102", "CFDI40106"}


def _of_cfdi() -> set[str]:
    """Codes of the CFDI 4.0 matrix that a document alone can break."""
    alone = {rule.code for rule in ORDER if rule.needs is Needs.NOTHING} | OF_STRUCTURE
    return {code for code in alone if code.startswith("CFDI")} - ELSEWHERE


def test_each_code_of_a_document_alone_is_broken_once_and_kept_once() -> None:
    assert {case.code for case in CASES if case.path} == _of_cfdi()
    assert {case.code for case in CASES if not case.path} == _of_cfdi()


@pytest.mark.parametrize("matrix", ["cfdi40", "crp20"])
def test_every_row_of_the_matrix_has_its_state(matrix: str, shared: Path) -> None:
    rows = json.loads((shared / f"sat/validation/{matrix}-matrix.json").read_text())["rows"]
    codes = {row["codigo"] for row in rows}
    assert codes
    assert codes - states().keys() == set()
    family = "CFDI" if matrix == "cfdi40" else "CRP"
    assert {code for code in states() if code.startswith(family)} - codes == set()


def test_what_is_not_checked_has_no_rule_and_a_reason() -> None:
    assert not UNCHECKED.keys() & (RULES.keys() | OF_STRUCTURE)
    assert all(len(reason) > 20 for reason in UNCHECKED.values())
    assert NOTES.keys() <= states().keys()


@pytest.mark.parametrize("code", sorted(states().keys() - UNCHECKED.keys()))
def test_every_finding_has_words_of_its_own(code: str) -> None:
    told = finding(Failure("Comprobante", code=code))
    unknown = finding(Failure("Comprobante", code="CFDI49999"))
    assert told.message_es not in {"", unknown.message_es}
    assert told.message_en not in {"", unknown.message_en, told.message_es}
    assert told.code == code


@pytest.mark.parametrize("number", range(223, 229))
def test_a_code_is_explained_in_either_spelling(number: int) -> None:
    assert explain(f"CFDI140{number}", "x") == explain(f"CFDI40{number}", "x")


def test_what_suppresses_a_rule_is_asked_before_it() -> None:
    """Else it would suppress nothing."""
    structure = OF_STRUCTURE
    before: set[str] = set()
    for rule in ORDER:
        unknown = rule.unless - before - structure
        assert not unknown, f"{rule.code} waits for {sorted(unknown)}"
        before.add(rule.code)


def test_the_page_says_what_the_code_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run: .venv/bin/python -m cfdi.validator > docs/fiscal/validator.md"
    )
