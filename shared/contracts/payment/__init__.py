"""What payment publishes: bills, the money for them, suspense, settlement."""

from shared.contracts.payment.bills import (
    BillCancelled,
    BillExpired,
    BillingRejected,
    BillIssued,
    BillLine,
    BillReplaced,
)
from shared.contracts.payment.payments import (
    DuplicatePaymentFound,
    PaymentContradicted,
    PaymentDisputed,
    PaymentReceived,
    PaymentReversed,
    PaymentSetAside,
    PaymentSettled,
)
from shared.contracts.payment.settlement import (
    ClassTotal,
    LineMatchedByHand,
    SettlementDayProved,
    SettlementFileAccepted,
    SettlementFileOpened,
    SettlementFileRejected,
    SettlementLine,
    SettlementLinesRecorded,
)
from shared.contracts.payment.suspense import (
    RefundApproved,
    RefundDeclined,
    RefundPaid,
    RefundRequested,
    SuspenseAllocated,
    SuspenseClaimed,
    SuspenseOpened,
)

__all__ = [
    "BillCancelled",
    "BillExpired",
    "BillIssued",
    "BillLine",
    "BillReplaced",
    "BillingRejected",
    "ClassTotal",
    "DuplicatePaymentFound",
    "LineMatchedByHand",
    "PaymentContradicted",
    "PaymentDisputed",
    "PaymentReceived",
    "PaymentReversed",
    "PaymentSetAside",
    "PaymentSettled",
    "RefundApproved",
    "RefundDeclined",
    "RefundPaid",
    "RefundRequested",
    "SettlementDayProved",
    "SettlementFileAccepted",
    "SettlementFileOpened",
    "SettlementFileRejected",
    "SettlementLine",
    "SettlementLinesRecorded",
    "SuspenseAllocated",
    "SuspenseClaimed",
    "SuspenseOpened",
]
