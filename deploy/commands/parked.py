"""``jejak parked``: looks after events that were set aside with their permit."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from deploy.console import REFUSED, Session, answer, as_json, runs, table
from deploy.serve import Running, opened
from shared.errors import NotFound
from shared.events import from_micros
from shared.parking import Consumer, Parked, retry
from shared.parking import parked as all_parked
from shared.settings import SERVICES

_HEAD = ("permit", "consumer", "type", "why", "parked at")


def consumers(running: Running) -> list[Consumer]:
    """Return every projector and reactor of the services."""
    found: list[Consumer] = []
    worker = running.kernel.settings.has_worker
    for service in running.services:
        found += [*service.folds(worker=worker), *service.reactors]
    return found


def _row(one: Parked) -> tuple[str, ...]:
    at = f"{from_micros(one.parked_us):%Y-%m-%d %H:%M:%S}"
    return (one.application_id, one.consumer, one.type, one.reason, at)


@click.group()
def parked() -> None:
    """Look after events that could not be dealt with. They wait with their permit; others go on.

    Nothing personal is shown. After the cause is mended (a setting, a file, a new version), retry.
    """


@parked.command(name="list")
@as_json
@click.pass_obj
@runs
async def list_(session: Session, as_json: bool) -> None:
    """List what is parked, oldest first."""
    async with opened(session.settings, SERVICES) as running:
        found = await all_parked(consumers(running))

    def text(out: Console) -> None:
        out.print(table(_HEAD, [_row(one) for one in found]) if found else "Nothing is parked.")

    answer([one._asdict() for one in found], text, as_json=as_json)


@parked.command()
@click.argument("permit")
@as_json
@click.pass_obj
@runs
async def show(session: Session, permit: str, as_json: bool) -> None:
    """Show every parked event of one PERMIT (its application id), with ids and times."""
    async with opened(session.settings, SERVICES) as running:
        found = [o for o in await all_parked(consumers(running)) if o.application_id == permit]
    if not found:
        raise NotFound

    def text(out: Console) -> None:
        for one in found:
            out.print(table(("", ""), list(one._asdict().items())))

    answer([one._asdict() for one in found], text, as_json=as_json)


@parked.command(name="retry")
@click.argument("permit")
@as_json
@click.pass_obj
@runs
async def retry_(session: Session, permit: str, as_json: bool) -> None:
    """Deal again with a PERMIT's parked events, in order; exit with 1 when one still fails."""
    async with opened(session.settings, SERVICES) as running:
        results = await retry(consumers(running), permit, running.kernel.store)
    if not results:
        raise NotFound

    def text(out: Console) -> None:
        for result in results:
            out.print(f"{result.consumer}: {result.done} went through")
            if result.failed is not None:
                out.print(f"  stopped at {result.failed.type}: {result.failed.reason}")

    said = [
        r._asdict() | {"failed": None if r.failed is None else r.failed._asdict()} for r in results
    ]
    answer(said, text, as_json=as_json)
    if any(result.failed is not None for result in results):
        sys.exit(REFUSED)
