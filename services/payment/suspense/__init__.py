"""Money in suspense: one case per money that no bill could take, until it is used or given back.

::

    NotOpened ─OpenSuspense─▶ Held ─AllocateSuspense─▶ Held, or Closed when nothing is left
                               │ ▲
                  RequestRefund│ │DeclineRefund
                               ▼ │
                           RefundAsked ─ApproveRefund─▶ RefundAgreed ─RecordRefundPaid─▶ Closed

    ReverseSuspense leads from everywhere but NotOpened to Reversed: the bank took the money back.
"""

from services.payment.suspense.commands import (
    AllocateSuspense,
    ApproveRefund,
    ClaimSuspense,
    DeclineRefund,
    OpenSuspense,
    OwedBill,
    RecordRefundPaid,
    RequestRefund,
    ReverseSuspense,
    suspense_id,
    suspense_stream,
)
from services.payment.suspense.decisions import DECIDER
from services.payment.suspense.guards import MOVERS, possible
from services.payment.suspense.states import (
    STATE_NAMES,
    Case,
    Closed,
    Held,
    NotOpened,
    Opened,
    Refund,
    RefundAgreed,
    RefundAsked,
    Reversed,
    Suspense,
)

__all__ = [
    "DECIDER",
    "MOVERS",
    "STATE_NAMES",
    "AllocateSuspense",
    "ApproveRefund",
    "Case",
    "ClaimSuspense",
    "Closed",
    "DeclineRefund",
    "Held",
    "NotOpened",
    "OpenSuspense",
    "Opened",
    "OwedBill",
    "RecordRefundPaid",
    "Refund",
    "RefundAgreed",
    "RefundAsked",
    "RequestRefund",
    "ReverseSuspense",
    "Reversed",
    "Suspense",
    "possible",
    "suspense_id",
    "suspense_stream",
]
