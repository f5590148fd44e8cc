"""Other services' events: what workflow does about them, once, and what becomes of refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.workflow import commands as c
from shared.contracts import intake, payment
from shared.contracts import workflow as e
from shared.events import Recorded
from shared.ids import derived_id
from tests.examples import example
from tests.unit.workflow.kit import APP, NOW, NUMBER, give, local, opening
from tests.unit.workflow.office import SmallOffice, registered, small_office, submitted

BILL = derived_id("bill", APP)
PAID = example(payment.PaymentReceived, application_id=APP, bill_id=BILL)
CORRECTED = example(intake.ApplicationCorrected, application_id=APP)
STRANGER = intake.Applicant(name="Orang Lain", nik="3271046504930009", phone="+62813")
WITHDRAWN = intake.ApplicationWithdrawn(application_id=APP, reason="Batal")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


async def react(office: SmallOffice, event: Any) -> Recorded:
    """Let an event happen elsewhere and be reacted to, twice, as after a lost checkpoint."""
    paid = isinstance(event, payment.PaymentReceived | payment.PaymentReversed)
    name = "bill" if paid else "application"
    recorded = await office.happened(f"{name}-{APP}", event)
    for _ in range(2):
        await office.reactions.table()[type(event)](event, recorded)
    return recorded


async def kinds(office: SmallOffice) -> list[str]:
    return [type(event).__name__ for event in await office.events()]


async def at_stage(office: SmallOffice, *given: type[Any]) -> None:
    await react(office, registered())
    for command in given:
        await office.give(give(command, now=office.at))


async def test_registration_opens_the_permit_at_the_instant_of_registration(
    office: SmallOffice,
) -> None:
    recorded = await office.happened(f"application-{APP}", registered())
    # We hear of it two days later; the applicant's clock has run since then.
    office.at = local(7, 8)
    await office.reactions.open(registered(), recorded)
    await office.reactions.open(registered(), recorded)
    assert await kinds(office) == ["PermitOpened", "StageStarted"]
    reading = (await office.report()).reading
    assert reading is not None
    assert reading.total.used == 960


async def test_a_permit_without_a_procedure_is_noted_and_not_lost(office: SmallOffice) -> None:
    await react(office, registered(permit_type="lain"))
    (rejected,) = await office.events()
    assert rejected == e.PermitOpeningRejected(application_id=APP, reason="bad-configuration")


async def test_a_correction_resumes_only_what_was_returned(office: SmallOffice) -> None:
    await react(office, CORRECTED)
    assert await kinds(office) == []
    await at_stage(office, c.ReturnPermit)
    await react(office, CORRECTED)
    assert (await kinds(office))[-2:] == ["PermitReturned", "PermitResumed"]
    await react(office, CORRECTED)
    assert (await kinds(office)).count("PermitResumed") == 1


async def test_a_payment_lets_the_permit_go_on(office: SmallOffice) -> None:
    await at_stage(office, c.CompleteStage, c.SkipSurvey, c.AssessFee)
    await react(office, PAID)
    assert (await kinds(office))[-3:] == ["FeeSettled", "StageCompleted", "StageStarted"]
    report = await office.report()
    assert (report.status, report.stage and report.stage.id) == ("in-process", "sign")


async def test_a_payment_nobody_waits_for_is_noted(office: SmallOffice) -> None:
    await react(office, PAID)
    await at_stage(office)
    await react(office, PAID)
    events = [x for x in await office.events() if isinstance(x, e.FeeSettlementRejected)]
    assert {event.reason for event in events} == {"not-waiting-for-payment"}
    assert {event.bill_id for event in events} == {BILL}


async def test_withdrawing_ends_the_permit_unless_the_office_has_decided(
    office: SmallOffice,
) -> None:
    await at_stage(office)
    await react(office, WITHDRAWN)
    assert (await kinds(office))[-1] == "PermitWithdrawn"
    assert (await office.report()).status == "withdrawn"


async def test_withdrawing_too_late_is_noted(office: SmallOffice) -> None:
    await at_stage(office, c.CompleteStage, c.SkipSurvey, c.AssessFee, c.SettleFee, c.SignPermit)
    await react(office, WITHDRAWN)
    assert (await office.events())[-1] == e.PermitWithdrawalRejected(
        application_id=APP, reason="permit-already-issued"
    )
    assert (await office.report()).status == "issued"
    assert office.at == NOW


REVERSED = example(payment.PaymentReversed, application_id=APP, bill_id=BILL, suspense_id="")


async def test_a_reversed_payment_blocks_the_permit_until_it_is_paid_again(
    office: SmallOffice,
) -> None:
    await at_stage(office, c.CompleteStage, c.SkipSurvey, c.AssessFee)
    await react(office, PAID)
    await react(office, REVERSED)
    assert (await kinds(office))[-1] == "FeeUnsettled"
    assert (await office.report()).status == "awaiting-payment"
    await react(office, PAID)
    assert (await kinds(office))[-1] == "FeeSettled"
    assert (await office.report()).status == "in-process"


async def test_money_that_was_never_this_permit_s_blocks_nothing(office: SmallOffice) -> None:
    await at_stage(office)
    before = await kinds(office)
    await react(office, REVERSED)
    await react(office, replace(REVERSED, suspense_id="suspense-1"))
    assert await kinds(office) == before


async def old_permit(office: SmallOffice, **changes: Any) -> str:
    """Let an earlier permit be issued to somebody; return its application's id."""
    app, number = derived_id("test", "old"), "CTH-2021-000009"
    event = submitted(app, number, **changes)
    await office.happened(f"application-{app}", event, app)
    await office.give(opening(application_id=app, number=number, now=office.at), app)
    for command in (c.CompleteStage, c.SkipSurvey, c.AssessFee, c.SettleFee, c.SignPermit):
        await office.give(give(command, now=office.at), app)
    await office.project()
    return app


async def issue_renewal(office: SmallOffice, renews: str) -> None:
    """Issue a permit that renews another one, and react to that twice."""
    await office.happened(f"application-{APP}", submitted(renews=renews))
    await at_stage(office, c.CompleteStage, c.SkipSurvey, c.AssessFee, c.SettleFee, c.SignPermit)
    (issued,) = (
        recorded
        for recorded in await office.store.read_stream(f"permit-{APP}")
        if recorded.type == "PermitIssued"
    )
    for _ in range(2):
        await office.reactions.renew(office.codec.decode(issued), issued)


async def test_a_renewal_ends_the_old_permit_once_the_new_one_is_issued(
    office: SmallOffice,
) -> None:
    old = await old_permit(office)
    await issue_renewal(office, "cth-2021-000009 ")
    events = await office.events(old)
    assert events[-1] == e.PermitRenewed(application_id=old, renewed_by=NUMBER)
    assert (await office.report(old)).status == "finished"
    assert (await kinds(office))[-2:] == ["PermitIssued", "StageStarted"]


@pytest.mark.parametrize(
    ("renews", "changes", "reason"),
    [
        ("CTH-2021-000404", {}, "not-found"),
        ("CTH-2021-000009", {"permit_type": "gratis"}, "other-permit"),
        ("CTH-2021-000009", {"applicant": STRANGER}, "other-permit"),
    ],
)
async def test_a_renewal_of_nothing_or_of_somebody_else_s_permit_is_noted(
    office: SmallOffice, renews: str, changes: dict[str, Any], reason: str
) -> None:
    old = await old_permit(office, **changes)
    await issue_renewal(office, renews)
    expected = e.PermitRenewalRejected(application_id=APP, renews=renews, reason=reason)
    assert (await office.events())[-1] == expected
    assert (await kinds(office)).count("PermitRenewalRejected") == 1
    assert not any(isinstance(event, e.PermitRenewed) for event in await office.events(old))
