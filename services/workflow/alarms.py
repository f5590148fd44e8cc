"""What the clock must know of a permit to say what is due next: a fold of its stream.

The decider's state and a row of the read model hold the same facts; both give ``Alarms``, so that
a nudge, the index of due instants and a what-if replay ask one function. It holds no personal data.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

from pydantic_core import from_json

from services.workflow import clock_fold as clock
from services.workflow.clock_fold import ClockState
from services.workflow.file import File
from services.workflow.states import Closed, NotOpened, State
from shared.contracts import workflow as e
from shared.events import AnyFact, to_micros


class Question(NamedTuple):
    """An explanation that was asked for; ``answer_by`` in microseconds UTC.

    ``told`` are those up the ladder who were told that none came; ``promised`` is the date (ISO
    8601) that an explanation named, or empty.
    """

    stall_id: str
    stage: str
    answer_by: int
    told: tuple[str, ...] = ()
    explained: bool = False
    promised: str = ""


class Complaint(NamedTuple):
    """A complaint that waits for its answer until ``answer_by`` (microseconds UTC)."""

    complaint_id: str
    answer_by: int


class Revocation(NamedTuple):
    """A revocation that was announced; it takes effect with the day ``on`` (ISO 8601)."""

    reason: str
    on: str


class Alarms(NamedTuple):
    """One permit, as its clock sees it.

    ``warned`` is the last (stage, due instant) that a warning was given for. ``valid_until`` is the
    last day of an issued permit (ISO 8601, empty without an end), ``noticed`` the days before it on
    which a notice was given. ``closed``: the permit never was granted, or holds no longer.
    """

    application_id: str = ""
    number: str = ""
    office: str = ""
    clock: ClockState = ClockState()
    role: str = ""
    assignee: str = ""
    warned: tuple[str, str] = ("", "")
    questions: tuple[Question, ...] = ()
    deemed: bool = False
    issued: bool = False
    closed: bool = False
    valid_until: str = ""
    noticed: tuple[int, ...] = ()
    revocation: Revocation | None = None
    complaints: tuple[Complaint, ...] = ()

    @property
    def in_force(self) -> bool:
        """Whether the permit was granted and still holds."""
        return self.issued and not self.closed


def of(state: State) -> Alarms | None:
    """Return what the clock must know of a decider's state; None before a permit is opened."""
    if isinstance(state, NotOpened):
        return None
    file, issued = state.file, state.file.issued
    return Alarms(
        application_id=file.opened.application_id,
        number=file.opened.number,
        office=file.opened.office,
        clock=file.clock,
        role=file.role,
        assignee=file.assignee,
        warned=file.warned[-1] if file.warned else ("", ""),
        questions=tuple(
            Question(
                stall.asked.stall_id,
                stall.asked.stage,
                micros(stall.asked.answer_by),
                stall.escalated_to,
                stall.explained is not None,
                stall.explained.promised if stall.explained is not None else "",
            )
            for stall in file.stalls
        ),
        deemed=file.deemed,
        issued=issued is not None,
        closed=isinstance(state, Closed),
        valid_until=issued.valid_until if issued is not None else "",
        noticed=tuple(sorted(file.noticed)),
        revocation=_announced_in(file),
        complaints=tuple(
            Complaint(held.filed.complaint_id, micros(held.filed.answer_by))
            for held in file.complaints
            if held.answered is None and not held.overdue
        ),
    )


def _announced_in(file: File) -> Revocation | None:
    if file.revocation is None:
        return None
    return Revocation(file.revocation.reason, file.revocation.effective_on)


def micros(text: str) -> int:
    """Return microseconds UTC of an ISO 8601 instant with offset, as events hold them."""
    return to_micros(datetime.fromisoformat(text))


def day_of(text: str) -> date | None:
    """Return a date (ISO 8601) that an event holds, None where it holds none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def evolve(alarms: Alarms, fact: AnyFact) -> Alarms:
    """Return the alarms after ``fact``; the same as ``of`` the decider's state after it."""
    change = _CHANGES.get(type(fact.event))
    if change is not None:
        alarms = change(alarms, fact.event)
    elif type(fact.event) in _CLOSING:
        alarms = alarms._replace(closed=True, **_CLOSING[type(fact.event)])
    moved = clock.evolve(alarms.clock, fact)
    return alarms if moved is alarms.clock else alarms._replace(clock=moved)


def _opened(_: Alarms, event: e.PermitOpened) -> Alarms:
    return Alarms(event.application_id, event.number, event.office)


def _started(alarms: Alarms, event: e.StageStarted) -> Alarms:
    return alarms._replace(role=event.role, assignee=event.assignee)


def _reassigned(alarms: Alarms, event: e.StageReassigned) -> Alarms:
    if event.stage != alarms.clock.stage:
        return alarms
    return alarms._replace(assignee=event.assignee)


def _completed(alarms: Alarms, event: e.StageCompleted) -> Alarms:
    return alarms._replace(role="", assignee="") if event.stage == alarms.clock.stage else alarms


def _warned(alarms: Alarms, event: e.StageDueSoon) -> Alarms:
    return alarms._replace(warned=(event.stage, event.due_at))


def _asked(alarms: Alarms, event: e.StallExplanationRequested) -> Alarms:
    question = Question(event.stall_id, event.stage, micros(event.answer_by))
    return alarms._replace(questions=(*alarms.questions, question))


def _explained(alarms: Alarms, event: e.StallExplained) -> Alarms:
    return alarms._replace(
        questions=tuple(
            held._replace(explained=True, promised=event.promised)
            if held.stall_id == event.stall_id
            else held
            for held in alarms.questions
        )
    )


def _escalated(alarms: Alarms, event: e.StallEscalated) -> Alarms:
    return alarms._replace(
        questions=tuple(
            held._replace(told=(*held.told, event.to)) if held.stall_id == event.stall_id else held
            for held in alarms.questions
        )
    )


def _deemed(alarms: Alarms, event: e.PermitDeemedGranted) -> Alarms:
    return alarms._replace(deemed=True)


def _issued(alarms: Alarms, event: e.PermitIssued) -> Alarms:
    return alarms._replace(issued=True, valid_until=event.valid_until)


def _noticed(alarms: Alarms, event: e.PermitExpiryNoticed) -> Alarms:
    return alarms._replace(noticed=tuple(sorted({*alarms.noticed, event.days})))


def _announced(alarms: Alarms, event: e.RevocationAnnounced) -> Alarms:
    return alarms._replace(revocation=Revocation(event.reason, event.effective_on))


def _lifted(alarms: Alarms, event: e.RevocationLifted) -> Alarms:
    return alarms._replace(revocation=None)


def _complained(alarms: Alarms, event: e.ComplaintFiled) -> Alarms:
    held = Complaint(event.complaint_id, micros(event.answer_by))
    return alarms._replace(complaints=(*alarms.complaints, held))


def _heard(alarms: Alarms, event: e.ComplaintAnswered | e.ComplaintOverdue) -> Alarms:
    left = (held for held in alarms.complaints if held.complaint_id != event.complaint_id)
    return alarms._replace(complaints=tuple(left))


_CHANGES: dict[type[Any], Callable[[Alarms, Any], Alarms]] = {
    e.PermitOpened: _opened,
    e.StageStarted: _started,
    e.StageReassigned: _reassigned,
    e.StageCompleted: _completed,
    e.StageDueSoon: _warned,
    e.StallExplanationRequested: _asked,
    e.StallExplained: _explained,
    e.StallEscalated: _escalated,
    e.PermitDeemedGranted: _deemed,
    e.PermitIssued: _issued,
    e.PermitExpiryNoticed: _noticed,
    e.RevocationAnnounced: _announced,
    e.RevocationLifted: _lifted,
    e.ComplaintFiled: _complained,
    e.ComplaintAnswered: _heard,
    e.ComplaintOverdue: _heard,
}
# What ends a permit or its procedure for good, and what falls with it.
_CLOSING: dict[type[Any], dict[str, Any]] = {
    e.PermitRejected: {},
    e.PermitWithdrawn: {},
    e.PermitClosed: {},
    e.PermitRevoked: {"revocation": None},
    e.PermitExpired: {},
    e.PermitRenewed: {},
}


def dump(alarms: Alarms) -> str:
    """Return the alarms but for their clock as compact JSON, for a row of a read model."""
    return json.dumps(alarms._replace(clock=ClockState()), separators=(",", ":"))


def load(text: str, held: ClockState) -> Alarms:
    """Return the alarms that ``dump`` wrote, with their clock; empty for an empty text."""
    if not text:
        return Alarms()
    values = from_json(text)
    application_id, number, office, _, role, assignee, warned, questions, deemed = values[:9]
    issued, closed, valid_until, noticed, revocation, complaints = values[9:]
    return Alarms(
        application_id,
        number,
        office,
        held,
        role,
        assignee,
        tuple(warned),
        tuple(
            Question(stall, stage, by, tuple(told), *rest)
            for stall, stage, by, told, *rest in questions
        ),
        deemed,
        issued,
        closed,
        valid_until,
        tuple(noticed),
        revocation and Revocation(*revocation),
        tuple(Complaint(*complaint) for complaint in complaints),
    )
