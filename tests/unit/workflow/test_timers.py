"""The sweep: what is due is nudged once, by whoever sweeps, and nobody's mistake stops another."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.workflow import commands as c
from services.workflow.commands import ExplainStall
from services.workflow.nudges import Due
from services.workflow.permit import stream
from services.workflow.projection import PermitsProjection
from services.workflow.sop import Sops
from services.workflow.timers import RETRY_US, Swept
from services.workflow.views import Views
from shared.calendar import Calendars
from shared.contracts import workflow as e
from shared.events import NewEvent, Recorded, to_micros
from shared.handle import Handler
from shared.ids import derived_id
from shared.offices import Catalogue
from shared.projection import Projector
from tests.running import until
from tests.unit.workflow.kit import ALL_ROLES, SOP, give, local
from tests.unit.workflow.office import SmallOffice, small_office

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SmallOffice]:
    async with small_office(tmp_path) as made:
        yield made


def kinds(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events[2:]]


async def test_the_ladder_step_by_step(office: SmallOffice) -> None:
    app, sweeper = await office.open(), office.sweeper()
    for at, expected in (
        (local(5, 14, 23), []),
        (local(5, 14, 24), ["StageDueSoon"]),
        (local(5, 16), ["StageOverdue", "StallExplanationRequested"]),
        (local(6, 9, 59), []),
        (local(6, 10), ["StallEscalated"]),
        (local(6, 13, 59), []),
        (local(6, 14), ["StallEscalated"]),
        (local(9, 15, 59), []),
        (local(9, 16), ["PermitDeemedGranted"]),
        (local(30, 10), []),
    ):
        before = len(await office.events(app))
        office.at = at
        await office.project()
        await sweeper.sweep()
        assert kinds([None, None, *(await office.events(app))[before:]]) == expected
        await office.project()
    row = await office.views.row(app)
    assert row is not None
    assert row.timer_us is None
    assert (row.escalated_us, row.escalated_to) == (to_micros(local(6, 14)), "head")
    assert row.deemed_us == to_micros(local(9, 16))


async def test_a_sweep_that_finds_nothing_is_seen_too(office: SmallOffice) -> None:
    def sweeps() -> float:
        return REGISTRY.get_sample_value("jejak_sla_sweep_seconds_count") or 0.0

    before = sweeps()
    assert await office.sweeper().sweep() == Swept(0, 0, 0)
    assert sweeps() == before + 1


async def test_an_explanation_takes_the_timer_away(office: SmallOffice) -> None:
    app = await office.open()
    office.at = local(6, 8)
    await office.project()
    await office.sweeper().sweep()
    asked = next(
        event
        for event in await office.events(app)
        if isinstance(event, e.StallExplanationRequested)
    )
    command = ExplainStall(
        now=office.at, by=ALL_ROLES, sop=SOP, stall_id=asked.stall_id, explanation="Banjir"
    )
    await office.give(command, app)
    await office.project()
    row = await office.views.row(app)
    assert row is not None
    # Nothing but the legal limit is left to come.
    assert (row.explanation, row.timer_us) == ("Banjir", to_micros(local(9, 16)))
    office.at = local(9, 8)
    assert await office.sweeper().sweep() == Swept(0, 0, 0)


async def test_two_sweepers_a_stale_read_model_and_a_restart_fire_once(office: SmallOffice) -> None:
    apps = [await office.open(index) for index in range(30)]
    await office.project()
    office.at = local(6, 8)
    # Nothing is projected meanwhile: everybody sees the same rows again and again.
    await asyncio.gather(*(office.sweeper().sweep() for _ in range(4)))
    await office.sweeper().sweep()
    for app in apps:
        counts = Counter(kinds(await office.events(app)))
        assert counts == {"StageOverdue": 1, "StallExplanationRequested": 1}


async def test_a_sweep_at_the_start_covers_the_time_nobody_swept(office: SmallOffice) -> None:
    app = await office.open()
    await office.project()
    office.at = local(14, 9)
    running = asyncio.create_task(office.sweeper().run())

    async def fired() -> bool:
        return len(await office.events(app)) == 5

    await until(fired)
    running.cancel()
    assert kinds(await office.events(app)) == [
        "StageOverdue",
        "StallExplanationRequested",
        "PermitDeemedGranted",
    ]


async def test_a_broken_permit_and_a_broken_office_stop_nobody_else(office: SmallOffice) -> None:
    broken, gone, sound = [await office.open(index) for index in range(3)]
    await office.project()
    await _rename(office, gone, "lain")
    recorded = await office.store.read_stream(stream(broken))
    poison = recorded[-1]._replace(event_id="poison", type="NobodyKnows", cause_id="poison")
    await office.store.append(stream(broken), [_new(poison)])
    office.at = local(6, 8)
    # A process that remembers nothing of these permits.
    office.handler = Handler(office.store, office.codec)
    fresh = office.sweeper()
    swept = await fresh.sweep()
    assert swept == Swept(3, 1, 2)
    assert "StageOverdue" in kinds(await office.events(sound))
    # They are not tried again at every tick.
    assert (await fresh.sweep()).failed == 0
    office.at = local(6, 8, 2)
    assert (await fresh.sweep()).failed == 2


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_a_day_wrong_fires_once_and_what_failed_is_tried_when_it_is_set_right(
    office: SmallOffice, days: int
) -> None:
    sound, failing = await office.open(1), await office.open(2)
    await office.project()
    await _rename(office, failing, "lain")
    sweeper, right = office.sweeper(), local(8, 8)
    office.at = right + timedelta(days=days)
    assert await sweeper.sweep() == Swept(2, 1, 1)
    await _rename(office, failing, "izin")
    office.at = right + timedelta(minutes=2)
    assert (await sweeper.sweep()).failed == 0
    for app in (sound, failing):
        counts = Counter(kinds(await office.events(app)))
        assert counts == {"StageOverdue": 1, "StallExplanationRequested": 1}


async def _rename(office: SmallOffice, app: str, kind: str) -> None:
    """Let a permit's row name another procedure."""
    await office.database.transaction(
        lambda tx: tx.execute(
            "UPDATE permits SET procedure_type = ? WHERE application_id = ?", (kind, app)
        )
    )


async def test_an_office_whose_file_is_refused_stops_no_other(
    office: SmallOffice, tmp_path: Path
) -> None:
    folder = tmp_path / "deploy"
    for part in ("offices", "permits", "holidays"):
        shutil.copytree(ROOT / "deploy" / part, folder / part)
    whole, apps = Catalogue.load(folder), dict[str, str]()
    sops, calendars = Sops(whole), Calendars(whole)
    office.projector = Projector(PermitsProjection(office.codec, sops, calendars), office.database)
    for index, name in enumerate(("bogor", "mataram")):
        sop = sops.of(name, "situ", 1)
        apps[name] = await office.open(index, sop=sop, office=name, permit_type="situ")
    await office.project()
    # One office's file is broken by a hand that meant well.
    file = folder / "offices" / "bogor.yaml"
    file.write_text(file.read_text().replace("zone: Asia/Jakarta", "zone: Bogor"))
    broken = Catalogue.load(folder)
    assert [mistake.file for mistake in broken.refused] == [file.name]
    office.sops, office.calendars = Sops(broken), Calendars(broken)
    office.at = local(20, 8)
    assert await office.sweeper().sweep() == Swept(2, 1, 1)
    assert "StageOverdue" in kinds(await office.events(apps["mataram"]))
    assert kinds(await office.events(apps["bogor"])) == []


async def test_a_row_behind_its_stream_is_nudged_from_the_stream(office: SmallOffice) -> None:
    late, moved = await office.open(1), await office.open(2)
    await office.project()
    office.at = local(6, 8)
    # The read model has not heard of it yet.
    await office.give(give(c.CompleteStage, now=office.at), moved)
    assert await office.sweeper().sweep() == Swept(2, 1, 0)
    assert kinds(await office.events(late)) == ["StageOverdue", "StallExplanationRequested"]
    assert kinds(await office.events(moved)) == ["StageCompleted", "StageStarted"]


def _new(recorded: Recorded) -> NewEvent:
    return NewEvent(*(getattr(recorded, field) for field in NewEvent._fields))


async def test_many_timers_at_one_instant_all_fire(office: SmallOffice) -> None:
    for index in range(300):
        await office.open(index)
    await office.project()
    office.at = local(6, 8)
    swept = await office.sweeper().sweep()
    assert (swept.due, swept.decided) == (300, 300)
    await office.project()
    assert (await office.views.counts("contoh")).overdue == 300
    assert len(await office.views.rows("stall_id <> ''", ())) == 300


class Storm(Views):
    """Permits that are due for ever and whose office nobody knows: every nudge of one fails."""

    found: Sequence[Due] = ()
    turns = turns_at_the_start = turns_when_forgotten = 0

    async def any_due(self, now_us: int) -> bool:
        """Say that there are some; what is dealt with is forgotten next."""
        self.turns_at_the_start = self.turns
        return True

    async def due(self, now_us: int, after: tuple[int, str], limit: int) -> list[Due]:
        """Return some of them."""
        self.turns_when_forgotten = self.turns_when_forgotten or self.turns
        return [row for row in self.found if row[:2] > after][:limit]

    async def somebody_else(self) -> None:
        """Take every turn of the loop."""
        while True:
            self.turns += 1
            await asyncio.sleep(0)


async def storm(office: SmallOffice, count: int) -> Storm:
    """Return a storm of ``count`` permits, each almost like a real one."""
    await office.open()
    await office.project()
    office.at = local(6, 8)
    (row,) = await office.views.due(to_micros(office.at), (0, ""), 2)
    views = Storm(office.database, office.sops, office.calendars, lambda: office.at)
    ids = sorted(derived_id("storm", number) for number in range(count))
    nowhere = ("nowhere", "izin", 1)
    views.found = [row._replace(application_id=one, procedure=nowhere) for one in ids]
    return views


async def test_what_a_storm_left_behind_is_forgotten_while_others_have_their_turns(
    office: SmallOffice,
) -> None:
    views = await storm(office, 2500)
    sweeper = office.sweeper(views)
    assert await sweeper.sweep() == Swept(2500, 0, 2500)
    assert await sweeper.sweep() == Swept(2500, 0, 0)
    office.at += timedelta(microseconds=RETRY_US)
    views.turns_when_forgotten = 0
    other = asyncio.create_task(views.somebody_else())
    # All of them are tried again.
    assert await sweeper.sweep() == Swept(2500, 0, 2500)
    other.cancel()
    assert views.turns_when_forgotten - views.turns_at_the_start >= 8


async def test_of_more_than_can_be_remembered_the_newest_are(
    office: SmallOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.workflow.timers._MAX_REMEMBERED", 100)
    views = await storm(office, 300)
    sweeper = office.sweeper(views)
    assert await sweeper.sweep() == Swept(300, 0, 300)
    found = views.found
    views.found = found[-100:]
    assert await sweeper.sweep() == Swept(100, 0, 0)
    views.found = found[:200]
    assert await sweeper.sweep() == Swept(200, 0, 200)
