"""Virtual accounts for SNAP partners: the bill behind a number, and the payment of it.

A payment is answered only after it is durable. A repeated request is answered with the first
result: from the ledger, or from the bill's own history when the ledger has none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.payment.banks import snap
from services.payment.banks.door import Caller
from services.payment.banks.ledger import Ledger, Use
from services.payment.banks.profile import BankProfile
from services.payment.banks.requests import Account, Inquiry, Payment, read_inquiry, read_payment
from services.payment.banks.snap import Reply, SnapRefused
from services.payment.bill import (
    DECIDER,
    AmountMismatch,
    BillAlreadyPaid,
    BillExpired,
    BillNotOwed,
    InconsistentPayment,
    Open,
    Paid,
    RecordPayment,
    bill_stream,
)
from services.payment.views import BillRow, BillViews
from shared.actors import bank
from shared.contracts.payment import BillIssued, PaymentReceived
from shared.errors import Refused, Unavailable
from shared.handle import Handler
from shared.ids import derived_id
from shared.money import decimal_text
from shared.offices import Catalogue
from shared.telemetry import log

INQUIRY, PAYMENT = "24", "25"

_REFUSALS: dict[type[Refused], Reply] = {
    BillNotOwed: snap.UNKNOWN_BILL,
    BillExpired: snap.EXPIRED_BILL,
    AmountMismatch: snap.WRONG_AMOUNT,
    BillAlreadyPaid: snap.PAID_BILL,
}
# A bill may still appear, so "unknown" is not the last word about a request.
_FINAL = frozenset({"00", "13", "14", "19"})


class VirtualAccounts:
    """Answers inquiries and payments of verified callers."""

    def __init__(
        self,
        handler: Handler,
        views: BillViews,
        ledger: Ledger,
        catalogue: Catalogue,
        now: Callable[[], datetime],
    ) -> None:
        """``views`` finds the bill of a number; its state always comes from the store."""
        self._handler = handler
        self._views = views
        self._ledger = ledger
        self._catalogue = catalogue
        self._now = now

    async def inquiry(self, caller: Caller, body: bytes) -> Reply:
        """Answer what is owed (service 24). Raises SnapRefused."""
        inquiry = read_inquiry(body)
        await self._use_external_id(caller, INQUIRY, inquiry.request_id)
        row = await self._bill_of(caller.profile, inquiry.account)
        loaded = await self._handler.load(DECIDER, bill_stream(row.application_id))
        match loaded.state:
            case Open(bill=bill):
                if self._today(bill.office) > date.fromisoformat(bill.due_on):
                    raise SnapRefused(snap.EXPIRED_BILL)
                return snap.success(_owed(bill, inquiry))
            case Paid():
                raise SnapRefused(snap.PAID_BILL)
            case _:
                raise SnapRefused(snap.UNKNOWN_BILL)

    async def payment(self, caller: Caller, body: bytes) -> Reply:
        """Record a payment, or repeat what was first said about it. Raises SnapRefused."""
        payment = read_payment(body)
        use = await self._use_external_id(caller, PAYMENT, payment.request_id)
        partner, account = caller.profile.id, payment.account.number
        claim = await self._ledger.claim(partner, payment.request_id, account, payment.sen)
        if (claim.virtual_account, claim.sen) != (account, payment.sen):
            await self._exception(partner, payment)
            return _repeated(claim.reply or _with_failure(snap.INCONSISTENT, payment))
        if claim.reply is None:
            reply = await self._pay(caller.profile, payment)
            if reply.case in _FINAL:
                # What is paid is durable already: a ledger that is down must not hide it.
                with suppress(Unavailable):
                    await self._ledger.keep(partner, payment.request_id, reply)
            return reply
        return claim.reply if payment.advice and use is not Use.REPLAY else _repeated(claim.reply)

    async def _pay(self, profile: BankProfile, payment: Payment) -> Reply:
        """Return what came of it. The second of two equal requests finds it done and says so."""
        try:
            row = await self._bill_of(profile, payment.account)
            if payment.sen % 100:
                raise AmountMismatch
            outcome = await self._handler.handle(
                DECIDER,
                bill_stream(row.application_id),
                self._command(profile, row, payment),
                # Not the request id alone: a request that contradicts itself must be decided anew.
                cause=derived_id("payment", profile.id, payment.request_id, payment.sen),
                application=row.application_id,
            )
        except SnapRefused as refused:
            return _with_failure(refused.reply, payment)
        except InconsistentPayment:
            await self._exception(profile.id, payment)
            return await self._first_from_store(row, payment)
        except Refused as refused:
            return _with_failure(_REFUSALS[type(refused)], payment)
        paid = outcome.state
        assert isinstance(paid, Paid)
        return snap.success(_paid(paid.bill, paid.payment, payment.account))

    def _command(self, profile: BankProfile, row: BillRow, payment: Payment) -> RecordPayment:
        now = self._now()
        paid_at = payment.paid_at or now
        return RecordPayment(
            amount=payment.sen // 100,
            partner=profile.id,
            request_id=payment.request_id,
            reference=payment.reference,
            paid_at=paid_at.astimezone(profile.zone).isoformat(timespec="seconds"),
            paid_on=paid_at.astimezone(self._zone(row.office)).date(),
            now=now,
            by=bank(profile.id),
        )

    async def _first_from_store(self, row: BillRow, payment: Payment) -> Reply:
        loaded = await self._handler.load(DECIDER, bill_stream(row.application_id))
        assert isinstance(loaded.state, Paid)
        bill, paid = loaded.state.bill, loaded.state.payment
        return _repeated(snap.success(_paid(bill, paid, payment.account)))

    async def _use_external_id(self, caller: Caller, service: str, request_id: str) -> Use:
        day = self._now().astimezone(caller.profile.zone).date()
        request = f"{service}:{request_id}"
        use = await self._ledger.use(
            caller.profile.id, day, caller.external_id, request, caller.digest
        )
        if use is Use.OTHER_REQUEST:
            raise SnapRefused(snap.CONFLICT)
        return use

    async def _bill_of(self, profile: BankProfile, account: Account) -> BillRow:
        row = await self._views.by_account(account.number)
        if row is None or account.prefix != profile.prefix:
            raise SnapRefused(snap.UNKNOWN_BILL)
        return row

    async def _exception(self, partner: str, payment: Payment) -> None:
        log.error("payment_contradicts_first", partner=partner, request_id=payment.request_id)
        await self._ledger.note_exception(partner, payment.request_id)

    def _zone(self, office: str) -> ZoneInfo:
        return ZoneInfo(self._catalogue.offices[office].zone)

    def _today(self, office: str) -> date:
        return self._now().astimezone(self._zone(office)).date()


def _owed(bill: BillIssued, inquiry: Inquiry) -> dict[str, Any]:
    # The name that a teller or app shows is the number: never the applicant's own name.
    return {
        "inquiryStatus": "00",
        "inquiryReason": {"english": "Success", "indonesia": "Sukses"},
        **inquiry.account.fields(),
        "virtualAccountName": bill.number,
        "inquiryRequestId": inquiry.request_id,
        "totalAmount": _amount(bill.amount),
        "virtualAccountTrxType": "C",
        "billDetails": [
            {
                "billNo": bill.number,
                "billDescription": {"english": line.label_en, "indonesia": line.label},
                "billAmount": _amount(line.amount),
            }
            for line in bill.lines[:24]
        ],
        "additionalInfo": {},
    }


def _paid(bill: BillIssued, paid: PaymentReceived, account: Account) -> dict[str, Any]:
    """Return what is said about a recorded payment: from its event, so always the same."""
    return {
        "paymentFlagStatus": "00",
        "paymentFlagReason": {"english": "Success", "indonesia": "Sukses"},
        **account.fields(),
        "virtualAccountName": bill.number,
        "paymentRequestId": paid.request_id,
        "paidAmount": _amount(paid.amount),
        "totalAmount": _amount(bill.amount),
        "trxDateTime": paid.paid_at,
        "referenceNo": paid.reference,
        "additionalInfo": {},
    }


def _with_failure(reply: Reply, payment: Payment) -> Reply:
    data = {
        "paymentFlagStatus": "01",
        "paymentFlagReason": {"english": reply.message, "indonesia": "Ditolak"},
        **payment.account.fields(),
        "paymentRequestId": payment.request_id,
        "paidAmount": {
            "value": f"{payment.sen // 100}.{payment.sen % 100:02d}",
            "currency": "IDR",
        },
        "referenceNo": payment.reference,
        "additionalInfo": {},
    }
    return reply._replace(data=data)


def _repeated(first: Reply) -> Reply:
    return snap.INCONSISTENT._replace(data=first.data)


def _amount(rupiah: int) -> dict[str, str]:
    return {"value": decimal_text(rupiah), "currency": "IDR"}
