"""What the hub itself puts into the merchant's queue, beside what buyers ask for."""

from __future__ import annotations

from typing import Final

from hub.steps.ingest import CHANGED

#: SAT or the receiver said no, or SAT lost the request: the invoice is in force.
CANCEL_FAILED: Final = "cancel_failed"
#: Days have passed and nobody has answered.
CANCEL_SLOW: Final = "cancel_slow"
NOTICES: Final = frozenset({CHANGED, CANCEL_FAILED, CANCEL_SLOW})
