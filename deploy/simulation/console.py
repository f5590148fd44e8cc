"""What ``jejak simulate`` shows: a progress bar, then what was made and where to look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich import progress as bars
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.simulation.run import Simulated
from shared.web.i18n import Translator, msg

Shown = Callable[[float, str], None]

_LATE = (
    ("StageDueSoon", msg("Warnings before the time was up")),
    ("StageOverdue", msg("Steps that were late")),
    ("StallExplanationRequested", msg("Explanations asked for")),
    ("StallExplained", msg("Explanations given")),
    ("StallEscalated", msg("Told to supervisor or head")),
    ("PermitDeemedGranted", msg("Legal limits that passed")),
)
_ENDS = (
    ("PermitIssued", msg("Issued")),
    ("PermitRejected", msg("Rejected")),
    ("ApplicationWithdrawn", msg("Withdrawn")),
    ("ComplaintFiled", msg("Complaints")),
    ("PaymentReceived", msg("Payments")),
)


@contextmanager
def progress_bar(console: Console, t: Translator) -> Iterator[Shown]:
    """Give a callback that draws how far (0.0 to 1.0) the work called by a name has come.

    When it is interrupted, it says how to go on. Draw on standard error.
    """
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TimeRemainingColumn(compact=True),
    )
    shows = console.is_terminal
    with bars.Progress(*columns, console=console, transient=True, disable=not shows) as drawn:
        task = drawn.add_task("", total=1.0)
        said = 0

        def tell(fraction: float, name: str) -> None:
            nonlocal said
            before, said = said, int(fraction * 10)
            if shows:
                drawn.update(task, completed=fraction, description=name)
            elif said > before:
                # A log file or a pipe gets a line at every tenth instead of a bar.
                console.print(f"{fraction:4.0%}  {name}", highlight=False)

        try:
            yield tell
        except (KeyboardInterrupt, asyncio.CancelledError):
            drawn.stop()
            console.print(t.t("Stopped. Run the same command to go on, or delete the folder."))
            raise


def as_dict(made: Simulated, seconds: float) -> dict[str, object]:
    """Return what was made as plain values, for JSON."""
    return {
        "first_day": made.first.isoformat(),
        "events": made.events,
        "seconds": round(seconds, 1),
        "permit_types": dict(made.counts.types),
        "channels": dict(made.counts.channels),
        "by_event": dict(sorted(made.counts.events.items())),
    }


def show(
    made: Simulated, seconds: float, names: Mapping[str, str], out: Console, t: Translator
) -> None:
    """Print what was made; ``names`` are those of the permit types."""
    counts = made.counts
    head = Table(box=None, show_header=False, pad_edge=False)
    head.add_row(t.t("First day of applications"), f"{made.first:%Y-%m-%d}")
    head.add_row(t.t("Applications"), t.number(counts.types.total()))
    head.add_row(t.t("Events"), t.number(made.events))
    head.add_row(t.t("Events a second"), t.number(round(made.events / max(seconds, 0.001))))
    out.print(head)
    types = {names.get(one, one): count for one, count in counts.types.most_common()}
    _table(out, t, t.t("By permit type"), types)
    _table(out, t, t.t("By channel"), dict(counts.channels.most_common()))
    _table(out, t, t.t("How they ended"), {t.t(w): counts.events[e] for e, w in _ENDS})
    _table(out, t, t.t("Late and stalled"), {t.t(w): counts.events[e] for e, w in _LATE})


def _table(out: Console, t: Translator, heading: str, rows: Mapping[str, int]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    for name, count in rows.items():
        table.add_row(t.number(count), escape(name))
    out.print(f"\n[bold]{escape(heading)}[/bold]")
    out.print(table)


def show_next(folder: str, account: str, out: Console, t: Translator) -> None:
    """Print where to look at it."""
    out.print()
    out.print(t.t("Look at it: {command}", command=f"jejak --data {folder} run"), highlight=False)
    words = t.t(
        "Sign in as {name}: /papan (now), /papan/jumlah (volume), /papan/kinerja (pace), "
        "/papan/macet (stalls)",
        name=account,
    )
    out.print(words, highlight=False, markup=False)
