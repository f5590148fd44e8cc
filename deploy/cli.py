"""The ``jejak`` command: runs the office and answers questions about it.

Exit codes: 0 done, 1 refused or a difference found, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from deploy.commands.importing import import_
from deploy.commands.parked import parked
from deploy.commands.replaying import replay
from deploy.commands.topics import topics
from deploy.console import Session, open_session
from deploy.embedded import run_embedded
from deploy.serve import serve
from shared.settings import SERVICES
from shared.telemetry import configure_logging

_FOLDER = click.Path(file_okay=False, path_type=Path)


def _default_language() -> str:
    return "id" if os.environ.get("LANG", "").startswith("id") else "en"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--data", type=_FOLDER, help="Data folder; wins over JEJAK_DATA. Default: ./data")
@click.option(
    "--lang", type=click.Choice(["id", "en"]), default=_default_language, help="Language."
)
@click.version_option(package_name="jejak")
@click.pass_context
def main(context: click.Context, data: Path | None, lang: str) -> None:
    """Jejak: the trail of every permit application, from the counter to the signed decree.

    \b
    Try it:        jejak run
    A real log:    jejak import deploy/imports/sample.xes --mapping deploy/imports/sample.yaml \\
                       --office receipt
    One permit:    jejak status BGR-2026-000001
    Is it sound?   jejak replay --check

    Exit codes: 0 done, 1 refused or a difference found, 2 wrong usage.
    """
    context.obj = open_session(data, lang)


@main.command()
@click.option("--host", help="Address to listen on. Default: 127.0.0.1")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: 8600")
@click.pass_obj
def run(session: Session, host: str | None, port: int | None) -> None:
    """Run the whole office in this process: all four services on SQLite, no other server.

    Prints the address, sample accounts and what to try. Stop it with Ctrl-C; nothing is lost.
    """
    changes = {"host": host, "port": port}
    given = {name: value for name, value in changes.items() if value is not None}
    asyncio.run(run_embedded(session.settings.model_copy(update=given), session.translator))


@main.command(name="serve")
@click.argument("service", type=click.Choice(SERVICES))
@click.option("--host", help="Address to listen on. Default: 127.0.0.1")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: 8600")
@click.pass_obj
def serve_one(session: Session, service: str, host: str | None, port: int | None) -> None:
    """Run one SERVICE over the parts that JEJAK_POSTGRES and JEJAK_KAFKA name."""
    given = {"host": host, "port": port}
    update = {name: value for name, value in given.items() if value is not None}
    configure_logging(session.settings.log_level)
    asyncio.run(serve(session.settings.model_copy(update=update), [service]))


for command in (import_, replay, parked, topics):
    main.add_command(command)
