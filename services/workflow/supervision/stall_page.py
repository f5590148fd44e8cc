"""``/papan/macet``: every stall with the question, the answer, its promise, and who was told."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.workflow.pages import file_link
from services.workflow.supervision.figures import STALL_STATES, StalledFile
from services.workflow.supervision.list_page import PageQuery
from services.workflow.supervision.open_files import StageKey
from services.workflow.supervision.watch import Leader, Tell, Watch
from services.workflow.wording import ROLE
from shared.events import from_micros
from shared.web.i18n import msg
from shared.web.pages import language

ROWS = 20
_STATES: dict[str, tuple[str, str]] = {
    "asked": (msg("Explanation asked for"), "warning"),
    "explained": (msg("Explained"), "info"),
    "escalated": (msg("Passed up"), "danger"),
    "ended": (msg("Over"), "success"),
}


def stall_pages(watch: Watch) -> APIRouter:
    """Return ``/papan/macet``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/papan/macet")
    async def show(
        request: Request,
        account: Leader,
        keadaan: Annotated[str, Query(max_length=20)] = "",
        page: PageQuery = 1,
    ) -> Response:
        state = keadaan if keadaan in STALL_STATES else ""
        offices = watch.scope(account)
        tell = watch.tell(account.office, language(request))
        counts = await watch.figures.stall_counts(offices)
        found = await watch.figures.stalls(offices, state, ROWS, (page - 1) * ROWS)
        total = counts[state] if state else sum(counts.values()) - counts["ended"]
        return watch.page(
            request,
            account,
            "stalls",
            states=[
                {"id": name, "label": tell.teller.tr.t(label), "count": counts[name]}
                for name, (label, _) in _STATES.items()
            ],
            state=state,
            lines=[stall_line(stall, tell) for stall in found],
            total=total,
            page=page,
            pages=-(-total // ROWS),
        )

    return router


def stall_line(stall: StalledFile, tell: Tell) -> dict[str, Any]:
    """Return everything that is said about one stall."""
    key = StageKey(stall.office, stall.permit_type, stall.version, stall.stage)
    state = _state(stall)
    label, tone = _STATES[state]
    return {
        "number": stall.number,
        "link": file_link(stall.number),
        "stage": tell.stage(key),
        "permit": tell.permit(tell.watch.files.sop(key), stall.permit_type),
        "office": tell.office(stall.office),
        "label": tell.teller.tr.t(label),
        "tone": tone,
        "explanation": stall.explanation,
        "rows": _rows(stall, tell),
    }


def _rows(stall: StalledFile, tell: Tell) -> list[tuple[str, str]]:
    """Return who was asked, who answered and promised what, and who was told."""
    t = tell.teller.tr.t

    def when(at: int) -> str:
        return tell.teller.when(from_micros(at))

    rows = [
        (t("Question to"), f"{_asked(stall, tell)}, {when(stall.asked_us)}"),
        (t("Answer by"), when(stall.answer_by_us)),
    ]
    if stall.explained_us:
        said = f"{tell.teller.actor(stall.explained_by)}, {when(stall.explained_us)}"
        rows.append((t("Explained by"), said))
    if stall.promised:
        rows.append((t("Promised for"), _day(stall.promised, tell)))
    if stall.supervisor_us:
        rows.append((t("Told the supervisor"), when(stall.supervisor_us)))
    if stall.head_us:
        rows.append((t("Told the head of the office"), when(stall.head_us)))
    if stall.ended_us:
        rows.append((t("Went on"), when(stall.ended_us)))
    return rows


def _asked(stall: StalledFile, tell: Tell) -> str:
    """Return the officer, or the role where nobody was named."""
    if stall.asked in ROLE:
        return tell.teller.role(stall.asked)
    return tell.person(stall.asked)


def _day(said: str, tell: Tell) -> str:
    try:
        date.fromisoformat(said)
    except ValueError:
        return said
    return tell.teller.day(said)


def _state(stall: StalledFile) -> str:
    if stall.ended_us:
        return "ended"
    if stall.explained_us:
        return "explained"
    return "escalated" if stall.supervisor_us or stall.head_us else "asked"
