"""Wires workflow's parts together; every rule is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from services.workflow.absences import COMMANDS as ABSENCES
from services.workflow.absences import Absences, absence_pages
from services.workflow.actions import ACTIONS
from services.workflow.activity import ActivityProjection
from services.workflow.api import workflow_api
from services.workflow.attention import AttentionProjection, attention_pages
from services.workflow.beside import Beside
from services.workflow.complaints import Grievances, complaint_pages
from services.workflow.desk import Desk
from services.workflow.door import Door
from services.workflow.letter import Letters
from services.workflow.live import Pump
from services.workflow.pages import Counter, file_pages, queue_pages
from services.workflow.projection import PermitsProjection
from services.workflow.pulse import activity_pages
from services.workflow.reactions import Reactions
from services.workflow.replies import StallReplies
from services.workflow.requests import Requests
from services.workflow.seal import Seal
from services.workflow.sop import Sops
from services.workflow.staff import Rosters
from services.workflow.status import Tracker
from services.workflow.supervision.figures import Figures
from services.workflow.supervision.history import HistoryProjection
from services.workflow.supervision.open_files import OpenFiles
from services.workflow.supervision.outlook import Outlook
from services.workflow.supervision.routes import supervision_pages
from services.workflow.supervision.watch import Watch
from services.workflow.timers import Sweeper
from services.workflow.tracking import Tracking, tracking_pages
from services.workflow.verification import (
    Verification,
    verification_api,
    verification_pages,
)
from services.workflow.views import Views
from services.workflow.whatif.page import whatif_pages
from services.workflow.whatif.runs import Runs
from shared.calendar import Calendars
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service, WorkerParts
from shared.topics import INTAKE, NOTIFY, PAYMENT, WORKFLOW
from shared.web.login import FailedTries


@dataclass(frozen=True)
class Parts:
    """What pages, reactions and the worker share."""

    sops: Sops
    calendars: Calendars
    views: Views
    tracker: Tracker
    projector: Projector
    history: Projector
    attention: Projector
    sweeper: Sweeper


def build_parts(kernel: Kernel, database: Database) -> Parts:
    """Return the parts that need no web: the projector and the sweep run in a worker too."""
    sops, calendars = Sops(kernel.catalogue), Calendars(kernel.catalogue)
    views = Views(database, sops, calendars, kernel.now)
    projection = PermitsProjection(kernel.codec, sops, calendars)
    return Parts(
        sops,
        calendars,
        views,
        Tracker(kernel.store, kernel.codec, sops, calendars),
        Projector(projection, database, lambda position: views.progressed()),
        Projector(HistoryProjection(kernel.codec, kernel.catalogue, sops, calendars), database),
        Projector(AttentionProjection(kernel.codec), database),
        Sweeper(
            kernel.handler,
            views,
            sops,
            calendars,
            kernel.now,
            seconds=kernel.settings.sweep_seconds,
            beside=Beside(),
        ),
    )


def build(kernel: Kernel, database: Database) -> Service:
    """Return the workflow service."""
    parts = build_parts(kernel, database)
    pump = Pump(kernel.bus, kernel.hub, kernel.catalogue)
    reacts = Reactions(kernel.handler, parts.sops, parts.tracker, parts.views).table()
    rosters = Rosters(kernel.handler, kernel.accounts)
    replies = StallReplies(kernel.handler, parts.tracker, rosters, parts.calendars).table()
    topics = (INTAKE.name, PAYMENT.name, WORKFLOW.name, NOTIFY.name)
    runs = Runs(kernel.store, kernel.codec, kernel.catalogue, kernel.hub, kernel.now)
    codes = {office.code: id for id, office in kernel.catalogue.offices.items()}
    return Service(
        name="workflow",
        database=database,
        routers=_routers(kernel, database, parts, pump, runs),
        reactors=[
            Reactor("workflow.reactions", topics, {**reacts, **replies}, kernel.codec, database)
        ],
        tasks={"live": pump.run, "lists": pump.lists, "whatif": runs.run},
        commands={action.command.__name__: action.title for action in ACTIONS} | ABSENCES,
        worker=WorkerParts(
            projectors=[parts.projector, parts.history, parts.attention],
            tasks={"sweep": parts.sweeper.run},
            sweep=parts.sweeper.sweep,
            stand_ins=[Projector(ActivityProjection(codes), database)],
        ),
    )


def _routers(
    kernel: Kernel, database: Database, parts: Parts, pump: Pump, runs: Runs
) -> list[APIRouter]:
    """Return the pages for applicants, officers and leaders, and the API."""
    pages, handler, tracker = kernel.pages, kernel.handler, parts.tracker
    catalogue, now = kernel.catalogue, kernel.now
    door = Door(parts.views, kernel.secret("session"), secure=kernel.settings.https)
    desk = _desk(kernel, database, parts)
    figures = Figures(database)
    counter = Counter(pages, kernel.hub, pump, desk, catalogue, kernel.accounts)
    files = OpenFiles(database, parts.views, parts.sops, now)
    watch = Watch(counter, files, figures, parts.calendars)
    letters = _letters(kernel)
    outlook = Outlook(figures)
    tracking = Tracking(pages, kernel.hub, door, tracker, outlook, catalogue, now, letters)
    verification = Verification(letters, parts.views, tracker, now, FailedTries())
    grievances = Grievances(pages, handler, tracker, door, catalogue, now)
    absences = Absences(counter)
    return [
        tracking_pages(tracking),
        verification_pages(verification),
        verification_api(verification),
        complaint_pages(grievances),
        queue_pages(counter),
        file_pages(counter, letters),
        absence_pages(absences),
        *supervision_pages(watch),
        whatif_pages(watch, runs),
        activity_pages(counter, database),
        attention_pages(counter, database),
        workflow_api(desk, door, grievances, absences, letters, kernel.accounts),
    ]


def _letters(kernel: Kernel) -> Letters:
    def name_of(username: str) -> str:
        account = kernel.accounts.find(username)
        return account.display_name if account is not None else username

    return Letters(kernel.catalogue, kernel.pages, Seal(kernel.secret("letter")), name_of)


def _desk(kernel: Kernel, database: Database, parts: Parts) -> Desk:
    return Desk(
        kernel.handler,
        parts.views,
        parts.tracker,
        parts.sops,
        parts.calendars,
        Rosters(kernel.handler, kernel.accounts),
        Requests(database),
        kernel.now,
        kernel.catalogue,
    )
