"""A simulated office: decided like a real one, repeatable, and never mixed with real data."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import main
from deploy.serve import opened
from deploy.simulation import seasons
from deploy.simulation.engine import Clock, Process
from deploy.simulation.ledger import Foreign, Ledger
from deploy.simulation.run import Plan, simulate
from deploy.wiring import open_kernel
from shared.bus.local import SOURCE
from shared.calendar import Calendars
from shared.codec import Codec
from shared.contracts.intake import ApplicationRegistered
from shared.errors import WrongExpectedVersion
from shared.events import NewEvent, Recorded
from shared.ids import derived_id
from shared.offices import Catalogue
from shared.settings import SERVICES, Settings
from shared.store.sqlite import SqliteStore
from tests.examples import example

UNTIL = datetime(2026, 11, 20, 9, tzinfo=UTC)
PLAN = Plan("bogor", 1, 6, 7, UNTIL)
OPTIONS = ("--office", "bogor", "--months", 1, "--rate", 1, "--seed", 7, "--until", "2026-11-20")
REPO = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("JEJAK_DATA", "JEJAK_KAFKA", "JEJAK_POSTGRES", "JEJAK_KURRENT", "LANG"):
        monkeypatch.delenv(name, raising=False)
    yield
    structlog.reset_defaults()


def jejak(data: Path, *words: object) -> Result:
    """Run the command on a data folder."""
    return CliRunner().invoke(main, ["--data", str(data), *map(str, words)])


def refused(said: Result) -> str:
    """Return the code of a refusal."""
    assert said.exit_code == 1, said.output
    return str(json.loads(said.stdout)["code"])


class Stopped(Exception):
    """The power went out."""


def made(folder: Path, plan: Plan, *, stop_at: datetime | None = None) -> list[Recorded]:
    """Simulate in a folder, up to ``stop_at``, and return the whole log."""

    def told(at: datetime) -> None:
        if stop_at is not None and at >= stop_at:
            raise Stopped

    async def work() -> list[Recorded]:
        # The secrets are one installation's: with others, tracking codes have other hashes.
        settings = Settings(data=folder, secrets=folder.parent / "secrets")
        async with opened(settings, SERVICES) as running:
            try:
                await simulate(running, plan, 0, told)
            except Stopped:
                assert stop_at is not None
            return await running.kernel.store.read_all(0, 100_000)

    return asyncio.run(work())


def digest(log: list[Recorded]) -> str:
    """Return the SHA-256 of everything but when it was written down."""
    found = hashlib.sha256()
    for recorded in log:
        found.update(repr(recorded._replace(recorded_us=0)).encode())
    return found.hexdigest()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Recorded]]:
    """One month of Bogor, made once."""
    folder = tmp_path_factory.mktemp("simulated") / "data"
    return folder, made(folder, PLAN)


def test_the_same_seed_makes_the_same_events_even_when_it_was_interrupted(
    log: tuple[Path, list[Recorded]],
) -> None:
    folder, events = log
    broken = folder.parent / "broken"
    part = made(broken, PLAN, stop_at=PLAN.since + timedelta(days=25))
    whole = made(broken, PLAN)
    assert 0 < len(part) < len(whole)
    assert digest(whole) == digest(events)


def test_another_seed_makes_other_events(log: tuple[Path, list[Recorded]]) -> None:
    folder, events = log
    other = made(folder.parent / "other", PLAN._replace(seed=8))
    assert not {one.event_id for one in other} & {one.event_id for one in events}


def test_everything_happens_in_its_time_and_in_order(log: tuple[Path, list[Recorded]]) -> None:
    _, events = log
    instants = [recorded.occurred_at for recorded in events]
    assert instants == sorted(instants)
    assert PLAN.since <= instants[0]
    assert instants[-1] < UNTIL


def test_officers_work_only_while_their_office_is_open(log: tuple[Path, list[Recorded]]) -> None:
    calendar = Calendars(Catalogue.load(REPO / "deploy")).of("bogor")
    acted = [r.occurred_at for r in log[1] if r.actor.startswith("officer:")]
    assert acted
    # The last minute of a day's work ends as the office closes.
    late = [at for at in acted if not calendar.is_open(at - timedelta(seconds=1))]
    assert [at for at in late if not calendar.is_open(at)] == []


def test_it_tells_what_an_office_goes_through(log: tuple[Path, list[Recorded]]) -> None:
    types = {recorded.type for recorded in log[1]}
    assert types >= {
        "ApplicationSubmitted",
        "ApplicationReturned",
        "ApplicationCorrected",
        "PermitOpened",
        "SurveyScheduled",
        "SurveyReported",
        "FeeAssessed",
        "BillIssued",
        "PaymentReceived",
        "FeeSettled",
        "PermitIssued",
        "PermitHandedOver",
        "StageOverdue",
        "StallExplanationRequested",
    }
    assert not any(recorded.stream.startswith("message-") for recorded in log[1])


def test_people_are_plainly_invented(log: tuple[Path, list[Recorded]]) -> None:
    for recorded in log[1]:
        if recorded.type == "ApplicationSubmitted":
            applicant = json.loads(recorded.data)["applicant"]
            assert applicant["name"].startswith("Pemohon Contoh ")
            assert applicant["nik"].startswith("00")
            assert applicant["phone"].startswith("+62815000")
            assert applicant["email"].endswith(".example")


def test_the_command_fills_the_lists_and_leaves_nothing_to_react_to(tmp_path: Path) -> None:
    data = tmp_path / "data"
    said = jejak(data, "simulate", *OPTIONS, "--json")
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    assert sum(answer["permit_types"].values()) == sum(answer["channels"].values()) > 0

    async def look() -> tuple[int, int, set[int]]:
        async with opened(Settings(data=data), SERVICES) as running:
            head = await running.kernel.store.head()
            rows = await running.databases["intake"].query("SELECT count(*) FROM applications", ())
            reactors = [one for service in running.services for one in service.reactors]
            positions = {(await one.positions())[SOURCE] for one in reactors}
            return head, int(rows[0][0]), positions

    head, listed, positions = asyncio.run(look())
    assert head == answer["events"]
    assert listed == sum(answer["permit_types"].values())
    assert positions == {head}
    checked = jejak(data, "replay", "--check")
    assert checked.exit_code == 0, checked.output


def test_it_says_in_words_what_was_made_and_where_to_look(tmp_path: Path) -> None:
    said = jejak(tmp_path / "data", "--lang", "id", "simulate", *OPTIONS)
    assert said.exit_code == 0, said.output
    assert "Menurut saluran" in said.stdout
    assert "/papan/jumlah" in said.stdout
    assert "100%" in said.stderr


def _append(data: Path, name: str) -> None:
    async def work() -> None:
        async with open_kernel(Settings(data=data)) as kernel:
            identity = derived_id("test", name)
            event = example(ApplicationRegistered, application_id=name)
            new = kernel.codec.envelope(event, identity, 1, "officer:x", identity, name)
            await kernel.store.append(f"application-{name}", [new])

    asyncio.run(work())


def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _append(data, "real")
    assert refused(jejak(data, "simulate", *OPTIONS, "--json")) == "not-simulated"


def test_a_simulated_folder_that_was_used_since_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert jejak(data, "simulate", *OPTIONS, "--json").exit_code == 0
    assert refused(jejak(data, "simulate", *OPTIONS, "--json")) == "already-simulated"
    blitar = ("--office", "blitar", *OPTIONS[2:])
    assert jejak(data, "simulate", *blitar, "--json").exit_code == 0
    _append(data, "real")
    mataram = ("--office", "mataram", *OPTIONS[2:])
    assert refused(jejak(data, "simulate", *mataram, "--json")) == "not-simulated"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--office", "nowhere"), "nothing-to-simulate"),
        (("--office", "bogor", "--until", "2024-01-01"), "nothing-to-simulate"),
        (("--office", "receipt"), "nothing-to-simulate"),
    ],
)
def test_what_nobody_could_apply_for_is_refused(
    tmp_path: Path, options: tuple[str, ...], code: str
) -> None:
    assert refused(jejak(tmp_path / "data", "simulate", *options, "--json")) == code


def test_servers_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEJAK_POSTGRES", "postgresql://nobody@localhost/none")
    assert refused(jejak(tmp_path / "data", "simulate", *OPTIONS, "--json")) == "not-embedded"


# The clock and the ledger ------------------------------------------------------------------------


@given(st.lists(st.integers(0, 50), max_size=30))
def test_processes_go_in_the_order_of_their_instants_then_of_asking(waits: list[int]) -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    heard: list[tuple[int, int]] = []

    async def process(number: int, minutes: int) -> Process:
        yield start + timedelta(minutes=minutes)
        heard.append((minutes, number))

    async def work() -> None:
        clock = Clock(start)
        for number, minutes in enumerate(waits):
            clock.spawn(process(number, minutes))
        await clock.run(start + timedelta(minutes=40), lambda at: None)

    asyncio.run(work())
    expected = sorted((minutes, number) for number, minutes in enumerate(waits) if minutes < 40)
    assert heard == expected


def _event(name: str) -> NewEvent:
    event = example(ApplicationRegistered, application_id="a")
    identity = derived_id(name)
    return Codec().envelope(event, identity, 1_767_575_000_000_000, "officer:x", identity, "a")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened_store = SqliteStore(tmp_path / "events.sqlite")
    yield opened_store
    await opened_store.close()


async def test_the_ledger_answers_at_once_and_writes_at_the_flush(store: SqliteStore) -> None:
    ledger = Ledger(store)
    await ledger.append("application-a", [_event("1"), _event("2")], 0)
    assert [r.version for r in await ledger.read_stream("application-a", 1)] == [2]
    assert await store.head() == 0
    await ledger.flush()
    assert [r.event_id for r in await store.read_stream("application-a")] == [
        derived_id("1"),
        derived_id("2"),
    ]


async def test_the_ledger_holds_to_versions_like_every_store(store: SqliteStore) -> None:
    ledger = Ledger(store)
    await ledger.append("application-a", [_event("1")], 0)
    with pytest.raises(WrongExpectedVersion):
        await ledger.append("application-a", [_event("2")], 0)


async def test_the_ledger_goes_on_behind_what_an_interrupted_run_left(store: SqliteStore) -> None:
    first = Ledger(store)
    await first.append("application-a", [_event("1")], 0)
    await first.flush()
    again = Ledger(store)
    await again.append("application-a", [_event("1")], 0)
    await again.append("application-a", [_event("2")], 1)
    await again.flush()
    assert [r.version for r in await store.read_stream("application-a")] == [1, 2]


@pytest.mark.parametrize("stream", ["application-a", "application-b"])
async def test_the_ledger_stops_at_whatever_it_did_not_decide(
    store: SqliteStore, stream: str
) -> None:
    ledger = Ledger(store)
    await store.append(stream, [_event("somebody else's")])
    await ledger.append("application-a", [_event("1")], 0)
    with pytest.raises(Foreign):
        await ledger.flush()
    assert await store.head() == 1


# Seasons -----------------------------------------------------------------------------------------


def test_a_quarter_fewer_come_in_ramadan() -> None:
    # Ramadan 1447 lasted from 18 February to 19 March 2026.
    ordinary, fasting = date(2026, 2, 10), date(2026, 3, 10)
    assert ordinary.weekday() == fasting.weekday()
    assert seasons.expected(fasting, 40, working=True) == pytest.approx(
        0.75 * seasons.expected(ordinary, 40, working=True)
    )


@given(st.integers(0, 2000))
def test_days_off_are_quiet(days: int) -> None:
    day = date(2024, 1, 1) + timedelta(days=days)
    off, working = (seasons.expected(day, 40, working=w) for w in (False, True))
    assert 0 < off <= max(working, 0.12 * 40 * 1.15)
