"""What a merchant decided about a connection, where Stripe leaves a question open."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

INCLUDE_16: Final = "include_16"
OBJETO_01: Final = "objeto_01"
_FORMA_PAGO: Final = re.compile(r"\d\d")


@dataclass(frozen=True, slots=True)
class Choices:
    """README.md, "Settings", says what each means. A word that is not known is not heeded."""

    untaxed: str = ""
    #: c_FormaPago of what a customer's balance paid; "": a person looks at it.
    balance: str = ""
    on_credit: bool = False
    settlement: bool = False
    #: c_FormaPago by Stripe's word for the method.
    formas_pago: Mapping[str, str] = field(default_factory=dict)
    #: The mode of the connection's key; None if nobody knows.
    livemode: bool | None = None
    #: The connection's own account, acct_…; "" if nobody knows.
    account: str = ""


def choices_of(settings: Mapping[str, Any], account: str = "") -> Choices:
    untaxed = str(settings.get("untaxed_lines") or "")
    balance = str(settings.get("customer_balance") or "")
    formas = settings.get("forma_pago") or {}
    livemode = settings.get("livemode")
    return Choices(
        untaxed=untaxed if untaxed in {INCLUDE_16, OBJETO_01} else "",
        balance=balance if _FORMA_PAGO.fullmatch(balance) else "",
        on_credit=settings.get("ppd") is True,
        settlement=settings.get("currency") == "settlement",
        formas_pago={
            str(method): str(forma)
            for method, forma in (formas.items() if isinstance(formas, Mapping) else ())
            if _FORMA_PAGO.fullmatch(str(forma))
        },
        livemode=livemode if isinstance(livemode, bool) else None,
        account=account if account.startswith("acct_") else "",
    )
