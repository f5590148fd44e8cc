"""``jejak whatif``: an office's past once more, under another procedure, calendar or ladder."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from deploy.asked import asked_office
from deploy.commands.replaying import progress_bar
from deploy.console import REFUSED, Session, answer, as_json, runs
from deploy.wiring import open_kernel
from services.workflow.whatif.engine import Replay
from services.workflow.whatif.export import csv_rows
from services.workflow.whatif.files import read_alternative
from services.workflow.whatif.reading import read_through
from services.workflow.whatif.report import Report
from services.workflow.whatif.rules import Alternative, Rules, kept_stages
from services.workflow.whatif.wording import STEP_HEADS, planned_lines, step_cells, summary
from shared.calendar import WorkCalendar
from shared.events import to_micros
from shared.offices import BadFile
from shared.service import Kernel
from shared.text import msg
from shared.web.i18n import Translator

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_HEADS = ("", msg("Rules that applied"), msg("Other rules"), msg("Difference"))


@click.command()
@click.option("--office", required=True, help="Id of the office.")
@click.option("--sop", type=_FILE, help="A permit type's file: its budgets and its promise.")
@click.option("--calendar", type=_FILE, help="An office's file, or a year of joint leave.")
@click.option("--ladder", type=_FILE, help="A ladder's file, or an office's.")
@click.option("--from", "first", type=_DAY, help="Permits opened from this day on.")
@click.option("--to", "last", type=_DAY, help="Permits opened up to this day, included.")
@click.option(
    "--csv", "rows", type=click.Path(dir_okay=False, path_type=Path), help="A row per permit, step."
)
@as_json
@click.pass_obj
@runs
async def whatif(
    session: Session,
    office: str,
    sop: Path | None,
    calendar: Path | None,
    ladder: Path | None,
    first: datetime | None,
    last: datetime | None,
    rows: Path | None,
    as_json: bool,
) -> None:
    """Replay the past of an office under other rules: who would have been late, and who told.

    What happened stays; warnings, questions and escalations are decided anew, under the rules that
    applied and under the given ones, by the function that decides them live. Nothing is recorded.
    Ctrl-C stops it: what was read by then is shown, and is said to be a part only.
    """
    began = time.perf_counter()
    async with open_kernel(session.settings) as kernel:
        known = asked_office(kernel.catalogue, office)
        with _refusing(session.translator):
            other = read_alternative(
                kernel.catalogue, known, sop=sop, calendar=calendar, ladder=ladder
            )
            base = Rules(kernel.catalogue, office)
            variant = Rules(kernel.catalogue, office, other)
        with ExitStack() as stack:
            told = None
            if rows is not None:
                told = csv_rows(stack.enter_context(rows.open("w", encoding="utf-8", newline="")))
            begins, ends = _window(base.calendar, first, last)
            replay = Replay(office, base, variant, first=begins, end=ends, told=told)
            try:
                await _read(kernel, replay)
            finally:
                # Also after Ctrl-C: what was read until then was paid for.
                kept, seconds = (
                    kept_stages(kernel.catalogue, other.kinds),
                    time.perf_counter() - began,
                )
                _tell(session, office, replay.report, other, list(kept), seconds, as_json=as_json)


@contextmanager
def _refusing(tr: Translator) -> Iterator[None]:
    """Say every mistake of a bad file in the sentences of ``jejak offices check``; exit 1."""
    try:
        yield
    except BadFile as error:
        for mistake in error.mistakes:
            click.echo(mistake.say(tr), err=True)
        sys.exit(REFUSED)


def _window(
    calendar: WorkCalendar, first: datetime | None, last: datetime | None
) -> tuple[int | None, int | None]:
    """Return the office's own days, both included, as instants (microseconds UTC)."""

    def midnight(day: date) -> int:
        return to_micros(calendar.midnight(day))

    begins = None if first is None else midnight(first.date())
    return begins, None if last is None else midnight(last.date() + timedelta(days=1))


async def _read(kernel: Kernel, replay: Replay) -> None:
    with progress_bar() as bar:
        task = bar.add_task("events", total=None)
        await read_through(
            replay,
            kernel.store,
            kernel.codec,
            to_micros(kernel.now()),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _tell(
    session: Session,
    office: str,
    report: Report,
    other: Alternative,
    kept: list[str],
    seconds: float,
    *,
    as_json: bool,
) -> None:
    told: dict[str, Any] = {"office": office, "seconds": round(seconds, 2), **report.as_dict()}
    if other.kinds:
        told["kept_budgets"] = kept
    answer(told, lambda out: _show(report, kept, out, session.translator), as_json=as_json)


def _show(report: Report, kept: list[str], out: Console, tr: Translator) -> None:
    if not report.complete:
        out.print(tr.t("Stopped: this is a part only."), style="bold")
    read = tr.t(
        "{permits} permits, {events} events; {changed} permits would have been treated otherwise.",
        permits=tr.number(report.permits),
        events=tr.number(report.events),
        changed=tr.number(report.changed),
    )
    out.print(read, highlight=False)
    if report.skipped:
        out.print(tr.t("{n} permits could not be read: left out.", n=tr.number(report.skipped)))
    if kept:
        out.print(tr.t("Not in the file, so as before: {steps}", steps=", ".join(kept)))
    if report.steps or not report.planned[0].cases:
        out.print(_table([tr.t(h) if h else "" for h in _HEADS], list(summary(report, tr))))
    if report.steps:
        lines = [(f"{p.permit_type} {p.version}", p.stage) for p, _ in report.ordered()]
        cells = [step_cells(step, tr) for _, step in report.ordered()]
        heads = [tr.t("Permit"), tr.t("Step"), *map(tr.t, STEP_HEADS)]
        out.print()
        out.print(_table(heads, [(*a, *b) for a, b in zip(lines, cells, strict=True)], words=2))
    if report.planned[0].cases:
        cases = tr.number(report.planned[0].cases)
        out.print()
        out.print(tr.t("{cases} ended cases whose log names a planned end:", cases=cases))
        heads = [tr.t(h) if h else "" for h in _HEADS]
        out.print(_table(heads, list(planned_lines(report, tr))))
        if report.unended:
            out.print(tr.t("{n} cases have not ended.", n=tr.number(report.unended)))


def _table(heads: list[str], rows: list[tuple[str, ...]], words: int = 1) -> Table:
    made = Table(box=None, header_style="bold", pad_edge=False)
    for index, head in enumerate(heads):
        made.add_column(head, justify="left" if index < words else "right", overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made
