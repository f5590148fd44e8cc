"""``/papan/sumbatan``: per permit type the steps in order, and where work piles up.

A step piles up when its open files, at the pace of the last four weeks, would take longer than the
step's budget (Little's law: time in a step = files in it / files through it). With fewer than
``FEW`` files it is not said: chance alone would do that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from services.workflow.sop import Sop, Stage
from services.workflow.supervision import charts
from services.workflow.supervision.figures import Pace
from services.workflow.supervision.list_page import Word
from services.workflow.supervision.open_files import (
    WAITING,
    Filter,
    Group,
    StageKey,
    Standing,
    counted,
)
from services.workflow.supervision.watch import Leader, Tell, Watch, list_link
from shared.calendar import MINUTE_US
from shared.errors import BadConfiguration
from shared.events import to_micros
from shared.web.forms import Form
from shared.web.pages import language

WINDOW = timedelta(days=28)
FEW = 3
_BY = ("office", "permit_type", "version", "stage")


@dataclass(frozen=True)
class Step:
    """One step of a procedure with what stands in it and what went through it lately."""

    key: StageKey
    stage: Stage
    files: int
    late: int
    waiting: int
    oldest_us: int
    pace: Pace | None

    def piles_up(self, window_us: int) -> bool:
        """Say whether its open files need more than the budget at the pace of the window.

        ``window_us`` is the working time of the window.
        """
        budget, held = self.stage.budget, self.files - self.waiting
        if budget is None or held < FEW:
            return False
        through = self.pace.turns if self.pace is not None else 0
        return held * window_us > budget * MINUTE_US * through


def flow_pages(watch: Watch) -> APIRouter:
    """Return ``/papan/sumbatan``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/papan/sumbatan")
    async def show(request: Request, account: Leader, kantor: Word = "") -> Response:
        offices = watch.scope(account, kantor)
        tell = watch.tell(account.office, language(request))
        now = watch.counter.desk.now()
        since = to_micros(now - WINDOW)
        groups = await watch.files.groups(offices)
        paces = await watch.figures.pace(_BY, offices, since_us=since)
        maps = [
            _map(key, steps, tell, since, to_micros(now))
            for key, steps in steps_of(watch, groups, paces).items()
        ]
        # Where something is wrong comes first: that one is shown open.
        maps.sort(key=lambda map: (not map["piling"], -map["late"], -map["files"]))
        return watch.page(
            request,
            account,
            "flow",
            form=Form({"kantor": kantor}),
            places=[(office, tell.office(office)) for office in watch.scope(account)],
            maps=maps,
        )

    return router


def steps_of(
    watch: Watch, groups: Sequence[Group], paces: Mapping[tuple[Any, ...], Pace]
) -> dict[tuple[str, str, int], list[Step]]:
    """Return the steps of every procedure that has open files, in order."""
    counts, nothing = counted(groups, lambda group: group.key), dict.fromkeys(Standing, 0)
    oldest: dict[StageKey, int] = {}
    for group in groups:
        oldest[group.key] = min(oldest.get(group.key, group.oldest_us), group.oldest_us)
    found: dict[tuple[str, str, int], list[Step]] = {}
    for procedure in sorted({(key.office, key.permit_type, key.version) for key in counts}):
        sop = _sop(watch, procedure)
        if sop is None:
            continue
        found[procedure] = [
            Step(
                key,
                stage,
                sum(held.values()),
                held[Standing.OVERDUE],
                sum(held[one] for one in WAITING),
                oldest.get(key, 0),
                paces.get(tuple(key)),
            )
            for stage in sop.stages
            for key in (StageKey(*procedure, stage.id),)
            for held in (counts.get(key, nothing),)
        ]
    return found


def _sop(watch: Watch, procedure: tuple[str, str, int]) -> Sop | None:
    return watch.files.sop(StageKey(*procedure, ""))


def _map(
    procedure: tuple[str, str, int], steps: Sequence[Step], tell: Tell, since: int, now: int
) -> dict[str, Any]:
    office, kind, version = procedure
    try:
        window = tell.watch.calendars.of(office).micros_between(since, now)
    except BadConfiguration:
        window = 0
    sop = _sop(tell.watch, procedure)
    return {
        "id": f"{office}-{kind}-{version}",
        "permit": tell.permit(sop, kind),
        "version": version,
        "place": tell.office(office),
        "files": sum(step.files for step in steps),
        "late": sum(step.late for step in steps),
        "chart": charts.rows([(step.late, step.files - step.late) for step in steps]),
        "steps": [_line(step, tell, window, now) for step in steps],
        "piling": [tell.stage(step.key) for step in steps if step.piles_up(window)],
    }


def _line(step: Step, tell: Tell, window: int, now: int) -> dict[str, Any]:
    office, kind, version, name = step.key
    pace = step.pace or Pace(0, 0, None, None, 0, 0)
    budget = None if step.stage.budget is None else step.stage.budget * MINUTE_US
    return {
        "name": tell.stage(step.key),
        # One procedure's files: another version may have a step of the same name.
        "link": list_link(Filter(office=office, permit_type=kind, stage=name, version=version)),
        "files": step.files,
        "late": step.late,
        "through": pace.turns,
        "median": tell.worked(pace.median_us, office),
        "budget": tell.worked(budget, office),
        "oldest": tell.waited(step.oldest_us, now, office) if step.files else "–",
        "piles": step.piles_up(window),
    }
