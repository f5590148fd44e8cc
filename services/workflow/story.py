"""The trail that people read: what was done, what goes on, what is still to come.

One step per thing that an applicant recognises. Steps hold data; ``wording`` turns them into
sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.workflow.sop import Kind, Stage
from services.workflow.status import Report
from services.workflow.statuses import Status
from shared.contracts import intake, payment, workflow
from shared.events import Fact

StepState = Literal["done", "current", "waiting", "stopped", "upcoming"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``what`` is a stage of the procedure, or the name of another kind of step.

    ``role`` is the role that works on it, ``by`` the actor who ended it (or began it, while it
    goes on); ``remarks`` are facts that belong to it, in order.
    """

    state: StepState
    what: Stage | str
    at: datetime | None = None
    role: str = ""
    by: str = ""
    remarks: tuple[Any, ...] = ()


_NOTES = (
    workflow.SurveyScheduled,
    workflow.SurveyReported,
    workflow.SurveySkipped,
    workflow.RecommendationGiven,
    workflow.OriginalMismatched,
    workflow.StageReassigned,
    workflow.PermitDeemedGranted,
    workflow.FeeAssessed,
    workflow.FeeSettled,
    workflow.FeeUnsettled,
    workflow.PermitReturned,
    workflow.PermitResumed,
    workflow.PermitIssued,
    payment.BillIssued,
    payment.PaymentReceived,
    payment.BillingRejected,
)
_STANDALONE: dict[type[Any], tuple[StepState, str]] = {
    intake.ApplicationSubmitted: ("done", "submitted"),
    intake.ApplicationForwarded: ("done", "forwarded"),
    intake.ApplicationReturned: ("done", "returned"),
    intake.ApplicationCorrected: ("done", "corrected"),
    intake.ApplicationRegistered: ("done", "registered"),
    intake.ApplicationWithdrawn: ("stopped", "withdrawn"),
    workflow.PermitRejected: ("stopped", "rejected"),
    workflow.PermitClosed: ("done", "ended"),
    workflow.ComplaintFiled: ("done", "complained"),
    workflow.ComplaintAnswered: ("done", "complaint-answered"),
    workflow.ComplaintOverdue: ("done", "complaint-overdue"),
    workflow.RevocationAnnounced: ("done", "revocation-announced"),
    workflow.RevocationLifted: ("done", "revocation-lifted"),
    workflow.PermitExpiryNoticed: ("done", "ends-soon"),
    workflow.PermitRevoked: ("stopped", "revoked"),
    workflow.PermitExpired: ("stopped", "expired"),
    workflow.PermitRenewed: ("done", "renewed"),
}
# What happens beside a stage that goes on: it does not take that stage's place.
_BESIDE = frozenset(
    {
        "complained",
        "complaint-answered",
        "complaint-overdue",
        "revocation-announced",
        "revocation-lifted",
        "ends-soon",
    }
)
_ROLES = {
    "returned": "counter",
    "registered": "counter",
    "complaint-answered": "supervisor",
    "revocation-announced": "signer",
    "revocation-lifted": "signer",
}


def story(report: Report) -> list[Step]:
    """Return the steps of an application, oldest first."""
    told = _Telling(report)
    for fact in report.case.facts:
        told.hear(fact)
    upcoming = list(told.rest())
    return [*told.steps, *upcoming]


class _Telling:
    """Builds the steps fact by fact; the last one may still go on."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._registered = False
        self.steps: list[Step] = []

    def hear(self, fact: Fact[Any]) -> None:
        event = fact.event
        match event:
            case intake.ApplicationReturned() if self._registered:
                # The permit's own return says the same, at its stage.
                return
            case intake.ApplicationRegistered():
                self._registered = True
                self._stand(fact)
            case workflow.StageStarted(stage=name, role=role):
                self.steps.append(Step("current", self._stage(name), fact.at, role, fact.actor))
            case workflow.StageCompleted(stage=name):
                self._complete(name, fact)
            case _ if type(event) in _STANDALONE:
                self._stand(fact)
            case _ if isinstance(event, _NOTES):
                self._remark(event)

    def rest(self) -> Iterator[Step]:
        """Mend the present step's state and return the stages that are still to come."""
        report = self._report
        if self.steps:
            self.steps[-1] = self._present(self.steps[-1])
        if report.status in (Status.REJECTED, Status.WITHDRAWN, Status.FINISHED):
            return
        here = report.stage.id if report.stage is not None else ""
        if report.sop.foreign or (not here and report.case.opened is not None):
            return
        for stage in report.sop.after(here):
            if stage.survey != "never":
                yield Step("upcoming", stage, role=str(stage.role or ""))

    def _present(self, last: Step) -> Step:
        waits = self._report.waits_for in ("applicant", "payment", "outside")
        if last.state == "current" and waits:
            return replace(last, state="waiting")
        if last.what == "returned" and self._report.status is Status.RETURNED:
            return replace(last, state="waiting")
        return last

    def _stage(self, name: str) -> Stage | str:
        return self._report.sop.stage(name) or name

    def _stand(self, fact: Fact[Any]) -> None:
        state, what = _STANDALONE[type(fact.event)]
        if state == "stopped":
            self._drop_present()
        role = _ROLES.get(what, "")
        step = Step(state, what, fact.at, role, fact.actor, (fact.event,))
        goes_on = bool(self.steps) and self.steps[-1].state == "current"
        place = len(self.steps) - 1 if what in _BESIDE and goes_on else len(self.steps)
        self.steps.insert(place, step)

    def _drop_present(self) -> None:
        """A stage that was under way is not reached any more."""
        if self.steps and self.steps[-1].state == "current":
            held = self.steps.pop()
            if held.remarks:
                self.steps.append(replace(held, state="done"))

    def _complete(self, name: str, fact: Fact[Any]) -> None:
        for index in range(len(self.steps) - 1, -1, -1):
            step = self.steps[index]
            if step.state == "current" and _is(step, name):
                remarks = (*step.remarks, fact.event)
                self.steps[index] = replace(
                    step, state="done", at=fact.at, by=fact.actor, remarks=remarks
                )
                return
        # A foreign log knows only when things ended.
        self.steps.append(Step("done", self._stage(name), fact.at, "", fact.actor, (fact.event,)))

    def _remark(self, event: Any) -> None:
        for index in range(len(self.steps) - 1, -1, -1):
            step = self.steps[index]
            if isinstance(step.what, Stage) and _fits(event, step.what):
                self.steps[index] = replace(step, remarks=(*step.remarks, event))
                return


def _is(step: Step, name: str) -> bool:
    return (step.what.id if isinstance(step.what, Stage) else step.what) == name


def _fits(event: Any, stage: Stage) -> bool:
    """Say whether a remark belongs to a stage; money belongs to the stage that waits for it."""
    match event:
        case payment.BillIssued() | payment.PaymentReceived() | payment.BillingRejected():
            return stage.kind in (Kind.AWAIT_PAYMENT, Kind.ASSESS_FEE)
        case workflow.FeeSettled():
            return stage.kind is Kind.AWAIT_PAYMENT
        case workflow.PermitIssued():
            return stage.kind is Kind.SIGN
        case _:
            named = getattr(event, "stage", None)
            return named is None or named == stage.id
