"""``jejak import``: records a foreign permit office's log through the same append."""

from __future__ import annotations

import time
from pathlib import Path

import click
from rich.console import Console

from deploy.console import Session, answer, as_json, runs
from deploy.importing.console import progress_bar, show_report
from deploy.importing.importer import import_log
from deploy.wiring import now, open_kernel
from services.intake.secrecy import Secrecy, code_hash

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="import")
@click.argument("file", type=_FILE)
@click.option("--mapping", type=_FILE, required=True, help="What the log's words mean (YAML).")
@click.option("--office", required=True, help="Id of the office that the permits belong to.")
@as_json
@click.pass_obj
@runs
async def import_(session: Session, file: Path, mapping: Path, office: str, as_json: bool) -> None:
    """Record the permits of an XES log FILE (.xes or .xes.gz) with the log's own times.

    Says by name and count what the mapping did not cover. The same file again adds nothing; an
    interrupted import is finished by running it again. It may run beside a running office.
    """
    began = time.perf_counter()
    translator = session.translator
    async with open_kernel(session.settings) as kernel:
        secrecy = Secrecy(kernel.secret("tracking"), kernel.secret("receipt"))
        with progress_bar(Console(stderr=True), translator) as progress:
            report = await import_log(
                file,
                mapping,
                office,
                store=kernel.store,
                codec=kernel.codec,
                catalogue=kernel.catalogue,
                now=now(),
                progress=progress,
                code_hash=lambda application_id: code_hash(secrecy.code(application_id)),
            )
    seconds = time.perf_counter() - began
    answer(
        report.as_dict(),
        lambda out: show_report(report, seconds, out, translator),
        as_json=as_json,
    )
