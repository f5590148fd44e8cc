"""What every ``jejak`` command shares: answering as text or JSON, exit codes, one event loop."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click
import uvloop
from rich.console import Console
from rich.table import Table

from shared.errors import JejakError
from shared.settings import Settings
from shared.telemetry import configure_logging
from shared.web.i18n import Translator

P = ParamSpec("P")
T = TypeVar("T")

REFUSED = 1
PIPED_WIDTH = 250


@dataclass(frozen=True)
class Session:
    """One call of the command: its settings and the language it answers in."""

    settings: Settings
    language: str

    @property
    def translator(self) -> Translator:
        """The catalogue of the caller's language."""
        return Translator(self.language)


def open_session(data: Path | None, language: str, *, level: str = "WARNING") -> Session:
    """Read the settings once; ``--data`` wins over ``JEJAK_DATA``."""
    settings = Settings() if data is None else Settings(data=data)
    configure_logging(level, json_lines=not sys.stderr.isatty())
    return Session(settings, language)


def runs(command: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async command: refusals and differences exit with 1, Ctrl-C with 130.

    On uvloop, which hands work to threads and back in half the time.
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        session: Session = click.get_current_context().obj
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(command(*args, **kwargs))
        except JejakError as error:
            said = session.translator.t(error.message(), **error.params)
            if kwargs.get("as_json"):
                click.echo(json.dumps({"code": error.code, "message": said}))
            else:
                click.echo(said, err=True)
            sys.exit(REFUSED)
        except KeyboardInterrupt:
            sys.exit(130)

    return run


as_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")


def answer(value: Any, text: Callable[[Console], None], *, as_json: bool) -> None:
    """Print ``value`` as JSON, or let ``text`` print it for a person."""
    if as_json:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    else:
        # Where nobody watches, a line is as long as it needs to be: other programs read it.
        text(Console() if sys.stdout.isatty() else Console(width=PIPED_WIDTH))


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Return a plain table for the terminal."""
    made = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        # Folded, never cut: half an event's name or half a key is of no use.
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*map(str, row))
    return made


def as_dicts(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Mapping[str, Any]]:
    """Return the rows as objects, for ``--json``."""
    return [dict(zip(headings, row, strict=True)) for row in rows]
