"""What a SNAP partner sends about a virtual account: parsed leniently, refused by field.

The standard's own samples break its types (numbers for strings, missing padding), so values are
brought to text first; what they must say is checked strictly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.payment.banks.snap import BAD_REQUEST, SnapRefused, invalid_field, missing_field
from services.payment.banks.snap import parse_timestamp as parse_instant
from shared.money import InvalidAmount, sen_of

_MAX_CUSTOMER, _MAX_REQUEST, _MAX_REFERENCE = 20, 128, 64
_NOT_IN_ID = frozenset(map(chr, (*range(32), 127)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The virtual account that a request names: prefix and customer number, without padding."""

    prefix: str
    customer: str

    @property
    def number(self) -> str:
        """The whole number as people type it."""
        return self.prefix + self.customer

    def fields(self) -> dict[str, str]:
        """Return the three fields as the standard writes them, with the prefix padded to 8."""
        padded = self.prefix.rjust(8)
        return {
            "partnerServiceId": padded,
            "customerNo": self.customer,
            "virtualAccountNo": padded + self.customer,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A question about a bill (service 24)."""

    account: Account
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A report that money was paid (service 25). ``sen`` are hundredths of a rupiah.

    ``paid_at`` is the bank's own instant, None when it sent none; ``advice`` marks a retry.
    """

    account: Account
    request_id: str
    sen: int
    reference: str
    paid_at: datetime | None
    advice: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A question about one payment (service 26): what its inquiry and payment were called."""

    account: Account
    inquiry_id: str
    payment_id: str


def read_object(body: bytes) -> dict[str, Any]:
    """Return the body's JSON object. Raises SnapRefused."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise SnapRefused(BAD_REQUEST) from None
    if not isinstance(found, dict):
        raise SnapRefused(BAD_REQUEST)
    return found


def read_inquiry(body: bytes) -> Inquiry:
    """Return an inquiry. Raises SnapRefused."""
    sent = read_object(body)
    account = _account(sent)
    return Inquiry(account=account, request_id=_text(sent, "inquiryRequestId", _MAX_REQUEST))


def read_payment(body: bytes) -> Payment:
    """Return a payment. Raises SnapRefused."""
    sent = read_object(body)
    account = _account(sent)
    request_id = _text(sent, "paymentRequestId", _MAX_REQUEST)
    flag = _text(sent, "flagAdvise", 1, default="N")
    if flag not in ("N", "Y"):
        raise SnapRefused(invalid_field("flagAdvise"))
    return Payment(
        account=account,
        request_id=request_id,
        sen=_sen(sent),
        reference=_text(sent, "referenceNo", _MAX_REFERENCE, default=""),
        paid_at=_instant(sent, "trxDateTime"),
        advice=flag == "Y",
    )


def read_status(body: bytes) -> Status:
    """Return a question about a payment. Raises SnapRefused."""
    sent = read_object(body)
    account = _account(sent)
    inquiry_id = _text(sent, "inquiryRequestId", _MAX_REQUEST)
    return Status(
        account=account,
        inquiry_id=inquiry_id,
        # A payment's id is its inquiry's, unless the partner says otherwise.
        payment_id=_text(sent, "paymentRequestId", _MAX_REQUEST, default=inquiry_id),
    )


def _account(sent: dict[str, Any]) -> Account:
    prefix = _digits(sent, "partnerServiceId", 8)
    customer = _digits(sent, "customerNo", _MAX_CUSTOMER)
    account = Account(prefix=prefix, customer=customer)
    if _digits(sent, "virtualAccountNo", 28) != account.number:
        raise SnapRefused(invalid_field("virtualAccountNo"))
    return account


def _digits(sent: dict[str, Any], field: str, longest: int) -> str:
    digits = _text(sent, field, 28).replace(" ", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > longest:
        raise SnapRefused(invalid_field(field))
    return digits


def _text(sent: dict[str, Any], field: str, longest: int, default: str | None = None) -> str:
    value = sent.get(field)
    if value is None or value == "":
        if default is None:
            raise SnapRefused(missing_field(field))
        return default
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > longest or not _NOT_IN_ID.isdisjoint(value):
        raise SnapRefused(invalid_field(field))
    return value


def _sen(sent: dict[str, Any]) -> int:
    paid = sent.get("paidAmount")
    if paid is None:
        raise SnapRefused(missing_field("paidAmount"))
    if not isinstance(paid, dict):
        raise SnapRefused(invalid_field("paidAmount"))
    if paid.get("value") is None or paid.get("currency") is None:
        raise SnapRefused(missing_field("paidAmount"))
    if paid["currency"] != "IDR":
        raise SnapRefused(invalid_field("paidAmount.currency"))
    try:
        # A JSON number has lost its decimals already, so only text will do.
        return sen_of(paid["value"] if isinstance(paid["value"], str) else "")
    except InvalidAmount:
        raise SnapRefused(invalid_field("paidAmount.value")) from None


def _instant(sent: dict[str, Any], field: str) -> datetime | None:
    text = _text(sent, field, 40, default="")
    if not text:
        return None
    instant = parse_instant(text)
    if instant is None:
        raise SnapRefused(invalid_field(field))
    return instant
