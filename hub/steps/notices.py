"""What the hub itself puts into the merchant's queue, beside what buyers ask for."""

from __future__ import annotations

from typing import Final

from hub.domain.asks import AskKind
from hub.steps.belong import TWICE
from hub.steps.mailing import LETTER_BOUNCED
from hub.steps.refund import CHANGED, NOTE_LEFT, STAMPED_BESIDE

#: SAT or the receiver said no, or SAT lost the request: the invoice is in force.
CANCEL_FAILED: Final = "cancel_failed"
#: Days have passed and nobody has answered.
CANCEL_SLOW: Final = "cancel_slow"
#: A customer asked, by way of the platform, what is kept of him.
PRIVACY_ACCESS: Final = "privacy_access"
NOTICES: Final = frozenset(
    {
        CHANGED,
        TWICE,
        NOTE_LEFT,
        STAMPED_BESIDE,
        CANCEL_FAILED,
        CANCEL_SLOW,
        PRIVACY_ACCESS,
        LETTER_BOUNCED,
    }
)
#: What the page of a purchase does not show as asked by its buyer.
NOT_THE_BUYERS: Final = NOTICES | {AskKind.DISPUTED}
