"""``jejak topics``: creates, checks and measures the topics. No service ever creates one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click
from rich.console import Console

from deploy.console import REFUSED, Session, answer, as_dicts, as_json, runs, table
from deploy.serve import Running, opened
from shared.errors import BadConfiguration
from shared.settings import SERVICES


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
    head = topic_admin.Applied._fields
    answer(as_dicts(head, rows), lambda out: out.print(table(head, rows)), as_json=as_json)


@topics.command()
@as_json
@click.pass_obj
@runs
async def check(session: Session, as_json: bool) -> None:
    """Compare the brokers with what is declared; exit with 1 when they differ."""
    from shared import topic_admin

    differences = topic_admin.check(_bootstrap(session))
    head = topic_admin.Difference._fields

    def text(out: Console) -> None:
        out.print(table(head, differences) if differences else "All topics are as declared.")

    answer(as_dicts(head, differences), text, as_json=as_json)
    if differences:
        sys.exit(REFUSED)


@topics.command()
@as_json
@click.option("--all", "every", is_flag=True, help="Show partitions without a lag too.")
@click.pass_obj
@runs
async def lag(session: Session, every: bool, as_json: bool) -> None:
    """Show how far each consumer group is behind, per partition, and the sum."""
    from shared import topic_admin

    bootstrap = _bootstrap(session)
    async with opened(session.settings, SERVICES) as running:
        groups = consumer_groups(running)
    rows = topic_admin.lag(bootstrap, groups)
    head = topic_admin.Lag._fields

    def text(out: Console) -> None:
        shown = [row for row in rows if every or row.lag]
        if shown:
            out.print(table(head, shown))
        out.print(f"{sum(row.lag for row in rows)} events behind in {len(groups)} groups.")

    answer(as_dicts(head, rows), text, as_json=as_json)


def consumer_groups(running: Running) -> dict[str, Sequence[str]]:
    """Return every consumer group of the services with the topics it reads."""
    groups: dict[str, Sequence[str]] = {}
    for service in running.services:
        for projector in service.folds(worker=True):
            groups[projector.name] = projector.projection.topics
        for reactor in service.reactors:
            groups[reactor.name] = reactor.topics
    return groups
