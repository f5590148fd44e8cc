"""A small office on a real store and real tables, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from services.workflow.beside import Beside
from services.workflow.permit import DECIDER, stream
from services.workflow.projection import PermitsProjection
from services.workflow.reactions import Reactions
from services.workflow.sop import Sops
from services.workflow.status import Report, Tracker
from services.workflow.timers import Sweeper
from services.workflow.views import Views
from shared.actors import APPLICANT, Actor
from shared.bus import Delivery
from shared.calendar import Calendars
from shared.codec import Codec
from shared.contracts import intake
from shared.database.sqlite import SqliteDatabase
from shared.events import Recorded, to_micros
from shared.handle import Handler, Outcome
from shared.ids import derived_id, new_id
from shared.projection import Projector
from shared.store.sqlite import SqliteStore
from tests.unit.workflow.kit import APP, NOW, NUMBER, catalogue, opening

APPLICANT_OF_ALL = intake.Applicant(name="Pemohon Contoh", nik="3271046504930002", phone="+62812")


class SmallOffice:
    """Everything of workflow but its pages."""

    def __init__(self, folder: Path) -> None:
        self.at: datetime = NOW
        self.catalogue = catalogue()
        self.codec = Codec()
        self.store = SqliteStore(folder / "events.sqlite")
        self.database = SqliteDatabase(folder / "workflow.sqlite")
        self.handler = Handler(self.store, self.codec)
        self.sops, self.calendars = Sops(self.catalogue), Calendars(self.catalogue)
        self.views = Views(self.database, self.sops, self.calendars, lambda: self.at)
        self.tracker = Tracker(self.store, self.codec, self.sops, self.calendars)
        self.reactions = Reactions(self.handler, self.sops, self.tracker, self.views)
        self.projection = PermitsProjection(self.codec, self.sops, self.calendars)
        self.projector = Projector(
            self.projection, self.database, lambda position: self.views.progressed()
        )

    def sweeper(self, views: Views | None = None, beside: Beside | None = None) -> Sweeper:
        return Sweeper(
            self.handler,
            views or self.views,
            self.sops,
            self.calendars,
            lambda: self.at,
            seconds=0.01,
            beside=beside,
        )

    async def project(self) -> None:
        """Bring the read model up to date."""
        seen = (await self.projector.positions()).get("store", 0)
        while batch := await self.store.read_all(seen):
            await self.projector.project([Delivery("store", batch)])
            seen = batch[-1].position

    async def happened(
        self, name: str, event: Any, app: str = APP, by: Actor = APPLICANT
    ) -> Recorded:
        """Append a fact of another service."""
        envelope = self.codec.envelope(event, new_id(), to_micros(self.at), str(by), new_id(), app)
        return (await self.store.append(name, [envelope]))[0]

    async def give(self, command: Any, app: str = APP) -> Outcome[Any]:
        """Give a command to a permit."""
        return await self.handler.handle(
            DECIDER, stream(app), command, cause=new_id(), application=app
        )

    async def open(self, index: int = 1, **changes: Any) -> str:
        """Submit an application and open its permit; return its id."""
        app = derived_id("test", index)
        number = f"CTH-2026-{index:06d}"
        await self.happened(f"application-{app}", submitted(app, number), app)
        command = opening(application_id=app, number=number, now=self.at, **changes)
        await self.give(command, app)
        return app

    async def report(self, app: str = APP) -> Report:
        return self.tracker.report(await self.tracker.case(app), self.at)

    async def events(self, app: str = APP) -> list[Any]:
        """Return the decoded events of a permit."""
        return [self.codec.decode(r) for r in await self.store.read_stream(stream(app))]


def submitted(app: str = APP, number: str = NUMBER, **changes: Any) -> intake.ApplicationSubmitted:
    values: dict[str, Any] = {
        "application_id": app,
        "number": number,
        "office": "contoh",
        "permit_type": "izin",
        "permit_version": 1,
        "channel": "online",
        "applicant": APPLICANT_OF_ALL,
        "answers": {},
        "documents": (),
        "code_hash": "0" * 63 + "1",
    }
    return intake.ApplicationSubmitted(**(values | changes))


def registered(app: str = APP, number: str = NUMBER, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "application_id": app,
        "number": number,
        "office": "contoh",
        "permit_type": "izin",
        "permit_version": 1,
    }
    return intake.ApplicationRegistered(**(values | changes))


@asynccontextmanager
async def small_office(folder: Path) -> AsyncIterator[SmallOffice]:
    office = SmallOffice(folder)
    await office.projector.prepare()
    try:
        yield office
    finally:
        await office.store.close()
        await office.database.close()
