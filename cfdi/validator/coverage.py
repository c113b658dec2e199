"""Which rows of SAT's matrices are checked here, which need more than a document, which are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cfdi.validator.order import ORDER
from cfdi.validator.rule import Needs
from cfdi.validator.schema_codes import CODES as OF_STRUCTURE

_NO_PROCEDURE: Final = (
    "not in force: SAT has published no procedure for the clave de confirmación, so no range is set"
)

#: Rows that no document is asked about, and why.
UNCHECKED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("CFDI40118", "CFDI40120", "CFDI40127", "CFDI40128", "CFDI40129"), _NO_PROCEDURE
    ),
    **dict.fromkeys(("CRP20216", "CRP20220"), _NO_PROCEDURE),
    "CFDI40163": "c_ClaveProdServ demands no complement of any key (21-08-2026)",
    "CFDI40209": "the same condition as CFDI40206, which is told",
    "CFDI40999": "SAT's code for what it has no row for",
    "CRP20275": "says how the limits of CRP20276 are made; no value can be outside of its own",
    "CRP20999": "SAT's code for what it has no row for",
}

#: What is asked of a rule only in part, or where SAT leaves a choice.
NOTES: Final[Mapping[str, str]] = {
    "301": "also where the matrix has no row for what the XSD refuses",
    "CFDI40101": "form and date; that it is local time, only 401 can tell",
    "CFDI40114": "as a number: 1.0 is 1",
    "CFDI40136": "the year in course is that of Fecha",
    "CFDI40142": "ten digits; whether SAT gave the number only SAT can tell",
    "CFDI40161": "an invoice to XEXX010101000 takes S01 alone, as the filling guide says",
    "CFDI40179": "six decimals must be written; ISR is never transferred",
    "CFDI40189": "without a register: the fixed name that goes with EXT990101NI1",
    "CFDI40193": "without a register: the postal code that goes with EXT990101NI1",
    "CFDI40194": "form and year; customs offices, patents and numbers are lists of SAT's",
    "CFDI40199": "form and year, as CFDI40194",
    "CFDI40211": "also a tax of the conceptos that the document leaves out",
    "CFDI40215": "also a tax of the conceptos that the document leaves out",
}

_STATES: Final[Mapping[Needs, str]] = {
    Needs.NOTHING: "checked",
    Needs.CLOCK: "checked when `at` is given",
    Needs.REGISTER: "needs SAT's list: asked of `register`",
    Needs.AUTHORITIES: "checked when `authorities` are given or a `register` knows the certificate",
}


def states() -> Mapping[str, str]:
    """Every code that the validator knows, with what becomes of it."""
    needs: dict[str, list[Needs]] = {code: [Needs.NOTHING] for code in OF_STRUCTURE}
    for rule in ORDER:
        needs.setdefault(rule.code, []).append(rule.needs)
    found = {code: _state(code, each) for code, each in needs.items()}
    found |= {code: f"not checked: {reason}" for code, reason in UNCHECKED.items()}
    return dict(sorted(found.items(), key=lambda item: _place(item[0])))


def _state(code: str, needs: list[Needs]) -> str:
    said = "; ".join(dict.fromkeys(_STATES[each] for each in sorted(needs, key=list(Needs).index)))
    return f"{said} ({NOTES[code]})" if code in NOTES else said


def _place(code: str) -> tuple[int, int, str]:
    """SAT's list for providers, CFDI 4.0 as counted there (140223 is 40223), Pagos 2.0, ours."""
    letters = code.rstrip("0123456789")
    number = int(code[len(letters) :] or 0)
    families = ("", "CFDI", "CRP")
    family = families.index(letters) if letters in families else len(families)
    return family, number % 100_000, code
