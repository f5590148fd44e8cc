"""``python -m deploy.postgres``: run a real PostgreSQL in the foreground."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import click

from deploy.postgres.server import USER, PostgresServer
from shared.errors import JejakError

data_option = click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path)
)
port_option = click.option("--port", default=5432, show_default=True, type=click.IntRange(1, 65535))


@click.group()
def main() -> None:
    """A real PostgreSQL on this machine, from a PyPI wheel."""


@main.command()
@data_option
@port_option
def run(data: Path, port: int) -> None:
    """Run PostgreSQL in the foreground until it is told to stop (Ctrl-C)."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(0)

    # SIGTERM would have PostgreSQL wait for its clients to leave: we end it the fast way instead.
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        with PostgresServer(data, port, die_with_parent=True) as server:
            click.echo(f"PostgreSQL takes connections: {server.dsn}")
            code = server.wait()
    except JejakError as error:
        raise click.ClickException(str(error)) from error
    raise SystemExit(code)


@main.command()
@data_option
@port_option
@click.option("--database", default=USER, show_default=True)
def dsn(data: Path, port: int, database: str) -> None:
    """Print the DSN that `run` with the same options serves."""
    click.echo(PostgresServer(data, port).dsn_of(database))


if __name__ == "__main__":
    main()
