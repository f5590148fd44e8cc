"""``/papan/bagaimana-jika``: a supervisor or an auditor asks, and watches the answer come.

Anybody who may ask sees the office's latest run: whoever asks meanwhile joins it, whoever comes
back finds it. Asking records nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request, Response
from fastapi.datastructures import FormData
from fastapi.responses import FileResponse
from starlette.datastructures import UploadFile

from services.workflow.sop import Stage as SopStage
from services.workflow.supervision import charts
from services.workflow.supervision.list_page import Word
from services.workflow.supervision.watch import Tell, Watch
from services.workflow.whatif.files import read_alternative
from services.workflow.whatif.form import (
    LADDER,
    WEEKDAYS,
    Asked,
    Change,
    Reader,
    hours_of,
    procedures,
)
from services.workflow.whatif.report import Step
from services.workflow.whatif.rules import Alternative
from services.workflow.whatif.runs import Run, Runs, Stage, live_key
from services.workflow.whatif.wording import planned_lines, step_cells, summary
from shared.actors import Role
from shared.errors import NotFound, TooLarge
from shared.identity import Account
from shared.offices import BadFile, Office
from shared.text import msg
from shared.web.forms import FieldError, Form, read_form
from shared.web.i18n import Translator
from shared.web.pages import language
from shared.web.session import require
from shared.web.sse import sse_response

PATH = "/papan/bagaimana-jika"
ASKERS = (Role.SUPERVISOR, Role.AUDITOR)
Asker = Annotated[Account, Depends(require(*ASKERS))]
_FILES = {"berkas-sop": "sop", "berkas-kalender": "calendar", "berkas-tangga": "ladder"}
_MOST_BYTES = 256 * 1024
_SAID = msg("{reason}")
_BEGUN = msg("The past is being replayed. You may leave this page and come back.")
_JOINED = msg("Another question is being answered already. Ask yours when it is done.")
_STOPPED = msg("Stopped. What was counted by then is shown.")


@dataclass(frozen=True)
class Answers:
    """Draws the form and the latest answer of an office."""

    watch: Watch
    runs: Runs

    def told(self, office: str, lang: str) -> dict[str, Any]:
        """Return what the answer's part of the page is drawn from; it knows no reader."""
        run = self.runs.of(office)
        return {"place": office, "run": run and _run(run, self.watch.tell(office, lang))}

    def page(
        self,
        request: Request,
        account: Account,
        office: str,
        form: Form | None = None,
        status: int = 200,
    ) -> Response:
        """Return the whole page; without a ``form``, with what was asked last."""
        watch, lang, run = self.watch, language(request), self.runs.of(office)
        return watch.page(
            request,
            account,
            "whatif",
            status_code=status,
            places=[(one, watch.tell(one, lang).office(one)) for one in watch.scope(account)],
            form=form or (run.asked.form if run is not None else Form()),
            **_fields(watch, office, lang),
            **self.told(office, lang),
        )

    async def fragment(self, office: str, lang: str) -> str:
        """Return the answer's part of the page alone."""
        name = "workflow/supervision/whatif_body.html"
        return self.watch.counter.pages.fragment(lang, name, **self.told(office, lang))


def whatif_pages(watch: Watch, runs: Runs) -> APIRouter:
    """Return the page, its live answer, and the rows to take away."""
    router, answers = APIRouter(include_in_schema=False), Answers(watch, runs)

    @router.get(PATH)
    async def show(request: Request, account: Asker, kantor: Word = "") -> Response:
        return answers.page(request, account, _office(watch, account, kantor))

    @router.post(PATH)
    async def ask(request: Request, account: Asker, kantor: Word = "") -> Response:
        office, data = _office(watch, account, kantor), await read_form(request)
        asked, form = await _asked(watch, office, data, Translator(language(request)))
        if asked is None:
            return answers.page(request, account, office, form, 422)
        said = _BEGUN if runs.begin(office, asked).asked is asked else _JOINED
        return watch.counter.pages.redirect(request, _link(office), flash=said)

    @router.post(PATH + "/berhenti")
    async def stop(request: Request, account: Asker, kantor: Word = "") -> Response:
        office = _office(watch, account, kantor)
        runs.stop(office)
        return watch.counter.pages.redirect(request, _link(office), flash=_STOPPED)

    @router.get(PATH + "/live")
    async def live(request: Request, account: Asker, kantor: Word = "") -> Response:
        office = _office(watch, account, kantor)
        draw = partial(answers.fragment, office)
        return sse_response(request, watch.counter.hub, live_key(office), draw)

    @router.get(PATH + "/hasil.csv")
    async def download(account: Asker, kantor: Word = "") -> Response:
        run = runs.of(_office(watch, account, kantor))
        if run is None or run.active or not run.csv.exists():
            raise NotFound
        return FileResponse(run.csv, media_type="text/csv; charset=utf-8", filename=run.csv.name)

    return router


def _office(watch: Watch, account: Account, wanted: str) -> str:
    """Return one office that the account leads: its own unless another is named."""
    return watch.scope(account, wanted or account.office)[0]


def _link(office: str) -> str:
    return f"{PATH}?kantor={office}"


def _fields(watch: Watch, office: str, lang: str) -> Mapping[str, Any]:
    """Return what the form's fields are called and hold."""
    known = watch.counter.catalogue.offices[office]
    today = watch.counter.desk.now().astimezone(ZoneInfo(known.zone)).date()
    return {
        "lang": lang,
        "procedures": procedures(watch.counter.catalogue, known, today),
        "hours": [(f"jam.{day}", WEEKDAYS[day], text) for day, text in hours_of(known).items()],
        "ladder": [(name, label, getattr(known.ladder, name)) for name, label in LADDER.items()],
    }


async def _asked(
    watch: Watch, office: str, data: FormData, tr: Translator
) -> tuple[Asked | None, Form]:
    """Return the question, or the form with what is wrong with it."""
    catalogue = watch.counter.catalogue
    known = catalogue.offices[office]
    reader = Reader({name: value for name, value in data.items() if isinstance(value, str)})
    given = await _given(watch, known, data, reader, tr)
    today = watch.counter.desk.now().astimezone(ZoneInfo(known.zone)).date()
    asked = reader.read(catalogue, known, today, given)
    return asked, reader.form()


async def _given(
    watch: Watch, office: Office, data: FormData, reader: Reader, tr: Translator
) -> Alternative:
    """Return what the uploaded files say; what is wrong with them is told by the reader."""
    found = Alternative()
    with TemporaryDirectory() as folder:
        for field, kind in _FILES.items():
            upload = data.get(field)
            if not isinstance(upload, UploadFile) or not upload.filename:
                continue
            content = await upload.read(_MOST_BYTES + 1)
            if len(content) > _MOST_BYTES:
                raise TooLarge(limit="256 KB")
            file = Path(folder) / f"{kind}.yaml"
            file.write_bytes(content)
            try:
                one = read_alternative(watch.counter.catalogue, office, **{kind: file})
            except BadFile as error:
                said = (FieldError(field, _SAID, {"reason": m.say(tr)}) for m in error.mistakes)
                reader.errors.extend(said)
                continue
            if kind != "sop":
                reader.changes.append(Change((), msg("From a file"), "", kind))
            found = Alternative(
                found.kinds + one.kinds,
                found.office or one.office,
                found.leave or one.leave,
                found.ladder or one.ladder,
            )
    return found


def _run(run: Run, tell: Tell) -> dict[str, Any]:
    """Return a run as the page tells it."""
    tr, report = tell.teller.tr, run.report
    return {
        "stage": str(run.stage),
        "active": run.active,
        "percent": round(100 * run.share),
        "at": tell.teller.when(run.at),
        "changes": [_change(one, tell) for one in run.asked.changes],
        "kept": run.kept,
        "permits": tr.number(report.permits),
        "events": tr.number(report.events),
        "changed": tr.number(report.changed),
        "skipped": report.skipped,
        "summary": [_line(line) for line in summary(report, tr)] if report.steps else [],
        "planned": [_line(line) for line in planned_lines(report, tr)],
        "procedures": [] if run.active else _procedures(run, tell),
        "rows": not run.active and run.stage is not Stage.FAILED and run.csv.exists(),
    }


def _change(change: Change, tell: Tell) -> tuple[str, str]:
    about = [text.of(tell.lang) for text in change.about]
    label = " · ".join([*about, tell.teller.tr.t(change.msgid)])
    arrow = " → " if change.before and change.after else ""
    return label, f"{change.before}{arrow}{change.after}"


def _line(line: tuple[str, str, str, str]) -> dict[str, str]:
    return dict(zip(("label", "base", "variant", "difference"), line, strict=True))


# What the template calls the cells of ``step_cells``.
_CELLS = (
    *("turns", "on_before", "on_after", "before", "after", "difference"),
    *("told", "told_then", "up", "up_then"),
)


def _procedures(run: Run, tell: Tell) -> list[dict[str, Any]]:
    """Return a chart and a table for every procedure, its steps in their order."""
    found: dict[tuple[str, int], dict[str, Step]] = {}
    for place, step in run.report.ordered():
        found.setdefault((place.permit_type, place.version), {})[place.stage] = step
    return [_procedure(run, key, steps, tell) for key, steps in found.items()]


def _procedure(
    run: Run, key: tuple[str, int], steps: Mapping[str, Step], tell: Tell
) -> dict[str, Any]:
    sop = run.rules[0].of(*key, 0).sop
    order = [stage.id for stage in sop.stages]
    names = sorted(steps, key=lambda name: order.index(name) if name in order else len(order))
    bars: list[tuple[int, int]] = []
    lines: list[dict[str, Any]] = []
    for name in names:
        step = steps[name]
        bars.append((step.late_before, step.turns - step.late_before))
        bars.append((step.late_after, step.turns - step.late_after))
        cells = step_cells(step, tell.teller.tr)
        lines.append(
            {"name": _stage(sop.stage(name), name, tell)} | dict(zip(_CELLS, cells, strict=True))
        )
    chart, tr = charts.rows(bars), tell.teller.tr
    said = [
        {"label": f"{line['name']} · {tr.t(rules)}", "late": line[late]}
        for line in lines
        for rules, late in ((msg("before"), "before"), (msg("then"), "after"))
    ]
    return {
        "id": f"{key[0]}-{key[1]}",
        "permit": sop.name.of(tell.lang),
        "version": key[1],
        "chart": chart,
        "bars": [one | {"place": row} for one, row in zip(said, chart.rows, strict=True)],
        "lines": lines,
    }


def _stage(stage: SopStage | None, name: str, tell: Tell) -> str:
    if stage is not None:
        return stage.name.of(tell.lang)
    return name or tell.teller.tr.t("Between two steps")
