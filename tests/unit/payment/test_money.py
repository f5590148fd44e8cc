"""What becomes of money: decided, refused, repeated; conflicts are in test_callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from services.payment.bill import (
    DECIDER,
    AmountMismatch,
    BillAlreadyPaid,
    BillExpired,
    BillNotOwed,
    InconsistentPayment,
    Open,
    Paid,
    PaymentAlreadyReversed,
    PaymentAlreadySettled,
    PaymentNotIdentified,
    UnknownPayment,
    suspense_id,
)
from shared.contracts.payment import (
    BillCancelled,
    DuplicatePaymentFound,
    PaymentContradicted,
    PaymentDisputed,
    PaymentReceived,
    PaymentReversed,
    PaymentSetAside,
    PaymentSettled,
    UnknownPaymentReversed,
)
from shared.errors import Refused
from tests.spec import facts, given
from tests.unit.payment.samples import (
    ACCOUNT,
    APPLICATION,
    EXPIRED,
    ISSUED,
    LATE,
    PAID,
    REPLACED,
    contradict,
    dispute,
    pay,
    settle,
    take_back,
)

CANCELLED = BillCancelled(application_id=APPLICATION, bill_id=ISSUED.bill_id, reason="withdrawn")
REVERSED = PaymentReversed(
    application_id=APPLICATION,
    bill_id=ISSUED.bill_id,
    amount=240_000,
    partner="bank-contoh",
    request_id="REQ-1",
    reference="00113696201",
    reversed_at="2026-01-07T09:00:00+07:00",
    reason="nasabah",
)
SETTLED = PaymentSettled(
    application_id=APPLICATION,
    bill_id=ISSUED.bill_id,
    partner="bank-contoh",
    request_id="REQ-1",
    reference="00113696201",
    amount=240_000,
    settlement_id="F-1",
    line=7,
    value_on="2026-01-07",
)
LAST_DAY, NEXT_DAY = date(2026, 2, 4), date(2026, 2, 5)


def aside(reason: str, **changes: Any) -> PaymentSetAside:
    given: dict[str, Any] = {
        "application_id": APPLICATION,
        "bill_id": ISSUED.bill_id,
        "suspense_id": suspense_id("bank-contoh", "00113696201"),
        "office": "bogor",
        "amount": 240_000,
        "partner": "bank-contoh",
        "request_id": "REQ-1",
        "reference": "00113696201",
        "paid_at": "2026-01-06T10:15:00+07:00",
        "reason": reason,
        "source": "callback",
    }
    return PaymentSetAside(**given | changes)


def duplicate(request: str, reference: str, **changes: Any) -> DuplicatePaymentFound:
    given: dict[str, Any] = {
        "application_id": APPLICATION,
        "bill_id": ISSUED.bill_id,
        "suspense_id": suspense_id("bank-contoh", reference or request),
        "office": "bogor",
        "amount": 240_000,
        "partner": "bank-contoh",
        "request_id": request,
        "reference": reference,
        "paid_at": "2026-01-06T10:15:00+07:00",
        "source": "settlement",
    }
    return DuplicatePaymentFound(**given | changes)


def test_a_payment_is_recorded_once() -> None:
    given(DECIDER, ISSUED).when(pay()).then(PAID).again().then_nothing()


def test_the_same_money_is_known_by_its_request_or_its_reference_from_any_source() -> None:
    paid = given(DECIDER, ISSUED, PAID)
    for again in (
        pay(reference=""),
        pay(request_id="", source="settlement", landed=True),
        pay(request_id="another", source="settlement", landed=True),
        pay(reference="another", source="inquiry", landed=True),
    ):
        paid.when(again).then_nothing()


@pytest.mark.parametrize("amount", [239_999, 240_001, 0, -240_000, 24_000_000])
def test_only_the_exact_amount_pays(amount: int) -> None:
    given(DECIDER, ISSUED).when(pay(amount=amount)).then_refused(AmountMismatch)


def test_the_due_date_itself_is_in_time() -> None:
    given(DECIDER, ISSUED).when(pay(paid_on=LAST_DAY)).then(PAID)
    given(DECIDER, ISSUED).when(pay(paid_on=NEXT_DAY)).then_refused(BillExpired)
    given(DECIDER, ISSUED, EXPIRED).when(pay(paid_on=LAST_DAY)).then(PAID)
    given(DECIDER, ISSUED, EXPIRED).when(pay(paid_on=NEXT_DAY)).then_refused(BillExpired)


def test_another_request_or_partner_finds_it_paid() -> None:
    paid = given(DECIDER, ISSUED, PAID)
    paid.when(pay(request_id="REQ-2", reference="2")).then_refused(BillAlreadyPaid)
    paid.when(pay(partner="other")).then_refused(BillAlreadyPaid)


def test_the_same_request_with_another_amount_contradicts_itself() -> None:
    given(DECIDER, ISSUED, PAID).when(pay(amount=1)).then_refused(InconsistentPayment)


def test_nothing_to_pay_before_the_bill_or_after_it_was_cancelled() -> None:
    given(DECIDER).when(pay()).then_refused(BillNotOwed)
    given(DECIDER).when(pay(landed=True)).then_refused(BillNotOwed)
    given(DECIDER, ISSUED, CANCELLED).when(pay()).then_refused(BillNotOwed)


def test_a_payment_needs_a_name() -> None:
    nameless = pay(request_id="", reference="", landed=True)
    given(DECIDER, ISSUED).when(nameless).then_refused(PaymentNotIdentified)


@pytest.mark.parametrize(("amount", "reason"), [(239_999, "underpaid"), (240_001, "overpaid")])
def test_landed_money_of_another_amount_is_set_aside(amount: int, reason: str) -> None:
    story = given(DECIDER, ISSUED).when(pay(amount=amount, landed=True))
    story.then(aside(reason, amount=amount)).again().then_nothing()


def test_landed_money_that_is_late_or_for_a_cancelled_bill_is_set_aside() -> None:
    late = pay(paid_on=NEXT_DAY, landed=True)
    given(DECIDER, ISSUED).when(late).then(aside("late"))
    given(DECIDER, ISSUED, EXPIRED).when(late).then(aside("late"))
    given(DECIDER, ISSUED, CANCELLED).when(pay(landed=True)).then(aside("cancelled"))


def test_the_amount_without_interest_is_late_not_too_little() -> None:
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    late.when(pay(paid_on=NEXT_DAY, landed=True)).then(aside("late", bill_id=LATE.bill_id))
    late.when(pay(paid_on=NEXT_DAY)).then_refused(AmountMismatch)
    late.when(pay(paid_on=NEXT_DAY, amount=241_000, landed=True)).then(
        aside("underpaid", bill_id=LATE.bill_id, amount=241_000)
    )


def test_interest_is_not_taken_from_who_paid_in_time() -> None:
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    late.when(pay(paid_on=LAST_DAY, amount=242_400)).then_refused(AmountMismatch)


def test_a_second_landed_payment_is_a_duplicate_whatever_its_amount() -> None:
    paid = given(DECIDER, ISSUED, PAID)
    second = pay(request_id="REQ-2", reference="2", source="settlement", landed=True)
    paid.when(second).then(duplicate("REQ-2", "2")).again().then_nothing()
    paid.when(replace(second, amount=5)).then(duplicate("REQ-2", "2", amount=5))


@pytest.mark.parametrize(
    ("before", "refusal"),
    [
        (aside("late"), BillExpired),
        (aside("cancelled"), BillNotOwed),
        (aside("underpaid"), AmountMismatch),
        (aside("overpaid"), AmountMismatch),
        (duplicate("REQ-1", "00113696201"), BillAlreadyPaid),
    ],
)
def test_a_partner_hears_why_money_that_was_set_aside_paid_nothing(
    before: object, refusal: type[Refused]
) -> None:
    given(DECIDER, ISSUED, before).when(pay()).then_refused(refusal)
    given(DECIDER, ISSUED, before).when(pay(landed=True)).then_nothing()


def test_allocated_money_pays_though_it_was_set_aside_here_before() -> None:
    held = aside("overpaid", amount=300_000)
    allocated = pay(request_id="ALLOC", reference="ALLOC", source="suspense", landed=True)
    story = (
        given(DECIDER, ISSUED, held)
        .when(allocated)
        .then(replace(PAID, request_id="ALLOC", reference="ALLOC", source="suspense"))
    )
    story.again().then_nothing()
    back = story.when(take_back(request_id="ALLOC", reference="ALLOC"))
    back.then(replace(REVERSED, request_id="ALLOC", reference="ALLOC"))


def test_an_officer_may_pay_the_open_late_bill_with_money_that_came_earlier() -> None:
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    allocated = {"request_id": "ALLOC", "reference": "ALLOC", "source": "suspense"}
    late.when(pay(amount=242_400, landed=True, **allocated)).then(
        replace(PAID, bill_id=LATE.bill_id, amount=242_400, **allocated)
    )
    held_again = aside(
        "overpaid",
        amount=300_000,
        bill_id=ISSUED.bill_id,
        suspense_id=suspense_id("bank-contoh", "ALLOC"),
        **allocated,
    )
    given(DECIDER, ISSUED).when(pay(amount=300_000, landed=True, **allocated)).then(held_again)


def test_a_contradiction_is_noted_once_per_story() -> None:
    noted = PaymentContradicted(
        application_id=APPLICATION,
        bill_id=ISSUED.bill_id,
        partner="bank-contoh",
        request_id="REQ-1",
        amount=1,
        virtual_account=ACCOUNT,
    )
    story = given(DECIDER, ISSUED, PAID).when(contradict()).then(noted)
    story.again().then_nothing()
    story.when(contradict(amount=2)).then(replace(noted, amount=2))
    given(DECIDER).when(contradict()).then_refused(BillNotOwed)
    landed = given(DECIDER, ISSUED, PAID).when(pay(amount=1, landed=True))
    landed.then(replace(noted, virtual_account="")).again().then_nothing()


def test_a_reversal_makes_the_bill_owed_again() -> None:
    story = given(DECIDER, ISSUED, PAID).when(take_back()).then(REVERSED)
    story.again().then_nothing()
    assert isinstance(story.after.state, Open)
    again = pay(request_id="REQ-2", reference="2")
    story.when(again).then(replace(PAID, request_id="REQ-2", reference="2"))


def test_a_reversed_payment_does_not_come_back() -> None:
    taken_back = given(DECIDER, ISSUED, PAID, REVERSED)
    taken_back.when(pay(landed=True)).then_nothing()
    taken_back.when(pay()).then_refused(PaymentAlreadyReversed)


def test_set_aside_and_duplicate_money_is_taken_back_from_suspense() -> None:
    held = aside("late")
    story = given(DECIDER, ISSUED, held).when(take_back())
    story.then(replace(REVERSED, suspense_id=held.suspense_id)).again().then_nothing()
    second = duplicate("REQ-2", "2")
    back = given(DECIDER, ISSUED, PAID, second).when(take_back(request_id="REQ-2", reference=""))
    done = back.then(
        replace(REVERSED, request_id="REQ-2", reference="2", suspense_id=second.suspense_id)
    )
    assert isinstance(done.after.state, Paid)


def test_a_reversal_before_its_payment_is_remembered() -> None:
    unknown = UnknownPaymentReversed(
        application_id=APPLICATION,
        bill_id=ISSUED.bill_id,
        amount=240_000,
        partner="bank-contoh",
        request_id="REQ-1",
        reference="00113696201",
        reversed_at="2026-01-07T09:00:00+07:00",
        reason="nasabah",
    )
    story = given(DECIDER, ISSUED).when(take_back()).then(unknown)
    story.again().then_nothing()
    story.when(pay(landed=True)).then_nothing()
    story.when(pay()).then_refused(PaymentAlreadyReversed)


def test_a_reversal_is_whole_and_of_a_bill() -> None:
    given(DECIDER, ISSUED, PAID).when(take_back(amount=1)).then_refused(AmountMismatch)
    given(DECIDER).when(take_back()).then_refused(BillNotOwed)
    nameless = take_back(request_id="", reference="")
    given(DECIDER, ISSUED).when(nameless).then_refused(PaymentNotIdentified)


def test_a_payment_settles_once() -> None:
    paid = given(DECIDER, ISSUED, PAID)
    paid.when(settle()).then(SETTLED).again().then_nothing()
    paid.when(settle(request_id="")).then(SETTLED).when(settle(line=8)).then_nothing()


def test_set_aside_money_settles_too() -> None:
    given(DECIDER, ISSUED, aside("late")).when(settle()).then(SETTLED)


def test_only_a_known_payment_settles_with_its_amount() -> None:
    given(DECIDER).when(settle()).then_refused(UnknownPayment)
    given(DECIDER, ISSUED).when(settle()).then_refused(UnknownPayment)
    given(DECIDER, ISSUED, PAID).when(settle(amount=1)).then_refused(AmountMismatch)


def test_a_payment_that_never_settled_is_disputed_once() -> None:
    disputed = PaymentDisputed(
        application_id=APPLICATION,
        bill_id=ISSUED.bill_id,
        office="bogor",
        partner="bank-contoh",
        request_id="REQ-1",
        reference="00113696201",
        amount=240_000,
    )
    story = given(DECIDER, ISSUED, PAID).when(dispute()).then(disputed)
    story.again().then_nothing()
    story.when(settle()).then(SETTLED)


def test_what_settled_or_was_taken_back_is_not_disputed() -> None:
    given(DECIDER, ISSUED).when(dispute()).then_refused(UnknownPayment)
    given(DECIDER, ISSUED, PAID, SETTLED).when(dispute()).then_refused(PaymentAlreadySettled)
    given(DECIDER, ISSUED, PAID, REVERSED).when(dispute()).then_refused(PaymentAlreadyReversed)


MONEYS = st.sampled_from(
    [
        ("REQ-1", "R1", 240_000),
        ("REQ-2", "R2", 240_000),
        ("REQ-3", "R3", 230_000),
        ("", "R4", 240_000),
    ]
)


@st.composite
def _commands(draw: st.DrawFn) -> Any:
    request, reference, amount = draw(MONEYS)
    named = {"request_id": request, "reference": reference, "amount": amount}
    if request and draw(st.booleans()):
        named["reference" if draw(st.booleans()) else "request_id"] = ""
    make = draw(st.sampled_from([pay, pay, take_back, settle]))
    if make is not pay:
        return make(**named)
    day = draw(st.sampled_from([date(2026, 1, 6), LAST_DAY, NEXT_DAY]))
    return pay(**named, paid_on=day, landed=True)


def _story(commands: Sequence[Any]) -> list[object]:
    """Give commands to a fresh bill; what is refused (nothing to settle yet) decides nothing."""
    events: list[object] = [ISSUED]
    for command in commands:
        with suppress(UnknownPayment):
            events += DECIDER.decide(command, DECIDER.fold(facts(*events)))
    return events


def _held(events: Sequence[object]) -> int:
    moneys = (PaymentReceived, PaymentSetAside, DuplicatePaymentFound)
    came = sum(event.amount for event in events if isinstance(event, moneys))
    return came - sum(event.amount for event in events if isinstance(event, PaymentReversed))


def _full(command: Any) -> Any:
    """Return the command naming its money by everything that is known of it."""
    number = (command.request_id or command.reference)[-1]
    request = "" if number == "4" else f"REQ-{number}"
    return replace(command, request_id=request, reference=f"R{number}")


@settings(max_examples=300, deadline=None)
@drawn(st.lists(_commands(), max_size=14), st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_moneys_ends_with_the_same_totals(
    commands: list[Any], random: Any
) -> None:
    told = [_full(command) for command in commands]
    shuffled = told * 2
    random.shuffle(shuffled)
    one, other = _story(told), _story([*shuffled, *told])
    assert _held(one) == _held(other)


@settings(max_examples=300, deadline=None)
@drawn(st.lists(_commands(), max_size=14))
def test_no_money_counts_twice_and_no_bill_is_paid_twice(commands: list[Any]) -> None:
    events = _story(commands)
    kinds = (PaymentReceived, PaymentSetAside, DuplicatePaymentFound)
    moneys = [event for event in events if isinstance(event, kinds)]
    for name in ("request_id", "reference"):
        names = [getattr(money, name) for money in moneys if getattr(money, name)]
        assert len(names) == len(set(names))
    paid = 0
    for event in events:
        paid += isinstance(event, PaymentReceived)
        paid -= isinstance(event, PaymentReversed) and not event.suspense_id
        assert paid in (0, 1)
