"""One row of the read model ``permits``: the fold of what three streams say about an application.

Each column is set from one stream alone (intake, workflow or payment), because the order between
topics is not guaranteed; only ``status`` is derived from several, anew each time. So any
interleaving of the streams ends in the same row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

from services.workflow import alarms as alarm
from services.workflow import clock
from services.workflow.alarms import Alarms
from services.workflow.deadlines import next_instant
from services.workflow.sop import Sops
from services.workflow.statuses import overall
from services.workflow.takers import TAKERS
from shared.calendar import Calendars
from shared.errors import BadConfiguration
from shared.events import Fact, Recorded, from_micros
from shared.telemetry import log

# Later than every due instant: a permit that is never due sorts last.
FAR: Final = 9_000_000_000_000_000


@dataclass(slots=True)
class Row:
    """One application. ``.._us`` are microseconds UTC, 0 for never; the groups are the streams.

    ``procedure_..`` is what the permit was opened with. ``warn_us`` and ``due_us`` are those of the
    present stage while the clock runs; ``timer_us`` is when a sweep must look at it. ``clock`` and
    ``alarms`` are what a nudge is decided from, as of version ``stream_version`` of the permit's
    stream. ``complaints`` are those without an answer. ``decree`` is the decree's number as
    ``takers.decree_key`` writes it.
    """

    application_id: str
    # intake
    intake_position: int = 0
    number: str = ""
    office: str = ""
    permit_type: str = ""
    permit_version: int = 0
    channel: str = ""
    code_hash: str = ""
    submitted_us: int = 0
    intake_phase: str = ""
    # workflow
    permit_position: int = 0
    permit_number: str = ""
    procedure_office: str = ""
    procedure_type: str = ""
    procedure_version: int = 0
    stage: str = ""
    role: str = ""
    assignee: str = ""
    stage_us: int = 0
    clock: str = ""
    alarms: str = ""
    stream_version: int = 0
    opened_us: int = 0
    stopped_us: int = 0
    ending: str = ""
    planned_end: str = ""
    valid_until: str = ""
    decree: str = ""
    deemed_us: int = 0
    complaints: int = 0
    stall_id: str = ""
    stall_stage: str = ""
    asked_us: int = 0
    answer_by_us: int = 0
    explanation: str = ""
    promised: str = ""
    explained_us: int = 0
    explained_by: str = ""
    escalated_us: int = 0
    escalated_to: str = ""
    warn_us: int = FAR
    due_us: int = FAR
    timer_us: int | None = None
    returned: int = 0
    awaits_payment: int = 0
    working: int = 0
    # payment
    payment_position: int = 0
    bill_state: str = ""
    amount: int = 0
    due_on: str = ""
    # derived
    status: str = ""

    @property
    def procedure_key(self) -> tuple[str, str, int]:
        """Office, permit type and version, as ``Sops.of`` takes them."""
        return self.procedure_office, self.procedure_type, self.procedure_version


COLUMNS: Final = tuple(field.name for field in fields(Row))
row_values: Final = attrgetter(*COLUMNS)


class RowFold:
    """A row on its way through a batch; its alarms are unpacked once, when they are needed."""

    __slots__ = ("_alarms", "row")

    def __init__(self, row: Row) -> None:
        """Fold on from ``row``, which is changed in place."""
        self.row = row
        self._alarms: Alarms | None = None

    def take(self, event: Any, recorded: Recorded) -> None:
        """Take one event. One that the row has seen already is left out."""
        position, apply = TAKERS[type(event)]
        if recorded.position <= getattr(self.row, position):
            return
        setattr(self.row, position, recorded.position)
        apply(self.row, event, recorded)
        if position == "permit_position":
            held = alarms_of(self.row) if self._alarms is None else self._alarms
            fact = Fact(event, from_micros(recorded.occurred_us), recorded.actor)
            self._alarms = alarm.evolve(held, fact)
            self.row.stream_version = recorded.version

    def finish(self, sops: Sops, calendars: Calendars) -> Row:
        """Return the row with everything that is derived from what it took."""
        row, alarms = self.row, self._alarms
        if alarms is not None and row.procedure_office:
            row.clock, row.alarms = clock.dump(alarms.clock), alarm.dump(alarms)
            row.opened_us, row.stopped_us = alarms.clock.opened, alarms.clock.stopped
            row.returned = int(alarms.clock.returned)
            row.complaints = len(alarms.complaints)
            _derive(row, alarms, sops, calendars)
        row.status = overall(
            row.intake_phase,
            row.ending,
            opened=bool(row.procedure_office),
            returned=bool(row.returned),
            awaits_payment=bool(row.awaits_payment),
        )
        return row


def alarms_of(row: Row) -> Alarms:
    """Return what the clock must know of the permit, as the row holds it."""
    return alarm.load(row.alarms, clock.load(row.clock))


def _derive(row: Row, alarms: Alarms, sops: Sops, calendars: Calendars) -> None:
    row.warn_us = row.due_us = FAR
    row.timer_us = None
    # An issued permit without a further stage is not worked on any more.
    row.working = int(not row.ending or (row.ending == "issued" and bool(row.stage)))
    try:
        sop = sops.of(*row.procedure_key)
        calendar = calendars.of(row.procedure_office)
        ladder = sops.ladder(row.procedure_office)
    except BadConfiguration as error:
        # That office alone has no due instants; everybody else's are right.
        log.error("permit_without_procedure", procedure=row.procedure_key, code=error.code)
        return
    stage = sop.stage(alarms.clock.stage)
    waits = stage is not None and stage.waits_for == "payment"
    row.awaits_payment = int(alarms.clock.unpaid or (waits and not alarms.clock.stopped))
    coming = clock.pending(alarms.clock, calendar, sop, ladder.warn_percent)
    if coming.due is not None:
        row.warn_us, row.due_us = coming.due
    row.timer_us = next_instant(alarms, sop, calendar, ladder, coming=coming)
