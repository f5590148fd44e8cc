"""Questions to the ``history_..`` tables: how fast, how many, how well, and what comes next.

Percentiles are nearest-rank and picked by the database (window functions); what comes back is a
few rows per step or officer, however many turns there were.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from services.workflow.supervision.forecast import SAMPLE, Sample
from shared.database import Database


class Pace(NamedTuple):
    """How turns went. ``median_us`` and ``ninetieth_us`` are working microseconds, or None.

    ``turns`` ended; ``measured`` of them have a known working time. ``on_time`` of the
    ``budgeted`` turns kept their budget.
    """

    turns: int
    measured: int
    median_us: int | None
    ninetieth_us: int | None
    budgeted: int
    on_time: int


class StalledFile(NamedTuple):
    """A stall with the question, the answer and who was told. Instants in microseconds UTC."""

    stall_id: str
    number: str
    office: str
    permit_type: str
    version: int
    stage: str
    asked: str
    asked_us: int
    answer_by_us: int
    explanation: str
    promised: str
    explained_us: int
    explained_by: str
    supervisor_us: int
    head_us: int
    ended_us: int


_STALLED = ", ".join(StalledFile._fields)
STALL_STATES = {
    "asked": "ended_us = 0 AND explained_us = 0 AND supervisor_us = 0 AND head_us = 0",
    "explained": "ended_us = 0 AND explained_us > 0",
    "escalated": "ended_us = 0 AND explained_us = 0 AND (supervisor_us > 0 OR head_us > 0)",
    "ended": "ended_us > 0",
}
"""What a stall can be -> its condition. Exactly one of them holds for every stall."""


class Figures:
    """Reads the history of offices."""

    def __init__(self, database: Database) -> None:
        """Ask ``database``, where the projection of the history writes."""
        self._database = database

    async def pace(
        self,
        by: Sequence[str],
        offices: Sequence[str],
        *,
        first: str = "",
        last: str = "",
        officer: str = "",
        since_us: int = 0,
    ) -> dict[tuple[Any, ...], Pace]:
        """Return how turns went per ``by`` (columns of ``history_turns``).

        ``first`` and ``last`` are months (``2026-03``, both included) of the office's own zone;
        ``officer`` an actor; ``since_us`` leaves out turns that ended before. Empty: all.
        """
        where, params = _conditions(offices, first, last, officer, since_us)
        group = ", ".join(by)
        rows = await self._database.query(
            f"SELECT {group}, MAX(all_turns), COUNT(used_us), "
            "MIN(CASE WHEN place * 2 >= measured THEN used_us END), "
            "MIN(CASE WHEN place * 10 >= measured * 9 THEN used_us END), "
            "COUNT(CASE WHEN used_us IS NOT NULL THEN budget_us END), "
            "SUM(CASE WHEN used_us <= budget_us THEN 1 ELSE 0 END) FROM ("
            f"SELECT {group}, used_us, budget_us, "
            f"COUNT(*) OVER (PARTITION BY {group}) AS all_turns, "
            f"COUNT(used_us) OVER (PARTITION BY {group}) AS measured, "
            f"ROW_NUMBER() OVER (PARTITION BY {group}, CASE WHEN used_us IS NULL THEN 1 ELSE 0 END "
            f"ORDER BY used_us) AS place FROM history_turns WHERE {where}"
            f") AS placed GROUP BY {group} ORDER BY {group}",
            params,
        )
        return {tuple(row[: len(by)]): _pace(*row[len(by) :]) for row in rows}

    async def months(self, offices: Sequence[str]) -> list[str]:
        """Return the months in which turns ended, the latest first."""
        rows = await self._database.query(
            f"SELECT DISTINCT month FROM history_turns WHERE {_of(offices)} ORDER BY month DESC",
            tuple(offices),
        )
        return [month for (month,) in rows]

    async def days(
        self, offices: Sequence[str], first: date, last: date
    ) -> dict[date, dict[str, int]]:
        """Return how many applications came in per local day and channel; quiet days are absent."""
        rows = await self._database.query(
            f"SELECT day, channel, SUM(count) FROM history_days WHERE {_of(offices)} "
            "AND day >= ? AND day <= ? GROUP BY day, channel ORDER BY day, channel",
            (*offices, first.isoformat(), last.isoformat()),
        )
        found: dict[date, dict[str, int]] = {}
        for day, channel, count in rows:
            found.setdefault(date.fromisoformat(day), {})[channel] = int(count)
        return found

    async def last_day(self, offices: Sequence[str]) -> date | None:
        """Return the last day on which anything came in."""
        rows = await self._database.query(
            f"SELECT MAX(day) FROM history_days WHERE {_of(offices)}", tuple(offices)
        )
        return date.fromisoformat(rows[0][0]) if rows[0][0] else None

    async def decided(self, offices: Sequence[str], since_us: int) -> int:
        """Count the files that were decided at or after an instant (microseconds UTC)."""
        rows = await self._database.query(
            f"SELECT COUNT(*) FROM history_outcomes WHERE {_of(offices)} AND ordinal = 0 "
            "AND finished_us >= ?",
            (*offices, since_us),
        )
        return int(rows[0][0])

    async def stalls(
        self, offices: Sequence[str], state: str, limit: int, offset: int = 0
    ) -> list[StalledFile]:
        """Return stalls in one of ``STALL_STATES`` (empty: all that are not over)."""
        condition = STALL_STATES.get(state, "ended_us = 0")
        rows = await self._database.query(
            f"SELECT {_STALLED} FROM history_stalls WHERE {_of(offices)} AND {condition} "
            "ORDER BY asked_us, stall_id LIMIT ? OFFSET ?",
            (*offices, limit, offset),
        )
        return [StalledFile(*row) for row in rows]

    async def stall_counts(self, offices: Sequence[str]) -> dict[str, int]:
        """Count stalls by state."""
        sums = ", ".join(
            f"COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0)"
            for condition in STALL_STATES.values()
        )
        rows = await self._database.query(
            f"SELECT {sums} FROM history_stalls WHERE {_of(offices)}", tuple(offices)
        )
        return dict(zip(STALL_STATES, map(int, rows[0]), strict=True))

    async def samples(
        self, office: str, permit_type: str, place: str, at_least: int
    ) -> list[Sample]:
        """Return the latest finished files that stood at a place at least so long, first to last.

        ``at_least`` is working microseconds; at most ``SAMPLE`` are returned.
        """
        rows = await self._database.query(
            "SELECT finished_us, entered_us, left_us, spent_us FROM history_outcomes "
            "WHERE office = ? AND permit_type = ? AND place = ? AND spent_us >= ? "
            "ORDER BY finished_us DESC LIMIT ?",
            (office, permit_type, place, at_least, SAMPLE),
        )
        return [Sample(*map(int, row)) for row in reversed(rows)]


def _conditions(
    offices: Sequence[str], first: str, last: str, officer: str, since_us: int
) -> tuple[str, list[Any]]:
    where, params = [_of(offices)], list[Any](offices)
    for condition, value in (
        ("month >= ?", first),
        ("month <= ?", last),
        ("officer = ?", officer),
        ("ended_us >= ?", since_us),
    ):
        if value:
            where.append(condition)
            params.append(value)
    return " AND ".join(where), params


def _pace(
    turns: int,
    measured: int,
    median: int | None,
    ninetieth: int | None,
    budgeted: int,
    on_time: int,
) -> Pace:
    return Pace(
        int(turns),
        int(measured),
        None if median is None else int(median),
        None if ninetieth is None else int(ninetieth),
        int(budgeted),
        int(on_time or 0),
    )


def _of(offices: Sequence[str]) -> str:
    return f"office IN ({', '.join('?' * len(offices))})"
