"""Why a case of money in suspense says no.

::

    NotAllowed
    ├── OtherOffice           money of another office
    ├── OtherRole             only a treasurer or a supervisor moves money
    └── SamePerson            who asked for a refund never approves it
    Refused
    ├── NoSuchMoney           the case does not exist
    ├── OtherMoney            the same reference with another amount
    ├── ClaimedByAnother      a colleague works on the case
    ├── RefundInProgress      a refund was asked for and not yet finished
    ├── NothingHeld           all of it was used, given back or taken back
    ├── BillNotOpen           the bill can't be paid (any more)
    ├── NotEnoughHeld         the bill asks for more than there is
    ├── NoSuchRefund          unknown, declined or finished
    ├── RefundNotApproved     nobody else agreed yet
    └── RefundAlreadyPaid     it was recorded with another reference or day
    InvalidInput
    └── WrongPaymentDay       before the approval, or in the future
"""

from __future__ import annotations

from typing import ClassVar

from shared.errors import InvalidInput, NotAllowed, Refused


class OtherOffice(NotAllowed):
    """Money, or a bill, of another office."""

    code: ClassVar[str] = "suspense-other-office"
    text: ClassVar[str] = "This money belongs to another office."


class OtherRole(NotAllowed):
    """Neither a treasurer nor a supervisor."""

    code: ClassVar[str] = "suspense-other-role"
    text: ClassVar[str] = "Only a treasurer or a supervisor may move money."


class SamePerson(NotAllowed):
    """The person who asked for the refund wants to approve it."""

    code: ClassVar[str] = "same-person"
    text: ClassVar[str] = "You asked for this refund, so another person has to approve it."


class NoSuchMoney(Refused):
    """The case was never opened."""

    code = "no-such-money"
    text = "There is no such money in suspense."


class OtherMoney(Refused):
    """The same bank reference came with another amount or for another office."""

    code = "other-money"
    text = "This bank reference is in suspense already, with another amount."


class ClaimedByAnother(Refused):
    """A colleague works on the case."""

    code = "claimed-by-another"
    text = "A colleague works on this case."


class RefundInProgress(Refused):
    """The money is about to be given back."""

    code = "refund-in-progress"
    text = "A refund of this money was asked for. Finish or decline it first."


class NothingHeld(Refused):
    """Nothing of the money is left to decide about."""

    code = "nothing-held"
    text = "Nothing of this money is left: it was used, given back or taken back by the bank."


class BillNotOpen(Refused):
    """The bill is paid, replaced, expired or cancelled."""

    code = "bill-not-open"
    text = "This bill is not open, so nothing can be paid for it."


class NotEnoughHeld(Refused):
    """A bill is paid whole or not at all."""

    code = "not-enough-held"
    text = "The bill asks for more than this money. A bill is paid whole or not at all."


class NoSuchRefund(Refused):
    """The refund is unknown, was declined, or is finished."""

    code = "no-such-refund"
    text = "There is no such refund to decide about."


class RefundNotApproved(Refused):
    """Money goes out only after two people said so."""

    code = "refund-not-approved"
    text = "This refund is not approved by a second person yet."


class RefundAlreadyPaid(Refused):
    """The refund was recorded as paid before, differently."""

    code = "refund-already-paid"
    text = "This refund was recorded as paid before, with another reference or day."


class WrongPaymentDay(InvalidInput):
    """A refund can't be paid before it was approved, nor in the future."""

    code = "wrong-payment-day"
    text = "The day must lie between the approval and today."
