"""Questions to the read model ``permits``: lists, counts, and which application a number is.

It holds no personal data: a page that shows some folds the application's own streams.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from services.workflow import clock
from services.workflow.clock import ClockReading
from services.workflow.nudges import Due
from services.workflow.rows import COLUMNS, Row
from services.workflow.sop import Sop, Sops, Stage
from services.workflow.takers import decree_key
from shared.actors import Actor, Role
from shared.calendar import Calendars, WorkCalendar
from shared.database import Database, Params
from shared.errors import BadConfiguration
from shared.events import from_micros, to_micros
from shared.service import Now

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM permits"
_OPEN = "procedure_office = ? AND working = 1"
# A row that another process writes is looked for ever more slowly, between these two.
_FIRST_POLL_SECONDS, _POLL_SECONDS = 0.005, 0.2


class Found(NamedTuple):
    """Which application a registration number is; ``code_hash`` is empty where there is no code."""

    application_id: str
    office: str
    code_hash: str


class Open(NamedTuple):
    """A row with its procedure and its clock as they are now (None: no valid procedure)."""

    row: Row
    sop: Sop | None
    reading: ClockReading | None


class Counts(NamedTuple):
    """An office's open files: all, running close to their limit, beyond it, and waiting."""

    open: int
    near: int
    overdue: int
    waiting: int


class Views:
    """Reads ``permits``; the clock is read at the moment of asking."""

    def __init__(self, database: Database, sops: Sops, calendars: Calendars, now: Now) -> None:
        """Ask ``database``, where the projection writes."""
        self._database = database
        self._sops = sops
        self._calendars = calendars
        self._now = now
        self._progress = asyncio.Event()

    def progressed(self) -> None:
        """Hear that rows were committed: whoever waits for one looks again."""
        self._progress.set()
        self._progress = asyncio.Event()

    async def find(self, number: str) -> Found | None:
        """Return the application with a registration number."""
        rows = await self._database.query(
            "SELECT application_id, office, procedure_office, code_hash FROM permits "
            "WHERE number = ? OR permit_number = ? LIMIT 1",
            (number, number),
        )
        if not rows:
            return None
        application_id, office, procedure_office, code_hash = rows[0]
        return Found(application_id, office or procedure_office, code_hash)

    async def decided(self, number: str, limit: int) -> list[str]:
        """Return the applications that a registration number or a decree's number names.

        Offices number their decrees themselves, so one number may name several.
        """
        key = decree_key(number)
        rows = await self._database.query(
            "SELECT application_id FROM permits WHERE number = ? OR permit_number = ? "
            "OR (decree = ? AND decree <> '') ORDER BY application_id LIMIT ?",
            (key, key, key, limit),
        )
        return [str(row[0]) for row in rows]

    async def row(self, application_id: str) -> Row | None:
        """Return one application's row."""
        rows = await self.rows("application_id = ?", (application_id,))
        return rows[0] if rows else None

    async def queue(self, by: Actor, limit: int, offset: int = 0) -> list[Open]:
        """Return what an officer may work on, the least time left first.

        That is what their roles (and their agency) work on, unless it was given to a colleague
        whom they don't stand in for.
        """
        where, params = await self._work_of(by)
        return await self._open(where, params, limit, offset)

    async def queued(self, by: Actor) -> int:
        """Return how many files ``queue`` has in all."""
        return await self._count(*await self._work_of(by))

    async def _work_of(self, by: Actor) -> tuple[str, Params]:
        roles, names = sorted(map(str, by.roles)), ["", by.name, *sorted(by.stands_in)]
        where = f"{_OPEN} AND role IN ({_marks(roles)}) AND assignee IN ({_marks(names)})"
        params: list[str | int] = [by.office, *roles, *names]
        if Role.AGENCY in by.roles:
            stages = await self._stages_of(by)
            own = "".join(
                " OR (procedure_type = ? AND procedure_version = ? AND stage = ?)" for _ in stages
            )
            where += f" AND (role <> ?{own})"
            params += [str(Role.AGENCY), *(part for stage in stages for part in stage)]
        return where, tuple(params)

    async def _stages_of(self, by: Actor) -> list[tuple[str, int, str]]:
        """Return the stages with open files in which an agency recommends."""
        found = []
        for office, kind, version, name in await self.by_stage(by.office):
            stage = self._stage(office, kind, version, name)
            if stage is not None and stage.agency is not None and stage.agency.id == by.agency:
                found.append((kind, version, name))
        return found

    def _stage(self, office: str, kind: str, version: int, name: str) -> Stage | None:
        try:
            return self._sops.of(office, kind, version).stage(name)
        except BadConfiguration:
            return None

    async def counts(self, office: str) -> Counts:
        """Count an office's open files by how their time stands now."""
        now = to_micros(self._now())
        rows = await self._database.query(
            "SELECT COUNT(*), "
            "COALESCE(SUM(CASE WHEN warn_us <= ? AND due_us > ? THEN 1 ELSE 0 END), 0), "
            "COALESCE(SUM(CASE WHEN due_us <= ? THEN 1 ELSE 0 END), 0), "
            "COALESCE(SUM(CASE WHEN returned = 1 OR awaits_payment = 1 THEN 1 ELSE 0 END), 0) "
            f"FROM permits WHERE {_OPEN}",
            (now, now, now, office),
        )
        return Counts(*map(int, rows[0]))

    async def by_stage(self, office: str) -> dict[tuple[str, str, int, str], int]:
        """Count an office's open files per procedure and stage."""
        rows = await self._database.query(
            "SELECT procedure_office, procedure_type, procedure_version, stage, COUNT(*) "
            f"FROM permits WHERE {_OPEN} "
            "GROUP BY procedure_office, procedure_type, procedure_version, stage",
            (office,),
        )
        return {(of, kind, version, stage): int(n) for of, kind, version, stage, n in rows}

    async def by_status(self, office: str) -> dict[str, int]:
        """Count all of an office's applications per status."""
        rows = await self._database.query(
            "SELECT status, COUNT(*) FROM permits WHERE office = ? OR procedure_office = ? "
            "GROUP BY status",
            (office, office),
        )
        return {status: int(n) for status, n in rows}

    async def any_due(self, now_us: int) -> bool:
        """Say whether a timer is due by ``now_us``: one probe of the index."""
        found = await self._database.peek(
            "SELECT 1 FROM permits WHERE timer_us <= ? LIMIT 1", (now_us,)
        )
        return bool(found)

    async def due(self, now_us: int, after: tuple[int, str], limit: int) -> list[Due]:
        """Return permits whose timer is due by ``now_us``, beyond ``after`` (timer, id)."""
        rows = await self._database.query(
            "SELECT timer_us, application_id, stage, procedure_office, procedure_type, "
            "procedure_version, stream_version, clock, alarms FROM permits "
            "WHERE timer_us <= ? AND (timer_us, application_id) > (?, ?) "
            "ORDER BY timer_us, application_id LIMIT ?",
            (now_us, *after, limit),
        )
        return [Due(row[0], row[1], row[2], row[3:6], *row[6:]) for row in rows]

    async def wait_for(self, application_id: str, position: int, seconds: float = 2.0) -> bool:
        """Wait until the row has reached ``position``; False when it did not in time.

        So that who acted finds the effect in the lists. The row itself is looked at, because
        another process may be the one that folds it.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        pause = _FIRST_POLL_SECONDS
        while True:
            # Taken before looking, so that no commit falls in between.
            progress = self._progress
            rows = await self._database.query(
                "SELECT permit_position FROM permits WHERE application_id = ?", (application_id,)
            )
            if rows and rows[0][0] >= position:
                return True
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            try:
                async with asyncio.timeout(min(left, pause)):
                    await progress.wait()
            except TimeoutError:
                pause = min(pause * 2, _POLL_SECONDS)

    async def _open(self, where: str, params: Params, limit: int, offset: int) -> list[Open]:
        rows = await self.rows(
            f"{where} ORDER BY due_us, application_id LIMIT ? OFFSET ?", (*params, limit, offset)
        )
        return [self.read(row) for row in rows]

    def read(self, row: Row) -> Open:
        """Read one row's clock now."""
        try:
            sop = self._sops.of(*row.procedure_key)
            calendar: WorkCalendar = self._calendars.of(row.procedure_office)
        except BadConfiguration:
            return Open(row, None, None)
        state = clock.load(row.clock)
        # Facts of another machine may be a moment ahead of this one's clock.
        at = max(to_micros(self._now()), state.since, state.stopped)
        return Open(row, sop, clock.evaluate(state, calendar, sop, from_micros(at)))

    async def rows(self, where: str, params: Params) -> list[Row]:
        """Return the rows that a condition (and order) of SQL picks."""
        return [
            Row(*values)
            for values in await self._database.query(f"{_SELECT} WHERE {where}", params)
        ]

    async def _count(self, where: str, params: Params) -> int:
        rows = await self._database.query(f"SELECT COUNT(*) FROM permits WHERE {where}", params)
        return int(rows[0][0])


def _marks(values: Sequence[object]) -> str:
    """Return as many placeholders as there are values."""
    return ", ".join("?" * len(values))
