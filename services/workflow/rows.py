"""One row of the read model ``permits``: the fold of what three streams say about an application.

Each column is set from one stream alone (intake, workflow or payment), because the order between
topics is not guaranteed; only ``status`` is derived from several, anew each time. So any
interleaving of the streams ends in the same row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final

from services.workflow import clock
from services.workflow.clock import ClockState
from services.workflow.sop import Sops
from services.workflow.stalls import stall_id
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
    present stage while the clock runs; ``timer_us`` is when a sweep must look at it.
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
    opened_us: int = 0
    stopped_us: int = 0
    ending: str = ""
    planned_end: str = ""
    warned: str = ""
    stall_id: str = ""
    stall_stage: str = ""
    asked_us: int = 0
    answer_by_us: int = 0
    explanation: str = ""
    promised: str = ""
    explained_us: int = 0
    explained_by: str = ""
    escalated_us: int = 0
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
    """A row on its way through a batch; the clock is unpacked once, when it is needed."""

    __slots__ = ("_clock", "_worked", "row")

    def __init__(self, row: Row) -> None:
        """Fold on from ``row``, which is changed in place."""
        self.row = row
        self._clock: ClockState | None = None
        self._worked = False

    def take(self, event: Any, recorded: Recorded) -> None:
        """Take one event. One that the row has seen already is left out."""
        position, apply = TAKERS[type(event)]
        if recorded.position <= getattr(self.row, position):
            return
        setattr(self.row, position, recorded.position)
        apply(self.row, event, recorded)
        if position == "permit_position":
            self._worked = True
            held = clock.load(self.row.clock) if self._clock is None else self._clock
            self._clock = clock.evolve(
                held, Fact(event, from_micros(recorded.occurred_us), recorded.actor)
            )

    def finish(self, sops: Sops, calendars: Calendars) -> Row:
        """Return the row with everything that is derived from what it took."""
        row = self.row
        if self._worked and self._clock is not None and row.procedure_office:
            row.clock = clock.dump(self._clock)
            row.opened_us, row.stopped_us = self._clock.opened, self._clock.stopped
            row.returned = int(self._clock.returned)
            _derive(row, self._clock, sops, calendars)
        row.status = overall(
            row.intake_phase,
            row.ending,
            opened=bool(row.procedure_office),
            returned=bool(row.returned),
            awaits_payment=bool(row.awaits_payment),
        )
        return row


def _derive(row: Row, state: ClockState, sops: Sops, calendars: Calendars) -> None:
    row.warn_us = row.due_us = FAR
    row.timer_us = None
    # An issued permit without a further stage is not worked on any more.
    row.working = int(not row.ending or (row.ending == "issued" and bool(row.stage)))
    try:
        sop = sops.of(*row.procedure_key)
        calendar = calendars.of(row.procedure_office)
    except BadConfiguration as error:
        # That office alone has no due instants; everybody else's are right.
        log.error("permit_without_procedure", procedure=row.procedure_key, code=error.code)
        return
    stage = sop.stage(state.stage)
    waits = stage is not None and stage.waits_for == "payment"
    row.awaits_payment = int(state.unpaid or (waits and not state.stopped))
    due = clock.due(state, calendar, sop)
    if due is not None:
        row.warn_us, row.due_us = due
        row.timer_us = None if sop.foreign else _next_timer(row)


def _next_timer(row: Row) -> int | None:
    """Return when the ladder's next step is due: warn, ask, escalate; None after the last one."""
    if not (row.warned or row.stall_id):
        return row.warn_us
    due_at = from_micros(row.due_us).isoformat()
    if row.stall_id == stall_id(row.application_id, row.stage, due_at):
        return None if row.explained_us or row.escalated_us else row.answer_by_us
    return row.due_us if row.warned == f"{row.stage} {due_at}" else row.warn_us
