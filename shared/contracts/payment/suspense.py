"""Money that nobody could place yet, until it is used for a bill or given back.

Stream: ``suspense-{suspense_id}``. Amounts are whole rupiah. Money goes out only after two
different people asked for it and approved it.
"""

from __future__ import annotations

from shared.contracts.registry import event
from shared.privacy import Personal


@event("SuspenseOpened")
class SuspenseOpened:
    """Money is held. ``reason`` as in ``PaymentSetAside``, or ``duplicate``, ``orphan``.

    ``application_id`` and ``bill_id`` are empty for money that names no bill of ours.
    """

    suspense_id: str
    office: str
    partner: str
    amount: int
    reason: str
    source: str
    reference: str
    request_id: str = ""
    virtual_account: str = ""
    application_id: str = ""
    bill_id: str = ""
    paid_at: str = ""


@event("SuspenseClaimed")
class SuspenseClaimed:
    """An officer took the case on; ``account`` is their account name."""

    suspense_id: str
    account: str


@event("SuspenseAllocated")
class SuspenseAllocated:
    """Money of the case is used for a bill, for a stated reason.

    On the bill's stream it is a payment of its own: ``partner`` is the bank that brought the money
    and ``allocation_id`` stands for both request id and reference, because the bank's own were
    used up when the money was set aside. ``paid_at`` is when the bank took it.
    """

    suspense_id: str
    allocation_id: str
    office: str
    application_id: str
    bill_id: str
    amount: int
    partner: str
    paid_at: str
    reason: str


@event("AllocationReversed")
class AllocationReversed:
    """The bank took back the money behind an allocation: the bill's payment has to go too."""

    suspense_id: str
    allocation_id: str
    application_id: str
    bill_id: str
    amount: int
    partner: str
    reversed_at: str


@event("SuspenseReversed")
class SuspenseReversed:
    """The bank took the money back. What was refunded of it before is missing from then on."""

    suspense_id: str
    office: str
    amount: int
    reversed_at: str
    reason: str = ""


@event("RefundRequested")
class RefundRequested:
    """An officer asks to give the money back. ``bank`` is the receiver's bank."""

    suspense_id: str
    refund_id: str
    office: str
    amount: int
    bank: str
    account_number: Personal
    account_holder: Personal
    reason: str


@event("RefundApproved")
class RefundApproved:
    """Another officer approved the refund."""

    suspense_id: str
    refund_id: str


@event("RefundDeclined")
class RefundDeclined:
    """The refund was declined, or withdrawn by who asked for it; the money stays in suspense."""

    suspense_id: str
    refund_id: str
    reason: str


@event("RefundPaid")
class RefundPaid:
    """The money left the office's account on ``paid_on``, under the bank's ``reference``."""

    suspense_id: str
    refund_id: str
    amount: int
    reference: str
    paid_on: str
