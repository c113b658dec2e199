"""Credentials that are in no database: of a shop that is just being connected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Held:
    """The contract's `Credentials`, in memory and for one thread."""

    keys: Mapping[str, str] = field(repr=False)

    def current(self) -> Mapping[str, str]:
        return self.keys

    def rotate(self, expected: Mapping[str, str], new: Mapping[str, str]) -> bool:
        if dict(expected) != dict(self.keys):
            return False
        self.keys = new
        return True

    @contextmanager
    def alone(self, seconds: float) -> Iterator[bool]:  # noqa: ARG002 - the contract's
        """Nobody else knows of these keys."""
        yield True
