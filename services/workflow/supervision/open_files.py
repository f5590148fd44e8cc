"""Questions to the read model ``permits`` about open files: counted in every way, or listed.

One grouped statement counts everything that a board shows: the database walks one index, and what
comes back are groups, not files. A list reads a page of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from services.workflow.sop import Sop, Sops, Stage
from services.workflow.views import Open, Views
from shared.database import Database, Params
from shared.errors import BadConfiguration
from shared.events import to_micros
from shared.service import Now


class Standing(StrEnum):
    """How an open file stands: its time runs, or it waits for somebody."""

    RUNNING = "running"
    NEAR = "near"
    OVERDUE = "overdue"
    APPLICANT = "applicant"
    PAYMENT = "payment"
    OUTSIDE = "outside"


WAITING = (Standing.APPLICANT, Standing.PAYMENT, Standing.OUTSIDE)


NOBODY = "-"


class StageKey(NamedTuple):
    """A stage of one procedure at one office."""

    office: str
    permit_type: str
    version: int
    stage: str


class Group(NamedTuple):
    """Open files that are alike.

    ``oldest_us`` is when the first of them came to the stage, however its time stands.
    """

    key: StageKey
    role: str
    assignee: str
    standing: Standing
    agency: str
    files: int
    oldest_us: int

    @property
    def holder(self) -> str:
        """With whom the files are: an account, or ``-`` and the role that may take them."""
        return self.assignee or NOBODY + self.role


@dataclass(frozen=True)
class Filter:
    """Which open files a list shows; an empty field (0 for ``version``) shows all.

    ``assignee`` ``-`` is nobody by name, ``-verifier`` nobody by name whose role is to be that.
    """

    office: str = ""
    permit_type: str = ""
    stage: str = ""
    assignee: str = ""
    agency: str = ""
    standing: Standing | None = None
    version: int = 0

    def takes(self, group: Group) -> bool:
        """Say whether a group's files are in the list."""
        return all(
            (
                self.office in ("", group.key.office),
                self.permit_type in ("", group.key.permit_type),
                self.stage in ("", group.key.stage),
                self.assignee in ("", group.assignee or NOBODY, group.holder),
                self.agency in ("", group.agency),
                self.standing in (None, group.standing),
                self.version in (0, group.key.version),
            )
        )


_KEYS = "procedure_office, procedure_type, procedure_version, stage"


class OpenFiles:
    """Counts and lists the open files of offices, as they stand at the moment of asking."""

    def __init__(self, database: Database, views: Views, sops: Sops, now: Now) -> None:
        """Ask ``database``, where the projection of ``permits`` writes."""
        self._database = database
        self._views = views
        self._sops = sops
        self._now = now

    async def groups(self, offices: Sequence[str]) -> list[Group]:
        """Count the open files of ``offices`` in every way at once."""
        now = to_micros(self._now())
        alike = f"{_KEYS}, role, assignee, returned, awaits_payment"
        rows = await self._database.query(
            f"SELECT {alike}, COUNT(*), SUM(CASE WHEN due_us <= ? THEN 1 ELSE 0 END), "
            "SUM(CASE WHEN warn_us <= ? THEN 1 ELSE 0 END), MIN(stage_us) "
            f"FROM permits WHERE {_of(offices)} AND working = 1 GROUP BY {alike}",
            (now, now, *offices),
        )
        return [group for row in rows for group in self._groups(*row)]

    async def page(
        self, taken: Sequence[Group], wanted: Filter, limit: int, offset: int
    ) -> list[Open]:
        """Return open files of the groups that ``wanted`` takes, the least time left first."""
        if not taken:
            return []
        where, params = self._where(taken, wanted)
        rows = await self._views.rows(
            f"{where} ORDER BY due_us, application_id LIMIT ? OFFSET ?", (*params, limit, offset)
        )
        return [self._views.read(row) for row in rows]

    def _where(self, taken: Sequence[Group], wanted: Filter) -> tuple[str, Params]:
        """Return the condition for the files of the groups that were ``taken``."""
        offices = sorted({group.key.office for group in taken})
        where, params = f"{_of(offices)} AND working = 1", offices
        narrowed: list[Any] = []
        of_stage = (wanted.permit_type, wanted.stage, wanted.agency, wanted.version)
        if any((*of_stage, wanted.standing)):
            keys = sorted({group.key for group in taken})
            marks = ", ".join("(?, ?, ?, ?)" for _ in keys)
            where += f" AND ({_KEYS}) IN (VALUES {marks})"
            narrowed = [value for key in keys for value in key]
        if wanted.assignee:
            account, role = _holder(wanted.assignee)
            where += " AND assignee = ?" + (" AND role = ?" if role else "")
            narrowed += [account, role] if role else [account]
        if wanted.standing is not None:
            condition, times = _STANDING[wanted.standing]
            where += f" AND {condition}"
            narrowed += [to_micros(self._now())] * times
        return where, (*params, *narrowed)

    def _groups(self, *row: Any) -> list[Group]:
        office, kind, version, name, role, assignee, returned, payment, *counts = row
        files, overdue, warned, oldest = map(int, counts)
        key = StageKey(office, kind, int(version), name)
        stage = self.stage(key)
        agency = stage.agency.id if stage is not None and stage.agency is not None else ""
        waits = _waits(returned, payment, stage)
        standing = (
            {waits: files}
            if waits
            else {
                Standing.RUNNING: files - warned,
                Standing.NEAR: warned - overdue,
                Standing.OVERDUE: overdue,
            }
        )
        return [
            Group(key, role, assignee, how, agency, count, oldest)
            for how, count in standing.items()
            if count
        ]

    def sop(self, key: StageKey) -> Sop | None:
        """Return the procedure of a stage; None where it is not valid: its files still count."""
        try:
            return self._sops.of(key.office, key.permit_type, key.version)
        except BadConfiguration:
            return None

    def stage(self, key: StageKey) -> Stage | None:
        """Return a stage by its key, None between two stages."""
        sop = self.sop(key)
        return sop.stage(key.stage) if sop is not None else None


_STANDING: dict[Standing, tuple[str, int]] = {
    Standing.APPLICANT: ("returned = 1", 0),
    Standing.PAYMENT: ("awaits_payment = 1 AND returned = 0", 0),
    # The stages themselves say that others work on them.
    Standing.OUTSIDE: ("awaits_payment = 0 AND returned = 0", 0),
    Standing.OVERDUE: ("due_us <= ?", 1),
    Standing.NEAR: ("warn_us <= ? AND due_us > ?", 2),
    Standing.RUNNING: ("warn_us > ? AND returned = 0 AND awaits_payment = 0", 1),
}


def _holder(wanted: str) -> tuple[str, str]:
    """Return account and role of what a filter says; nobody's account is empty."""
    if wanted.startswith(NOBODY):
        return "", wanted.removeprefix(NOBODY)
    return wanted, ""


def _waits(returned: int, payment: int, stage: Stage | None) -> Standing | None:
    if returned:
        return Standing.APPLICANT
    if payment:
        return Standing.PAYMENT
    outside = stage is not None and stage.waits_for == "outside"
    return Standing.OUTSIDE if outside else None


def _of(offices: Sequence[str]) -> str:
    return f"procedure_office IN ({', '.join('?' * len(offices))})"


def counted(groups: Iterable[Group], key: Callable[[Group], Any]) -> dict[Any, dict[Standing, int]]:
    """Add groups up: what ``key`` says -> how the files of it stand, in the order of arrival."""
    found: dict[Any, dict[Standing, int]] = {}
    for group in groups:
        counts = found.setdefault(key(group), dict.fromkeys(Standing, 0))
        counts[group.standing] += group.files
    return found
