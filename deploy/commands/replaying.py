"""``jejak replay``: rebuilds every read model from the log and proves the live ones equal."""

from __future__ import annotations

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from deploy.console import REFUSED, Session, answer, as_json, runs, table
from deploy.replay import Rebuilt, rebuild
from deploy.serve import Running, opened
from shared.settings import SERVICES


class _Done(ProgressColumn):
    """How many of how many; the total may not be known yet."""

    def render(self, task: Task) -> Text:
        total = "?" if task.total is None else f"{task.total:,.0f}"
        return Text(f"{task.completed:>9,.0f}/{total}", justify="right")


class _Rate(ProgressColumn):
    """Events per second; the bar knows none before its second step."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s", justify="right")


def progress_bar() -> Progress:
    """Return a bar on standard error with rate and time left; silent where nobody watches."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        _Done(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )


@click.command()
@click.option(
    "--check", is_flag=True, help="Compare with the live ones; exit with 1 when they differ."
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the rebuilt read models here. Default: a folder that is removed again.",
)
@as_json
@click.pass_obj
@runs
async def replay(session: Session, check: bool, into: Path | None, as_json: bool) -> None:
    """Rebuild every read model from the first event on, elsewhere, beside a running office.

    Prints for each how many events went in and a hash over all rows. Nothing live is changed.
    """
    with ExitStack() as stack:
        folder = into or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        async with opened(session.settings, SERVICES) as running:
            rebuilt = await _rebuild_all(running, folder, check=check)
    head = ("read model", "events", "rows", "state hash")
    rows = [(r.name, f"{r.events:,}", f"{r.rows:,}", r.state_hash[:16]) for r in rebuilt]

    def text(out: Console) -> None:
        out.print(table(head, rows))
        for found in rebuilt:
            if found.difference is not None:
                out.print(f"{found.name}: differs first in {found.difference.table}")
                out.print(f"  key {found.difference.key}")
        if check and not any(found.difference for found in rebuilt):
            out.print("Every read model equals its log.")

    answer([_said(found) for found in rebuilt], text, as_json=as_json)
    if any(found.difference for found in rebuilt):
        sys.exit(REFUSED)


def _said(found: Rebuilt) -> dict[str, Any]:
    difference = found.difference
    return found._asdict() | {"difference": difference and difference._asdict()}


async def _rebuild_all(running: Running, folder: Path, *, check: bool) -> list[Rebuilt]:
    rebuilt = []
    with progress_bar() as bar:
        for service in running.services:
            for projector in service.folds(worker=running.kernel.settings.has_worker):
                if check:
                    await projector.prepare()
                task = bar.add_task(projector.projection.name, total=1)
                rebuilt.append(
                    await rebuild(
                        projector.projection,
                        running.databases[service.name],
                        running.kernel.store,
                        folder,
                        check=check,
                        progress=lambda done, total, task=task: bar.update(  # type: ignore[misc]
                            task, completed=done, total=total
                        ),
                    )
                )
    return rebuilt
