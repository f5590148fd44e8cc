"""What each event sets in a row of ``permits``: event type -> function, one stream's columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from services.workflow.stalls import micros
from shared.contracts import intake, payment, workflow
from shared.events import Recorded

if TYPE_CHECKING:
    from services.workflow.rows import Row


def _submitted(row: Row, event: intake.ApplicationSubmitted, recorded: Recorded) -> None:
    row.number, row.office = event.number, event.office
    row.permit_type, row.permit_version = event.permit_type, event.permit_version
    row.channel, row.code_hash = event.channel, event.code_hash
    row.submitted_us, row.intake_phase = recorded.occurred_us, "submitted"


def _corrected(row: Row, event: intake.ApplicationCorrected, recorded: Recorded) -> None:
    # What happens to a registered application is the permit's to say.
    if row.intake_phase != "registered":
        row.intake_phase = "submitted"


def _app_returned(row: Row, event: intake.ApplicationReturned, recorded: Recorded) -> None:
    if row.intake_phase != "registered":
        row.intake_phase = "returned"


def _opened(row: Row, event: workflow.PermitOpened, recorded: Recorded) -> None:
    row.permit_number, row.planned_end = event.number, event.planned_end
    row.procedure_office, row.procedure_type = event.office, event.permit_type
    row.procedure_version = event.permit_version


def _started(row: Row, event: workflow.StageStarted, recorded: Recorded) -> None:
    row.stage, row.role, row.assignee = event.stage, event.role, event.assignee
    row.stage_us = recorded.occurred_us


def _completed(row: Row, event: workflow.StageCompleted, recorded: Recorded) -> None:
    if event.stage == row.stage:
        row.stage = row.role = row.assignee = ""


def _warned(row: Row, event: workflow.StageDueSoon, recorded: Recorded) -> None:
    row.warned = f"{event.stage} {event.due_at}"


def _asked(row: Row, event: workflow.StallExplanationRequested, recorded: Recorded) -> None:
    row.stall_id, row.stall_stage = event.stall_id, event.stage
    row.asked_us, row.answer_by_us = recorded.occurred_us, micros(event.answer_by)
    row.explanation = row.promised = row.explained_by = ""
    row.explained_us = row.escalated_us = 0


def _explained(row: Row, event: workflow.StallExplained, recorded: Recorded) -> None:
    if event.stall_id == row.stall_id:
        row.explanation, row.promised = event.explanation, event.promised
        row.explained_us, row.explained_by = recorded.occurred_us, recorded.actor


def _escalated(row: Row, event: workflow.StallEscalated, recorded: Recorded) -> None:
    if event.stall_id == row.stall_id:
        row.escalated_us = recorded.occurred_us


def _billed(row: Row, event: payment.BillIssued, recorded: Recorded) -> None:
    row.bill_state, row.amount, row.due_on = "issued", event.amount, event.due_on


def _phase(name: str) -> Callable[[Row, Any, Recorded], None]:
    def apply(row: Row, event: Any, recorded: Recorded) -> None:
        row.intake_phase = name

    return apply


def _bill(name: str) -> Callable[[Row, Any, Recorded], None]:
    def apply(row: Row, event: Any, recorded: Recorded) -> None:
        row.bill_state = name

    return apply


def _end(name: str) -> Callable[[Row, Any, Recorded], None]:
    def apply(row: Row, event: Any, recorded: Recorded) -> None:
        # As in ``states``: the last word closes the file, and nothing reopens it as issued.
        if name != "issued" or not row.ending:
            row.ending = name
        if name != "issued":
            row.stage = row.role = row.assignee = ""

    return apply


def _clock_only(row: Row, event: Any, recorded: Recorded) -> None:
    """Only the clock and the position hear of it."""


_INTAKE: dict[type[Any], Any] = {
    intake.ApplicationSubmitted: _submitted,
    intake.ApplicationReturned: _app_returned,
    intake.ApplicationCorrected: _corrected,
    intake.ApplicationRegistered: _phase("registered"),
    intake.ApplicationWithdrawn: _phase("withdrawn"),
}
_PERMIT: dict[type[Any], Any] = {
    workflow.PermitOpened: _opened,
    workflow.StageStarted: _started,
    workflow.StageCompleted: _completed,
    workflow.PermitReturned: _clock_only,
    workflow.PermitResumed: _clock_only,
    workflow.FeeSettled: _clock_only,
    workflow.FeeUnsettled: _clock_only,
    workflow.StageDueSoon: _warned,
    workflow.StallExplanationRequested: _asked,
    workflow.StallExplained: _explained,
    workflow.StallEscalated: _escalated,
    workflow.PermitIssued: _end("issued"),
    workflow.PermitHandedOver: _end("handed-over"),
    workflow.PermitRejected: _end("rejected"),
    workflow.PermitWithdrawn: _end("withdrawn"),
    workflow.PermitClosed: _end("ended"),
    workflow.SurveyScheduled: _clock_only,
    workflow.SurveyReported: _clock_only,
    workflow.SurveySkipped: _clock_only,
    workflow.FeeAssessed: _clock_only,
    workflow.StageOverdue: _clock_only,
    workflow.PermitWithdrawalRejected: _clock_only,
    workflow.FeeSettlementRejected: _clock_only,
    workflow.PermitOpeningRejected: _clock_only,
}
_PAYMENT: dict[type[Any], Any] = {
    payment.BillIssued: _billed,
    payment.PaymentReceived: _bill("paid"),
    payment.BillCancelled: _bill("cancelled"),
}
TAKERS: Final[dict[type[Any], tuple[str, Any]]] = {
    **{cls: ("intake_position", apply) for cls, apply in _INTAKE.items()},
    **{cls: ("permit_position", apply) for cls, apply in _PERMIT.items()},
    **{cls: ("payment_position", apply) for cls, apply in _PAYMENT.items()},
}
WANTED: Final = frozenset(TAKERS)
