"""``jejak status`` and ``jejak history``: what is known about one permit, from its own trail."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from deploy.asked import UnknownNumber
from deploy.console import Session, answer, as_json, runs, table
from deploy.serve import Running, opened
from deploy.wiring import now
from services.intake.secrecy import Secrecy
from services.workflow.sop import Sops
from services.workflow.status import CaseFile, Report, Tracker
from services.workflow.views import Views
from services.workflow.wording import Teller
from shared.bus import Delivery
from shared.calendar import Calendars
from shared.events import Recorded
from shared.topics import belongs_to

_BATCH = 2000


class Clerk:
    """Answers questions about permits from the store, without a running office."""

    def __init__(self, running: Running) -> None:
        """Ask the workflow service's read model for the number, and the store for the rest."""
        kernel = running.kernel
        self._running = running
        self._catalogue = kernel.catalogue
        sops, calendars = Sops(kernel.catalogue), Calendars(kernel.catalogue)
        self._views = Views(running.databases["workflow"], sops, calendars, kernel.now)
        self._tracker = Tracker(kernel.store, kernel.codec, sops, calendars)

    async def case(self, number: str) -> CaseFile:
        """Return the case file of a registration number. Raises UnknownNumber."""
        await self._catch_up()
        found = await self._views.find(number.strip().upper())
        if found is None:
            raise UnknownNumber
        return await self._tracker.case(found.application_id)

    def report(self, case: CaseFile) -> Report:
        """Return how a case stands now."""
        return self._tracker.report(case, now())

    def teller(self, case: CaseFile, session: Session) -> Teller:
        """Return who tells it in the caller's language, as to colleagues."""
        return Teller(session.translator, self._catalogue.offices[case.about.office], staff=True)

    async def _catch_up(self) -> None:
        """Fold what nobody has folded yet; over Kafka that is the worker's affair."""
        kernel = self._running.kernel
        (service,) = self._running.services
        for projector in service.worker.projectors:
            await projector.prepare()
            if kernel.settings.has_worker:
                continue
            wanted = belongs_to(projector.projection.topics)
            after = (await projector.positions()).get("store", 0)
            while batch := await kernel.store.read_all(after, _BATCH):
                events = [recorded for recorded in batch if wanted(recorded.stream)]
                await projector.project([Delivery("store", events)])
                after = batch[-1].position


@click.command()
@click.argument("number")
@click.option("--code", is_flag=True, help="Show the secret tracking code too.")
@as_json
@click.pass_obj
@runs
async def status(session: Session, number: str, code: bool, as_json: bool) -> None:
    """Say where the permit with registration NUMBER is, and for whom it waits."""
    async with opened(session.settings, ["workflow"]) as running:
        clerk = Clerk(running)
        case = await clerk.case(number)
        report, teller = clerk.report(case), clerk.teller(case, session)
        kernel = running.kernel
        secrecy = Secrecy(kernel.secret("tracking"), kernel.secret("receipt"))
    said = _status(report, teller)
    if code:
        said["code"] = secrecy.code(case.application_id)

    def text(out: Console) -> None:
        rows = [(name.replace("_", " "), escape(str(value))) for name, value in said.items()]
        out.print(table(("", ""), [row for row in rows if row[0] != "trail" and row[1]]))
        for step in teller.steps(report):
            mark = {"done": "●", "current": "◉", "waiting": "◌"}.get(step["state"], "○")
            words = (step["title"], step.get("when", ""), step.get("who", ""), step.get("note", ""))
            out.print(f"  {mark} " + escape(" · ".join(word for word in words if word)))

    answer(said, text, as_json=as_json)


def _status(report: Report, teller: Teller) -> dict[str, Any]:
    about, permit = report.case.about, report.case.opened
    return {
        "number": about.number,
        "office": about.office,
        "permit_type": about.permit_type,
        "status": str(report.status),
        "sentence": teller.sentence(report),
        "stage": teller.stage(report.stage),
        "waits_for": teller.waits_for(report),
        "expected": teller.expected(report),
        "planned_end": permit.file.opened.planned_end if permit is not None else "",
        "trail": teller.steps(report),
    }


@click.command()
@click.argument("number")
@as_json
@click.pass_obj
@runs
async def history(session: Session, number: str, as_json: bool) -> None:
    """List every event of the permit with registration NUMBER: what, when, who, because of what.

    Nothing of the events' content is shown: it may be personal.
    """
    async with opened(session.settings, ["workflow"]) as running:
        case = await Clerk(running).case(number)
    head = ("position", "happened", "event", "by", "stream", "version", "cause")

    def text(out: Console) -> None:
        rows = [
            (
                one.position,
                f"{one.occurred_at:%Y-%m-%d %H:%M:%S}",
                one.type,
                one.actor,
                one.stream.split("-", 1)[0],
                one.version,
                one.cause_id[:8],
            )
            for one in case.records
        ]
        out.print(table(head, rows))

    answer([_entry(one) for one in case.records], text, as_json=as_json)


def _entry(recorded: Recorded) -> dict[str, Any]:
    return {
        "position": recorded.position,
        "event_id": recorded.event_id,
        "type": recorded.type,
        "stream": recorded.stream,
        "version": recorded.version,
        "occurred_at": recorded.occurred_at.isoformat(),
        "recorded_at": recorded.recorded_at.isoformat(),
        "actor": recorded.actor,
        "cause_id": recorded.cause_id,
    }
