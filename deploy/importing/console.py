"""What ``jejak import`` shows a person: a progress bar, and afterwards the report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.importing.importer import Progress
from deploy.importing.report import ImportReport, Names
from shared.web.i18n import Translator, msg


@contextmanager
def progress_bar(console: Console, translator: Translator) -> Iterator[Progress]:
    """Give a progress callback that draws a bar: part of the file read, permits, events a second.

    When the import is interrupted, it says how to go on. Draw on standard error, so that what is
    answered on standard output stays clean.
    """
    columns = (
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.description}"),
        bars.TimeRemainingColumn(compact=True),
    )
    shows = console.is_terminal
    with bars.Progress(*columns, console=console, transient=True, disable=not shows) as drawn:
        task = drawn.add_task("", total=1.0)
        began, tenth = drawn.get_time(), 1

        def tell(report: ImportReport, fraction: float) -> None:
            nonlocal tenth
            said = _so_far(report, drawn.get_time() - began, translator)
            drawn.update(task, completed=fraction, description=said)
            # A log file or a pipe gets a line at every tenth instead of a bar.
            if not shows and fraction * 10 >= tenth:
                console.print(f"{fraction:4.0%}  {said}", highlight=False)
                tenth = int(fraction * 10) + 1

        try:
            yield tell
        except (KeyboardInterrupt, asyncio.CancelledError):
            drawn.stop()
            console.print(
                translator.t("Stopped. What was recorded stays; run the same command to go on.")
            )
            raise


def _so_far(report: ImportReport, seconds: float, t: Translator) -> str:
    done = report.recorded + report.already_there
    return t.t(
        "{cases} permits, {events} events, {rate} a second",
        cases=t.number(report.cases),
        events=t.number(done),
        rate=t.number(round(done / max(seconds, 0.001))),
    )


def show_report(report: ImportReport, seconds: float, console: Console, t: Translator) -> None:
    """Print the counts, and by name and count what was not covered or was left out."""
    rate = round((report.recorded + report.already_there) / max(seconds, 0.001))
    rows = [
        (t.t("Permits in the log"), t.number(report.cases)),
        (t.t("Events in the log"), t.number(report.log_events)),
        (t.t("Facts recorded"), t.number(report.recorded)),
        (t.t("Facts already there"), t.number(report.already_there)),
        (t.t("Facts a second"), t.number(rate)),
    ]
    if report.first and report.last:
        rows.append((t.t("First instant"), f"{report.first:%Y-%m-%d}"))
        rows.append((t.t("Last instant"), f"{report.last:%Y-%m-%d}"))
    table = Table(box=None, show_header=False, pad_edge=False)
    for label, value in rows:
        table.add_row(label, value)
    console.print(table)
    for heading, names, translated in _notes(report):
        _show_names(console, t, heading, names, translated=translated)


def _notes(report: ImportReport) -> Iterator[tuple[str, Names, bool]]:
    """Yield a heading, what was counted, and whether its names are sentences of ours."""
    yield msg("Activities not covered by the mapping: left out"), report.uncovered_activities, False
    attributes = report.uncovered_trace_attributes
    yield msg("Attributes of permits not covered by the mapping: left out"), attributes, False
    attributes = report.uncovered_event_attributes
    yield msg("Attributes of events not covered by the mapping: left out"), attributes, False
    channels = report.uncovered_channels
    yield msg("Channels not covered by the mapping: kept in the log's own word"), channels, False
    yield msg("Left out, because it can't be used"), report.left_out, True
    yield msg("Recorded, although the log contradicts itself"), report.contradictions, True


def _show_names(
    console: Console, t: Translator, heading: str, names: Names, *, translated: bool
) -> None:
    if not names:
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    for name, count in names.as_dict().items():
        # A name comes from the log: it must not be read as markup.
        table.add_row(t.number(count), escape(t.t(name) if translated else name))
    console.print(f"\n[bold]{t.t(heading)}[/bold]")
    console.print(table)
