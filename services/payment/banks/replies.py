"""What SNAP's virtual account services answer with: ``virtualAccountData``, emitted strictly."""

from __future__ import annotations

from typing import Any

from services.payment.banks import snap
from services.payment.banks.dialects import SnapProfile
from services.payment.banks.requests import Account, Inquiry, Payment, Status
from services.payment.banks.snap import Reply
from services.payment.bill import Money
from shared.contracts.payment import (
    BillIssued,
    DuplicatePaymentFound,
    PaymentReceived,
    PaymentReported,
    PaymentSetAside,
)
from shared.money import decimal_text

# Money on record, whether it paid the bill or waits for a decision.
Told = PaymentReceived | PaymentReported | PaymentSetAside | DuplicatePaymentFound

_SUCCESS = {"english": "Success", "indonesia": "Sukses"}
# The standard takes no more.
_MAX_DETAILS = 24


def owed(profile: SnapProfile, bill: BillIssued, inquiry: Inquiry) -> Reply:
    """Return what is owed. The name that a teller shows is the number, never the applicant's."""
    return snap.success(
        {
            "inquiryStatus": "00",
            "inquiryReason": _SUCCESS,
            **inquiry.account.fields(),
            "virtualAccountName": bill.number,
            "inquiryRequestId": inquiry.request_id,
            "totalAmount": _rupiah(bill.amount),
            "virtualAccountTrxType": "C" if profile.amount == "closed" else "O",
            "billDetails": [
                {
                    "billNo": bill.number,
                    "billDescription": {
                        "english": line.label_en or line.label,
                        "indonesia": line.label,
                    },
                    "billAmount": _rupiah(line.amount),
                }
                # A line without an amount explains another: that is for the letter.
                for line in [line for line in bill.lines if line.amount][:_MAX_DETAILS]
            ],
            "additionalInfo": {},
        }
    )


def paid(profile: SnapProfile, bill: BillIssued, payment: Told) -> Reply:
    """Return what is said about money on record: from its event, so always the same."""
    customer = bill.virtual_account.removeprefix(profile.prefix)
    account = Account(prefix=profile.prefix, customer=customer)
    return snap.success(
        {
            "paymentFlagStatus": "00",
            "paymentFlagReason": _SUCCESS,
            **account.fields(),
            "virtualAccountName": bill.number,
            "paymentRequestId": payment.request_id,
            "paidAmount": _rupiah(payment.amount),
            "totalAmount": _rupiah(bill.amount),
            "trxDateTime": payment.paid_at,
            "referenceNo": payment.reference,
            "additionalInfo": {},
        }
    )


def refused(reply: Reply, payment: Payment) -> Reply:
    """Return a refusal with the payment that it is about."""
    reason = {"english": reply.message, "indonesia": "Ditolak"}
    return reply._replace(data=_told(payment, "01", reason))


def repeated(first: Reply) -> Reply:
    """Return the answer to a repetition: the first result, and that it is one."""
    return snap.INCONSISTENT._replace(data=first.data)


def reversed_(payment: Payment) -> Reply:
    """Return what is said about a payment that was taken back."""
    return snap.success(_told(payment, "00", _SUCCESS))


def state_of(
    bill: BillIssued, payment: PaymentReceived | None, money: Money, status: Status
) -> Reply:
    """Return what is known of one payment (service 26); ``payment`` when it pays the bill."""
    data: dict[str, Any] = {
        "paymentFlagStatus": "01" if money.reversed else "00",
        "paymentFlagReason": {"english": "Reversed", "indonesia": "Dibatalkan"}
        if money.reversed
        else _SUCCESS,
        **status.account.fields(),
        "virtualAccountName": bill.number,
        "inquiryRequestId": status.inquiry_id,
        "paymentRequestId": money.request_id,
        "paidAmount": _rupiah(money.amount),
        "totalAmount": _rupiah(bill.amount),
        "referenceNo": money.reference,
        "additionalInfo": {},
    }
    if payment is not None:
        data["trxDateTime"] = payment.paid_at
    return snap.success(data)


def _told(payment: Payment, flag: str, reason: dict[str, str]) -> dict[str, Any]:
    return {
        "paymentFlagStatus": flag,
        "paymentFlagReason": reason,
        **payment.account.fields(),
        "paymentRequestId": payment.request_id,
        "paidAmount": {
            "value": f"{payment.sen // 100}.{payment.sen % 100:02d}",
            "currency": "IDR",
        },
        "referenceNo": payment.reference,
        "additionalInfo": {},
    }


def _rupiah(amount: int) -> dict[str, str]:
    return {"value": decimal_text(amount), "currency": "IDR"}
