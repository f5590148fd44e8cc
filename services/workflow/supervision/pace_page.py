"""``/papan/kinerja`` and ``/kinerja-saya``: how long steps take, and how often in time.

Only the office's own working time counts: waits for the applicant, for a payment or for another
agency are never held against anybody. An officer sees nobody's figures but their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from services.workflow.supervision.download import csv_response
from services.workflow.supervision.figures import Pace
from services.workflow.supervision.list_page import Word
from services.workflow.supervision.open_files import StageKey
from services.workflow.supervision.volume_page import month_name
from services.workflow.supervision.watch import Leader, Tell, Watch
from shared.actors import Actor, Role
from shared.calendar import MINUTE_US
from shared.identity import Account
from shared.web.forms import Form
from shared.web.pages import language
from shared.web.session import require

Worker = Annotated[Account, Depends(require(*Role))]
Month = Annotated[str, Query(pattern=r"^(\d{4}-\d{2})?$")]
_BY_STAGE = ("office", "permit_type", "version", "stage")
_HEAD = ("office", "permit_type", "version", "stage", "officer", "turns", "measured")
_TAIL = ("median_minutes", "p90_minutes", "budgeted", "on_time")


def pace_pages(watch: Watch) -> APIRouter:
    """Return the pages about performance."""
    router = APIRouter(include_in_schema=False)

    @router.get("/papan/kinerja")
    async def show(
        request: Request,
        account: Leader,
        kantor: Word = "",
        petugas: Word = "",
        dari: Month = "",
        sampai: Month = "",
    ) -> Response:
        offices = watch.scope(account, kantor)
        tell = watch.tell(account.office, language(request))
        months = await watch.figures.months(watch.scope(account))
        first, last = dari or (months[0] if months else ""), sampai
        stages = await watch.figures.pace(
            _BY_STAGE, offices, first=first, last=last, officer=petugas
        )
        officers = await watch.figures.pace(("officer",), offices, first=first, last=last)
        return watch.page(
            request,
            account,
            "pace",
            form=Form({"kantor": kantor, "dari": first, "sampai": last, "petugas": petugas}),
            months=[(month, month_name(month, tell)) for month in months],
            places=[(office, tell.office(office)) for office in watch.scope(account)],
            person=tell.teller.actor(petugas) if petugas else "",
            stages=_stage_lines(stages, tell),
            officers=_officers(officers, tell),
        )

    @router.get("/papan/kinerja.csv")
    async def download(
        account: Leader, kantor: Word = "", dari: Month = "", sampai: Month = ""
    ) -> Response:
        found = await watch.figures.pace(
            (*_BY_STAGE, "officer"), watch.scope(account, kantor), first=dari, last=sampai
        )
        rows = ((*key, *_numbers(pace)) for key, pace in found.items())
        return csv_response("kinerja.csv", (*_HEAD, *_TAIL), rows)

    @router.get("/kinerja-saya")
    async def own(request: Request, account: Worker) -> Response:
        lang = language(request)
        tell = watch.tell(account.office, lang)
        me = str(Actor("officer", account.username))
        scope = (account.office,)
        stages = await watch.figures.pace(_BY_STAGE, scope, officer=me)
        months = await watch.figures.pace(("month",), scope, officer=me)
        return watch.counter.pages.render(
            request,
            "workflow/supervision/own_pace.html",
            office=tell.office(account.office),
            stages=_stage_lines(stages, tell),
            months=[
                _line(month_name(month, tell), pace, tell, account.office)
                for (month,), pace in reversed(months.items())
            ],
        )

    return router


def _stage_lines(found: Mapping[tuple[Any, ...], Pace], tell: Tell) -> list[dict[str, str]]:
    """Return a line per step, in the order of the procedures."""

    def place(key: tuple[Any, ...]) -> tuple[Any, ...]:
        sop = tell.watch.files.sop(StageKey(*key))
        ids = [stage.id for stage in sop.stages] if sop is not None else []
        return (*key[:3], ids.index(key[3]) if key[3] in ids else len(ids), key[3])

    return [_stage_line(key, found[key], tell) for key in sorted(found, key=place)]


def _stage_line(key: tuple[Any, ...], pace: Pace, tell: Tell) -> dict[str, str]:
    stage_key = StageKey(*key)
    stage = tell.watch.files.stage(stage_key)
    budget = stage.budget if stage is not None else None
    return _line(tell.stage(stage_key), pace, tell, stage_key.office) | {
        "permit": tell.permit(tell.watch.files.sop(stage_key), stage_key.permit_type),
        "budget": tell.worked(None if budget is None else budget * MINUTE_US, stage_key.office),
        "place": tell.office(stage_key.office),
    }


def _officers(found: Mapping[tuple[Any, ...], Pace], tell: Tell) -> list[dict[str, str]]:
    """Return a line per officer. What the system did by itself is nobody's performance."""
    office = tell.teller.office.id
    return [
        _line(tell.teller.actor(actor), pace, tell, office) | {"actor": actor}
        for (actor,), pace in found.items()
        if actor.startswith("officer:")
    ]


def _line(name: str, pace: Pace, tell: Tell, office: str) -> dict[str, str]:
    number: Callable[[int], str] = tell.teller.tr.number
    return {
        "name": name,
        "turns": number(pace.turns),
        "median": tell.worked(pace.median_us, office),
        "ninetieth": tell.worked(pace.ninetieth_us, office),
        "on_time": tell.percent(pace.on_time, pace.budgeted),
    }


def _numbers(pace: Pace) -> tuple[int | str, ...]:
    times = ("" if us is None else us // MINUTE_US for us in (pace.median_us, pace.ninetieth_us))
    return (pace.turns, pace.measured, *times, pace.budgeted, pace.on_time)
