"""The supervisor's board: open files with the time they have left, and what stands still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.workflow.clock import Mode
from services.workflow.live import board_key
from services.workflow.pages import Counter, clock_of, file_link
from services.workflow.rows import Row
from services.workflow.statuses import Status
from services.workflow.views import Open
from services.workflow.wording import Teller
from shared.actors import Role
from shared.errors import BadConfiguration
from shared.events import from_micros
from shared.identity import Account
from shared.web.i18n import msg
from shared.web.pages import language
from shared.web.session import require
from shared.web.sse import sse_response

ROWS, STALLED = 25, 12
LEADERS = (Role.SUPERVISOR, Role.SIGNER, Role.AUDITOR)
_ASKED = (msg("Explanation asked for"), "warning")
_ESCALATED = (msg("Escalated"), "danger")
_EXPLAINED = (msg("Explained"), "info")
_OVERDUE = (msg("Beyond its limit"), "danger")
_NEAR = (msg("Near its limit"), "warning")
Leader = Annotated[Account, Depends(require(*LEADERS))]
PageQuery = Annotated[int, Query(ge=1, le=100_000)]


@dataclass(frozen=True)
class Board:
    """One office's board in one language."""

    counter: Counter
    office: str
    teller: Teller

    async def told(self, page: int) -> dict[str, Any]:
        """Return everything that the board says."""
        views = self.counter.desk.views
        counts = await views.counts(self.office)
        statuses = await views.by_status(self.office)
        found = await views.board(self.office, ROWS, (page - 1) * ROWS)
        stalled = await views.stalled(self.office, STALLED)
        return {
            "counts": counts,
            "finished": statuses.get(Status.ISSUED, 0) + statuses.get(Status.FINISHED, 0),
            "stages": self._stages(await views.by_stage(self.office)),
            "lines": [self._line(opened) for opened in found],
            "stalled": [
                self._line(opened) | {"stall": self._stall(opened.row)} for opened in stalled
            ],
            "page": page,
            "pages": -(-counts.open // ROWS),
        }

    def _line(self, opened: Open) -> dict[str, Any]:
        row, sop = opened.row, opened.sop
        number = row.number or row.permit_number
        return {
            "number": number,
            "link": file_link(number),
            "permit": sop.name.of(self.teller.tr.lang) if sop else row.procedure_type,
            "stage": self.teller.stage(sop.stage(row.stage)) if sop else row.stage,
            "role": self.teller.role(row.role),
            "clock": clock_of(opened, self.teller),
            "mark": self._mark(opened),
        }

    def _mark(self, opened: Open) -> dict[str, str]:
        reading = opened.reading
        if reading is not None and reading.mode is Mode.RUNNING and reading.due and reading.warn:
            now = self.counter.desk.now()
            if reading.due <= now:
                return self._tag(_OVERDUE)
            if reading.warn <= now:
                return self._tag(_NEAR)
        return self.teller.status(Status(opened.row.status))

    def _stall(self, row: Row) -> dict[str, str]:
        t = self.teller.tr.t
        if row.explained_us:
            who = self.teller.actor(row.explained_by)
            note = f"{who}, {self.teller.when(from_micros(row.explained_us))}"
            if row.promised:
                note += " · " + t("finished by {day}", day=self.teller.day(row.promised))
            return self._tag(_EXPLAINED) | {"explanation": row.explanation, "note": note}
        answer_by = t("Answer by {when}", when=self.teller.when(from_micros(row.answer_by_us)))
        state = _ESCALATED if row.escalated_us else _ASKED
        return self._tag(state) | {"explanation": "", "note": answer_by}

    def _tag(self, tag: tuple[str, str]) -> dict[str, str]:
        return {"label": self.teller.tr.t(tag[0]), "tone": tag[1]}

    def _stages(self, counts: dict[tuple[str, str, int, str], int]) -> list[dict[str, str]]:
        """Return the steps in the order of their procedures, with the files at each."""
        found = []
        for (office, kind, version, name), count in counts.items():
            try:
                sop = self.counter.desk.sops.of(office, kind, version)
            except BadConfiguration:
                # Its files are still counted above; their procedure can't be shown.
                continue
            stage = sop.stage(name)
            place = sop.stages.index(stage) if stage is not None else -1
            told = {
                "stage": self.teller.stage(stage) or self.teller.tr.t("Between two steps"),
                "permit": sop.name.of(self.teller.tr.lang),
                "count": self.teller.tr.number(count),
            }
            found.append(((kind, version, place), told))
        return [told for _, told in sorted(found, key=lambda one: one[0])]


def board_pages(counter: Counter) -> APIRouter:
    """Return ``/papan``."""
    router = APIRouter(include_in_schema=False)

    def board(office: str, lang: str) -> Board:
        return Board(counter, office, counter.teller(office, lang))

    @router.get("/papan")
    async def show(request: Request, account: Leader, page: PageQuery = 1) -> Response:
        lang = language(request)
        return counter.pages.render(
            request,
            "workflow/board.html",
            office=counter.catalogue.offices[account.office].name.of(lang),
            **await board(account.office, lang).told(page),
        )

    @router.get("/papan/live")
    async def live(request: Request, account: Leader) -> Response:
        async def draw(lang: str) -> str:
            told = await board(account.office, lang).told(1)
            return counter.pages.fragment(lang, "workflow/board_body.html", **told)

        return sse_response(request, counter.hub, board_key(account.office), draw)

    return router
