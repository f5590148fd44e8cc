"""What-if: the past under the rules that applied is the past; under others it differs by them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as sampled
from hypothesis import settings
from hypothesis import strategies as st

from services.workflow import clock_fold
from services.workflow import commands as c
from services.workflow.permit import stream
from services.workflow.whatif.engine import REAL, Replay
from services.workflow.whatif.reading import read_through
from services.workflow.whatif.report import Place, Report, alert_of
from services.workflow.whatif.rules import Alternative, Rules, kept_stages
from services.workflow.whatif.turns import Row
from shared.contracts import workflow as e
from shared.errors import BadConfiguration, JejakError
from shared.events import AnyFact, Fact, to_micros
from shared.offices import Catalogue, JointLeave, Ladder
from tests.examples import example
from tests.unit.workflow.journey import (
    EXPLAINED,
    OPENED,
    RETURNED,
    about,
    done,
    started,
)
from tests.unit.workflow.kit import (
    ALL_ROLES,
    APP,
    PAID,
    catalogue,
    give,
    local,
    office,
    permit_type,
    stage,
)
from tests.unit.workflow.office import SmallOffice, small_office

VERIFY = Place("izin", 1, "verify")
NEVER = local(31, 23)
# The day that the plan of the small office counts from: everything happens within three weeks.
LAST = local(28, 12)


def replayed(
    facts: Sequence[tuple[Any, datetime]],
    altered: Alternative | None = None,
    until: datetime = NEVER,
    known: Catalogue | None = None,
    first: int | None = None,
    end: int | None = None,
) -> tuple[Report, list[Row]]:
    """Replay one permit's facts under the small office's rules and under ``altered`` ones."""
    known, rows = known or catalogue(), list[Row]()
    rules = Rules(known, "contoh"), Rules(known, "contoh", altered)
    replay = Replay("contoh", *rules, told=rows.append, first=first, end=end)
    for event, at in facts:
        if replay.knows(APP, type(event).__name__):
            replay.fold(APP, Fact(event, at, "officer:siti"))
    replay.finish(to_micros(until))
    return replay.report, rows


# Verified from Monday the 5th 08:00 to Tuesday 12:00: a day and a half of work, of one budgeted.
RESUMED = e.PermitResumed(**about(stage="verify"))
SLOW: list[tuple[Any, datetime]] = [
    (OPENED, local(5, 8)),
    (started("verify", "verifier"), local(5, 8)),
    (done("verify"), local(6, 12)),
    (started("survey", "surveyor"), local(6, 12)),
    (done("survey"), local(6, 14)),
    (e.PermitRejected(**about(reason="Tidak sesuai")), local(6, 15)),
]


def test_a_longer_budget_takes_the_alarms_away() -> None:
    stages = [PAID[0] | {"days": 2}, *PAID[1:]]
    report, rows = replayed(SLOW, Alternative(kinds=(permit_type(*stages),)))
    step = report.steps[VERIFY]
    assert step.base.as_dict() == {
        "warned": 1, "late": 1, "asked": 1, "supervisor": 1, "head": 0, "deemed": 0
    }  # fmt: skip
    # 80 % of two days are 12 h 48 min: Tuesday 12:48, which is later than it was done.
    assert set(step.variant.as_dict().values()) == {0}
    assert (step.turns, step.no_longer_late, step.newly_late) == (1, 1, 0)
    assert step.on_time == (0.0, 1.0)
    verify = rows[0]
    assert (verify.base_late_at, verify.variant_late_at) == (local(5, 16).isoformat(), "")
    assert (verify.base_budget, verify.variant_budget) == (480, 960)
    assert (verify.base_used, verify.variant_used) == (720, 720)
    assert (verify.officer, verify.finished) == ("siti", True)
    assert report.changed == 1


def test_the_present_rules_change_nothing() -> None:
    same = Alternative(
        kinds=(permit_type(*PAID),), office=office(), ladder=Ladder(answer_minutes=120)
    )
    report, rows = replayed(SLOW, same)
    assert report.changed == 0
    assert all(step.base == step.variant for step in report.steps.values())
    assert all(row[7:15] == row[15:] for row in rows)


def test_a_ladder_that_waits_longer_passes_nothing_up() -> None:
    # Asked on Monday 16:00; the answer would be due after five working hours, on Tuesday 13:00.
    report, _ = replayed(SLOW, Alternative(ladder=Ladder(answer_minutes=300)))
    step = report.steps[VERIFY]
    assert (step.base.supervisor, step.variant.supervisor) == (1, 0)
    assert (step.base.late, step.variant.late) == (1, 1)


def test_a_calendar_with_a_day_off_gives_a_day_more() -> None:
    leave = {
        "country": "ID",
        "year": 2026,
        "source": "assumed",
        "joint_leave": [{"day": "2026-01-06", "name": {"id": "Libur", "en": "Leave"}}],
    }
    for altered in (
        Alternative(leave=JointLeave.model_validate(leave)),
        Alternative(office=office(joint_leave=["2026-01-06"])),
    ):
        report, rows = replayed(SLOW, altered)
        # Monday's eight hours are the whole budget and end it; on Tuesday nobody works.
        assert rows[0].variant_used == 480
        assert report.steps[VERIFY].variant.supervisor == 0


def test_longer_days_count_in_budgets_of_days() -> None:
    hours = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("08:00-18:00",))
    _, rows = replayed(SLOW, Alternative(office=office(hours=hours, day_minutes=600)))
    assert (rows[0].base_budget, rows[0].variant_budget) == (480, 600)
    assert rows[0].variant_late_at == local(5, 18).isoformat()


def test_what_ends_with_its_last_minute_is_in_time() -> None:
    ended = [*SLOW[:2], (done("verify"), local(5, 16)), SLOW[-1]]
    report, _ = replayed(ended)
    assert report.steps[VERIFY].base.late == 0
    late = [*SLOW[:2], (done("verify"), local(5, 16) + timedelta(microseconds=1)), SLOW[-1]]
    assert replayed(late)[0].steps[VERIFY].base.late == 1


def test_an_explanation_answers_whatever_question_is_open_then() -> None:
    explained = [*SLOW[:2], (EXPLAINED, local(6, 9)), *SLOW[2:]]
    report, _ = replayed(explained, Alternative(ladder=Ladder(answer_minutes=30)))
    step = report.steps[VERIFY]
    # Under the office's own two hours it comes in time; after half an hour it is too late.
    assert (step.base.asked, step.base.supervisor) == (1, 0)
    assert (step.variant.asked, step.variant.supervisor) == (1, 1)
    shorter = [PAID[0] | {"days": None, "hours": 4}, *PAID[1:]]
    shorter[0] = {name: value for name, value in shorter[0].items() if value is not None}
    report, _ = replayed(
        [*SLOW[:2], (EXPLAINED, local(5, 13)), *SLOW[2:]],
        Alternative(kinds=(permit_type(*shorter),)),
    )
    step = report.steps[VERIFY]
    # Due at noon there: the question was open at 13:00. Here nobody had asked yet: it counts not.
    assert (step.variant.asked, step.variant.supervisor) == (1, 0)
    assert (step.base.asked, step.base.supervisor) == (1, 1)


def test_alarms_that_were_recorded_are_left_out() -> None:
    invented = [
        e.StageOverdue(**about(office="contoh", stage="verify", due_at=local(5, 9).isoformat())),
        e.PermitDeemedGranted(
            **about(office="contoh", number="CTH-2026-000001", due_at=local(5, 9).isoformat())
        ),
    ]
    facts = [*SLOW[:2], *((event, local(5, 9)) for event in invented), *SLOW[2:]]
    assert replayed(facts)[0].steps == replayed(SLOW)[0].steps


def test_a_stage_that_the_other_procedure_lacks_keeps_its_budget_and_is_named() -> None:
    other = permit_type(stage("sign", "sign", "signer", days=3), days=9)
    known = catalogue()
    changed = Rules(known, "contoh", Alternative(kinds=(other,))).of("izin", 1, to_micros(NEVER))
    budgets = {stage.id: stage.budget for stage in changed.sop.stages}
    assert budgets == {
        "verify": 480, "survey": 960, "assess": 240, "pay": None, "sign": 1440, "hand": None
    }  # fmt: skip
    assert changed.sop.legal == 9 * 480
    assert kept_stages(known, (other,)) == ["izin.assess", "izin.survey", "izin.verify"]


def test_each_time_has_its_own_office_version() -> None:
    later = office(version=2, effective="2026-01-06", ladder={"answer_minutes": 600})
    known = Catalogue([office(), later], [permit_type(*PAID)])
    rules = Rules(known, "contoh")
    assert rules.of("izin", 1, to_micros(local(5, 12))).ladder.answer_minutes == 120
    assert rules.of("izin", 1, to_micros(local(6, 0))).ladder.answer_minutes == 600


def test_only_permits_of_the_office_and_the_period_count() -> None:
    assert replayed(SLOW, first=to_micros(local(5, 8)))[0].permits == 1
    assert replayed(SLOW, first=to_micros(local(5, 9)))[0].permits == 0
    assert replayed(SLOW, end=to_micros(local(5, 8)))[0].permits == 0
    other = [(replace(OPENED, office="lain"), local(5, 8)), *SLOW[1:]]
    assert replayed(other)[0].as_dict()["steps"] == []


def test_a_permit_that_is_still_open_runs_on_and_is_called_open() -> None:
    report, rows = replayed(SLOW[:2], until=local(5, 17))
    assert (report.open, report.complete, rows[0].finished) == (1, True, False)
    assert report.steps[VERIFY].base.late == 1
    report, _ = replayed(SLOW[:2], until=local(5, 12))
    # It is late under neither and not over: nobody knows yet.
    assert report.steps.get(VERIFY, None) is not None
    assert report.steps[VERIFY].turns == 0


def test_a_permit_of_an_unknown_type_is_skipped_alone() -> None:
    strange = [(replace(OPENED, permit_type="lain"), local(5, 8)), *SLOW[1:]]
    report, _ = replayed(strange)
    assert (report.skipped, report.permits) == (1, 0)
    with pytest.raises(BadConfiguration):
        Rules(catalogue(), "lain")


def test_memory_holds_open_permits_only() -> None:
    known = catalogue()
    replay = Replay("contoh", Rules(known, "contoh"), Rules(known, "contoh"))
    for event, at in SLOW[:-1]:
        replay.fold(APP, Fact(event, at, "officer:siti"))
    assert replay.holding == 1
    replay.fold(APP, Fact(*SLOW[-1], "officer:siti"))
    assert replay.holding == 0


def test_everything_that_moves_a_clock_is_folded() -> None:
    kinds = {
        cls
        for cls in vars(e).values()
        if isinstance(cls, type) and "application_id" in cls.__annotations__
    }
    running = clock_fold.ClockState(opened=1, stage="verify", since=1)
    states = (
        clock_fold.ClockState(),
        running,
        running._replace(since=0, returned=True, unpaid=True),
    )
    moving = {
        kind
        for kind in kinds
        for state in states
        if clock_fold.evolve(state, Fact(example(kind, application_id=APP), local(6, 9))) != state
    }
    assert e.PermitResumed in moving
    assert moving <= REAL


# ---- Laws --------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@sampled(
    st.lists(st.integers(1, 3000), min_size=4, max_size=4),
    st.integers(1, 4),
    st.integers(1, 10),
)
def test_a_longer_budget_is_never_late_more_often(gaps: list[int], days: int, legal: int) -> None:
    at, facts = local(5, 8), list[tuple[Any, datetime]]()
    events = (OPENED, started("verify"), RETURNED, RESUMED, done("verify"))
    for event, gap in zip(events, [0, *gaps], strict=True):
        at += timedelta(minutes=gap)
        facts.append((event, at))
    stages = [PAID[0] | {"days": days}, *PAID[1:]]
    longer = Alternative(kinds=(permit_type(*stages, days=max(5, legal)),))
    total = replayed(facts, longer)[0].total
    assert total.newly_late == 0
    assert total.late_after <= total.late_before


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


async def lived(small: SmallOffice, seed: int, permits: int = 6) -> list[str]:
    """Let a small office work for some weeks: people at odd moments, the sweep at each due one."""
    chance = random.Random(seed)
    apps, sweeper = [await small.open(index) for index in range(1, permits + 1)], small.sweeper()
    while small.at < LAST:
        acts = small.at + timedelta(minutes=chance.randint(30, 700), microseconds=7)
        await small.project()
        while (due := await _next_timer(small)) is not None and due < to_micros(acts):
            small.at = max(small.at, _instant(due))
            assert (await sweeper.sweep()).failed == 0
            await small.project()
        small.at = acts
        await _act(small, chance, chance.choice(apps))
    return apps


async def _next_timer(small: SmallOffice) -> int | None:
    rows = await small.database.query("SELECT MIN(timer_us) FROM permits")
    return None if rows[0][0] is None else int(rows[0][0])


def _instant(micros: int) -> datetime:
    return datetime.fromtimestamp(0, tz=local(5, 8).tzinfo) + timedelta(microseconds=micros)


async def _act(small: SmallOffice, chance: random.Random, app: str) -> None:
    """Give what an officer or the applicant may be giving just then, if the permit takes it."""
    asked = [q for q in await small.events(app) if isinstance(q, e.StallExplanationRequested)]
    commands = [
        give(c.CompleteStage, now=small.at),
        give(c.SkipSurvey, now=small.at),
        give(c.AssessFee, now=small.at),
        give(c.SettleFee, now=small.at),
        give(c.UnsettleFee, now=small.at),
        give(c.ReturnPermit, now=small.at),
        c.ResumePermit(now=small.at, by=give(c.SettleFee).by),
        give(c.ReassignStage, now=small.at, to=ALL_ROLES),
        give(c.SignPermit, now=small.at),
        *(
            give(c.ExplainStall, now=small.at, stall_id=q.stall_id, promised=promise)
            for q in asked[-1:]
            for promise in ("", (small.at + timedelta(days=1)).date().isoformat())
        ),
    ]
    for command in chance.sample(commands, 3):
        try:
            await small.give(command, app)
        except JejakError:
            continue


@pytest.mark.parametrize("seed", range(4))
async def test_under_the_present_rules_it_calls_for_what_was_called_for_live(
    small: SmallOffice, seed: int
) -> None:
    apps = await lived(small, seed)
    recorded: Counter[tuple[str, str, str]] = Counter()
    for index, app in enumerate(apps, 1):
        facts = [small.codec.fact(one) for one in await small.store.read_stream(stream(app))]
        recorded.update(_alarms(f"CTH-2026-{index:06d}", facts))
    rows, known = list[Row](), small.catalogue
    rules = Rules(known, "contoh")
    replay = Replay("contoh", rules, Rules(known, "contoh"), told=rows.append)
    await read_through(replay, small.store, small.codec, to_micros(small.at))
    again: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        values = row._asdict()
        for name in ("warned", "asked", "supervisor", "head", "deemed"):
            again[row.number, row.stage, name] += values[f"base_{name}"]
    assert +again == recorded
    assert {name for _, _, name in recorded} >= {"warned", "asked", "supervisor"}
    assert replay.report.changed == 0
    assert replay.report.permits == len(apps)


def _alarms(number: str, facts: Sequence[AnyFact]) -> Counter[tuple[str, str, str]]:
    """Count what the clock called for in a real stream, by the stage it was at."""
    found: Counter[tuple[str, str, str]] = Counter()
    here = ""
    for fact in facts:
        if isinstance(fact.event, e.StageStarted):
            here = fact.event.stage
        name = alert_of(fact.event)
        if name and name != "late":
            found[number, getattr(fact.event, "stage", here), name] += 1
    return found


async def test_a_run_that_is_stopped_says_that_it_is_a_part(small: SmallOffice) -> None:
    await lived(small, 1, permits=2)
    known = small.catalogue
    replay = Replay("contoh", Rules(known, "contoh"), Rules(known, "contoh"))

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await read_through(
            replay, small.store, small.codec, to_micros(small.at), progress=stop, portion=3
        )
    assert not replay.report.complete
    assert replay.report.events == await small.store.head()


async def test_nothing_is_recorded(small: SmallOffice) -> None:
    await lived(small, 2, permits=2)
    before = await small.store.read_all()
    known = small.catalogue
    replay = Replay("contoh", Rules(known, "contoh"), Rules(known, "contoh"))
    await read_through(replay, small.store, small.codec, to_micros(small.at))
    assert await small.store.read_all() == before
