"""Every row of SAT's matrix for CFDI 4.0: broken alone it is told alone, kept it is not told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from cfdi.validator import validate
from tests.validator.bases import BASES, base
from tests.validator.cases import CASES, Case

Sealed = Callable[[etree._Element], bytes]


def _name(case: Case) -> str:
    return f"{case.code}-{case.base}-{'wrong' if case.path else 'right'}"


@pytest.mark.parametrize("name", sorted(BASES))
def test_what_the_cases_start_from_is_valid(name: str, sealed: Sealed) -> None:
    assert validate(sealed(base(name))) == ()


@pytest.mark.parametrize("case", [case for case in CASES if case.path], ids=_name)
def test_one_defect_is_one_finding_at_its_place(case: Case, sealed: Sealed) -> None:
    found = validate(sealed(base(case.base, *case.changes)))
    assert [(one.code, one.path) for one in found] == [(case.code, case.path)]


@pytest.mark.parametrize("case", [case for case in CASES if not case.path], ids=_name)
def test_what_keeps_the_rule_is_valid(case: Case, sealed: Sealed) -> None:
    assert validate(sealed(base(case.base, *case.changes))) == ()
