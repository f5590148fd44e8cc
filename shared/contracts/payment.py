"""What payment publishes: a bill (SKRD) and what became of it.

Stream: ``bill-{bill_id}``. Amounts are whole rupiah. Class names are the storage format; see
``registry.event`` before touching anything here.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.contracts.registry import event


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of the calculation, as it is shown on the bill: ``amount`` in rupiah.

    ``label`` is the bill's own word in Bahasa Indonesia, ``label_en`` its translation.
    """

    label: str
    calculation: str
    amount: int
    label_en: str = ""


@event("BillIssued")
class BillIssued:
    """A bill was computed and can be paid until ``due_on`` (a date, ISO 8601).

    ``number`` is the registration number; ``virtual_account`` is what people pay to, without
    padding.
    """

    application_id: str
    bill_id: str
    number: str
    office: str
    permit_type: str
    virtual_account: str
    amount: int
    lines: tuple[BillLine, ...]
    tariff: str
    due_on: str


@event("PaymentReceived")
class PaymentReceived:
    """The bank says that the bill is paid. ``paid_at`` is the bank's own time.

    ``request_id`` is the partner's payment request id, ``reference`` its receipt number (NTB).
    """

    application_id: str
    bill_id: str
    amount: int
    partner: str
    request_id: str
    reference: str
    paid_at: str


@event("BillCancelled")
class BillCancelled:
    """The bill is no longer owed (the application was withdrawn, or assessed anew)."""

    application_id: str
    bill_id: str
    reason: str


@event("BillingRejected")
class BillingRejected:
    """No bill could be computed for an assessed fee; people must look. ``reason`` is a code."""

    application_id: str
    number: str
    office: str
    reason: str
