"""Writes of several threads in one transaction: they wait for the disk once, all together.

The threads that come while one is committing queue up; the next to get its turn writes for all of
them. Nobody goes on before what was asked is on disk, so no promise is weaker than with a
transaction each. PostgreSQL does the same by itself (`commit_delay` and its WAL writer).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from hub.store.transaction import Transaction

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Asked:
    work: Callable[[Transaction], Any]
    result: Any = None
    error: Exception | None = None
    ended: bool = False


class Together:
    def __init__(self, transaction: Callable[[], AbstractContextManager[Transaction]]) -> None:
        self._transaction = transaction
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._waiting: list[_Asked] = []

    def run(self, work: Callable[[Transaction], T]) -> T:
        """What `work` returns, once it is committed; what it raises, with nothing of it kept.

        It may run on another thread and twice, so it does nothing but speak to the database.
        """
        mine = _Asked(work)
        with self._guard:
            self._waiting.append(mine)
        with self._turn:
            if not mine.ended:
                self._write(self._take(mine))
        if mine.error is not None:
            raise mine.error
        result: T = mine.result
        return result

    def _take(self, mine: _Asked) -> list[_Asked]:
        """Everybody who waits; `mine` too, should its writer have ended without an answer."""
        with self._guard:
            taken = [mine, *(one for one in self._waiting if one is not mine)]
            self._waiting = []
        return taken

    def _write(self, taken: list[_Asked]) -> None:
        try:
            with self._transaction() as tx:
                results = [one.work(tx) for one in taken]
        except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
            self._failed(taken, error)
            return
        for one, result in zip(taken, results, strict=True):
            one.result, one.ended = result, True

    def _failed(self, taken: list[_Asked], error: Exception) -> None:
        """Nothing was kept. Each by itself, so that one's failure is nobody else's."""
        if len(taken) == 1:
            taken[0].error, taken[0].ended = error, True
            return
        for one in taken:
            self._write([one])
