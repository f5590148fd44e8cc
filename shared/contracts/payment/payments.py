"""Money for an application's bills, as its bank partners report it.

Stream: ``bill-{id}``, with the bills. Amounts are whole rupiah; ``paid_at`` is the bank's own time
(ISO 8601 with offset); ``source`` as in ``PaymentReceived``.
"""

from __future__ import annotations

from shared.contracts.registry import event


@event("PaymentReceived", version=2)
class PaymentReceived:
    """The bank says that the bill is paid. ``paid_at`` is the bank's own time.

    ``request_id`` is the partner's payment request id, ``reference`` its receipt number (NTB).
    ``source`` is how we know: ``callback``, ``inquiry`` (we asked), ``teller``, ``settlement``, or
    ``suspense``: an officer allocated money that was held; see ``SuspenseAllocated``.
    """

    application_id: str
    bill_id: str
    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str
    source: str = "callback"


@event("PaymentReported")
class PaymentReported:
    """The partner now told of a payment that its settlement file had told of first.

    ``source`` is how, as in ``PaymentReceived``; ``request_id`` is the partner's own.
    """

    application_id: str
    bill_id: str
    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str
    source: str


@event("PaymentReversed")
class PaymentReversed:
    """The bank took a payment back: the receipt is void and the bill is owed again.

    With a ``suspense_id`` it took back money that was set aside there: no receipt, no bill changes.
    """

    application_id: str
    bill_id: str
    amount: int
    partner: str
    request_id: str
    reference: str
    reversed_at: str
    reason: str = ""
    suspense_id: str = ""


@event("UnknownPaymentReversed")
class UnknownPaymentReversed:
    """The bank took back a payment that it never reported; should it come later, it won't count."""

    application_id: str
    bill_id: str
    amount: int
    partner: str
    request_id: str
    reference: str
    reversed_at: str
    reason: str = ""


@event("PaymentSetAside")
class PaymentSetAside:
    """Money came that the bill can't take as its payment; it waits in suspense for a decision.

    ``reason`` is ``underpaid``, ``overpaid``, ``late`` or ``cancelled``.
    """

    application_id: str
    bill_id: str
    suspense_id: str
    office: str
    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str
    reason: str
    source: str


@event("DuplicatePaymentFound")
class DuplicatePaymentFound:
    """A paid bill was paid again; the second money waits in suspense to be refunded."""

    application_id: str
    bill_id: str
    suspense_id: str
    office: str
    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str
    source: str


@event("PaymentContradicted")
class PaymentContradicted:
    """A partner reported a known payment again with another amount or account; people must look.

    ``amount`` and ``virtual_account`` are what it says now.
    """

    application_id: str
    bill_id: str
    partner: str
    request_id: str
    amount: int
    virtual_account: str


@event("PaymentSettled")
class PaymentSettled:
    """A payment arrived on the office's account: line ``line`` of a settlement file.

    ``settlement_id`` is the file's, ``value_on`` the bank's value date.
    """

    application_id: str
    bill_id: str
    partner: str
    request_id: str
    reference: str
    amount: int
    settlement_id: str
    line: int
    value_on: str


@event("PaymentDisputed")
class PaymentDisputed:
    """A reported payment never arrived in a settlement file; people must ask the bank."""

    application_id: str
    bill_id: str
    office: str
    partner: str
    request_id: str
    reference: str
    amount: int
