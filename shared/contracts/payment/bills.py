"""An application's bills (SKRD, STRD): one stream, at most one of them open at a time.

Stream: ``bill-{id}``, one per application and named after its first bill. Amounts are whole rupiah.
Class names are the storage format; see ``registry.event`` before touching anything here.
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


@event("BillIssued", version=2)
class BillIssued:
    """A bill was computed and can be paid until ``due_on`` (a date, ISO 8601).

    ``number`` is the registration number; ``virtual_account`` is what people pay to, without
    padding. ``kind`` is ``skrd``, or ``strd`` for a late one with interest; ``letter`` is the
    letter's own number; ``replaces`` the bill that it takes the place of, or empty; ``principal``
    the part of the amount that interest is computed on.
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
    kind: str = "skrd"
    letter: str = ""
    replaces: str = ""
    principal: int = 0


@event("BillCancelled")
class BillCancelled:
    """The bill is no longer owed (the application was withdrawn, or assessed anew)."""

    application_id: str
    bill_id: str
    reason: str


@event("BillingEnded")
class BillingEnded:
    """The application ended after its bill was paid.

    The payment stays. Should the bank take it back, nothing is asked for any more.
    """

    application_id: str
    bill_id: str
    reason: str


@event("BillExpired")
class BillExpired:
    """The bill's due date passed without a payment."""

    application_id: str
    bill_id: str


@event("BillReplaced")
class BillReplaced:
    """Bill ``by`` takes this one's place.

    ``reason`` is ``assessed-anew``, ``late`` (an STRD follows), or ``paid-in-time``: the bank says
    that the earlier bill ``by`` was paid before its due date.
    """

    application_id: str
    bill_id: str
    by: str
    reason: str


@event("BillingRejected")
class BillingRejected:
    """No bill could be computed for an assessed fee; people must look. ``reason`` is a code."""

    application_id: str
    number: str
    office: str
    reason: str
