"""Why a command about a bill is refused."""

from __future__ import annotations

from shared.errors import Refused


class BillAlreadyIssued(Refused):
    """Another amount was billed before, and that bill is paid or cancelled."""

    code = "bill-already-issued"
    text = "A bill for another amount was issued for this application before."


class BillNotOwed(Refused):
    """There is no bill, or it was cancelled."""

    code = "bill-not-owed"
    text = "There is no bill to pay under this number."


class BillAlreadyPaid(Refused):
    """The bill was paid by another request."""

    code = "bill-already-paid"
    text = "This bill is already paid."


class BillNotYetDue(Refused):
    """The bill can still be paid in time."""

    code = "bill-not-yet-due"
    text = "The bill's due date has not passed."


class BillExpired(Refused):
    """The bill was paid after its due date."""

    code = "bill-expired"
    text = "The bill's due date has passed."


class ClaimLapsed(Refused):
    """So much time has passed that the office may no longer ask for the money."""

    code = "claim-lapsed"
    text = "The time in which the office may ask for this money has passed."


class InconsistentPayment(Refused):
    """The same payment request came again with another amount."""

    code = "inconsistent-payment"
    text = "This payment was reported before with another amount."


class AmountMismatch(Refused):
    """The paid amount is not the bill's, or the amount taken back not the payment's."""

    code = "amount-mismatch"
    text = "The amount must be exactly the amount of the bill."


class PaymentNotIdentified(Refused):
    """A payment without a request id and without a reference could be recorded twice."""

    code = "payment-not-identified"
    text = "The payment has neither a request number nor a bank reference."


class UnknownPayment(Refused):
    """No such payment was reported for this application."""

    code = "unknown-payment"
    text = "No such payment was reported for this application."


class PaymentAlreadyReversed(Refused):
    """The bank took this payment back."""

    code = "payment-already-reversed"
    text = "The bank has taken this payment back."


class PaymentAlreadySettled(Refused):
    """The payment is on the office's account, so there is nothing to dispute."""

    code = "payment-already-settled"
    text = "This payment has already arrived on the office's account."
