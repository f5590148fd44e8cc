"""Where an application stands, in the words of the tracking page; folded from its own streams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from shared.contracts import intake, workflow
from shared.text import msg

SUBMITTED, RETURNED, REGISTERED = (
    msg("Submitted"),
    msg("Returned for correction"),
    msg("Registered"),
)
IN_PROCESS, CORRECTION = msg("In process"), msg("Waiting for a correction")
PAYMENT, ISSUED = msg("Waiting for payment"), msg("Issued")
REJECTED, FINISHED, WITHDRAWN = msg("Rejected"), msg("Finished"), msg("Withdrawn")

_ENDS: Final[dict[type[Any], str]] = {
    workflow.PermitRejected: REJECTED,
    workflow.PermitWithdrawn: WITHDRAWN,
    workflow.PermitHandedOver: FINISHED,
    workflow.PermitClosed: FINISHED,
    workflow.PermitRevoked: FINISHED,
    workflow.PermitExpired: FINISHED,
    workflow.PermitRenewed: FINISHED,
}
_STEPS: Final[dict[type[Any], str]] = {
    intake.ApplicationSubmitted: SUBMITTED,
    intake.ApplicationReturned: RETURNED,
    intake.ApplicationCorrected: SUBMITTED,
    intake.ApplicationRegistered: REGISTERED,
    intake.ApplicationWithdrawn: WITHDRAWN,
    workflow.PermitOpened: IN_PROCESS,
    workflow.PermitReturned: CORRECTION,
    workflow.PermitResumed: IN_PROCESS,
    workflow.PermitIssued: ISSUED,
}


def standing(application: Iterable[Any], permit: Iterable[Any]) -> str:
    """Return the msgid of the status that the events of both streams come to.

    A fee that was assessed is waited for until it is settled, and again when the bank took the
    money back.
    """
    said = _last(application, SUBMITTED)
    events = list(permit)
    if not events:
        return said
    step = _last(events, IN_PROCESS)
    if step in _ENDS.values():
        return step
    taken_back = said == WITHDRAWN and step != ISSUED
    if _owes(events) and step in (IN_PROCESS, ISSUED) and not taken_back:
        return PAYMENT
    return WITHDRAWN if taken_back else step


def _last(events: Iterable[Any], first: str) -> str:
    step = first
    for event in events:
        kind = type(event)
        if step in _ENDS.values() and step != WITHDRAWN and kind not in _ENDS:
            # What comes after an end does not take it back.
            continue
        # A correction of a permit already at work is workflow's affair.
        if kind is intake.ApplicationCorrected and step == REGISTERED:
            continue
        step = _ENDS.get(kind) or _STEPS.get(kind) or step
    return step


def _owes(events: Iterable[Any]) -> bool:
    owes = False
    for event in events:
        if isinstance(event, workflow.FeeAssessed | workflow.FeeUnsettled):
            owes = True
        elif isinstance(event, workflow.FeeSettled):
            owes = False
    return owes
