"""What a treasurer can do with money in suspense, as a table: command, form, words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.payment import suspense as s
from shared.text import CleanParagraph, CleanText
from shared.web.i18n import msg

_Words = Annotated[CleanParagraph, Field(min_length=3, max_length=2000)]
_Line = Annotated[CleanText, Field(min_length=1, max_length=100)]
_Id = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z0-9-]+$")]
_AccountNumber = Annotated[str, StringConstraints(pattern=r"^[0-9][0-9 .-]{3,32}[0-9]$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ClaimBody(_Body):
    """Nothing but the wish."""


class AllocateBody(_Body):
    """The registration number whose open bill is paid, and why this money is for it."""

    number: _Line
    reason: _Words


class RequestRefundBody(_Body):
    """Where the money goes, and why it is given back."""

    bank: _Line
    account_number: _AccountNumber
    account_holder: _Line
    reason: _Words


class ApproveRefundBody(_Body):
    """Which refund."""

    refund_id: _Id


class DeclineRefundBody(_Body):
    """Which refund, and why not."""

    refund_id: _Id
    reason: _Words


class RefundPaidBody(_Body):
    """The bank's reference of the transfer, and the day it left the account."""

    refund_id: _Id
    reference: _Line
    paid_on: date


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. ``tone`` is the button's; ``done`` the sentence after it."""

    name: str
    command: type[Any]
    title: str
    label: str
    done: str
    body: type[_Body]
    tone: str = "primary"

    @property
    def scope(self) -> str:
        """How the field ids of its form begin: a page holds several."""
        return f"{self.name}-"


ACTIONS: tuple[Action, ...] = (
    Action(
        "claim",
        s.ClaimSuspense,
        msg("Take the case on"),
        msg("Take it on"),
        msg("The case is yours."),
        ClaimBody,
        "secondary",
    ),
    Action(
        "approve-refund",
        s.ApproveRefund,
        msg("Approve the refund"),
        msg("Approve the refund"),
        msg("The refund is approved. It can be paid out now."),
        ApproveRefundBody,
    ),
    Action(
        "record-refund-paid",
        s.RecordRefundPaid,
        msg("Record that the refund was paid out"),
        msg("Record the payment"),
        msg("The refund is recorded as paid out."),
        RefundPaidBody,
    ),
    Action(
        "allocate",
        s.AllocateSuspense,
        msg("Use the money for a bill"),
        msg("Use it for this bill"),
        msg("The money is used for the bill."),
        AllocateBody,
    ),
    Action(
        "request-refund",
        s.RequestRefund,
        msg("Give the money back"),
        msg("Ask for the refund"),
        msg("The refund is asked for. Another person has to approve it."),
        RequestRefundBody,
        "secondary",
    ),
    Action(
        "decline-refund",
        s.DeclineRefund,
        msg("Stop the refund"),
        msg("Stop the refund"),
        msg("The refund is stopped. The money stays in suspense."),
        DeclineRefundBody,
        "danger",
    ),
)
BY_NAME: Mapping[str, Action] = {action.name: action for action in ACTIONS}
