"""``jejak simulate``: months of a believable office, for demonstrations and measurements."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial

import click
from rich.console import Console

from deploy.console import Session, answer, as_json, runs
from deploy.serve import Running, opened
from deploy.simulation.console import Shown, as_dict, progress_bar, show, show_next
from deploy.simulation.errors import NotSimulated
from deploy.simulation.folding import fold, prepare
from deploy.simulation.ledger import Foreign
from deploy.simulation.record import Record, require_embedded
from deploy.simulation.run import Plan, Simulated, simulate, utc_now
from shared.actors import Role
from shared.settings import SERVICES

_INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.command(name="simulate")
@click.option("--office", required=True, help="Id of the office, such as bogor.")
@click.option("--months", type=click.IntRange(1, 36), default=12, help="How long. Default: 12")
@click.option(
    "--rate",
    type=click.FloatRange(0, 400, min_open=True),
    default=40,
    help="Applications on an average working day. Default: 40",
)
@click.option("--seed", type=int, default=1, help="The same seed makes the same events. Default: 1")
@click.option("--until", type=_INSTANT, help="Where it ends (UTC). Default: now")
@as_json
@click.pass_obj
@runs
async def simulate_(
    session: Session,
    office: str,
    months: int,
    rate: float,
    seed: int,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Invent the past months of an OFFICE: people, officers, waits and stalls, by real commands.

    Needs a data folder that holds nothing else. Sends no message. An interrupted simulation goes on
    when the same command is given again.
    """
    require_embedded(session.settings)
    end = _aware(until) if until is not None else utc_now()
    plan = Plan(office, months, rate, seed, min(end, utc_now()))
    began = time.perf_counter()
    async with opened(session.settings, SERVICES) as running:
        made = await _simulated(session, running, plan, until_given=until is not None)
        seconds = time.perf_counter() - began
        _answer(session, running, plan, made, seconds, as_json=as_json)


def _aware(until: datetime) -> datetime:
    return until if until.tzinfo is not None else until.replace(tzinfo=UTC)


async def _simulated(
    session: Session, running: Running, plan: Plan, *, until_given: bool
) -> Simulated:
    """Simulate, fill the read models and note that it is complete."""
    t, store, folder = session.translator, running.kernel.store, session.settings.data
    record = Record(folder)
    entry = record.begin(plan, await store.head(), until_given=until_given)
    await prepare(running)
    with progress_bar(Console(stderr=True), t) as tell:
        try:
            made = await simulate(running, entry.plan, entry.base, partial(_told, tell, entry.plan))
        except Foreign as error:
            raise NotSimulated(folder=str(folder)) from error
        await fold(running, lambda part: tell(part, t.t("Filling the lists")))
    record.end(await store.head())
    return made


def _told(tell: Shown, plan: Plan, at: datetime) -> None:
    part = (at - plan.since) / (plan.until - plan.since)
    tell(part, f"{at:%Y-%m-%d}")


def _answer(
    session: Session,
    running: Running,
    plan: Plan,
    made: Simulated,
    seconds: float,
    *,
    as_json: bool,
) -> None:
    kernel, t = running.kernel, session.translator
    names = {kind.id: kind.name.of(session.language) for kind in kernel.catalogue.types.values()}
    leaders = kernel.accounts.of_office(plan.office, Role.SUPERVISOR)

    def text(out: Console) -> None:
        show(made, seconds, names, out, t)
        show_next(str(session.settings.data), leaders[0].username if leaders else "-", out, t)

    answer(as_dict(made, seconds), text, as_json=as_json)
