"""Virtual accounts for SNAP partners: the bill behind a number, and the payment of it.

A payment is answered only after it is durable. A repeated request is answered with the first
result: a refusal from the ledger, a payment from the bill's own history.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Final

from services.payment.banks import replies, snap
from services.payment.banks.dialects import SnapProfile
from services.payment.banks.door import Caller
from services.payment.banks.ledger import Claim, ExternalId, Ledger, Use
from services.payment.banks.recording import Money, Payee, Recorder
from services.payment.banks.requests import (
    Account,
    Payment,
    read_inquiry,
    read_payment,
    read_status,
)
from services.payment.banks.snap import Reply, SnapRefused
from services.payment.bill import (
    AmountMismatch,
    BillAlreadyPaid,
    BillExpired,
    BillNotOwed,
    Cancelled,
    Expired,
    InconsistentPayment,
    NotIssued,
    Open,
    Paid,
    PaymentAlreadyReversed,
    PaymentNotIdentified,
    UnknownPayment,
)
from shared.contracts.payment import (
    BillIssued,
    DuplicatePaymentFound,
    PaymentReceived,
    PaymentReported,
    PaymentSetAside,
)
from shared.errors import Refused
from shared.telemetry import log

INQUIRY, PAYMENT, STATUS = "24", "25", "26"

_REFUSALS: Final[dict[type[Refused], Reply]] = {
    BillNotOwed: snap.UNKNOWN_BILL,
    BillExpired: snap.EXPIRED_BILL,
    AmountMismatch: snap.WRONG_AMOUNT,
    BillAlreadyPaid: snap.PAID_BILL,
    InconsistentPayment: snap.INCONSISTENT,
    PaymentAlreadyReversed: snap.INCONSISTENT,
    PaymentNotIdentified: snap.missing_field("paymentRequestId"),
    UnknownPayment: snap.NOT_FOUND,
}
# A bill may still appear, so "unknown" is not the last word about a request.
_FINAL = frozenset({"13", "14", "19"})

OnInquiry = Callable[[SnapProfile, str], Awaitable[None]]


class VirtualAccounts:
    """Answers the calls of verified callers."""

    def __init__(
        self,
        recorder: Recorder,
        ledger: Ledger,
        now: Callable[[], datetime],
        on_inquiry: OnInquiry,
    ) -> None:
        """``on_inquiry`` hears who asked about which open account: a payment should follow."""
        self._recorder = recorder
        self._ledger = ledger
        self._now = now
        self._on_inquiry = on_inquiry

    async def inquiry(self, caller: Caller, body: bytes) -> Reply:
        """Answer what is owed (service 24). Raises SnapRefused."""
        inquiry = read_inquiry(body)
        await self._use_external_id(caller, INQUIRY, inquiry.request_id)
        payee = await self._payee_of(caller.profile, inquiry.account)
        match await self._recorder.bill(payee):
            case Open(bill=bill):
                today = self._now().astimezone(self._recorder.zone(payee.office)).date()
                if today > date.fromisoformat(bill.due_on):
                    raise SnapRefused(snap.EXPIRED_BILL)
                await self._on_inquiry(caller.profile, inquiry.account.number)
                return replies.owed(caller.profile, bill, inquiry)
            case Expired():
                raise SnapRefused(snap.EXPIRED_BILL)
            case Paid():
                raise SnapRefused(snap.PAID_BILL)
            case NotIssued() | Cancelled():
                raise SnapRefused(snap.UNKNOWN_BILL)

    async def status(self, caller: Caller, body: bytes) -> Reply:
        """Answer what became of one payment (service 26). Raises SnapRefused."""
        status = read_status(body)
        await self._use_external_id(caller, STATUS, status.payment_id)
        payee = await self._payee_of(caller.profile, status.account)
        state = await self._recorder.bill(payee)
        partner, request = caller.profile.id, status.payment_id
        money = next(
            (m for m in state.books.moneys if (m.partner, m.request_id) == (partner, request)),
            None,
        )
        if money is None or isinstance(state, NotIssued):
            raise SnapRefused(snap.NOT_FOUND)
        mine = isinstance(state, Paid) and state.payment.request_id == request
        payment = state.payment if isinstance(state, Paid) and mine else None
        return replies.state_of(state.bill, payment, money, status)

    async def payment(self, caller: Caller, body: bytes) -> Reply:
        """Record a payment, or repeat what was first said about it. Raises SnapRefused."""
        payment = read_payment(body)
        used = self._external_id(caller, PAYMENT, payment.request_id)
        partner, account = caller.profile.id, payment.account.number
        use, first = await self._ledger.claim(used, payment.request_id, account, payment.sen)
        if use is Use.OTHER_REQUEST:
            raise SnapRefused(snap.CONFLICT)
        if (first.virtual_account, first.sen) != (account, payment.sen):
            await self._contradicted(caller.profile, first.virtual_account, payment)
            told = first.reply or await self._first_of(caller.profile, first, payment)
            return replies.repeated(told)
        if first.reply is not None:
            again = payment.advice and use is not Use.REPLAY
            return first.reply if again else replies.repeated(first.reply)
        # A verbatim replay hears that it is one, even of an advice.
        repeats = not first.fresh and (not payment.advice or use is Use.REPLAY)
        reply = await self._pay(caller.profile, payment, repeats=repeats)
        if reply.case in _FINAL:
            await self._ledger.keep(partner, payment.request_id, reply)
        return reply

    async def reversal(self, caller: Caller, body: bytes) -> Reply:
        """Take a payment back (the partner's own service). Raises SnapRefused."""
        payment = read_payment(body)
        service = caller.profile.reversal_service
        if service is None:
            raise SnapRefused(snap.NOT_FOUND)
        # The request is the payment's own; its reversal is another use of an external id.
        await self._use_external_id(caller, f"{service}r", payment.request_id)
        payee = await self._payee_of(caller.profile, payment.account)
        money = self._money(caller.profile, payment)
        try:
            await self._recorder.reverse(caller.profile, payee, money, "bank")
        except Refused as refusal:
            return replies.refused(_REFUSALS[type(refusal)], payment)
        return replies.reversed_(payment)

    async def _pay(self, profile: SnapProfile, payment: Payment, *, repeats: bool) -> Reply:
        """Return what came of it.

        ``repeats`` says that the request was here before: when its payment is on record, the
        answer is the first one's result, marked as a repetition.
        """
        try:
            payee = await self._payee_of(profile, payment.account)
            if payment.sen % 100:
                raise AmountMismatch
            outcome = await self._recorder.record(profile, payee, self._money(profile, payment))
        except SnapRefused as refused:
            return replies.refused(refused.reply, payment)
        except InconsistentPayment:
            await self._contradicted(profile, payment.account.number, payment)
            return replies.repeated(await self._first(profile, payee, payment))
        except Refused as refusal:
            return replies.refused(_REFUSALS[type(refusal)], payment)
        state = outcome.state
        if isinstance(state, Paid) and _is(state.payment, profile, payment):
            first = replies.paid(profile, state.bill, state.payment)
        else:
            first = await self._first(profile, payee, payment)
        again = repeats and not outcome.events and first.case == "00"
        return replies.repeated(first) if again else first

    async def _first(self, profile: SnapProfile, payee: Payee, payment: Payment) -> Reply:
        """Return what was first answered to a payment that is on record, whatever came after."""
        bills: dict[str, BillIssued] = {}
        for event in await self._recorder.history(payee):
            match event:
                case BillIssued():
                    bills[event.bill_id] = event
                case (
                    PaymentReceived()
                    | PaymentReported()
                    | PaymentSetAside()
                    | DuplicatePaymentFound()
                ):
                    # A file that told of it first named no request: the report does.
                    if _is(event, profile, payment):
                        return replies.paid(profile, bills[event.bill_id], event)
                case _:
                    continue
        # Its reference is that of another request, so it is the same money under another name.
        return replies.refused(snap.PAID_BILL, payment)

    async def _first_of(self, profile: SnapProfile, first: Claim, payment: Payment) -> Reply:
        """Return what was answered to the first request of an id that now tells otherwise."""
        payee = await self._recorder.payee(profile, first.virtual_account)
        if payee is not None:
            found = await self._first(profile, payee, payment)
            if found.case == "00":
                return found
        return replies.refused(snap.INCONSISTENT, payment)

    def _money(self, profile: SnapProfile, payment: Payment) -> Money:
        return Money(
            amount=payment.sen // 100,
            request_id=payment.request_id,
            reference=payment.reference,
            paid_at=payment.paid_at or self._now(),
            # With an open amount the partner has taken the money before it tells us.
            landed=profile.amount == "open",
        )

    async def _contradicted(self, profile: SnapProfile, account: str, payment: Payment) -> None:
        """Have people look at a payment that is told in two ways. ``account`` came first."""
        log.error("payment_contradicts_first", partner=profile.id)
        payee = await self._recorder.payee(profile, account)
        if payee is None:
            # Neither story is about a bill of ours, so there is no money to be wrong about.
            return
        await self._recorder.contradict(
            profile, payee, payment.request_id, payment.sen // 100, payment.account.number
        )

    def _external_id(self, caller: Caller, service: str, request_id: str) -> ExternalId:
        now, profile = self._now(), caller.profile
        if profile.closed(now):
            # Nothing is consumed: the same call may come again after the cut-off.
            raise SnapRefused(snap.CUT_OFF)
        day = now.astimezone(profile.zone).date()
        request = f"{service}:{request_id}"
        return ExternalId(profile.id, day, caller.external_id, request, caller.digest)

    async def _use_external_id(self, caller: Caller, service: str, request_id: str) -> None:
        used = self._external_id(caller, service, request_id)
        if await self._ledger.use(used) is Use.OTHER_REQUEST:
            raise SnapRefused(snap.CONFLICT)

    async def _payee_of(self, profile: SnapProfile, account: Account) -> Payee:
        payee = await self._recorder.payee(profile, account.number)
        if payee is None or account.prefix != profile.prefix:
            raise SnapRefused(snap.UNKNOWN_BILL)
        return payee


def _is(told: replies.Told, profile: SnapProfile, payment: Payment) -> bool:
    return (told.partner, told.request_id) == (profile.id, payment.request_id)
