"""From one trace of a foreign log to what it says about one case, with counts of what is unusable.

Pure: no store, no clock. Instants become aware here; words stay the log's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from deploy.importing import report as notes
from deploy.importing.mapping import Mapping, Moment
from deploy.importing.report import ImportReport
from deploy.importing.xes import Attributes, Trace
from shared.events import to_micros
from shared.offices import Office

COMPLETE, START = "complete", "start"
# How logs write that an event has no transition; such events are taken as completions.
_NO_TRANSITION = frozenset({"", "unknown"})


class Step(NamedTuple):
    """One event of the log that has an activity and a time; ``transition`` is lower case."""

    at: datetime
    activity: str
    transition: str
    resource: str
    group: str


@dataclass(frozen=True, slots=True)
class Case:
    """What the log says about one case; ``steps`` in order of time. Empty text: not said.

    ``registered`` and ``closed`` are None when that has not happened (yet).
    """

    name: str
    submitted: datetime
    registered: datetime | None
    closed: datetime | None
    planned_end: datetime | None
    channel: str
    responsible: str
    answers: dict[str, str]
    steps: list[Step]


class CaseReader:
    """Reads traces of one log with one mapping, and notes what it could not use."""

    def __init__(
        self, mapping: Mapping, office: Office, now: datetime, report: ImportReport
    ) -> None:
        """Read for ``office``; an instant after ``now`` is refused; counts go to ``report``."""
        self._mapping = mapping
        self._now = now
        self._report = report
        self._zone = ZoneInfo(office.zone)
        self._trace_keys = mapping.trace_attributes
        self._event_keys = mapping.event_attributes

    def read(self, trace: Trace) -> Case | None:
        """Return what ``trace`` says, or None when it can't be told which case it is, or when."""
        self._report.cases += 1
        self._report.log_events += len(trace.events)
        if trace.left_out:
            self._report.left_out.add(notes.TOO_MUCH, trace.left_out)
        self._note_attributes(trace)
        name = self._value(trace.attributes, self._mapping.trace.case)
        if not name:
            self._report.left_out.add(notes.NO_CASE_NAME)
            return None
        steps = sorted(self._steps(trace), key=lambda step: step.at)
        submitted = self._moment(self._mapping.submitted, trace, steps)
        if submitted is None:
            self._report.left_out.add(notes.NO_SUBMISSION)
            return None
        case = self._case(name, submitted, trace, steps)
        self._note_contradictions(case)
        return case

    def _case(self, name: str, submitted: datetime, trace: Trace, steps: list[Step]) -> Case:
        keys, said = self._mapping.trace, trace.attributes
        answers = {field: self._value(said, key) for field, key in keys.answers.items()}
        return Case(
            name,
            submitted,
            self._moment(self._mapping.registered, trace, steps),
            self._moment(self._mapping.closed, trace, steps),
            self._planned_end(said),
            self._value(said, keys.channel),
            self._value(said, keys.responsible),
            {field: value for field, value in answers.items() if value},
            steps,
        )

    def _planned_end(self, said: Attributes) -> datetime | None:
        value = self._value(said, self._mapping.trace.planned_end)
        at = self._instant(value)
        if value and at is None:
            self._report.left_out.add(notes.BAD_INSTANT)
        return at

    def _steps(self, trace: Trace) -> Iterator[Step]:
        keys = self._mapping.event
        for event in trace.events:
            activity = self._value(event, keys.activity)
            at = self._instant(event.get(keys.time, ""))
            if not activity:
                self._report.left_out.add(notes.NO_ACTIVITY)
            elif at is None:
                self._report.left_out.add(notes.NO_TIME)
            elif at > self._now:
                self._report.left_out.add(notes.IN_FUTURE)
            else:
                transition = event.get(keys.transition, "").lower()
                yield Step(
                    at,
                    activity,
                    COMPLETE if transition in _NO_TRANSITION else transition,
                    self._value(event, keys.resource),
                    self._value(event, keys.group),
                )

    def _moment(self, moment: Moment | None, trace: Trace, steps: list[Step]) -> datetime | None:
        if moment is None:
            return None
        if moment.attribute is not None:
            said = self._value(trace.attributes, moment.attribute)
            at = self._instant(said)
            if said and (at is None or at > self._now):
                self._report.left_out.add(notes.BAD_INSTANT)
                return None
            return at
        if moment.activity is not None:
            return next((s.at for s in steps if s.activity == moment.activity), None)
        return (steps[0] if moment.event == "first" else steps[-1]).at if steps else None

    def _instant(self, said: str) -> datetime | None:
        """Return the instant, in the office's zone where the log names none."""
        try:
            at = datetime.fromisoformat(said)
            at = at if at.tzinfo else at.replace(tzinfo=self._zone)
            to_micros(at)
        except (ValueError, OverflowError):
            return None
        return at

    def _value(self, attributes: Attributes, key: str | None) -> str:
        said = attributes.get(key, "").strip() if key else ""
        return "" if said in self._mapping.empty else said

    def _note_attributes(self, trace: Trace) -> None:
        for key in trace.attributes.keys() - self._trace_keys:
            self._report.uncovered_trace_attributes.add(key)
        for event in trace.events:
            for key in event.keys() - self._event_keys:
                self._report.uncovered_event_attributes.add(key)

    def _note_contradictions(self, case: Case) -> None:
        early = sum(step.at < case.submitted for step in case.steps)
        late = sum(step.at > case.closed for step in case.steps) if case.closed else 0
        if early:
            self._report.contradictions.add(notes.EVENT_BEFORE_START, early)
        if late:
            self._report.contradictions.add(notes.EVENT_AFTER_END, late)
        if case.closed and case.closed < case.submitted:
            self._report.contradictions.add(notes.END_BEFORE_START)
