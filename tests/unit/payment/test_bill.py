"""The bill's rules: decided, refused, repeated; conflicts are in test_callbacks."""

from __future__ import annotations

from datetime import date

from services.payment.bill import (
    DECIDER,
    AmountMismatch,
    BillAlreadyIssued,
    BillAlreadyPaid,
    BillExpired,
    BillNotOwed,
    InconsistentPayment,
)
from services.payment.tariff import MissingMeasure
from shared.contracts.payment import BillCancelled, BillingRejected
from tests.spec import given
from tests.unit.payment.samples import (
    APPLICATION,
    ISSUED,
    NUMBER,
    PAID,
    cancel,
    issue,
    pay,
    reject,
)

CANCELLED = BillCancelled(application_id=APPLICATION, bill_id=ISSUED.bill_id, reason="withdrawn")
REJECTED = BillingRejected(
    application_id=APPLICATION, number=NUMBER, office="bogor", reason="no-tariff"
)


def test_issues_the_computed_amount_due_after_the_tariffs_days() -> None:
    given(DECIDER).when(issue()).then(ISSUED).again().then_nothing()


def test_no_bill_without_the_measures_of_the_tariff() -> None:
    given(DECIDER).when(issue(measures={})).then_refused(MissingMeasure)


def test_another_amount_is_not_billed_over_an_open_paid_or_cancelled_bill() -> None:
    more = issue(measures={"area_m2": 121})
    given(DECIDER, ISSUED).when(more).then_refused(BillAlreadyIssued)
    given(DECIDER, ISSUED, PAID).when(more).then_refused(BillAlreadyIssued)
    given(DECIDER, ISSUED, CANCELLED).when(more).then_refused(BillAlreadyIssued)


def test_the_same_assessment_again_decides_nothing_after_payment_either() -> None:
    given(DECIDER, ISSUED, PAID).when(issue()).then_nothing()


def test_a_fee_without_bill_is_noted_once_per_reason() -> None:
    after = given(DECIDER).when(reject()).then(REJECTED)
    after.again().then_nothing()
    given(DECIDER, REJECTED).when(reject("missing-measure")).then(
        BillingRejected(
            application_id=APPLICATION, number=NUMBER, office="bogor", reason="missing-measure"
        )
    )
    given(DECIDER, REJECTED).when(issue()).then(ISSUED)


def test_a_payment_is_recorded_once() -> None:
    given(DECIDER, ISSUED).when(pay()).then(PAID).again().then_nothing()


def test_only_the_exact_amount_pays() -> None:
    for amount in (239_999, 240_001, 0, 24_000_000):
        given(DECIDER, ISSUED).when(pay(amount=amount)).then_refused(AmountMismatch)


def test_the_due_date_itself_is_in_time() -> None:
    given(DECIDER, ISSUED).when(pay(paid_on=date(2026, 2, 4))).then(PAID)
    given(DECIDER, ISSUED).when(pay(paid_on=date(2026, 2, 5))).then_refused(BillExpired)


def test_another_request_or_partner_finds_it_paid() -> None:
    given(DECIDER, ISSUED, PAID).when(pay(request_id="REQ-2")).then_refused(BillAlreadyPaid)
    given(DECIDER, ISSUED, PAID).when(pay(partner="other")).then_refused(BillAlreadyPaid)


def test_the_same_request_with_another_amount_contradicts_itself() -> None:
    given(DECIDER, ISSUED, PAID).when(pay(amount=1)).then_refused(InconsistentPayment)


def test_nothing_to_pay_before_the_bill_or_after_it_was_cancelled() -> None:
    given(DECIDER).when(pay()).then_refused(BillNotOwed)
    given(DECIDER, ISSUED, CANCELLED).when(pay()).then_refused(BillNotOwed)


def test_cancelling_stops_the_asking_and_touches_nothing_else() -> None:
    given(DECIDER, ISSUED).when(cancel()).then(CANCELLED).again().then_nothing()
    given(DECIDER).when(cancel()).then_nothing()
    given(DECIDER, ISSUED, PAID).when(cancel()).then_nothing()
