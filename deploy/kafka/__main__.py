"""``python -m deploy.kafka``: resolve the broker's jars, or run it in the foreground."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.kafka.broker import KafkaBroker, become
from deploy.kafka.jars import default_cache, resolve
from shared.errors import JejakError


@click.group()
def main() -> None:
    """A real Apache Kafka on this machine, from its published jars (needs Java 17)."""


@main.command()
def install() -> None:
    """Resolve the jars with Maven and print the folder that holds them."""
    try:
        click.echo(resolve(default_cache()))
    except JejakError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--data", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--port", default=9092, show_default=True, type=click.IntRange(1, 65535))
def run(data: Path, port: int) -> None:
    """Run the broker in the foreground until it is told to stop (Ctrl-C)."""
    try:
        become(KafkaBroker(data, port))
    except JejakError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
