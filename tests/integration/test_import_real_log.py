"""A real permit office's log, whole: 1,434 cases and 8,577 events of a Dutch municipality.

The log is third-party data that lies beside a checkout in ``../shared/data``, never in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
import yaml

from deploy.importing.importer import import_log
from deploy.importing.report import (
    END_BEFORE_START,
    EVENT_AFTER_END,
    EVENT_BEFORE_START,
    ImportReport,
)
from deploy.importing.xes import XesReader
from services.intake.application import DECIDER as APPLICATION
from services.workflow import clock
from services.workflow.permit import DECIDER as PERMIT
from services.workflow.sop import Sops
from services.workflow.states import NotOpened
from services.workflow.status import Tracker
from services.workflow.story import story
from shared.calendar import Calendars
from shared.codec import Codec
from shared.contracts.intake import ApplicationSubmitted
from shared.events import AnyFact, Recorded, to_micros
from shared.offices import Catalogue
from shared.store.sqlite import SqliteStore

ROOT = Path(__file__).resolve().parents[2]
LOG = ROOT.parent / "shared" / "data" / "receipt.xes.gz"
MAPPING = ROOT / "deploy" / "imports" / "receipt.yaml"
CASES, EVENTS, CLOSED = 1_434, 8_577, 1_329
NOW = datetime(2026, 1, 5, tzinfo=UTC)

pytestmark = pytest.mark.skipif(
    not LOG.exists(), reason=f"the real log is third-party data and is not at {LOG}"
)

CODEC = Codec()
CATALOGUE = Catalogue.load(ROOT / "deploy")


async def run(store: SqliteStore, mapping: Path = MAPPING) -> ImportReport:
    return await import_log(
        LOG, mapping, "receipt", store=store, codec=CODEC, catalogue=CATALOGUE, now=NOW
    )


async def recorded_of(store: SqliteStore) -> Sequence[Recorded]:
    return await store.read_all(limit=1_000_000)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "events.sqlite")
    yield opened
    await opened.close()


async def test_every_case_and_event_is_recorded_and_the_mapping_covers_all(
    store: SqliteStore,
) -> None:
    report = await run(store)
    recorded = await recorded_of(store)
    assert (report.cases, report.log_events) == (CASES, EVENTS)
    assert Counter(event.type for event in recorded) == {
        "ApplicationSubmitted": CASES,
        "ApplicationRegistered": CASES,
        "PermitOpened": CASES,
        "StageCompleted": EVENTS,
        "PermitClosed": CLOSED,
    }
    plain = report.as_dict()
    assert plain["recorded"] == len(recorded)
    assert not any(plain["uncovered"].values())
    assert plain["left_out"] == {}
    assert plain["contradictions"] == {
        EVENT_AFTER_END: 180,
        EVENT_BEFORE_START: 12,
        END_BEFORE_START: 2,
    }
    assert (plain["first"][:10], plain["last"][:10]) == ("2010-09-30", "2012-01-23")


async def test_the_same_log_again_adds_nothing(store: SqliteStore) -> None:
    first = await run(store)
    head = await store.head()
    second = await run(store)
    assert (second.recorded, second.already_there) == (0, first.recorded)
    assert await store.head() == head


async def test_times_people_channels_and_planned_ends_are_the_logs_own(
    store: SqliteStore,
) -> None:
    await run(store)
    recorded = await recorded_of(store)
    done = Counter((e.occurred_us, e.actor) for e in recorded if e.type == "StageCompleted")
    opened = {CODEC.decode(e).number: CODEC.decode(e) for e in recorded if e.type == "PermitOpened"}
    channels: Counter[str] = Counter()
    for event in recorded:
        if event.type == "ApplicationSubmitted":
            submitted = CODEC.decode(event)
            assert isinstance(submitted, ApplicationSubmitted)
            channels[submitted.channel] += 1
    said: Counter[tuple[int, str]] = Counter()
    for trace in XesReader(LOG):
        planned = datetime.fromisoformat(trace.attributes["enddate_planned"])
        number = trace.attributes["concept:name"].replace("case-", "RCP-")
        assert datetime.fromisoformat(opened[number].planned_end) == planned
        for step in trace.events:
            at = to_micros(datetime.fromisoformat(step["time:timestamp"]))
            said[at, f"officer:{step['org:resource'].lower()}"] += 1
    assert done == said
    assert channels == {"online": 1250, "counter": 109, "post": 53, "email": 21, "internal": 1}


async def test_what_a_smaller_mapping_lacks_is_reported_by_name_and_count(
    store: SqliteStore, tmp_path: Path
) -> None:
    given = yaml.safe_load(MAPPING.read_text("utf-8"))
    missing = "T02 Check confirmation of receipt"
    del given["activities"][missing], given["channels"]["Post"], given["ignored"]
    del given["trace"]["answers"]["group"]
    smaller = tmp_path / "smaller.yaml"
    smaller.write_text(yaml.safe_dump(given), "utf-8")
    report = await run(store, smaller)
    assert report.as_dict()["uncovered"] == {
        "activities": {missing: 1_368},
        "trace_attributes": {"group": 609},
        "event_attributes": {"concept:instance": EVENTS},
        "channels": {"Post": 53},
    }
    types = Counter(event.type for event in await recorded_of(store))
    assert types["StageCompleted"] == EVENTS - 1_368


async def test_every_imported_file_folds_and_its_clock_can_be_read(store: SqliteStore) -> None:
    await run(store)
    streams: dict[str, list[AnyFact]] = {}
    for event in await recorded_of(store):
        streams.setdefault(event.stream, []).append(CODEC.fact(event))
    applications = Counter(
        type(APPLICATION.fold(facts)).__name__
        for stream, facts in streams.items()
        if stream.startswith("application-")
    )
    assert applications == {"Registered": CASES}
    calendar = Calendars(CATALOGUE).of("receipt")
    sop = Sops(CATALOGUE).of("receipt", "wabo-receipt", 1)
    modes: Counter[str] = Counter()
    distances: list[int] = []
    for stream, facts in streams.items():
        if stream.startswith("permit-"):
            state = PERMIT.fold(facts)
            assert not isinstance(state, NotOpened)
            reading = clock.evaluate(state.file.clock, calendar, sop, NOW)
            modes[reading.mode] += 1
            assert reading.deadline is not None
            planned = datetime.fromisoformat(state.file.opened.planned_end)
            distances.append((reading.deadline - planned).days)
    assert modes == {"stopped": CLOSED, "running": CASES - CLOSED}
    # The log's own plan of eight weeks and our 40 working days mean the same day, near enough.
    assert abs(median(distances)) <= 2


async def test_every_imported_file_can_be_reported_on_with_its_whole_trail(
    store: SqliteStore,
) -> None:
    await run(store)
    tracker = Tracker(store, CODEC, Sops(CATALOGUE), Calendars(CATALOGUE))
    applications = {event.correlation_id for event in await recorded_of(store)}
    statuses: Counter[str] = Counter()
    steps = 0
    for application in applications:
        report = tracker.report(await tracker.case(application), NOW)
        statuses[report.status] += 1
        steps += len(story(report))
    assert statuses == {"finished": CLOSED, "in-process": CASES - CLOSED}
    # Submitted, registered, every activity, and the end where there is one.
    assert steps == CASES * 2 + EVENTS + CLOSED
