"""The bills of one application and the money for them: one stream, one decider.

``commands`` and ``states`` say what can be asked and what can be; ``billing``, ``moneys`` and
``afterwards`` hold the decisions; ``decider`` puts them together.
"""

from services.payment.bill.billing import bill_id, bill_stream, letter_number
from services.payment.bill.commands import (
    CancelBill,
    Command,
    DisputePayment,
    ExpireBill,
    IssueBill,
    IssueLateBill,
    NoteContradiction,
    RecordPayment,
    RejectBilling,
    ReversePayment,
    SettlePayment,
)
from services.payment.bill.decider import DECIDER
from services.payment.bill.moneys import suspense_id
from services.payment.bill.refusals import (
    AmountMismatch,
    BillAlreadyIssued,
    BillAlreadyPaid,
    BillExpired,
    BillNotOwed,
    BillNotYetDue,
    ClaimLapsed,
    InconsistentPayment,
    PaymentAlreadyReversed,
    PaymentAlreadySettled,
    PaymentNotIdentified,
    UnknownPayment,
)
from services.payment.bill.states import Bill, Cancelled, Expired, Money, NotIssued, Open, Paid

__all__ = [
    "DECIDER",
    "AmountMismatch",
    "Bill",
    "BillAlreadyIssued",
    "BillAlreadyPaid",
    "BillExpired",
    "BillNotOwed",
    "BillNotYetDue",
    "CancelBill",
    "Cancelled",
    "ClaimLapsed",
    "Command",
    "DisputePayment",
    "ExpireBill",
    "Expired",
    "InconsistentPayment",
    "IssueBill",
    "IssueLateBill",
    "Money",
    "NotIssued",
    "NoteContradiction",
    "Open",
    "Paid",
    "PaymentAlreadyReversed",
    "PaymentAlreadySettled",
    "PaymentNotIdentified",
    "RecordPayment",
    "RejectBilling",
    "ReversePayment",
    "SettlePayment",
    "UnknownPayment",
    "bill_id",
    "bill_stream",
    "letter_number",
    "suspense_id",
]
