"""The supervisor's board: how many files are open, how they stand, where, and with whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import APIRouter, Request, Response

from services.workflow.live import board_key
from services.workflow.supervision.flow_page import WINDOW
from services.workflow.supervision.open_files import (
    WAITING,
    Filter,
    Group,
    StageKey,
    Standing,
    counted,
)
from services.workflow.supervision.stall_page import stall_line
from services.workflow.supervision.watch import Leader, Tell, Watch, list_link
from shared.events import to_micros
from shared.web.pages import language
from shared.web.sse import sse_response

MOST_URGENT, STALLED = 6, 3


@dataclass(frozen=True)
class Board:
    """The board of one office and those below it, in one language."""

    watch: Watch
    offices: tuple[str, ...]
    tell: Tell

    async def told(self) -> dict[str, Any]:
        """Return everything that the board says."""
        since = self.watch.counter.desk.now() - WINDOW
        groups = await self.watch.files.groups(self.offices)
        urgent = await self.watch.files.page(groups, Filter(), MOST_URGENT, 0)
        return {
            "figures": self._figures(groups),
            "decided": await self.watch.figures.decided(self.offices, to_micros(since)),
            "stalls": await self.watch.figures.stall_counts(self.offices),
            "stalled": await self._stalled(),
            "stages": self._stages(groups),
            "officers": self._officers(groups),
            "agencies": self._agencies(groups),
            "places": self._places(groups) if len(self.offices) > 1 else [],
            "lines": [self.tell.file(opened) for opened in urgent],
        }

    def _figures(self, groups: Iterable[Group]) -> dict[str, Any]:
        found = counted(groups, lambda group: "")
        counts = found.get("", dict.fromkeys(Standing, 0))
        return {
            "open": sum(counts.values()),
            "standings": [
                {
                    **self.tell.standing(standing),
                    "id": str(standing),
                    "count": counts[standing],
                    "link": list_link(Filter(standing=standing)),
                }
                for standing in (Standing.OVERDUE, Standing.NEAR, *WAITING)
            ],
        }

    async def _stalled(self) -> list[dict[str, Any]]:
        found = await self.watch.figures.stalls(self.offices, "", STALLED)
        return [stall_line(stall, self.tell) for stall in found]

    def _stages(self, groups: Sequence[Group]) -> list[dict[str, Any]]:
        """Return the steps in the order of their procedures, whatever version a file keeps."""
        newest: dict[tuple[str, str, str], StageKey] = {}
        for key in sorted({group.key for group in groups}):
            newest[_step_of(key)] = key
        lines = []
        for step, counts in counted(groups, lambda group: _step_of(group.key)).items():
            key = newest[step]
            sop, stage = self.watch.files.sop(key), self.watch.files.stage(key)
            place = sop.stages.index(stage) if sop is not None and stage is not None else -1
            wanted = Filter(office=key.office, permit_type=key.permit_type, stage=key.stage)
            line = self._line(self.tell.stage(key), counts, wanted)
            line["permit"] = self.tell.permit(sop, key.permit_type)
            lines.append(((key.permit_type, key.office, place, key.stage), line))
        return [line for _, line in sorted(lines, key=lambda one: one[0])]

    def _officers(self, groups: Iterable[Group]) -> list[dict[str, Any]]:
        return self._lines(
            groups,
            lambda group: group.holder,
            lambda holder: (self.tell.person(holder), Filter(assignee=holder)),
        )

    def _agencies(self, groups: Iterable[Group]) -> list[dict[str, Any]]:
        return self._lines(
            (group for group in groups if group.agency),
            lambda group: (group.key.office, group.agency),
            lambda key: (self.tell.agency(*key), Filter(office=key[0], agency=key[1])),
        )

    def _places(self, groups: Iterable[Group]) -> list[dict[str, Any]]:
        def name(office: str) -> tuple[str, Filter]:
            return f"{self.tell.office(office)} · {self.tell.level(office)}", Filter(office=office)

        return self._lines(groups, lambda group: group.key.office, name)

    def _lines(
        self,
        groups: Iterable[Group],
        key: Callable[[Group], Any],
        name: Callable[[Any], tuple[str, Filter]],
    ) -> list[dict[str, Any]]:
        lines = []
        for one, counts in counted(groups, key).items():
            label, wanted = name(one)
            lines.append(self._line(label, counts, wanted))
        return sorted(lines, key=lambda line: (-line["late"], -line["total"], line["name"]))

    def _line(self, name: str, counts: dict[Standing, int], wanted: Filter) -> dict[str, Any]:
        """Return one line of a breakdown; every number leads to its files."""
        return {
            "name": name,
            "total": sum(counts.values()),
            "late": counts[Standing.OVERDUE],
            "near": counts[Standing.NEAR],
            "waiting": sum(counts[standing] for standing in WAITING),
            "link": list_link(wanted),
            "late_link": list_link(_with(wanted, Standing.OVERDUE)),
            "near_link": list_link(_with(wanted, Standing.NEAR)),
        }


def _with(wanted: Filter, standing: Standing) -> Filter:
    return replace(wanted, standing=standing)


def _step_of(key: StageKey) -> tuple[str, str, str]:
    return key.office, key.permit_type, key.stage


def board_pages(watch: Watch) -> APIRouter:
    """Return ``/papan``."""
    router, counter = APIRouter(include_in_schema=False), watch.counter

    async def told(office: str, offices: tuple[str, ...], lang: str) -> dict[str, Any]:
        return await Board(watch, offices, watch.tell(office, lang)).told()

    @router.get("/papan")
    async def show(request: Request, account: Leader) -> Response:
        shown = await told(account.office, watch.scope(account), language(request))
        return watch.page(request, account, "board", **shown)

    @router.get("/papan/live")
    async def live(request: Request, account: Leader) -> Response:
        async def draw(lang: str) -> str:
            shown = await told(account.office, watch.scope(account), lang)
            return counter.pages.fragment(lang, "workflow/supervision/board_body.html", **shown)

        return sse_response(request, counter.hub, board_key(account.office), draw)

    return router
