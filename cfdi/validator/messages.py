"""What a finding says: the words of the form for the buyer, of the panel for the merchant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from cfdi.explanations import DOCUMENT, FORM, ISSUER
from cfdi.findings import Finding, FixableBy
from cfdi.validator.messages_cfdi import MESSAGES as OF_CFDI
from cfdi.validator.messages_pagos import MESSAGES as OF_PAGOS
from cfdi.validator.messages_timbre import MESSAGES as OF_TIMBRE
from cfdi.validator.rule import Failure

#: Spanish, English, who can mend it; by code as SAT prints it.
Message = tuple[str, str, FixableBy]

MESSAGES: Final[Mapping[str, Message]] = {
    **{code: (es, en, FixableBy.DEVELOPER) for code, (_, es, en) in DOCUMENT.items()},
    **{code: (es, en, FixableBy.MERCHANT) for code, (_, es, en) in ISSUER.items()},
    **{code: (es, en, FixableBy.BUYER) for code, (_, es, en) in FORM.items()},
    **OF_CFDI,
    **OF_PAGOS,
    **OF_TIMBRE,
}
_UNKNOWN: Final = (
    "El documento no cumple una regla del SAT.",
    "The document breaks a rule of SAT's.",
    FixableBy.DEVELOPER,
)


def finding(failure: Failure) -> Finding:
    es, en, fixable_by = MESSAGES.get(failure.code) or MESSAGES.get(
        _as_explained(failure.code), _UNKNOWN
    )
    return Finding(
        failure.code,
        failure.path,
        f"{es} {failure.es}".strip(),
        f"{en} {failure.en}".strip(),
        fixable_by,
    )


def _as_explained(code: str) -> str:
    """SAT prints CFDI140223 to CFDI140228 for 40223 to 40228."""
    return re.sub(r"^CFDI1(402\d\d)$", r"CFDI\1", code)
