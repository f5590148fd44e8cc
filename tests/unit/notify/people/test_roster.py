"""Who is told, of those on the roster: at an instant, in turn, by deputy, in a group."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given as over
from hypothesis import settings as proving
from hypothesis import strategies as st

from services.notify.message import DECIDER, Failed, Message, message_stream
from services.notify.message.commands import ReleaseMessage
from services.notify.people.roster import Away, covers, on_duty, present, stand_in, turns
from services.notify.refusals import UnknownMessage
from shared.contracts.intake import Applicant
from shared.contracts.notify import (
    MessageDigested,
    MessageFailed,
    MessageQueued,
    MessageReleased,
    MessageSuperseded,
)
from shared.contracts.workflow import AbsenceRecorded, StageOverdue, StageStarted
from shared.ids import derived_id
from shared.offices import Duty, Shift
from tests.running import Office, running_office, settings_in, until
from tests.spec import START, at, given
from tests.unit.notify.samples import BY, IDS, QUEUED, queue
from tests.unit.notify.test_telling import APPLICATION, STALL, _with, permit, submit

ZONE = ZoneInfo("Asia/Jakarta")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PEOPLE = ("verifikator", "loket", "kepala", "+6281200000001")
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(ZONE))


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    """A shift with any limits."""
    start, end = sorted(draw(st.lists(st.integers(0, 23), min_size=2, max_size=2, unique=True)))
    first = draw(st.none() | st.dates(date(2026, 1, 1), date(2027, 12, 31)))
    length = draw(st.none() | st.integers(0, 400))
    last = None if length is None else (first or date(2026, 6, 1)) + timedelta(days=length)
    return Shift(
        who=draw(st.sampled_from(PEOPLE)),
        days=tuple(draw(st.sets(st.sampled_from(DAYS)))),
        hours=draw(st.sampled_from([(), (f"{start:02}:00-{end:02}:00",)])),
        first=first,
        last=last,
    )


ROSTERS = st.lists(shifts(), max_size=8).map(lambda some: Duty(people=tuple(some)))


@over(ROSTERS, INSTANTS)
@proving(deadline=None, max_examples=200)
def test_on_duty_are_those_with_a_shift_in_the_rosters_order_each_once(
    duty: Duty, at: datetime
) -> None:
    found = on_duty(duty, at)
    assert set(found) == {shift.who for shift in duty.people if covers(shift, at)}
    assert len(set(found)) == len(found)
    first = [
        next(i for i, s in enumerate(duty.people) if s.who == who and covers(s, at))
        for who in found
    ]
    assert first == sorted(first)


@over(shifts(), INSTANTS)
@proving(deadline=None, max_examples=200)
def test_a_shift_holds_exactly_where_each_of_its_limits_does(shift: Shift, at: datetime) -> None:
    day = not shift.days or DAYS[at.weekday()] in shift.days
    within = (shift.first or date.min) <= at.date() <= (shift.last or date.max)
    hour = not shift.hours or any(
        time.fromisoformat(span[:5]) <= at.time() < time.fromisoformat(span[6:])
        for span in shift.hours
    )
    assert covers(shift, at) == (day and within and hour)


@over(ROSTERS, INSTANTS, st.sampled_from(["UTC", "Asia/Makassar", "Asia/Jayapura"]))
@proving(deadline=None, max_examples=50)
def test_the_clock_of_the_office_counts_whatever_zone_the_instant_came_in(
    duty: Duty, at: datetime, zone: str
) -> None:
    elsewhere = at.astimezone(ZoneInfo(zone))
    assert on_duty(duty, elsewhere.astimezone(ZONE)) == on_duty(duty, at)


@over(st.lists(st.sampled_from(PEOPLE)), st.dates(date(2026, 1, 1), date(2026, 1, 9)))
@proving(deadline=None, max_examples=100)
def test_whoever_is_away_is_not_told_and_the_deputy_is_once(people: list[str], day: date) -> None:
    gone = Away("a1", "verifikator", "loket", date(2026, 1, 3), date(2026, 1, 5))
    lasts = gone.first <= day <= gone.last
    found = present(people, [gone], day)
    assert len(set(found)) == len(found)
    assert ("verifikator" in found) == ("verifikator" in people and not lasts)
    assert ("loket" in found) == ("loket" in people or ("verifikator" in people and lasts))
    assert stand_in("kepala", [gone], day) == "kepala"


@over(st.lists(st.sampled_from(PEOPLE), unique=True), st.none() | st.integers(1, 1440))
@proving(deadline=None, max_examples=100)
def test_the_first_is_told_now_and_each_next_one_a_pause_later(
    people: list[str], pause: int | None
) -> None:
    told = turns(people, pause)
    assert [turn.who for turn in told] == people
    waits = [turn.wait for turn in told]
    assert waits == [timedelta(minutes=(pause or 0) * rank) for rank in range(len(people))]


# The decider.


def test_a_message_that_waits_its_turn_may_be_released_once() -> None:
    waiting = replace(QUEUED, not_before=at(minutes=30).isoformat())
    released = MessageReleased(**IDS, not_before=at(minutes=5).isoformat())
    given(DECIDER, waiting).when(release(5)).then(released).again().then_nothing()
    given(DECIDER, waiting).when(release(31)).then_nothing()
    given(DECIDER, QUEUED).when(release(5)).then_nothing()
    given(DECIDER, waiting, MessageSuperseded(**IDS)).when(release(5)).then_nothing()
    given(DECIDER).when(release(5)).then_refused(UnknownMessage)


def test_what_can_not_be_sent_is_queued_and_failed_at_once() -> None:
    failed = MessageFailed(**IDS, reason="bad-number")
    command = queue(refused="bad-number")
    given(DECIDER).when(command).then(QUEUED, failed).again().then_nothing()


def release(minutes: int) -> ReleaseMessage:
    """Return the command that lets a message go out some minutes after the start."""
    return ReleaseMessage(not_before=at(minutes=minutes), now=START, by=BY)


# In a notify service that runs.

DUTY: dict[str, Any] = {
    "verifier": {
        "people": [
            {"who": "loket"},
            {"who": "+6281233334444"},
            {"who": "+6281277778888"},
            {"who": "kepala"},
        ],
        "group": "120363041234567890@g.us",
        "escalate_minutes": 30,
    },
    "supervisor": {"people": [{"who": "kepala"}, {"who": "+6281255556666"}]},
}
OVERDUE = StageOverdue(**STALL, due_at="2026-11-23T09:00:00+00:00")
STARTED = StageStarted(application_id=APPLICATION, stage="verify", role="verifier")


def data(folder: Path, **changes: Any) -> Path:
    """Copy the shipped data, with another office of Bogor."""
    config = folder / "config"
    shutil.copytree(
        settings_in(folder).config, config, ignore=shutil.ignore_patterns("*.py", "kafka")
    )
    file = config / "offices" / "bogor.yaml"
    office = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({**office, **changes}))
    return config


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    settings = settings_in(tmp_path, config=data(tmp_path, duty=DUTY))
    async with running_office(settings, ["notify"]) as running:
        yield running


async def messages(office: Office, rule: str = "") -> list[tuple[MessageQueued, Message]]:
    """Return every message in the order in which they were queued, and where it stands."""
    kernel, found = office.running.kernel, []
    for recorded in await kernel.store.read_all(0):
        if recorded.type == "MessageQueued":
            queued = kernel.codec.decode(recorded)
            if rule in ("", queued.rule):
                state = await kernel.handler.load(DECIDER, message_stream(queued.message_id))
                found.append((queued, state.state))
    return found


async def queued(office: Office, count: int, rule: str = "") -> list[tuple[MessageQueued, Message]]:
    async def enough() -> Any:
        found = await messages(office, rule)
        return found if len(found) >= count else None

    found: list[tuple[MessageQueued, Message]] = await until(enough, what=f"{count} messages")
    return found


def minutes(message: MessageQueued, office: Office) -> int:
    """Return how long a message waits, roughly."""
    if not message.not_before:
        return 0
    left = datetime.fromisoformat(message.not_before) - office.running.kernel.now()
    return round(left / timedelta(minutes=1))


def leads(office: Office) -> str:
    account = office.running.kernel.accounts.find("kepala")
    assert account is not None
    assert account.phone is not None
    return account.phone


async def test_an_alert_climbs_the_roster_and_goes_to_the_group(office: Office) -> None:
    await submit(office)
    await permit(office, STARTED, OVERDUE)
    found = [one for one, _ in await queued(office, 4, "overdue-officer")]
    assert [(one.recipient, minutes(one, office)) for one in found] == [
        ("+6281100000001", 0),
        ("group:120363041234567890@g.us", 0),
        ("+6281233334444", 30),
        ("+6281277778888", 60),
    ]
    assert [one.audience for one in found] == ["officer", "group", "officer", "officer"]


async def test_nobody_is_told_of_one_event_twice(office: Office) -> None:
    await submit(office)
    await permit(office, STARTED, OVERDUE)
    await queued(office, 7)
    told = {one.recipient: one for one, _ in await messages(office)}
    assert len(told) == len(await messages(office))
    # On both rosters: told at once as a supervisor, not an hour and a half later as an officer.
    (leader,) = (one for one in told.values() if one.recipient == leads(office))
    assert (leader.rule, leader.not_before) == ("overdue-supervisor", "")


async def test_who_can_not_be_reached_lets_the_next_one_hear_at_once(office: Office) -> None:
    await submit(office)
    await permit(office, STARTED, OVERDUE)
    found = await queued(office, 4, "overdue-officer")
    second, third = found[2][0], found[3][0]
    await fail(office, found[0][0])
    await until(lambda: released(office, second), what="the second one's turn")
    assert not await released(office, third)
    await fail(office, second)
    await until(lambda: released(office, third), what="the third one's turn")


async def test_a_digest_that_nobody_got_lets_the_next_one_hear_of_each_alert(
    office: Office,
) -> None:
    await submit(office)
    await permit(office, STARTED, OVERDUE)
    found = await queued(office, 4, "overdue-officer")
    first, second = found[0][0], found[2][0]
    digest = replace(first, message_id=derived_id("digest"), gathers=(first.message_id,))
    into = MessageDigested(
        application_id=APPLICATION, message_id=first.message_id, into=digest.message_id
    )
    await office.happened(message_stream(digest.message_id), digest, application=APPLICATION)
    await office.happened(message_stream(first.message_id), into, application=APPLICATION)
    assert not await released(office, second)
    await fail(office, digest)
    await until(lambda: released(office, second), what="the second one's turn")


async def fail(office: Office, message: MessageQueued) -> None:
    """Let a provider refuse a message for good, whatever it said before."""
    failure = MessageFailed(
        application_id=APPLICATION, message_id=message.message_id, reason="131026"
    )
    await office.happened(message_stream(message.message_id), failure, application=APPLICATION)


async def released(office: Office, message: MessageQueued) -> bool:
    """Say whether a message waits no longer."""
    recorded = await office.running.kernel.store.read_stream(message_stream(message.message_id))
    return "MessageReleased" in {one.type for one in recorded}


async def test_the_deputy_hears_in_the_place_of_who_is_away(office: Office) -> None:
    await submit(office)
    today = office.running.kernel.now().astimezone(ZONE).date()
    absence = AbsenceRecorded(
        office="bogor",
        absence_id="a1",
        account="loket",
        deputy="verifikator",
        first=today.isoformat(),
        last=(today + timedelta(days=1)).isoformat(),
    )
    await office.happened("roster-bogor", absence, application=derived_id("roster", "bogor"))
    await permit(office, STARTED, OVERDUE)
    found = [one for one, _ in await queued(office, 4, "overdue-officer")]
    assert found[0].recipient == "+6281100000002"
    assert "+6281100000001" not in {one.recipient for one in found}


async def test_a_number_that_is_none_fails_where_the_counter_sees_it(office: Office) -> None:
    spoiled = Applicant(name="P", nik="3271046504930002", phone="0812TELEPON", language="id")
    await submit(office, _with(applicant=spoiled))
    ((message, state),) = await queued(office, 1, "received")
    assert message.recipient == "0812TELEPON"
    assert isinstance(state, Failed)
    assert state.reason == "bad-number"
    file = office.running.kernel.settings.data / "outbox" / "messages.jsonl"
    assert not file.exists() or "TELEPON" not in json.dumps(file.read_text())
