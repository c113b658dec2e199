"""How a step says that it is not yet time for it."""

from __future__ import annotations

from datetime import datetime


class RunLater(Exception):
    """Run this step again at `due_at`; it did not fail. `reason` is for logs: no personal data."""

    def __init__(self, due_at: datetime, reason: str = "") -> None:
        super().__init__(reason)
        self.due_at = due_at
        self.reason = reason
