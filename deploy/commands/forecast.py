"""``jejak forecast check``: measures how honest the forecasts of an office are, on its own log."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from deploy.asked import asked_office
from deploy.console import Session, answer, as_json, runs
from deploy.wiring import open_kernel
from services.workflow.sop import Sops
from services.workflow.supervision.calibration import Calibration, measure, middle
from services.workflow.supervision.journey import Journey, evolve
from shared.calendar import Calendars
from shared.codec import Codec
from shared.events import from_micros
from shared.offices import Catalogue
from shared.store import EventStore
from shared.topics import WORKFLOW, topic_of
from shared.web.i18n import Translator, msg

_BATCH = 5_000
# The first two columns are words, the others numbers.
_WORDS = 2
_HEADINGS = (
    msg("Permit"),
    msg("Said"),
    msg("Forecasts"),
    msg("Inside the range"),
    msg("Earlier"),
    msg("Later"),
    msg("Not over yet"),
)


class Checked(NamedTuple):
    """One permit type's forecasts put to the test.

    ``split`` says everything from the files decided before ``since``, about files opened from then
    on; ``rolling`` says each time what was known by then.
    """

    permit_type: str
    version: int
    files: int
    since: datetime
    split: Calibration
    rolling: Calibration

    def as_dict(self) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "permit_type": self.permit_type,
            "version": self.version,
            "files": self.files,
            "since": self.since.isoformat(),
            "split": _counts(self.split),
            "rolling": _counts(self.rolling),
        }


async def check(
    store: EventStore, codec: Codec, catalogue: Catalogue, office: str
) -> list[Checked]:
    """Measure every permit type of ``office`` that has decided files. Reads the log once."""
    sops, calendars = Sops(catalogue), Calendars(catalogue)
    journeys, end = await _journeys(store, codec, office)
    found = []
    for kind in sorted({journey.procedure for journey in journeys}):
        alike = [journey for journey in journeys if journey.procedure == kind]
        since = middle(alike)
        if not since:
            continue
        sop, calendar = sops.of(*kind), calendars.of(office)
        split, rolling = (
            measure(alike, sop, calendar, since=since, end=end, rolling=rolling)
            for rolling in (False, True)
        )
        found.append(Checked(kind[1], kind[2], len(alike), from_micros(since), split, rolling))
    return found


async def _journeys(store: EventStore, codec: Codec, office: str) -> tuple[list[Journey], int]:
    """Return the journeys of an office and the instant of its last event."""
    journeys: dict[str, Journey] = {}
    position = 0
    end: dict[str, int] = {}
    while batch := await store.read_all(position, _BATCH):
        position = batch[-1].position
        for recorded in batch:
            if topic_of(recorded.stream) is WORKFLOW and recorded.stream.startswith("permit-"):
                name = recorded.correlation_id
                journeys[name], _ = evolve(journeys.get(name, Journey()), codec.fact(recorded))
                end[name] = max(end.get(name, 0), recorded.occurred_us)
    ours = {name: journey for name, journey in journeys.items() if journey.office == office}
    return list(ours.values()), max((end[name] for name in ours), default=0)


def _counts(found: Calibration) -> dict[str, Any]:
    return {
        "tested": found.tested,
        "inside": found.inside,
        "early": found.early,
        "late": found.late,
        "share": round(found.share, 3),
        "open": found.open,
        "unsaid": found.unsaid,
    }


@click.group()
def forecast() -> None:
    """Say how long files take, and how far that can be trusted."""


@forecast.command(name="check")
@click.option("--office", required=True, help="Id of the office.")
@as_json
@click.pass_obj
@runs
async def check_(session: Session, office: str, as_json: bool) -> None:
    """Measure the share of files that ended inside the 80 % range that was said for them.

    Twice, and never with knowledge of the future: split by time (said from the files decided
    before a date, about those opened after it), and rolling (said each time from what was known).
    """
    began = time.perf_counter()
    async with open_kernel(session.settings) as kernel:
        asked_office(kernel.catalogue, office)
        found = await check(kernel.store, kernel.codec, kernel.catalogue, office)
    seconds = time.perf_counter() - began
    told = {"office": office, "seconds": round(seconds, 1), "types": [c.as_dict() for c in found]}
    answer(told, lambda out: _show(found, out, session.translator), as_json=as_json)


def _show(found: list[Checked], console: Console, tr: Translator) -> None:
    if not found:
        console.print(tr.t("No file of this office has been decided yet."))
        return
    table = Table(box=None, pad_edge=False)
    for index, heading in enumerate(_HEADINGS):
        table.add_column(tr.t(heading), justify="left" if index < _WORDS else "right")
    for one in found:
        for way, counts in (
            (tr.t("once, on {day}", day=f"{one.since:%Y-%m-%d}"), one.split),
            (tr.t("each time anew"), one.rolling),
        ):
            table.add_row(
                f"{one.permit_type} {one.version}",
                way,
                tr.number(counts.tested),
                f"{counts.share:.1%}",
                tr.number(counts.early),
                tr.number(counts.late),
                tr.number(counts.open),
            )
    console.print(table)
