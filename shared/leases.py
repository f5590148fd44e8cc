"""Leases: one leader among any number of processes, and a paused old leader that can do no harm.

No clock of one machine is ever compared with another's. A leader moves the row's ``beat`` again and
again; a candidate that has watched the same beat for the whole term, by its own monotonic clock,
takes over. Every new leader gets a higher token, and the checkpoint may only be written with the
token that is in the row: whoever lost the lease without noticing is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from shared.database import Database, Transaction
from shared.errors import Unavailable

SECONDS: Final = 6.0

_TABLE = """
CREATE TABLE IF NOT EXISTS leases (
    name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL, token BIGINT NOT NULL,
    beat BIGINT NOT NULL, position BIGINT NOT NULL
)
"""


class LeaseLost(Unavailable):
    """Somebody else leads now. What was done since is theirs to do again."""

    code = "lease-lost"
    text = "The lease {name} belongs to somebody else now."


@dataclass(frozen=True, slots=True)
class Term:
    """One time of leadership: its fencing token and the checkpoint that was found."""

    token: int
    position: int


class Lease(Protocol):
    """The right to be the only one, with a checkpoint that only its holder can move."""

    @property
    def renew_every(self) -> float:
        """How often to renew, in seconds, so that a try or two may fail."""
        ...

    async def acquire(self) -> Term | None:
        """Try once to lead; None while somebody else does. Ask again soon. Raises Unavailable."""
        ...

    async def renew(self) -> None:
        """Keep leading for another while. Raises LeaseLost, Unavailable."""
        ...

    def check(self) -> None:
        """Raise LeaseLost when the term may be over by now. Asks nobody."""
        ...

    async def save(self, position: int) -> None:
        """Make the checkpoint durable. Raises LeaseLost when it is not ours to write."""
        ...

    async def release(self) -> None:
        """Let the next one lead at once; does nothing when we don't."""
        ...


class _Row(NamedTuple):
    holder: str
    token: int
    beat: int
    position: int


class TableLease:
    """A ``Lease`` in a row of ``database``. ``holder`` must be unique to this candidate."""

    def __init__(
        self,
        database: Database,
        name: str,
        holder: str,
        *,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Compete for ``name``; a silent leader is replaced after ``seconds`` of ``clock``."""
        self._database = database
        self._name = name
        self._holder = holder
        self._seconds = seconds
        self._clock = clock
        self._made = False
        self._token = 0
        self._until = float("-inf")
        self._watched: tuple[tuple[int, int], float] | None = None

    @property
    def renew_every(self) -> float:
        """See ``Lease.renew_every``."""
        return self._seconds / 3

    async def acquire(self) -> Term | None:
        """See ``Lease.acquire``."""
        began = self._clock()
        row = await self._read()
        if row.holder not in ("", self._holder) and not self._silent(row, began):
            return None
        taken = await self._database.transaction(lambda tx: self._take(tx, row))
        if not taken:
            return None
        self._token, self._until = row.token + 1, began + self._seconds
        return Term(self._token, row.position)

    async def renew(self) -> None:
        """See ``Lease.renew``."""
        began = self._clock()
        await self._write("beat = beat + 1")
        self._until = max(self._until, began + self._seconds)

    def check(self) -> None:
        """See ``Lease.check``."""
        if self._clock() >= self._until:
            raise LeaseLost(name=self._name)

    async def save(self, position: int) -> None:
        """See ``Lease.save``; counts as a renewal, too."""
        began = self._clock()
        await self._write("beat = beat + 1, position = ?", position)
        self._until = max(self._until, began + self._seconds)

    async def release(self) -> None:
        """See ``Lease.release``."""
        self._until = float("-inf")
        await self._database.transaction(
            lambda tx: tx.execute(
                "UPDATE leases SET holder = '' WHERE name = ? AND token = ?",
                (self._name, self._token),
            )
        )

    def _silent(self, row: _Row, now: float) -> bool:
        """Whether the leader's beat has stood still for a whole term while we watched."""
        seen = (row.token, row.beat)
        if self._watched is None or self._watched[0] != seen:
            self._watched = (seen, now)
        return now - self._watched[1] >= self._seconds

    async def _read(self) -> _Row:
        sql = "SELECT holder, token, beat, position FROM leases WHERE name = ?"
        if not self._made:
            await self._database.transaction(self._make)
            self._made = True
        return _Row(*(await self._database.query(sql, (self._name,)))[0])

    def _make(self, tx: Transaction) -> None:
        tx.execute(_TABLE)
        tx.execute(
            "INSERT INTO leases (name, holder, token, beat, position) VALUES (?, '', 0, 0, 0) "
            "ON CONFLICT (name) DO NOTHING",
            (self._name,),
        )

    def _take(self, tx: Transaction, row: _Row) -> bool:
        """Take the lease unless the row has changed since it was read."""
        taken = tx.execute(
            "UPDATE leases SET holder = ?, token = token + 1, beat = 0 "
            "WHERE name = ? AND token = ? AND beat = ? AND holder = ? AND position = ? "
            "RETURNING token",
            (self._holder, self._name, row.token, row.beat, row.holder, row.position),
        )
        return bool(taken)

    async def _write(self, change: str, *values: int) -> None:
        sql = f"UPDATE leases SET {change} WHERE name = ? AND token = ? RETURNING token"
        params = (*values, self._name, self._token)
        if not await self._database.transaction(lambda tx: tx.execute(sql, params)):
            self._until = float("-inf")
            raise LeaseLost(name=self._name)
