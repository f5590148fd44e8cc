"""The ``jejak`` command: runs the office and answers questions about it.

Exit codes: 0 done, 1 refused or a difference found, 2 wrong usage.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import click

from deploy.commands.asking import history, status
from deploy.commands.importing import import_
from deploy.commands.parked import parked
from deploy.commands.replaying import replay
from deploy.commands.topics import topics
from deploy.console import Session, open_session, runs
from deploy.embedded import run_embedded
from deploy.serve import serve
from shared.settings import SERVICES, Settings
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


P = ParamSpec("P")


def listening(command: Callable[P, None]) -> Callable[P, None]:
    """Add ``--host`` and ``--port``, which win over the settings."""
    port = click.option(
        "--port", type=click.IntRange(0, 65535), help="Port to listen on. Default: 8600"
    )
    host = click.option("--host", help="Address to listen on. Default: 127.0.0.1")
    return host(port(command))


def _settings(session: Session, host: str | None, port: int | None) -> Settings:
    await run_worker(_served(session, host, port))


def _served(session: Session, host: str | None, port: int | None) -> Settings:
    """Return the settings of a long-running process, whose log says more than a command's."""
    given = {"host": host, "port": port}
    configure_logging(session.settings.log_level)
    update = {name: value for name, value in given.items() if value is not None}
    return session.settings.model_copy(update=update)


for command in (import_, status, history, replay, parked, topics):
    main.add_command(command)
