"""The result: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.measure import RATE, Row, Series, Target, Verdict


def show(console: Console, rows: Sequence[Row], facts: Mapping[str, object]) -> None:
    """Print raw numbers, then ratios and targets, row by row."""
    console.print(
        f"{facts['processors']} processors ({facts['processor']}), {facts['disk']}, "
        f"Python {facts['python']}, SQLite {facts['sqlite']}",
        highlight=False,
    )
    for row in rows:
        console.print(f"\n[bold]Row {row.number}: {row.title}[/bold]", highlight=False)
        if row.series:
            console.print(_raw(row.series))
        if row.verdicts:
            console.print(_judged(row.verdicts))
        for kept in row.kept:
            console.print(
                f"kill -9, {kept.what}: {kept.acknowledged:,} acknowledged, {kept.found:,} there"
                + (f" [red]{kept.lost:,} LOST[/red]" if kept.lost else ""),
                highlight=False,
            )
        for name in row.unsteady:
            spread = f"{row.series[name].spread:.1f}x"
            text = f"not a quiet machine: {name} varied {spread} between rounds"
            console.print(f"[yellow]{text}[/yellow]", highlight=False)
        for note in row.notes:
            console.print(f"note: {note}", highlight=False)
        for reason in row.not_run:
            console.print(f"[yellow]not run: {reason}[/yellow]", highlight=False)


def _raw(series: Mapping[str, Series]) -> Table:
    table = Table("measured", "median", "lowest", "highest", "unit", box=None, header_style="dim")
    for column in table.columns[1:4]:
        column.justify = "right"
    for name, one in series.items():
        values = (one.median, min(one.values), max(one.values))
        table.add_row(name, *(_number(value, one.unit) for value in values), one.unit)
    return table


def _judged(verdicts: Sequence[Verdict]) -> Table:
    table = Table("target", "ratio", "spread", "asked", "", box=None, header_style="dim")
    table.columns[1].justify = "right"
    for verdict in verdicts:
        target = verdict.target
        table.add_row(
            target.what,
            _ratio(verdict.ratio, target),
            f"{_ratio(verdict.lowest, target)} - {_ratio(verdict.highest, target)}",
            _asked(target),
            "[green]met[/green]" if verdict.met else f"[red]short by {verdict.short_by:.2f}x[/red]",
        )
    return table


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f}" if unit == RATE else f"{value:,.3f}"


def _ratio(value: float, target: Target) -> str:
    if not target.limits:
        return f"{value:.2f} {target.unit}"
    share = target.at_least is not None and target.at_least <= 1
    return f"{value:.1%}" if share else f"{value:.2f}x"


def _asked(target: Target) -> str:
    bound = target.at_least if target.at_least is not None else target.at_most
    assert bound is not None
    sign = ">=" if target.at_least is not None else "<="
    aim = f", aim {_ratio(target.aim, target)}" if target.aim is not None else ""
    return f"{sign} {_ratio(bound, target)}{aim}"


def as_json(rows: Sequence[Row], about: Mapping[str, object]) -> dict[str, Any]:
    """Return everything that was measured; ``about`` says on what, from which revision, how."""
    return {**about, "rows": [_row(row) for row in rows]}


def _row(row: Row) -> dict[str, Any]:
    return {
        "row": row.number,
        "title": row.title,
        "series": {
            name: {"unit": one.unit, "median": one.median, "rounds": one.values}
            for name, one in row.series.items()
        },
        "targets": [_verdict(verdict) for verdict in row.verdicts],
        "kill_9": [kept._asdict() | {"lost": kept.lost} for kept in row.kept],
        "unsteady": row.unsteady,
        "notes": row.notes,
        "not_run": row.not_run,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    target = verdict.target
    return {
        "what": target.what,
        "ours": target.ours,
        "limits": list(target.limits),
        "ratio": verdict.ratio,
        "lowest": verdict.lowest,
        "highest": verdict.highest,
        "at_least": target.at_least,
        "at_most": target.at_most,
        "aim": target.aim,
        "met": verdict.met,
        "short_by": verdict.short_by,
    }


def write(path: Path, result: Mapping[str, Any]) -> None:
    """Write ``result`` to ``path`` as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
