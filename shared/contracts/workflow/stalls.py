"""When a permit's time runs out: warnings, questions, escalations.

Stream: ``permit-{application_id}``. Instants in fields are ISO 8601 with offset.
"""

from __future__ import annotations

from shared.contracts.registry import event


@event("StageDueSoon")
class StageDueSoon:
    """Most of the stage's working time is used. ``due_at`` is the stage's due instant."""

    application_id: str
    office: str
    stage: str
    due_at: str
    assignee: str = ""


@event("StageOverdue")
class StageOverdue:
    """The stage's working time is used up."""

    application_id: str
    office: str
    stage: str
    due_at: str
    assignee: str = ""


@event("StallExplanationRequested")
class StallExplanationRequested:
    """Somebody is asked why the document stands still; escalated at ``answer_by``.

    ``asked`` is the account at work on it, or the stage's role where nobody was named.
    """

    application_id: str
    office: str
    stage: str
    stall_id: str
    asked: str
    answer_by: str


@event("StallExplained")
class StallExplained:
    """The officer explained the stall; ``promised`` is a date (ISO 8601) or empty."""

    application_id: str
    stage: str
    stall_id: str
    explanation: str
    promised: str = ""


@event("StallReplyRejected")
class StallReplyRejected:
    """An officer's message was no explanation of this stall; ``reason`` is a code.

    ``reply_id`` is that of the message (``StallReplyGiven``); its officer is told why.
    """

    application_id: str
    stall_id: str
    reply_id: str
    reason: str


@event("StallEscalated", version=2)
class StallEscalated:
    """No explanation came in time: the next person up the ladder is told.

    ``to`` is ``supervisor`` first, then ``head`` (the head of office).
    """

    application_id: str
    office: str
    stage: str
    stall_id: str
    to: str = "head"


@event("PermitDeemedGranted")
class PermitDeemedGranted:
    """The legal limit passed without a decision (UU 30/2014 art. 53): a fact for people to act on.

    Nothing is issued by it. ``due_at`` is the instant at which the limit passed.
    """

    application_id: str
    office: str
    number: str
    due_at: str
