"""From a case of a foreign log to our facts about one permit. Pure: no store, no clock.

Nothing is decided here. The facts happened long ago, so they are written as they were: with the
log's own times and people, even where these contradict each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from deploy.importing import report as notes
from deploy.importing.cases import COMPLETE, START, Case, Step
from deploy.importing.mapping import Mapping
from deploy.importing.naming import application_id, officer, registration_number
from deploy.importing.report import ImportReport, printable
from shared.actors import APPLICANT, Actor, system
from shared.codec import Codec
from shared.contracts.intake import Applicant, ApplicationRegistered, ApplicationSubmitted
from shared.contracts.workflow import PermitClosed, PermitOpened, StageCompleted, StageStarted
from shared.events import NewEvent, to_micros
from shared.ids import derived_id, event_id
from shared.offices import Office

# A foreign log knows no applicant and no documents.
NOBODY = Applicant(name="", nik="", phone="")
MAX_TEXT = 1_000
WORKFLOW = system("workflow")


class PermitFacts(NamedTuple):
    """One permit's events by stream, encoded; ``permit`` is empty before registration."""

    application_id: str
    application: list[NewEvent]
    permit: list[NewEvent]


class _Fact(NamedTuple):
    """An event with its time and actor; ``cause`` is the id of the log entry it comes from."""

    at: datetime
    by: Actor
    cause: str
    event: object


CodeHash = Callable[[str], str]
"""From an application's id to the SHA-256 (hex) of its secret tracking code."""


def no_code(application_id: str) -> str:
    """Return the hash of no code at all: nobody can follow the application without signing in."""
    return ""


class FactWriter:
    """Writes the facts of the cases of one log."""

    def __init__(
        self,
        mapping: Mapping,
        office: Office,
        codec: Codec,
        report: ImportReport,
        code_hash: CodeHash = no_code,
    ) -> None:
        """Write for ``office``; counts of what the mapping does not cover go to ``report``."""
        self._mapping = mapping
        self._office = office.id
        self._codec = codec
        self._report = report
        self._code_hash = code_hash
        self._marks = mapping.moment_activities

    def facts(self, case: Case) -> PermitFacts:
        """Return the facts of ``case``: the same ones, with the same ids, every time."""
        application = application_id(self._office, case.name)
        stream = f"application-{application}"
        submitted = self._encoded([self._submission(case, application)], stream, application)
        if case.registered is None:
            if case.steps:
                self._report.left_out.add(notes.NOT_REGISTERED, len(case.steps))
            return PermitFacts(application, submitted, [])
        registration = self._registration(case, application, case.registered)
        registered = self._encoded([registration], stream, application)
        opening = self._opening(case, application, case.registered, registered[0].event_id)
        work = sorted(self._work(case, application), key=lambda fact: fact.at)
        permit = self._encoded([opening, *work], f"permit-{application}", application)
        return PermitFacts(application, submitted + registered, permit)

    def _encoded(self, facts: list[_Fact], stream: str, application: str) -> list[NewEvent]:
        return [
            self._codec.envelope(
                fact.event,
                event_id(fact.cause, stream, 0),
                to_micros(fact.at),
                str(fact.by),
                fact.cause,
                application,
            )
            for fact in facts
        ]

    def _submission(self, case: Case, application: str) -> _Fact:
        event = ApplicationSubmitted(
            application_id=application,
            number=registration_number(self._mapping.number, case.name),
            office=self._office,
            permit_type=self._mapping.permit_type,
            permit_version=self._mapping.permit_version,
            channel=self._channel(case.channel),
            applicant=NOBODY,
            answers={field: printable(said, MAX_TEXT) for field, said in case.answers.items()},
            documents=(),
            code_hash=self._code_hash(application),
        )
        return _Fact(case.submitted, APPLICANT, self._entry(case, "submitted"), event)

    def _channel(self, said: str) -> str:
        ours = self._mapping.channels.get(said)
        if ours is None and said:
            self._report.uncovered_channels.add(said)
        return ours or printable(said)

    def _registration(self, case: Case, application: str, at: datetime) -> _Fact:
        event = ApplicationRegistered(
            application_id=application,
            number=registration_number(self._mapping.number, case.name),
            office=self._office,
            permit_type=self._mapping.permit_type,
            permit_version=self._mapping.permit_version,
            planned_end=case.planned_end.isoformat() if case.planned_end else "",
        )
        by = officer(case.responsible, self._office)
        return _Fact(at, by, self._entry(case, "registered"), event)

    def _opening(self, case: Case, application: str, at: datetime, cause: str) -> _Fact:
        """Return the fact that workflow would record when it hears of the registration.

        It leaves a foreign permit to the import, but whoever writes it, it is one and the same.
        """
        event = PermitOpened(
            application_id=application,
            number=registration_number(self._mapping.number, case.name),
            office=self._office,
            permit_type=self._mapping.permit_type,
            permit_version=self._mapping.permit_version,
            planned_end=case.planned_end.isoformat() if case.planned_end else "",
        )
        return _Fact(at, WORKFLOW, cause, event)

    def _work(self, case: Case, application: str) -> Iterator[_Fact]:
        """Yield what was done on the permit, and its end. Equal entries are told apart by order.

        An entry is known by its words and not by its place, so that a later, longer export of the
        same log adds only what is new.
        """
        seen: Counter[tuple[str, str, int]] = Counter()
        for step in case.steps:
            event = self._stage_event(step, application)
            if event is not None:
                words = (step.activity, step.transition, to_micros(step.at))
                cause = self._entry(case, *words, seen[words])
                seen[words] += 1
                yield _Fact(step.at, officer(step.resource, self._office), cause, event)
        if case.closed is not None:
            by = officer(case.responsible, self._office)
            closing = PermitClosed(application_id=application)
            yield _Fact(case.closed, by, self._entry(case, "closed"), closing)

    def _stage_event(self, step: Step, application: str) -> object | None:
        stage = self._mapping.activities.get(step.activity)
        if stage is None:
            if step.activity not in self._marks:
                self._report.uncovered_activities.add(step.activity)
            return None
        if step.transition == COMPLETE:
            return StageCompleted(application_id=application, stage=stage, note=step.group)
        if step.transition == START:
            return StageStarted(application_id=application, stage=stage, role="")
        self._report.uncovered_activities.add(f"{step.activity} ({step.transition})")
        return None

    def _entry(self, case: Case, *words: str | int) -> str:
        return derived_id("import", self._office, case.name, *words)
