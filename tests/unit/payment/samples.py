"""Sample commands and events for payment's tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.payment.bill import (
    CancelBill,
    DisputePayment,
    ExpireBill,
    IssueBill,
    IssueLateBill,
    NoteContradiction,
    RecordPayment,
    RejectBilling,
    ReversePayment,
    SettlePayment,
    bill_id,
)
from services.payment.interest import InterestRule
from services.payment.tariff import Tariff
from shared.actors import bank, system
from shared.contracts.payment import (
    BillExpired,
    BillIssued,
    BillLine,
    BillReplaced,
    PaymentReceived,
)
from tests.spec import START

APPLICATION = "3b0a8a52-9d5e-4a3e-9d52-0a3f4c2b1d00"
NUMBER = "BGR-2026-000042"
ACCOUNT = "123450012600000421"

TARIFF = Tariff.model_validate(
    {
        "id": "situ-2026",
        "effective": "2026-01-01",
        "due_days": 30,
        "lines": [
            {
                "kind": "per_unit",
                "measure": "area_m2",
                "unit": "m²",
                "rupiah": 2000,
                "label": {"id": "Retribusi per m²", "en": "Fee per m²"},
            }
        ],
        "example": {"measures": {"area_m2": 120}, "total": 240_000},
    }
)

RULE = InterestRule.model_validate(
    {
        "since": "2020-01-01",
        "percent": "1",
        "cap_months": 24,
        "part_month": "counts",
        "rounding": "up",
        "claim_months": 36,
        "source": "assumed",
    }
)


def issue(**changes: Any) -> IssueBill:
    """Return a command for 120 m², which cost Rp240.000."""
    given: dict[str, Any] = {
        "application_id": APPLICATION,
        "number": NUMBER,
        "office": "bogor",
        "permit_type": "situ",
        "tariff": TARIFF,
        "measures": {"area_m2": 120},
        "virtual_account": ACCOUNT,
        "today": date(2026, 1, 5),
        "now": START,
        "by": system("payment"),
    }
    return IssueBill(**given | changes)


def reject(reason: str = "no-tariff") -> RejectBilling:
    """Return a command that notes a fee without a bill."""
    return RejectBilling(
        application_id=APPLICATION,
        number=NUMBER,
        office="bogor",
        reason=reason,
        now=START,
        by=system("payment"),
    )


def pay(**changes: Any) -> RecordPayment:
    """Return a command that pays the sample bill."""
    given: dict[str, Any] = {
        "amount": 240_000,
        "partner": "bank-contoh",
        "request_id": "REQ-1",
        "reference": "00113696201",
        "paid_at": "2026-01-06T10:15:00+07:00",
        "paid_on": date(2026, 1, 6),
        "now": START,
        "by": bank("bank-contoh"),
    }
    return RecordPayment(**given | changes)


def cancel(reason: str = "withdrawn", now: datetime = START) -> CancelBill:
    """Return a command that stops asking for the money."""
    return CancelBill(reason=reason, now=now, by=system("payment"))


def expire(**changes: Any) -> ExpireBill:
    """Return a command that closes the sample bill on the day after it was due."""
    given: dict[str, Any] = {
        "bill_id": bill_id(APPLICATION),
        "today": date(2026, 2, 5),
        "now": START,
        "by": system("payment"),
    }
    return ExpireBill(**given | changes)


def issue_late(**changes: Any) -> IssueLateBill:
    """Return a command that bills the sample bill with a month's interest."""
    given: dict[str, Any] = {
        "bill_id": bill_id(APPLICATION),
        "rule": RULE,
        "today": date(2026, 2, 5),
        "now": START,
        "by": system("payment"),
    }
    return IssueLateBill(**given | changes)


def _of_payment(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "partner": "bank-contoh",
        "request_id": "REQ-1",
        "reference": "00113696201",
        "now": START,
        "by": bank("bank-contoh"),
    }
    return given | changes


def take_back(**changes: Any) -> ReversePayment:
    """Return a command by which the bank takes the sample payment back."""
    given = {"amount": 240_000, "reversed_at": "2026-01-07T09:00:00+07:00", "reason": "nasabah"}
    return ReversePayment(**_of_payment(**given) | changes)


def settle(**changes: Any) -> SettlePayment:
    """Return a command that finds the sample payment in a settlement file."""
    given = {"amount": 240_000, "settlement_id": "F-1", "line": 7, "value_on": "2026-01-07"}
    return SettlePayment(**_of_payment(**given) | changes)


def dispute(**changes: Any) -> DisputePayment:
    """Return a command that says that the sample payment never settled."""
    return DisputePayment(**_of_payment(**changes))


def contradict(**changes: Any) -> NoteContradiction:
    """Return a command that notes another amount for the sample payment's request."""
    given: dict[str, Any] = {
        "partner": "bank-contoh",
        "request_id": "REQ-1",
        "amount": 1,
        "virtual_account": ACCOUNT,
        "now": START,
        "by": bank("bank-contoh"),
    }
    return NoteContradiction(**given | changes)


ISSUED = BillIssued(
    application_id=APPLICATION,
    bill_id=bill_id(APPLICATION),
    number=NUMBER,
    office="bogor",
    permit_type="situ",
    virtual_account=ACCOUNT,
    amount=240_000,
    lines=(
        BillLine(
            label="Retribusi per m²",
            label_en="Fee per m²",
            calculation="120 m² × Rp2.000",
            amount=240_000,
        ),
    ),
    tariff="situ-2026",
    due_on="2026-02-04",
    letter="SKRD/BGR/2026/000042",
    principal=240_000,
)
PAID = PaymentReceived(
    application_id=APPLICATION,
    bill_id=bill_id(APPLICATION),
    amount=240_000,
    partner="bank-contoh",
    request_id="REQ-1",
    reference="00113696201",
    paid_at="2026-01-06T10:15:00+07:00",
)
EXPIRED = BillExpired(application_id=APPLICATION, bill_id=ISSUED.bill_id)
LATE = replace(
    ISSUED,
    bill_id=bill_id(APPLICATION, 2),
    amount=242_400,
    lines=(
        *ISSUED.lines,
        BillLine(
            label="Bunga keterlambatan",
            label_en="Interest for late payment",
            calculation="1 × 1 % × Rp240.000",
            amount=2_400,
        ),
    ),
    due_on="2026-03-04",
    kind="strd",
    letter="STRD/BGR/2026/000042/2",
    replaces=ISSUED.bill_id,
)
REPLACED = BillReplaced(
    application_id=APPLICATION, bill_id=ISSUED.bill_id, by=LATE.bill_id, reason="late"
)
