"""Money in suspense: decided, refused, repeated, conflicting, and what the sums come to."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.payment.suspense import (
    DECIDER,
    AllocateSuspense,
    ApproveRefund,
    ClaimSuspense,
    Closed,
    DeclineRefund,
    NotOpened,
    OpenSuspense,
    OwedBill,
    RecordRefundPaid,
    RequestRefund,
    Reversed,
    ReverseSuspense,
    possible,
    suspense_id,
)
from services.payment.suspense.refusals import (
    BillNotOpen,
    ClaimedByAnother,
    NoSuchMoney,
    NoSuchRefund,
    NotEnoughHeld,
    NothingHeld,
    OtherMoney,
    OtherOffice,
    OtherRole,
    RefundAlreadyPaid,
    RefundInProgress,
    RefundNotApproved,
    SamePerson,
    WrongPaymentDay,
)
from shared.actors import Actor, Role, system
from shared.contracts.payment import (
    AllocationReversed,
    RefundApproved,
    RefundDeclined,
    RefundPaid,
    RefundRequested,
    SuspenseAllocated,
    SuspenseClaimed,
    SuspenseOpened,
    SuspenseReversed,
)
from shared.errors import JejakError
from shared.ids import derived_id
from tests.spec import START, at, fact, given

ID = suspense_id("bank-contoh", "NTB-1")
REFUND = derived_id("refund", ID, 1)
ALLOCATION = derived_id("allocation", ID, 1)
ANI = Actor("officer", "ani", "bogor", frozenset({Role.TREASURER}))
BUDI = Actor("officer", "budi", "bogor", frozenset({Role.SUPERVISOR}))
CITRA = Actor("officer", "citra", "bogor", frozenset({Role.TREASURER}))
AUDITOR = Actor("officer", "auditor", "bogor", frozenset({Role.AUDITOR}))
STRANGER = Actor("officer", "dewi", "blitar", frozenset({Role.TREASURER}))
JAKARTA = ZoneInfo("Asia/Jakarta")
BILL = OwedBill(application_id="app-2", bill_id="bill-2", office="bogor", owed=250_000)

OPENED = SuspenseOpened(
    suspense_id=ID,
    office="bogor",
    partner="bank-contoh",
    amount=250_000,
    reason="late",
    source="settlement",
    reference="NTB-1",
    request_id="REQ-1",
    application_id="app-1",
    bill_id="bill-1",
    paid_at="2026-01-04T10:00:00+07:00",
)
CLAIMED = SuspenseClaimed(suspense_id=ID, account="ani")
ALLOCATED = SuspenseAllocated(
    suspense_id=ID,
    allocation_id=ALLOCATION,
    office="bogor",
    application_id="app-2",
    bill_id="bill-2",
    amount=250_000,
    partner="bank-contoh",
    paid_at=OPENED.paid_at,
    reason="names this bill",
)
REQUESTED = RefundRequested(
    suspense_id=ID,
    refund_id=REFUND,
    office="bogor",
    amount=250_000,
    bank="Bank Contoh",
    account_number="0012345678",
    account_holder="Pemohon Contoh",
    reason="paid twice",
)
ASKED = fact(REQUESTED, by=ANI)
APPROVED = RefundApproved(suspense_id=ID, refund_id=REFUND)
AGREED = fact(APPROVED, by=BUDI)
PAID = RefundPaid(
    suspense_id=ID, refund_id=REFUND, amount=250_000, reference="TRF-1", paid_on="2026-01-05"
)
DECLINED = RefundDeclined(suspense_id=ID, refund_id=REFUND, reason="wrong account")
REVERSED = SuspenseReversed(
    suspense_id=ID, office="bogor", amount=250_000, reversed_at="2026-01-05T09:00:00+07:00"
)


def opening(**changes: Any) -> OpenSuspense:
    held = asdict(OPENED)
    return OpenSuspense(**held | changes, now=START, by=system("payment"))


def claim(by: Actor = ANI) -> ClaimSuspense:
    return ClaimSuspense(now=START, by=by)


def allocate(by: Actor = ANI, bill: OwedBill = BILL) -> AllocateSuspense:
    return AllocateSuspense(bill=bill, reason="names this bill", now=START, by=by)


def request(by: Actor = ANI, **changes: Any) -> RequestRefund:
    asked = {
        name: getattr(REQUESTED, name)
        for name in ("bank", "account_number", "account_holder", "reason")
    }
    return RequestRefund(**asked | changes, now=START, by=by)


def approve(by: Actor = BUDI, refund: str = REFUND) -> ApproveRefund:
    return ApproveRefund(refund_id=refund, now=START, by=by)


def decline(by: Actor = BUDI, refund: str = REFUND) -> DeclineRefund:
    return DeclineRefund(refund_id=refund, reason="wrong account", now=START, by=by)


def pay_out(by: Actor = ANI, **changes: Any) -> RecordRefundPaid:
    paid: dict[str, Any] = {
        "refund_id": REFUND,
        "reference": "TRF-1",
        "paid_on": date(2026, 1, 5),
        "zone": JAKARTA,
        "now": at(hours=1),
        "by": by,
    }
    return RecordRefundPaid(**paid | changes)


def reverse() -> ReverseSuspense:
    return ReverseSuspense(reversed_at=REVERSED.reversed_at, now=START, by=system("payment"))


def test_money_is_held_once_however_often_it_is_reported() -> None:
    given(DECIDER).when(opening()).then(OPENED).again().then_nothing()
    given(DECIDER, OPENED, ALLOCATED).when(opening()).then_nothing()


def test_one_reference_with_two_amounts_is_for_people() -> None:
    given(DECIDER, OPENED).when(opening(amount=1)).then_refused(OtherMoney)
    given(DECIDER, OPENED).when(opening(office="blitar")).then_refused(OtherMoney)


def test_a_case_is_claimed_by_one_person_and_taken_over_by_the_supervisor() -> None:
    given(DECIDER, OPENED).when(claim()).then(CLAIMED).again().then_nothing()
    refusal = given(DECIDER, OPENED, CLAIMED).when(claim(CITRA)).then_refused(ClaimedByAnother)
    assert refusal.allowed == ()
    given(DECIDER, OPENED, CLAIMED).when(claim(BUDI)).then(replace(CLAIMED, account="budi"))
    given(DECIDER, OPENED, ALLOCATED).when(claim()).then_refused(NothingHeld)
    given(DECIDER).when(claim()).then_refused(NoSuchMoney)


def test_nobody_disposes_of_a_case_that_a_colleague_works_on() -> None:
    for command in (allocate(BUDI), request(BUDI)):
        refusal = given(DECIDER, OPENED, CLAIMED).when(command).then_refused(ClaimedByAnother)
        assert refusal.allowed == ("ClaimSuspense",)


def test_money_pays_a_bill_of_its_office_whole() -> None:
    given(DECIDER, OPENED, CLAIMED).when(allocate()).then(ALLOCATED).again().then_nothing()
    other = replace(BILL, office="blitar")
    given(DECIDER, OPENED).when(allocate(bill=other)).then_refused(OtherOffice)
    paid = replace(BILL, owed=0)
    given(DECIDER, OPENED).when(allocate(bill=paid)).then_refused(BillNotOpen)
    dear = replace(BILL, owed=250_001)
    given(DECIDER, OPENED).when(allocate(bill=dear)).then_refused(NotEnoughHeld)


def test_what_a_bill_does_not_need_stays_and_can_be_refunded() -> None:
    part = given(DECIDER, OPENED).when(allocate(bill=replace(BILL, owed=240_000)))
    rest = part.then(replace(ALLOCATED, amount=240_000)).when(request())
    rest.then(replace(REQUESTED, amount=10_000))


def test_what_is_used_up_is_not_used_again() -> None:
    other = replace(BILL, bill_id="bill-3")
    given(DECIDER, OPENED, ALLOCATED).when(allocate(bill=other)).then_refused(NothingHeld)
    given(DECIDER, OPENED, ALLOCATED).when(request()).then_refused(NothingHeld)


def test_a_refund_is_asked_for_once_at_a_time() -> None:
    asked = given(DECIDER, OPENED).when(request()).then(REQUESTED)
    asked.again().then_nothing()
    refusal = asked.when(request(bank="Bank Lain")).then_refused(RefundInProgress)
    assert refusal.allowed == ("ClaimSuspense", "DeclineRefund")
    asked.when(allocate()).then_refused(RefundInProgress)
    given(DECIDER, OPENED, ASKED, AGREED).when(request()).then_nothing()


def test_two_different_people_agree_to_a_refund() -> None:
    given(DECIDER, OPENED, ASKED).when(approve()).then(APPROVED).again().then_nothing()
    given(DECIDER, OPENED, ASKED).when(approve(CITRA)).then(APPROVED)
    refusal = given(DECIDER, OPENED, ASKED).when(approve(ANI)).then_refused(SamePerson)
    assert refusal.allowed == ("ClaimSuspense", "DeclineRefund")
    given(DECIDER, OPENED).when(approve()).then_refused(NoSuchRefund)
    given(DECIDER, OPENED, ASKED).when(approve(refund="another")).then_refused(NoSuchRefund)
    given(DECIDER, OPENED, ASKED, AGREED).when(approve(CITRA)).then_refused(NoSuchRefund)
    given(DECIDER, OPENED, ASKED, AGREED, DECLINED).when(approve()).then_refused(NoSuchRefund)


def test_who_asked_under_another_role_is_still_the_same_person() -> None:
    promoted = replace(ANI, roles=frozenset({Role.TREASURER, Role.SUPERVISOR}))
    given(DECIDER, OPENED, ASKED).when(approve(promoted)).then_refused(SamePerson)


def test_a_refund_is_declined_before_or_after_the_approval_and_asked_for_anew() -> None:
    for history in ((OPENED, ASKED), (OPENED, ASKED, AGREED)):
        declined = given(DECIDER, *history).when(decline()).then(DECLINED)
        declined.again().then_nothing()
        again = declined.when(request())
        again.then(replace(REQUESTED, refund_id=derived_id("refund", ID, 2)))
    given(DECIDER, OPENED, ASKED).when(decline(ANI)).then(DECLINED)
    given(DECIDER, OPENED).when(decline()).then_refused(NoSuchRefund)
    given(DECIDER, OPENED, ASKED, AGREED, PAID).when(decline()).then_refused(NoSuchRefund)


def test_a_refund_is_paid_after_its_approval_only() -> None:
    agreed = given(DECIDER, OPENED, ASKED, AGREED)
    closed = agreed.when(pay_out()).then(PAID)
    closed.again().then_nothing()
    assert isinstance(closed.after.state, Closed)
    closed.when(pay_out(reference="TRF-2")).then_refused(RefundAlreadyPaid)
    given(DECIDER, OPENED, ASKED).when(pay_out()).then_refused(RefundNotApproved)
    given(DECIDER, OPENED).when(pay_out()).then_refused(NoSuchRefund)
    agreed.when(pay_out(paid_on=date(2026, 1, 4))).then_refused(WrongPaymentDay)
    agreed.when(pay_out(paid_on=date(2026, 1, 6))).then_refused(WrongPaymentDay)


def test_a_reversal_closes_the_case_and_undoes_what_the_money_paid() -> None:
    gone = given(DECIDER, OPENED).when(reverse()).then(REVERSED)
    gone.again().then_nothing()
    gone.when(allocate()).then_refused(NothingHeld)
    gone.when(request()).then_refused(NothingHeld)
    given(DECIDER).when(reverse()).then_nothing()
    undone = AllocationReversed(
        suspense_id=ID,
        allocation_id=ALLOCATION,
        application_id="app-2",
        bill_id="bill-2",
        amount=250_000,
        partner="bank-contoh",
        reversed_at=REVERSED.reversed_at,
    )
    given(DECIDER, OPENED, ALLOCATED).when(reverse()).then(undone, REVERSED)
    given(DECIDER, OPENED, ASKED, REVERSED).when(approve()).then_refused(NoSuchRefund)


def test_what_was_refunded_and_then_taken_back_is_missing_and_says_so() -> None:
    after = given(DECIDER, OPENED, ASKED, AGREED, PAID).when(reverse()).then(REVERSED).after
    assert isinstance(after.state, Reversed)
    assert after.state.case.held == -250_000
    late = given(DECIDER, OPENED, ASKED, AGREED, REVERSED).when(pay_out()).then(PAID).after
    assert isinstance(late.state, Reversed)
    assert late.state.case.held == -250_000


@pytest.mark.parametrize(
    "command", [claim, allocate, request, approve, decline, pay_out], ids=lambda made: made.__name__
)
def test_only_the_offices_own_treasurer_or_supervisor_moves_money(command: Any) -> None:
    history = given(DECIDER, OPENED, ASKED)
    history.when(command(STRANGER)).then_refused(OtherOffice)
    history.when(command(system("payment"))).then_refused(OtherOffice)
    history.when(command(AUDITOR)).then_refused(OtherRole)
    assert possible(history.state, AUDITOR) == possible(history.state, STRANGER) == ()


PEOPLE = st.sampled_from([ANI, BUDI, CITRA])
REFUNDS = st.sampled_from([derived_id("refund", ID, n) for n in (1, 2, 3)])
BILLS = st.sampled_from(
    [replace(BILL, bill_id=f"bill-{n}", owed=n) for n in (250_000, 100_000, 60_000, 1, 0)]
)
COMMANDS = st.one_of(
    st.builds(opening),
    st.builds(reverse),
    st.builds(claim, PEOPLE),
    st.builds(allocate, PEOPLE, BILLS),
    st.builds(request, PEOPLE),
    st.builds(approve, PEOPLE, REFUNDS),
    st.builds(decline, PEOPLE, REFUNDS),
    st.builds(lambda by, refund: pay_out(by, refund_id=refund), PEOPLE, REFUNDS),
)


@for_all(st.lists(COMMANDS, max_size=25))
def test_money_in_suspense_is_what_came_less_what_went(commands: list[Any]) -> None:
    state: Any = NotOpened()
    books: dict[str, int] = {}
    requesters: dict[str, str] = {}
    for command in (opening(), *commands):
        try:
            decided = DECIDER.decide(command, state)
        except JejakError:
            continue
        for event in decided:
            state = DECIDER.evolve(state, fact(event, at=command.now, by=command.by))
            name = type(event).__name__
            books[name] = books.get(name, 0) + getattr(event, "amount", 0)
            if isinstance(event, RefundRequested):
                requesters[event.refund_id] = str(command.by)
            if isinstance(event, RefundApproved):
                assert requesters[event.refund_id] != str(command.by)
        assert all(not DECIDER.decide(command, state) for _ in decided)
        allowed = possible(state, command.by)
        assert len(allowed) == len(set(allowed))
    held = (
        books["SuspenseOpened"]
        - books.get("SuspenseAllocated", 0)
        + books.get("AllocationReversed", 0)
        - books.get("RefundPaid", 0)
        - books.get("SuspenseReversed", 0)
    )
    assert state.case.held == held
    assert held >= 0 or books.get("SuspenseReversed", 0) > 0
