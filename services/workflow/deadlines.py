"""What a permit's clock says next if nothing happens: every instant that something is due at.

One pure function of (alarms, procedure, calendar, ladder) answers the nudge, the index of due
instants and what-if. The chains, of which each names its next step only:

- the present stage: due soon -> overdue, an explanation is asked for;
- each question about it: not explained -> the supervisor is told -> the head of office is told;
  explained with a date that passes -> asked once more;
- the legal limit without a decision: deemed granted (UU 30/2014 art. 53), a fact for people;
- a complaint without an answer, a revocation that takes effect, the end of a permit with notices.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from services.workflow import clock
from services.workflow.alarms import Alarms, Question, day_of
from services.workflow.clock import Pending
from services.workflow.sop import Sop
from shared.calendar import WorkCalendar
from shared.contracts.workflow import (
    ComplaintOverdue,
    PermitDeemedGranted,
    PermitExpired,
    PermitExpiryNoticed,
    PermitRevoked,
    StageDueSoon,
    StageOverdue,
    StallEscalated,
    StallExplanationRequested,
)
from shared.events import from_micros, to_micros
from shared.ids import derived_id
from shared.offices import Ladder

SUPERVISOR: Final = "supervisor"
HEAD: Final = "head"
_DAY: Final = timedelta(days=1)
_at: Final = itemgetter(0)


class Step(NamedTuple):
    """Something that is due ``at`` (microseconds UTC): the event that says so.

    ``about`` is the due instant, the question, the complaint or the notice that it is about, and
    ``to`` who is told.
    """

    at: int
    event: type[Any]
    about: str = ""
    to: str = ""


def stall_id(application_id: str, stage: str, due_at: str) -> str:
    """Return the id of the one stall that a stage's due instant can bring about."""
    return derived_id("stall", application_id, stage, due_at)


def asked_again(first: str) -> str:
    """Return the id of the one question that follows when a promise in ``first`` is not kept."""
    return derived_id("stall", first, "again")


def steps(
    alarms: Alarms,
    sop: Sop,
    calendar: WorkCalendar,
    ladder: Ladder,
    now: int = 0,
    *,
    coming: Pending | None = None,
) -> list[Step]:
    """Return the next step of every chain, the earliest first.

    What made sense only before ``now`` is left out: a warning once the stage is overdue, a notice
    once a later one is due. So a late sweep tells nobody what is no longer so. Whoever has read the
    clock already gives what it said as ``coming``.
    """
    if not alarms.clock.opened or sop.foreign:
        return []
    if coming is None:
        coming = clock.pending(alarms.clock, calendar, sop, ladder.warn_percent)
    found = [
        Step(complaint.answer_by, ComplaintOverdue, complaint.complaint_id)
        for complaint in alarms.complaints
    ]
    if coming.limit is not None and not alarms.deemed:
        found.append(Step(coming.limit, PermitDeemedGranted))
    if coming.due is not None:
        found += _of_stage(alarms, coming.due, now)
        if alarms.questions:
            found += _of_questions(alarms, calendar, ladder)
    if alarms.in_force:
        found += _in_force(alarms, sop, calendar, now)
    found.sort(key=_at)
    return found


def next_instant(
    alarms: Alarms,
    sop: Sop,
    calendar: WorkCalendar,
    ladder: Ladder,
    now: int = 0,
    *,
    coming: Pending | None = None,
) -> int | None:
    """Return when a sweep must look at the permit (microseconds UTC); None for never."""
    found = steps(alarms, sop, calendar, ladder, now, coming=coming)
    return found[0].at if found else None


def _of_stage(alarms: Alarms, due: clock.Due, now: int) -> Iterator[Step]:
    stage, due_at = alarms.clock.stage, _text(due.due)
    if alarms.questions:
        stall = stall_id(alarms.application_id, stage, due_at)
        if any(question.stall_id == stall for question in alarms.questions):
            return
    if now < due.due and alarms.warned != (stage, due_at):
        yield Step(due.warn, StageDueSoon, due_at)
    else:
        yield Step(due.due, StageOverdue, due_at)


def _of_questions(alarms: Alarms, calendar: WorkCalendar, ladder: Ladder) -> Iterator[Step]:
    """Yield what follows the questions about the present stage, while its clock runs."""
    for question in alarms.questions:
        if question.stage != alarms.clock.stage:
            continue
        if not question.explained:
            yield from _up_the_ladder(question, calendar, ladder)
        elif question.promised and not _asked_again_about(question, alarms):
            yield from _after_promise(question, calendar)


@lru_cache(maxsize=256)
def _text(instant: int) -> str:
    """Return an instant (microseconds UTC) as events hold it; in a storm it is one for all."""
    return from_micros(instant).isoformat()


def _asked_again_about(question: Question, alarms: Alarms) -> bool:
    """Say whether a question is the second one, or was followed by it already."""
    known = [other.stall_id for other in alarms.questions]
    return asked_again(question.stall_id) in known or question.stall_id in map(asked_again, known)


def _up_the_ladder(question: Question, calendar: WorkCalendar, ladder: Ladder) -> Iterator[Step]:
    if not question.told:
        yield Step(question.answer_by, StallEscalated, question.stall_id, SUPERVISOR)
    elif HEAD not in question.told:
        at = calendar.add_micros(question.answer_by, ladder.head_minutes * 60_000_000)
        yield Step(at, StallEscalated, question.stall_id, HEAD)


def _after_promise(question: Question, calendar: WorkCalendar) -> Iterator[Step]:
    """Ask again when the office opens after the promised day."""
    promised = day_of(question.promised)
    if promised is not None:
        opens = calendar.next_open(calendar.midnight(promised + _DAY))
        yield Step(to_micros(opens), StallExplanationRequested, question.stall_id)


def _in_force(alarms: Alarms, sop: Sop, calendar: WorkCalendar, now: int) -> Iterator[Step]:
    """Yield what a permit that holds comes to, at the office's own midnights."""
    if alarms.revocation is not None:
        effective = day_of(alarms.revocation.on)
        if effective is not None:
            yield Step(_begins(effective, calendar), PermitRevoked)
    last = day_of(alarms.valid_until)
    if last is None:
        return
    yield Step(_begins(last + _DAY, calendar), PermitExpired)
    # Not the ones of before it was issued, and none that a later one has overtaken.
    notices = [
        Step(_begins(last - days * _DAY, calendar), PermitExpiryNoticed, str(days))
        for days in sorted(sop.notices, reverse=True)
        if not alarms.noticed or days < alarms.noticed[0]
    ]
    coming = [notice for notice in notices if notice.at > alarms.clock.stopped]
    past = [notice for notice in coming if notice.at <= now]
    yield from (past[-1:] or coming[:1])


def _begins(day: date, calendar: WorkCalendar) -> int:
    return to_micros(calendar.midnight(day))
