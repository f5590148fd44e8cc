"""Shares one transaction among the calls that come at the same moment.

A bank's calls each need a row or two. A commit for each would be the slowest part of an answer, so
whoever comes while one transaction runs waits for the next, with everybody else who came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from services.payment.banks.tables import Tables
from shared.database import Transaction

T = TypeVar("T")
Work = Callable[[Transaction], Any]

# How many share a transaction, so that none waits for a crowd.
AT_MOST: Final = 64


class Together:
    """Runs pieces of work on ``database``, several to a transaction."""

    def __init__(self, database: Tables) -> None:
        """Every piece must be able to run again: a group that fails is run one by one."""
        self._database = database
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """Return what ``work`` returns, once it is committed. Raises what it raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._waiting.append((work, answer))
        if self._task is None:
            self._task = loop.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:AT_MOST], self._waiting[AT_MOST:]
                await self._commit(group)
        finally:
            self._task = None

    async def _commit(self, group: list[tuple[Work, asyncio.Future[Any]]]) -> None:
        try:
            results = await self._database.transaction(lambda tx: [work(tx) for work, _ in group])
        except Exception as error:  # noqa: BLE001 - whoever is waiting must hear of it
            if len(group) == 1:
                _answer(group[0][1], error=error)
                return
            # One of them is to blame, or met another process halfway: each on its own.
            for one in group:
                await self._commit([one])
            return
        for (_, answer), result in zip(group, results, strict=True):
            _answer(answer, result)


def _answer(
    future: asyncio.Future[Any], result: Any = None, error: Exception | None = None
) -> None:
    if future.done():
        # The caller went away.
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
