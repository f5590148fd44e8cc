"""The closed set of states that an applicant reads, and how the streams make one of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias


class Status(StrEnum):
    """Where an application is, in one word. The value is stored and shown to programs."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    REGISTERED = "registered"
    IN_PROCESS = "in-process"
    AWAITING_CORRECTION = "awaiting-correction"
    AWAITING_PAYMENT = "awaiting-payment"
    REJECTED = "rejected"
    ISSUED = "issued"
    FINISHED = "finished"
    WITHDRAWN = "withdrawn"


Intake: TypeAlias = Literal["", "submitted", "returned", "registered", "withdrawn"]
"""What intake's stream says last (empty: nothing came from there yet)."""

Ending: TypeAlias = Literal[
    "",
    "issued",
    "handed-over",
    "rejected",
    "withdrawn",
    "ended",
    "revoked",
    "expired",
    "renewed",
]
"""How the permit's stream says it ended, if it did; the last three are ends of a granted permit."""

_ENDED: dict[str, Status] = {
    "handed-over": Status.FINISHED,
    "ended": Status.FINISHED,
    "revoked": Status.FINISHED,
    "expired": Status.FINISHED,
    "renewed": Status.FINISHED,
    "rejected": Status.REJECTED,
    "withdrawn": Status.WITHDRAWN,
}
_INTAKE: dict[str, Status] = {
    "registered": Status.REGISTERED,
    "returned": Status.RETURNED,
    "withdrawn": Status.WITHDRAWN,
}


def overall(
    intake: str, ending: str, *, opened: bool, returned: bool, awaits_payment: bool
) -> Status:
    """Return the one status of an application from what each stream says by itself.

    ``returned`` and ``awaits_payment`` say what the opened permit waits for.
    """
    if ending in _ENDED:
        return _ENDED[ending]
    if awaits_payment and (ending or intake != "withdrawn"):
        return Status.AWAITING_PAYMENT
    if ending == "issued":
        return Status.ISSUED
    # Taken back, and the permit has not heard of it yet.
    if intake == "withdrawn" or not opened:
        return _INTAKE.get(intake, Status.SUBMITTED)
    return Status.AWAITING_CORRECTION if returned else Status.IN_PROCESS
