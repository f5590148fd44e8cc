"""The read model: any order between the streams ends in the same row, and rows tell the truth."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.workflow import alarms
from services.workflow import commands as c
from services.workflow.deadlines import next_instant
from services.workflow.permit import DECIDER, decide
from services.workflow.rows import FAR, Row, RowFold, alarms_of, row_values
from services.workflow.sop import Sops
from services.workflow.status import Tracker, fold_case
from services.workflow.statuses import Status
from services.workflow.supervision.open_files import Filter, OpenFiles
from services.workflow.views import Open
from shared.actors import Role
from shared.calendar import Calendars
from shared.codec import Codec
from shared.contracts import intake, payment
from shared.database import Transaction
from shared.errors import JejakError
from shared.events import Fact, Recorded, to_micros
from shared.ids import derived_id
from tests.examples import example
from tests.unit.workflow.kit import (
    APP,
    CALENDAR,
    NOW,
    NUMBER,
    catalogue,
    give,
    local,
    minutes,
    officer,
    opening,
)
from tests.unit.workflow.office import SmallOffice, registered, small_office, submitted

CODEC = Codec()
CATALOGUE = catalogue()
SOPS, CALENDARS = Sops(CATALOGUE), Calendars(CATALOGUE)
BILL = derived_id("bill", APP)

Log = list[tuple[str, Any, Any]]
"""What happened, in order: stream, event, instant."""

STEPS: tuple[Any, ...] = (
    c.CompleteStage,
    c.ScheduleSurvey,
    c.ReportSurvey,
    c.SkipSurvey,
    c.AssessFee,
    c.SettleFee,
    c.UnsettleFee,
    c.SignPermit,
    c.HandOver,
    c.ReturnPermit,
    c.ResumePermit,
    c.RejectPermit,
    c.WithdrawPermit,
    c.NudgePermit,
    c.NudgePermit,
    c.NudgePermit,
)
OTHERS: tuple[tuple[str, Any], ...] = (
    ("intake", example(intake.ApplicationReturned, application_id=APP)),
    ("intake", example(intake.ApplicationCorrected, application_id=APP)),
    ("intake", intake.ApplicationWithdrawn(application_id=APP, reason="-")),
    ("payment", example(payment.BillIssued, application_id=APP, bill_id=BILL)),
    ("payment", example(payment.PaymentReceived, application_id=APP, bill_id=BILL)),
    ("payment", payment.BillCancelled(application_id=APP, bill_id=BILL, reason="-")),
)


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """The log of one application: whatever can really be decided, with others' facts between."""
    at = NOW
    log: Log = [("intake", submitted(), at), ("intake", registered(), at)]
    state = DECIDER.initial
    for command in [opening(), *draw(st.lists(st.sampled_from((*STEPS, *OTHERS)), max_size=14))]:
        at += minutes(draw(st.integers(0, 900)))
        if isinstance(command, tuple):
            log.append((*command, at))
            continue
        asked = give(command, now=at) if isinstance(command, type) else command
        try:
            decided = decide(asked, state)
        except JejakError:
            continue
        log += [("workflow", event, at) for event in decided]
        state = DECIDER.fold([Fact(event, at) for event in decided], state)
    return log


def recorded(log: Log) -> list[tuple[str, Recorded]]:
    versions: dict[str, int] = {}
    made = []
    for position, (stream, event, at) in enumerate(log, start=1):
        versions[stream] = versions.get(stream, 0) + 1
        new = CODEC.envelope(event, str(position), to_micros(at), "system:test", "", APP)
        made.append(
            (
                stream,
                Recorded(position, stream, versions[stream], *new[:5], to_micros(at), *new[5:]),
            )
        )
    return made


def fold(batches: Sequence[Sequence[Recorded]]) -> Row:
    row = Row(APP)
    for batch in batches:
        # As if it had been stored and read again between two batches.
        work = RowFold(Row(*row_values(row)))
        for one in batch:
            work.take(CODEC.decode(one), one)
        row = work.finish(SOPS, CALENDARS)
    return row


@settings(max_examples=150, deadline=None)
@given(logs(), st.randoms(use_true_random=False))
def test_any_order_between_streams_and_any_batches_end_in_the_same_row(
    log: Log, chance: random.Random
) -> None:
    everything = recorded(log)
    expected = fold([[one for _, one in everything]])
    queues: dict[str, list[Recorded]] = {}
    for stream, one in everything:
        queues.setdefault(stream, []).append(one)
    shuffled: list[Recorded] = []
    while queues:
        stream = chance.choice(sorted(queues))
        shuffled.append(queues[stream].pop(0))
        if not queues[stream]:
            del queues[stream]
    batches: list[list[Recorded]] = [[]]
    for one in shuffled:
        batches[-1].append(one)
        if chance.random() < 0.4:
            batches.append([])
    assert fold(batches) == expected
    # And delivered twice.
    assert fold([*batches, *batches]) == expected


@settings(max_examples=150, deadline=None)
@given(logs())
def test_a_row_says_what_the_streams_say(log: Log) -> None:
    everything = recorded(log)
    row = fold([[one for _, one in everything]])
    parts = [[r for s, r in everything if s == name] for name in ("intake", "workflow", "payment")]
    case = fold_case(APP, CODEC, *parts)
    report = Tracker(None, CODEC, SOPS, CALENDARS).report(case, log[-1][2])  # type: ignore[arg-type]
    assert row.status == report.status
    stage = report.stage.id if report.stage is not None else ""
    assert row.stage == stage
    assert report.reading is not None
    due = report.reading.due
    assert row.due_us == (FAR if due is None else to_micros(due))
    held = alarms.of(case.state)
    assert held is not None
    assert alarms_of(row) == held
    ladder = SOPS.ladder("contoh")
    assert row.timer_us == next_instant(held, SOPS.of(*row.procedure_key), CALENDAR, ladder)


# ---- On real tables ----------------------------------------------------------------------------


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


async def test_the_queue_has_the_least_time_left_first_and_only_one_s_own(
    office: SmallOffice,
) -> None:
    first = await office.open(1)
    office.at = local(5, 10)
    await office.open(2)
    await office.open(3)
    office.at = local(5, 11)
    await office.give(give(c.CompleteStage, now=office.at), first)
    await office.project()
    verifier = await office.views.queue(officer(Role.VERIFIER), 10)
    # The same due instant: then by id, so that pages don't overlap.
    assert {one.row.number for one in verifier} == {"CTH-2026-000002", "CTH-2026-000003"}
    assert await office.views.queued(officer(Role.VERIFIER)) == 2
    (surveyor,) = await office.views.queue(officer(Role.SURVEYOR), 10)
    assert surveyor.row.application_id == first
    assert surveyor.reading is not None
    assert surveyor.reading.total.used == 180
    board = await listed(office)
    assert [one.row.due_us for one in board] == sorted(one.row.due_us for one in board)
    assert await office.views.queue(officer(Role.AUDITOR), 10) == []
    assert await listed(office, "lain") == []


async def listed(office: SmallOffice, place: str = "contoh") -> list[Open]:
    """Return the first of an office's open files, as leaders see them."""
    files = OpenFiles(office.database, office.views, office.sops, lambda: office.at)
    return await files.page(await files.groups([place]), Filter(), 10, 0)


async def test_numbers_counts_and_stages(office: SmallOffice) -> None:
    app = await office.open(1)
    await office.open(2)
    other = await office.open(3)
    await office.give(give(c.ReturnPermit, now=office.at), other)
    office.at = local(5, 15)
    await office.project()
    found = await office.views.find("CTH-2026-000001")
    assert found is not None
    assert (found.application_id, found.office) == (app, "contoh")
    assert await office.views.find("CTH-2026-999999") is None
    assert await office.views.counts("contoh") == (3, 2, 0, 1)
    assert await office.views.by_stage("contoh") == {("contoh", "izin", 1, "verify"): 3}
    assert await office.views.by_status("contoh") == {
        Status.IN_PROCESS: 2,
        Status.AWAITING_CORRECTION: 1,
    }


async def test_waiting_for_a_row_ends_when_it_is_there_or_time_is_up(office: SmallOffice) -> None:
    app = await office.open(1)
    position = await office.store.head()
    assert not await office.views.wait_for(app, position, 0.05)
    await office.project()
    assert await office.views.wait_for(app, position)
    assert not await office.views.wait_for(app, position + 1, 0.05)


async def test_an_office_without_a_valid_procedure_is_still_listed(office: SmallOffice) -> None:
    await office.happened(f"application-{APP}", submitted())
    await office.give(opening(permit_type="lain", now=office.at))
    await office.project()
    (opened,) = await listed(office)
    assert (opened.row.number, opened.sop, opened.reading) == (NUMBER, None, None)
    assert opened.row.due_us == FAR


async def test_a_table_that_another_version_made_is_filled_anew(office: SmallOffice) -> None:
    app = await office.open()
    await office.project()
    before = await office.views.row(app)

    def older(tx: Transaction) -> None:
        tx.execute("DROP TABLE permits")
        tx.execute("CREATE TABLE permits (application_id TEXT NOT NULL PRIMARY KEY)")
        tx.execute("UPDATE shapes SET shape = 'application_id TEXT'")

    await office.database.transaction(older)
    await office.projector.prepare()
    assert await office.projector.positions() == {}
    await office.project()
    assert await office.views.row(app) == before
    # The same version finds its own tables again.
    await office.projector.prepare()
    assert await office.projector.positions() != {}
