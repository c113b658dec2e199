"""A rule of SAT's: a code, the documents it is for, and the check that says where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfdi.validator.document import Document

#: I ingreso, E egreso, T traslado, N nómina, P pago.
ALL_TIPOS = "IETNP"


class Needs(StrEnum):
    """What a check must be given beside the document; without it, it is left out."""

    NOTHING = "nothing"
    CLOCK = "clock"
    REGISTER = "register"
    AUTHORITIES = "authorities"


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a rule fails. `es` and `en` are added to its message; `code`, if given, replaces its
    code, for a check that knows a closer one."""

    path: str
    es: str = ""
    en: str = ""
    code: str = ""


Check = Callable[["Document"], Iterator[str | Failure]]


@dataclass(frozen=True, slots=True)
class Rule:
    code: str
    tipos: str
    needs: Needs
    #: Not asked once one of these was found: what follows from another defect is not told again.
    unless: frozenset[str]
    check: Check


#: As registered. A code may have two rules: one that a document alone can break, and one that
#: needs SAT's list.
REGISTERED: list[Rule] = []
#: The first rule of each code.
RULES: dict[str, Rule] = {}


def rule(
    code: str,
    *,
    tipos: str = ALL_TIPOS,
    needs: Needs = Needs.NOTHING,
    unless: Iterable[str] = (),
) -> Callable[[Check], Check]:
    """Register the check of `code` for documents of these `tipos`.

    The check yields the path of each place where it fails, or a `Failure`. It is given a document
    of SAT's structure and may trust it, but for the keys of catalogs.
    """

    def register(check: Check) -> Check:
        made = Rule(code, tipos, needs, frozenset(unless), check)
        REGISTERED.append(made)
        RULES.setdefault(code, made)
        return check

    return register
