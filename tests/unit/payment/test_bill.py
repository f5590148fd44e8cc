"""What is billed: decided, refused, repeated; conflicts are in test_callbacks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from services.payment.bill import (
    DECIDER,
    BillAlreadyIssued,
    BillNotOwed,
    BillNotYetDue,
    ClaimLapsed,
    bill_id,
)
from services.payment.measures import MissingMeasure
from shared.contracts.payment import (
    BillCancelled,
    BillExpired,
    BillingEnded,
    BillingRejected,
    BillLine,
    BillReplaced,
    PaymentReversed,
)
from tests.spec import given
from tests.unit.payment.samples import (
    APPLICATION,
    EXPIRED,
    ISSUED,
    LATE,
    NUMBER,
    PAID,
    REPLACED,
    TARIFF,
    cancel,
    expire,
    issue,
    issue_late,
    pay,
    reject,
    take_back,
)

CANCELLED = BillCancelled(application_id=APPLICATION, bill_id=ISSUED.bill_id, reason="withdrawn")
REJECTED = BillingRejected(
    application_id=APPLICATION, number=NUMBER, office="bogor", reason="no-tariff"
)
REVISED = replace(
    ISSUED,
    bill_id=bill_id(APPLICATION, 2),
    amount=242_000,
    principal=242_000,
    lines=(replace(ISSUED.lines[0], calculation="121 m² × Rp2.000", amount=242_000),),
    letter="SKRD/BGR/2026/000042/2",
    replaces=ISSUED.bill_id,
)

TAKEN_BACK = PaymentReversed(
    application_id=APPLICATION,
    bill_id=ISSUED.bill_id,
    amount=240_000,
    partner=PAID.partner,
    request_id=PAID.request_id,
    reference=PAID.reference,
    reversed_at="2026-01-07T09:00:00+07:00",
)


def test_issues_the_computed_amount_due_after_the_tariffs_days() -> None:
    given(DECIDER).when(issue()).then(ISSUED).again().then_nothing()


def test_no_bill_without_the_measures_of_the_tariff() -> None:
    given(DECIDER).when(issue(measures={})).then_refused(MissingMeasure)


def test_other_measures_replace_an_unpaid_bill() -> None:
    more = issue(measures={"area_m2": 121})
    replaced = BillReplaced(
        application_id=APPLICATION,
        bill_id=ISSUED.bill_id,
        by=REVISED.bill_id,
        reason="assessed-anew",
    )
    given(DECIDER, ISSUED).when(more).then(replaced, REVISED).again().then_nothing()
    given(DECIDER, ISSUED, EXPIRED).when(more).then(replaced, REVISED)


def test_a_late_bill_is_replaced_by_a_new_assessment_without_interest() -> None:
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    late.when(issue()).then_nothing()
    (replaced, revised) = late.when(issue(measures={"area_m2": 121})).decided()
    assert isinstance(replaced, BillReplaced)
    assert (replaced.bill_id, replaced.by) == (LATE.bill_id, bill_id(APPLICATION, 3))
    assert revised == replace(
        REVISED,
        bill_id=bill_id(APPLICATION, 3),
        letter="SKRD/BGR/2026/000042/3",
        replaces=LATE.bill_id,
    )


def test_the_virtual_account_stays_the_same() -> None:
    more = issue(measures={"area_m2": 121}, virtual_account="999")
    (_, revised) = given(DECIDER, ISSUED).when(more).decided()
    assert revised == REVISED


def test_another_amount_is_not_billed_over_a_paid_or_cancelled_bill() -> None:
    more = issue(measures={"area_m2": 121})
    given(DECIDER, ISSUED, PAID).when(more).then_refused(BillAlreadyIssued)
    given(DECIDER, ISSUED, CANCELLED).when(more).then_refused(BillAlreadyIssued)


def test_the_same_assessment_again_decides_nothing_after_payment_either() -> None:
    given(DECIDER, ISSUED, PAID).when(issue()).then_nothing()
    renamed = TARIFF.model_copy(update={"id": "situ-2027"})
    given(DECIDER, ISSUED, PAID).when(issue(tariff=renamed)).then_nothing()


def test_a_fee_without_bill_is_noted_once_per_reason() -> None:
    after = given(DECIDER).when(reject()).then(REJECTED)
    after.again().then_nothing()
    given(DECIDER, REJECTED).when(reject("missing-measure")).then(
        BillingRejected(
            application_id=APPLICATION, number=NUMBER, office="bogor", reason="missing-measure"
        )
    )
    given(DECIDER, REJECTED).when(issue()).then(ISSUED)


def test_a_bill_expires_after_its_due_date() -> None:
    given(DECIDER, ISSUED).when(expire()).then(EXPIRED).again().then_nothing()


def test_a_bill_does_not_expire_on_its_due_date_and_none_without_bill() -> None:
    given(DECIDER, ISSUED).when(expire(today=date(2026, 2, 4))).then_refused(BillNotYetDue)
    given(DECIDER).when(expire()).then_refused(BillNotOwed)


def test_a_timer_that_is_behind_expires_nothing() -> None:
    given(DECIDER, ISSUED, PAID).when(expire()).then_nothing()
    given(DECIDER, ISSUED, CANCELLED).when(expire()).then_nothing()
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    late.when(expire(today=date(2026, 6, 1))).then_nothing()


def test_a_late_bill_follows_with_the_interest_of_the_month_that_runs() -> None:
    expired = given(DECIDER, ISSUED, EXPIRED)
    expired.when(issue_late()).then(REPLACED, LATE).again().then_nothing()
    assert LATE.lines[-1] == BillLine(
        label="Bunga keterlambatan",
        label_en="Interest for late payment",
        calculation="1 × 1 % × Rp240.000",
        amount=2_400,
    )
    assert (LATE.amount, LATE.principal, LATE.due_on) == (242_400, 240_000, "2026-03-04")


def test_interest_grows_with_the_principal_only() -> None:
    second = BillExpired(application_id=APPLICATION, bill_id=LATE.bill_id)
    history = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE, second)
    (_, later) = history.when(issue_late(bill_id=LATE.bill_id, today=date(2026, 3, 5))).decided()
    assert later == replace(
        LATE,
        bill_id=bill_id(APPLICATION, 3),
        amount=244_800,
        lines=(
            ISSUED.lines[0],
            replace(LATE.lines[-1], calculation="2 × 1 % × Rp240.000", amount=4_800),
        ),
        due_on="2026-04-04",
        letter="STRD/BGR/2026/000042/3",
        replaces=LATE.bill_id,
    )


def test_no_late_bill_before_expiry_or_after_the_claim_lapsed() -> None:
    given(DECIDER).when(issue_late()).then_refused(BillNotOwed)
    given(DECIDER, ISSUED).when(issue_late()).then_refused(BillNotYetDue)
    expired = given(DECIDER, ISSUED, EXPIRED)
    expired.when(issue_late(today=date(2029, 2, 5))).then_refused(ClaimLapsed)


@pytest.mark.parametrize("end", [PAID, CANCELLED])
def test_no_late_bill_for_what_is_no_longer_owed(end: object) -> None:
    given(DECIDER, ISSUED, EXPIRED, end).when(issue_late()).then_nothing()


def test_a_bill_is_late_again_after_its_payment_was_taken_back() -> None:
    story = given(DECIDER, ISSUED, PAID, TAKEN_BACK).when(expire()).then(EXPIRED)
    story.when(issue_late()).then(REPLACED, LATE)


def test_cancelling_stops_the_asking_and_touches_nothing_else() -> None:
    given(DECIDER, ISSUED).when(cancel()).then(CANCELLED).again().then_nothing()
    given(DECIDER, ISSUED, EXPIRED).when(cancel()).then(CANCELLED)
    given(DECIDER).when(cancel()).then_nothing()


def test_what_is_paid_stays_paid_when_the_application_ends() -> None:
    ended = BillingEnded(application_id=APPLICATION, bill_id=ISSUED.bill_id, reason="withdrawn")
    story = given(DECIDER, ISSUED, PAID).when(cancel()).then(ended)
    story.again().then_nothing()
    back = story.when(take_back()).then(replace(TAKEN_BACK, reason="nasabah"), CANCELLED)
    back.when(expire()).then_nothing()


def test_a_late_bill_is_paid_as_such() -> None:
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    late.when(pay(amount=242_400, paid_on=date(2026, 2, 5))).then(
        replace(PAID, bill_id=LATE.bill_id, amount=242_400)
    )


def test_the_banks_own_time_decides_which_bill_was_paid() -> None:
    back = BillReplaced(
        application_id=APPLICATION, bill_id=LATE.bill_id, by=ISSUED.bill_id, reason="paid-in-time"
    )
    late = given(DECIDER, ISSUED, EXPIRED, REPLACED, LATE)
    story = late.when(pay(paid_on=date(2026, 2, 4))).then(back, PAID)
    story.again().then_nothing()
