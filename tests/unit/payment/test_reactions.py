"""What payment does about others' events, in a service that really runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from services.payment.bill import DECIDER, bill_stream
from shared.contracts.intake import ApplicationWithdrawn
from shared.contracts.payment import (
    BillCancelled,
    BillingRejected,
    BillIssued,
    PaymentReceived,
    SuspenseAllocated,
)
from shared.contracts.workflow import FeeAssessed, PermitRejected, PermitWithdrawn
from tests.examples import example
from tests.running import Office, until
from tests.unit.payment.bank_case import Case, assessed
from tests.unit.payment.samples import pay

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def events(case: Case, wanted: str) -> Sequence[object]:
    """Return the events of the bill's stream as soon as one of a type is among them."""
    kernel = case.office.running.kernel

    async def there() -> list[object]:
        recorded = await kernel.store.read_stream(bill_stream(case.application))
        found = any(one.type == wanted for one in recorded)
        return [kernel.codec.decode(one) for one in recorded] if found else []

    return list(await until(there, what=wanted))


def fee(case: Case, **changes: object) -> FeeAssessed:
    given = {
        "application_id": case.application,
        "number": case.number,
        "office": "bogor",
        "permit_type": "situ",
        "permit_version": 1,
        "measures": {"area_m2": 120},
    }
    return FeeAssessed(**given | changes)  # type: ignore[arg-type]


async def happened(case: Case, event: object) -> None:
    await case.office.happened(f"permit-{case.application}", event, application=case.application)


async def test_a_fee_assessed_again_after_a_return_revises_the_bill(case: Case) -> None:
    await happened(case, fee(case, measures={"area_m2": 7}))
    told = await events(case, "BillReplaced")
    first, revised = [event for event in told if isinstance(event, BillIssued)]
    assert (revised.amount, revised.replaces) == (14_000, first.bill_id)
    assert revised.virtual_account == first.virtual_account


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"permit_type": "siup", "measures": {}}, "no-tariff"),
        ({"permit_type": "nothing"}, "no-tariff"),
        ({"office": "nowhere"}, "no-tariff"),
        ({"measures": {}}, "missing-measure"),
        ({"measures": {"area_m2": 0}}, "nothing-owed"),
    ],
)
async def test_a_free_permit_or_a_fee_that_cannot_be_has_no_bill(
    office: Office, changes: dict[str, object], reason: str
) -> None:
    case = await assessed(office, await_bill=False)
    await happened(case, fee(case, **changes))
    (rejected,) = await events(case, "BillingRejected")
    assert isinstance(rejected, BillingRejected)
    assert rejected.reason == reason
    answer = await office.http.get(f"/tagihan/{case.number}", headers={"accept": "text/html"})
    assert answer.status_code == 404


@pytest.mark.parametrize("kind", [PermitRejected, PermitWithdrawn, ApplicationWithdrawn])
async def test_the_end_of_an_application_ends_the_asking(case: Case, kind: type[Any]) -> None:
    stream = "application" if kind is ApplicationWithdrawn else "permit"
    ended = example(kind, application_id=case.application)
    await case.office.happened(f"{stream}-{case.application}", ended, application=case.application)
    told = await events(case, "BillCancelled")
    assert [type(event) for event in told] == [BillIssued, BillCancelled]


async def test_allocated_money_pays_the_bill(case: Case) -> None:
    kernel = case.office.running.kernel
    bill = (await kernel.handler.load(DECIDER, bill_stream(case.application))).state
    assert bill.books.bills
    allocated = SuspenseAllocated(
        suspense_id=f"S-{case.number}",
        allocation_id=f"A-{case.number}",
        office="bogor",
        application_id=case.application,
        bill_id=bill.books.bills[0].bill_id,
        amount=240_000,
        partner="bank-contoh",
        paid_at="2026-01-06T10:15:00+07:00",
        reason="Pemohon menunjukkan bukti transfer.",
    )
    stream = f"suspense-S-{case.number}"
    await case.office.happened(stream, allocated, application=case.application)
    told = await events(case, "PaymentReceived")
    (paid,) = [event for event in told if isinstance(event, PaymentReceived)]
    assert (paid.source, paid.request_id, paid.reference) == (
        "suspense",
        f"A-{case.number}",
        f"A-{case.number}",
    )


async def test_an_assessment_after_payment_is_told_to_people(case: Case) -> None:
    await case.office.running.kernel.handler.handle(
        DECIDER,
        bill_stream(case.application),
        pay(request_id=case.number, reference=case.number),
        cause=f"pay-{case.number}",
        application=case.application,
    )
    await happened(case, fee(case, measures={"area_m2": 500}))
    told = await events(case, "BillingRejected")
    (rejected,) = [event for event in told if isinstance(event, BillingRejected)]
    assert rejected.reason == "bill-already-issued"
