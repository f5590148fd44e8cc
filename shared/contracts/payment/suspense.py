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
    """The money is used for a bill, for a stated reason."""

    suspense_id: str
    application_id: str
    bill_id: str
    amount: int
    reason: str


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
    """Another officer declined the refund; the money stays in suspense."""

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
