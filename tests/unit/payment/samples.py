"""Sample commands and events for payment's tests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from services.payment.bill import CancelBill, IssueBill, RecordPayment, RejectBilling, bill_id
from services.payment.tariff import Tariff
from shared.actors import bank, system
from shared.contracts.payment import BillIssued, BillLine, PaymentReceived
from tests.spec import START

APPLICATION = "3b0a8a52-9d5e-4a3e-9d52-0a3f4c2b1d00"
NUMBER = "BGR-2026-000042"
ACCOUNT = "123450012600000421"

TARIFF = Tariff.model_validate(
    {
        "id": "situ-2026",
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
