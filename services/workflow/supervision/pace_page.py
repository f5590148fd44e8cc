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
from shared.web.i18n import msg
from shared.web.pages import language
from shared.web.session import require

Worker = Annotated[Account, Depends(require(*Role))]
Month = Annotated[str, Query(pattern=r"^(\d{4}-\d{2})?$")]
_KEPT = msg("{turns} steps finished, {share} in time")
_DONE = msg("{turns} steps finished")
_BY_STAGE = ("office", "permit_type", "version", "stage")
_HEAD = ("office", "permit_type", "version", "stage", "officer", "turns", "measured")
_TAIL = ("median_minutes", "p90_minutes", "budgeted", "on_time")


def pace_pages(watch: Watch) -> APIRouter:
    """Return the pages about performance."""
    router = APIRouter(include_in_schema=False)
    _add_everybodys(router, watch)
    _add_download(router, watch)
    _add_own(router, watch)
    return router


def _add_everybodys(router: APIRouter, watch: Watch) -> None:
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
            groups=_groups(stages, tell),
            officers=_officers(officers, tell),
        )


def _add_download(router: APIRouter, watch: Watch) -> None:
    @router.get("/papan/kinerja.csv")
    async def download(
        account: Leader, kantor: Word = "", dari: Month = "", sampai: Month = ""
    ) -> Response:
        found = await watch.figures.pace(
            (*_BY_STAGE, "officer"), watch.scope(account, kantor), first=dari, last=sampai
        )
        rows = ((*key, *_numbers(pace)) for key, pace in found.items())
        return csv_response("kinerja.csv", (*_HEAD, *_TAIL), rows)


def _add_own(router: APIRouter, watch: Watch) -> None:
    @router.get("/kinerja-saya")
    async def own(request: Request, account: Worker) -> Response:
        tell = watch.tell(account.office, language(request))
        me, scope = str(Actor("officer", account.username)), (account.office,)
        stages = await watch.figures.pace(_BY_STAGE, scope, officer=me)
        months = await watch.figures.pace(("month",), scope, officer=me)
        return watch.counter.pages.render(
            request,
            "workflow/supervision/own_pace.html",
            office=tell.office(account.office),
            groups=_groups(stages, tell),
            months=[
                _line(month_name(month, tell), pace, tell, account.office)
                for (month,), pace in reversed(months.items())
            ],
        )


def _groups(found: Mapping[tuple[Any, ...], Pace], tell: Tell) -> list[dict[str, Any]]:
    """Return the steps of each office's permit types, in the order of the procedures.

    Where most was late comes first, then where most was done.
    """
    groups: dict[tuple[str, str], dict[tuple[Any, ...], Pace]] = {}
    for key, pace in found.items():
        groups.setdefault(key[:2], {})[key] = pace

    def trouble(paces: Mapping[tuple[Any, ...], Pace]) -> tuple[int, int]:
        late = sum(pace.budgeted - pace.on_time for pace in paces.values())
        return -late, -sum(pace.turns for pace in paces.values())

    return [_group(paces, tell) for paces in sorted(groups.values(), key=trouble)]


def _group(paces: Mapping[tuple[Any, ...], Pace], tell: Tell) -> dict[str, Any]:
    tr, lines = tell.teller.tr, _stage_lines(paces, tell)
    turns, budgeted, on_time = (
        sum(getattr(pace, name) for pace in paces.values())
        for name in ("turns", "budgeted", "on_time")
    )
    said = {"turns": tr.number(turns), "share": tell.percent(on_time, budgeted)}
    note = tr.t(_KEPT, **said) if budgeted else tr.t(_DONE, **said)
    return {"permit": lines[0]["permit"], "place": lines[0]["place"], "note": note, "lines": lines}


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
    """Return a line per officer, who finished most first.

    What the system did by itself is nobody's performance.
    """
    office = tell.teller.office.id
    return [
        _line(tell.teller.actor(actor), pace, tell, office) | {"actor": actor}
        for (actor,), pace in sorted(found.items(), key=lambda item: -item[1].turns)
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
