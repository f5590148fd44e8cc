"""Wires intake's parts together; every rule is elsewhere."""

from __future__ import annotations

from services.intake.api import (
    applicant_router,
    catalogue_router,
    counter_router,
    submission_router,
)
from services.intake.catalogue import PublicCatalogue
from services.intake.desk import Desk
from services.intake.door import Door
from services.intake.numbering import Numbers
from services.intake.reactions import Reactions
from services.intake.secrecy import Secrecy
from services.intake.submission import Submissions
from services.intake.uploads import Uploads
from services.intake.views import Applications, ApplicationsProjection
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service
from shared.topics import WORKFLOW


def build(kernel: Kernel, database: Database) -> Service:
    """Return the intake service. Raises BadConfiguration for a wrong catalogue."""
    handler, pages, now = kernel.handler, kernel.pages, kernel.now
    catalogue = PublicCatalogue(kernel.catalogue)
    applications = Applications(database)
    uploads = Uploads(kernel.uploads)
    secrecy = Secrecy(kernel.secret("tracking"), kernel.secret("receipt"))
    numbers = Numbers(kernel.store, kernel.codec)
    submissions = Submissions(handler, numbers, uploads, secrecy, now)
    desk = Desk(handler, catalogue, applications, now)
    door = Door(handler, applications)
    changed: set[str] = set()

    def progressed(position: int) -> None:
        applications.progressed()
        while changed:
            kernel.hub.publish(queue_key(changed.pop()))

    return Service(
        name="intake",
        database=database,
        routers=[
            catalogue_router(catalogue, uploads, now),
            submission_router(submissions, catalogue, pages, now),
            applicant_router(submissions, desk, door),
            counter_router(desk),
        ],
        projectors=[
            Projector(ApplicationsProjection(kernel.codec, changed.add), database, progressed)
        ],
        reactors=[
            Reactor(
                "intake.reactions",
                (WORKFLOW.name,),
                Reactions(handler).table(),
                kernel.codec,
                database,
            )
        ],
    )


def queue_key(office: str) -> str:
    """Return the live key of an office's queue."""
    return f"intake.queue.{office}"
