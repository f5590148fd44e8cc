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
from deploy.commands.bank import bank
from deploy.commands.forecast import forecast
from deploy.commands.importing import import_
from deploy.commands.inbound import inbound
from deploy.commands.notify import notify
from deploy.commands.offices import offices
from deploy.commands.parked import parked
from deploy.commands.replaying import replay
from deploy.commands.simulate import simulate_
from deploy.commands.topics import topics
from deploy.commands.whatif import whatif
from deploy.console import Session, open_session, runs
from deploy.embedded import run_embedded
from deploy.serve import serve
from shared.settings import SERVICES, Settings
from shared.telemetry import configure_logging

P = ParamSpec("P")
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
    A busy office: jejak --data contoh simulate --office bogor
    One permit:    jejak status BGR-2026-000001
    Is it sound?   jejak replay --check

    Exit codes: 0 done, 1 refused or a difference found, 2 wrong usage.
    """
    context.obj = open_session(data, lang)


def _listening(command: Callable[P, None]) -> Callable[P, None]:
    """Add ``--host`` and ``--port``, which win over the settings."""
    port = click.IntRange(0, 65535)
    with_port = click.option("--port", type=port, help="Port to listen on. Default: 8600")
    with_host = click.option("--host", help="Address to listen on. Default: 127.0.0.1")
    return with_host(with_port(command))


def _at(session: Session, host: str | None, port: int | None) -> Settings:
    given = {"host": host, "port": port}
    update = {name: value for name, value in given.items() if value is not None}
    return session.settings.model_copy(update=update)


def _served(session: Session, host: str | None, port: int | None) -> Settings:
    """Return the settings of a long-running process, whose log says more than a command's."""
    configure_logging(session.settings.log_level)
    return _at(session, host, port)


@main.command()
@_listening
@click.pass_obj
@runs
async def run(session: Session, host: str | None, port: int | None) -> None:
    """Run the whole office in this process: all four services on SQLite, no other server.

    Prints the address, sample accounts and what to try. Stop it with Ctrl-C; nothing is lost.
    """
    await run_embedded(_at(session, host, port), session.translator)


@main.command(name="serve")
@click.argument("service", type=click.Choice(SERVICES))
@_listening
@click.pass_obj
@runs
async def serve_one(session: Session, service: str, host: str | None, port: int | None) -> None:
    """Run one SERVICE over the parts that JEJAK_POSTGRES and JEJAK_KAFKA name."""
    await serve(_served(session, host, port), [service])


@main.command()
@_listening
@click.pass_obj
@runs
async def worker(session: Session, host: str | None, port: int | None) -> None:
    """Run the Faust worker: the workflow's read model, its timers, and activity per hour.

    It listens for /healthz, /readyz and /metrics only. Several may run: one of them sweeps the
    timers, and another takes over when it is gone.
    """
    # Imported here: only this command needs Faust.
    from deploy.worker import run as run_worker

    await run_worker(_served(session, host, port))


_ASKING = (forecast, status, history, replay, whatif)
for command in (import_, simulate_, *_ASKING, parked, topics, offices, notify, bank, inbound):
    main.add_command(command)
