"""What each event sets in a row of ``permits``: event type -> function, one stream's columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from services.workflow.alarms import micros
from shared.contracts import intake, payment, workflow
from shared.events import Recorded

if TYPE_CHECKING:
    from services.workflow.rows import Row


def decree_key(number: str) -> str:
    """Return a decree's number as it is looked for: in capitals, with single spaces."""
    return " ".join(number.upper().split())


def _submitted(row: Row, event: intake.ApplicationSubmitted, recorded: Recorded) -> None:
    row.number, row.office = event.number, event.office
    row.permit_type, row.permit_version = event.permit_type, event.permit_version
    row.channel, row.code_hash = event.channel, event.code_hash
    row.submitted_us, row.intake_phase = recorded.occurred_us, "submitted"


def _forwarded(row: Row, event: intake.ApplicationForwarded, recorded: Recorded) -> None:
    row.office = event.office


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


def _reassigned(row: Row, event: workflow.StageReassigned, recorded: Recorded) -> None:
    if event.stage == row.stage:
        row.assignee = event.assignee


def _asked(row: Row, event: workflow.StallExplanationRequested, recorded: Recorded) -> None:
    row.stall_id, row.stall_stage = event.stall_id, event.stage
    row.asked_us, row.answer_by_us = recorded.occurred_us, micros(event.answer_by)
    row.explanation = row.promised = row.explained_by = ""
    row.explained_us = row.escalated_us = 0
    row.escalated_to = ""


def _explained(row: Row, event: workflow.StallExplained, recorded: Recorded) -> None:
    if event.stall_id == row.stall_id:
        row.explanation, row.promised = event.explanation, event.promised
        row.explained_us, row.explained_by = recorded.occurred_us, recorded.actor


def _escalated(row: Row, event: workflow.StallEscalated, recorded: Recorded) -> None:
    if event.stall_id == row.stall_id:
        row.escalated_us, row.escalated_to = recorded.occurred_us, event.to


def _deemed(row: Row, event: workflow.PermitDeemedGranted, recorded: Recorded) -> None:
    row.deemed_us = recorded.occurred_us


def _issued(row: Row, event: workflow.PermitIssued, recorded: Recorded) -> None:
    row.valid_until, row.decree = event.valid_until, decree_key(event.document_number)
    # As in ``states``: the last word closes the file, and nothing reopens it as issued.
    row.ending = row.ending or "issued"


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
        row.ending = name
        row.stage = row.role = row.assignee = ""

    return apply


def _handed_over(row: Row, event: workflow.PermitHandedOver, recorded: Recorded) -> None:
    if row.ending in ("", "issued"):
        _end("handed-over")(row, event, recorded)


def _alarms_only(row: Row, event: Any, recorded: Recorded) -> None:
    """Only the alarms and the position hear of it."""


_INTAKE: dict[type[Any], Any] = {
    intake.ApplicationSubmitted: _submitted,
    intake.ApplicationForwarded: _forwarded,
    intake.ApplicationReturned: _app_returned,
    intake.ApplicationCorrected: _corrected,
    intake.ApplicationRegistered: _phase("registered"),
    intake.ApplicationWithdrawn: _phase("withdrawn"),
}
_PERMIT: dict[type[Any], Any] = {
    workflow.PermitOpened: _opened,
    workflow.StageStarted: _started,
    workflow.StageCompleted: _completed,
    workflow.PermitReturned: _alarms_only,
    workflow.PermitResumed: _alarms_only,
    workflow.FeeSettled: _alarms_only,
    workflow.FeeUnsettled: _alarms_only,
    workflow.StageReassigned: _reassigned,
    workflow.StageDueSoon: _alarms_only,
    workflow.StallExplanationRequested: _asked,
    workflow.StallExplained: _explained,
    workflow.StallEscalated: _escalated,
    workflow.PermitDeemedGranted: _deemed,
    workflow.PermitIssued: _issued,
    workflow.PermitHandedOver: _handed_over,
    workflow.PermitRejected: _end("rejected"),
    workflow.PermitWithdrawn: _end("withdrawn"),
    workflow.PermitClosed: _end("ended"),
    workflow.PermitRevoked: _end("revoked"),
    workflow.PermitExpired: _end("expired"),
    workflow.PermitRenewed: _end("renewed"),
    workflow.PermitExpiryNoticed: _alarms_only,
    workflow.RevocationAnnounced: _alarms_only,
    workflow.RevocationLifted: _alarms_only,
    workflow.ComplaintFiled: _alarms_only,
    workflow.ComplaintAnswered: _alarms_only,
    workflow.ComplaintOverdue: _alarms_only,
    workflow.RecommendationGiven: _alarms_only,
    workflow.OriginalMatched: _alarms_only,
    workflow.OriginalMismatched: _alarms_only,
    workflow.PermitRenewalRejected: _alarms_only,
    workflow.SurveyScheduled: _alarms_only,
    workflow.SurveyReported: _alarms_only,
    workflow.SurveySkipped: _alarms_only,
    workflow.FeeAssessed: _alarms_only,
    workflow.StageOverdue: _alarms_only,
    workflow.PermitWithdrawalRejected: _alarms_only,
    workflow.FeeSettlementRejected: _alarms_only,
    workflow.PermitOpeningRejected: _alarms_only,
    workflow.StallReplyRejected: _alarms_only,
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
