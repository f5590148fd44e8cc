"""Wires intake's parts together; every rule is elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter

from services.intake import refusals
from services.intake.accepted import accepted_pages
from services.intake.api import (
    applicant_router,
    catalogue_router,
    counter_router,
    submission_router,
)
from services.intake.assisted import assisted_pages
from services.intake.catalogue import PublicCatalogue
from services.intake.contact import contact_pages
from services.intake.correction import Comeback, correction_pages, door_pages
from services.intake.counter import (
    STATES,
    CounterDesk,
    check_pages,
    document_pages,
    queue_key,
    queue_pages,
)
from services.intake.desk import Desk
from services.intake.door import Door, Visit
from services.intake.files_page import files_pages
from services.intake.forms import FormReader
from services.intake.mail.door import MailDoor
from services.intake.mail.filing import Sorting, correcting_pages, sorting_pages
from services.intake.mail.pages import MailDesk, mail_list_pages, mail_pages
from services.intake.mail.room import MailRoom
from services.intake.mail.views import Mails, MailsProjection
from services.intake.numbering import Numbers
from services.intake.pages import CHANNELS, Front, apply_pages, catalogue_pages
from services.intake.reactions import Reactions
from services.intake.secrecy import Secrecy
from services.intake.submission import Submissions
from services.intake.uploads import Uploads
from services.intake.views import Applications, ApplicationsProjection
from shared.database import Database
from shared.projection import Projector
from shared.reactions import Reactor
from shared.service import Kernel, Service, Task
from shared.topics import WORKFLOW
from shared.web.i18n import msg

# A shared computer's next user must not find the page with the code.
_ACCEPTED_SECONDS, _COMEBACK_SECONDS = 1800, 3600


@dataclass(frozen=True)
class _Parts:
    """What routes and tasks share."""

    catalogue: PublicCatalogue
    applications: Applications
    uploads: Uploads
    submissions: Submissions
    desk: Desk
    door: Door
    mails: Mails
    room: MailRoom


COMMANDS = {
    refusals.SUBMIT: msg("Submit an application"),
    refusals.CORRECT: msg("Correct the application and send it again"),
    refusals.WITHDRAW: msg("Withdraw the application"),
    refusals.RETURN: msg("Return the application to the applicant"),
    **CHANNELS,
}


def build(kernel: Kernel, database: Database) -> Service:
    """Return the intake service. Raises BadConfiguration for a wrong catalogue."""
    parts = _parts(kernel, database)
    changed: set[str] = set()

    def progressed(position: int) -> None:
        parts.applications.progressed()
        while changed:
            office = changed.pop()
            for status in STATES:
                kernel.hub.publish(queue_key(office, status))

    projection = ApplicationsProjection(kernel.codec, changed.add)
    reactions = Reactions(kernel.handler).table()
    return Service(
        name="intake",
        commands=COMMANDS,
        database=database,
        routers=[*_programs(kernel, parts), *_people(kernel, parts)],
        projectors=[
            Projector(projection, database, progressed),
            Projector(MailsProjection(kernel.codec), database),
        ],
        reactors=[Reactor("intake.reactions", (WORKFLOW.name,), reactions, kernel.codec, database)],
        tasks=_tasks(kernel, parts),
    )


def _tasks(kernel: Kernel, parts: _Parts) -> dict[str, Task]:
    """Return what runs beside the pages: the door for mail, where there is one."""
    if not kernel.settings.mail_in:
        return {}
    door = MailDoor(parts.room, kernel.catalogue.offices, kernel.settings.mail_in)
    return {"mail": door.run}


def _parts(kernel: Kernel, database: Database) -> _Parts:
    catalogue = PublicCatalogue(kernel.catalogue)
    applications, mails = Applications(database), Mails(database)
    uploads = Uploads(kernel.uploads)
    secrecy = Secrecy(kernel.secret("tracking"), kernel.secret("receipt"))
    numbers = Numbers(kernel.store, kernel.codec)
    return _Parts(
        catalogue,
        applications,
        uploads,
        Submissions(kernel.handler, numbers, uploads, secrecy, kernel.now),
        Desk(kernel.handler, catalogue, applications, kernel.now),
        Door(kernel.handler, applications),
        mails,
        MailRoom(kernel.handler, uploads, mails, kernel.now),
    )


def _programs(kernel: Kernel, parts: _Parts) -> list[APIRouter]:
    return [
        catalogue_router(parts.catalogue, parts.uploads, kernel.now),
        submission_router(parts.submissions, parts.catalogue, kernel.pages, kernel.now),
        applicant_router(parts.submissions, parts.desk, parts.door),
        counter_router(parts.desk),
    ]


def _people(kernel: Kernel, parts: _Parts) -> list[APIRouter]:
    secret, secure = kernel.secret("visit"), kernel.settings.https
    reader = FormReader(parts.uploads, secret)
    front = Front(
        kernel.pages,
        parts.catalogue,
        parts.submissions,
        parts.applications,
        reader,
        Visit("accepted", secret, seconds=_ACCEPTED_SECONDS, secure=secure),
        kernel.now,
        parts.room,
    )
    comeback = Comeback(
        front,
        parts.desk,
        parts.door,
        reader,
        Visit("comeback", secret, seconds=_COMEBACK_SECONDS, secure=secure),
    )
    counter = CounterDesk(
        kernel.pages,
        parts.catalogue,
        parts.desk,
        parts.applications,
        parts.uploads,
        kernel.hub,
    )
    return [
        catalogue_pages(front),
        apply_pages(front),
        accepted_pages(front),
        door_pages(comeback),
        correction_pages(comeback),
        assisted_pages(front),
        files_pages(kernel.pages, kernel.catalogue, kernel.now),
        *_mail_room(kernel, parts),
        queue_pages(counter),
        check_pages(counter),
        contact_pages(counter),
        document_pages(counter),
    ]


def _mail_room(kernel: Kernel, parts: _Parts) -> list[APIRouter]:
    mail = MailDesk(
        kernel.pages,
        parts.catalogue,
        parts.room,
        parts.mails,
        parts.applications,
        parts.uploads,
        kernel.now,
    )
    sorting = Sorting(mail, parts.desk, parts.submissions)
    return [
        mail_list_pages(mail),
        mail_pages(mail),
        sorting_pages(sorting),
        correcting_pages(sorting),
    ]
