"""``jejak topics``: creates, checks and measures the topics. No service ever creates one."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from deploy.console import REFUSED, Session, answer, as_dicts, as_json, runs, table
from shared.errors import BadConfiguration


def _bootstrap(session: Session) -> str:
    if session.settings.kafka is None:
        raise BadConfiguration(file="JEJAK_KAFKA", reason="no broker is named, e.g. localhost:9092")
    return session.settings.kafka


@click.group()
def topics() -> None:
    """Create, check and measure the topics at the brokers that JEJAK_KAFKA names."""


@topics.command()
@as_json
@click.pass_obj
@runs
async def apply(session: Session, as_json: bool) -> None:
    """Create what is missing and correct the retention. Repeating it changes nothing."""
    from shared import topic_admin

    rows = topic_admin.apply(_bootstrap(session))
    head = ("topic", "result")
    answer(as_dicts(head, rows), lambda out: out.print(table(head, rows)), as_json=as_json)


@topics.command()
@as_json
@click.pass_obj
@runs
async def check(session: Session, as_json: bool) -> None:
    """Compare the brokers with what is declared; exit with 1 when they differ."""
    from shared import topic_admin

    differences = topic_admin.check(_bootstrap(session))

    def text(out: Console) -> None:
        for line in differences or ["All topics are as declared."]:
            out.print(line)

    answer(differences, text, as_json=as_json)
    if differences:
        sys.exit(REFUSED)


@topics.command()
@as_json
@click.option("--group", "groups", multiple=True, help="A consumer group; default: all of ours.")
@click.pass_obj
@runs
async def lag(session: Session, groups: tuple[str, ...], as_json: bool) -> None:
    """Show how far each consumer group is behind, per partition that has events."""
    from shared import topic_admin

    rows = topic_admin.lag(_bootstrap(session), list(groups))
    head = ("group", "topic", "partition", "committed", "end", "lag")
    answer(as_dicts(head, rows), lambda out: out.print(table(head, rows)), as_json=as_json)
