"""What came of the calls on each channel, by the minute: counted in memory, written now and then.

For people who watch, not for bills: a process that is killed loses what it did not write yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from services.notify.channels import Failed, Later, Result, Sent, Unknown
from shared.database import Database, Transaction
from shared.events import from_micros, to_micros

TABLE = """
CREATE TABLE IF NOT EXISTS channel_counts (
    channel TEXT NOT NULL, minute_us BIGINT NOT NULL, outcome TEXT NOT NULL, calls BIGINT NOT NULL,
    PRIMARY KEY (channel, minute_us, outcome)
)
"""
KEPT: Final = timedelta(days=7)
_WRITE_EVERY: Final = timedelta(seconds=2)
_MINUTE: Final = 60_000_000
_OUTCOMES: Final = {Sent: "sent", Failed: "failed", Later: "later", Unknown: "unknown"}


class LastHour(NamedTuple):
    """Calls within the last hour by outcome, and the minute of the last that was taken."""

    sent: int = 0
    failed: int = 0
    later: int = 0
    unknown: int = 0
    last_sent: datetime | None = None


class Counts:
    """The calls of one process, on their way into the shared table."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        """Write into ``database``; ``now`` is the wall clock."""
        self._database = database
        self._now = now
        self._fresh: Counter[tuple[str, int, str]] = Counter()
        self._ready = False
        self._written = now()

    def count(self, channel: str, result: Result) -> None:
        """Count one call."""
        minute = to_micros(self._now()) // _MINUTE * _MINUTE
        self._fresh[channel, minute, _OUTCOMES[type(result)]] += 1

    async def write(self, *, at_once: bool = False) -> bool:
        """Write what is new, when it is time; say whether anything was. Raises Unavailable."""
        now = self._now()
        waited = abs(now - self._written) >= _WRITE_EVERY
        if not self._fresh or not (waited or at_once):
            return False
        fresh, self._fresh, self._written = self._fresh, Counter(), now
        oldest = to_micros(now - KEPT)

        def work(tx: Transaction) -> None:
            tx.execute("DELETE FROM channel_counts WHERE minute_us < ?", (oldest,))
            for (channel, minute, outcome), calls in fresh.items():
                tx.execute(
                    "INSERT INTO channel_counts (channel, minute_us, outcome, calls) "
                    "VALUES (?, ?, ?, ?) ON CONFLICT (channel, minute_us, outcome) DO UPDATE SET "
                    "calls = channel_counts.calls + excluded.calls",
                    (channel, minute, outcome, calls),
                )

        try:
            await self._prepare()
            await self._database.transaction(work)
        except BaseException:
            self._fresh.update(fresh)
            raise
        return True

    async def last_hour(self, channels: Sequence[str]) -> dict[str, LastHour]:
        """Return channel -> its last hour, for all of ``channels``."""
        await self._prepare()
        since = to_micros(self._now() - timedelta(hours=1))
        found: dict[str, dict[str, int]] = {channel: {} for channel in channels}
        for channel, outcome, calls in await self._database.query(
            "SELECT channel, outcome, SUM(calls) FROM channel_counts WHERE minute_us > ? "
            "GROUP BY channel, outcome",
            (since,),
        ):
            found.setdefault(channel, {})[outcome] = int(calls)
        last = await self._database.query(
            "SELECT channel, MAX(minute_us) FROM channel_counts WHERE outcome = 'sent' "
            "GROUP BY channel"
        )
        ends = {channel: from_micros(minute) for channel, minute in last}
        return {
            channel: LastHour(**calls, last_sent=ends.get(channel))
            for channel, calls in found.items()
        }

    async def _prepare(self) -> None:
        if not self._ready:
            await self._database.transaction(lambda tx: tx.execute(TABLE))
            self._ready = True
