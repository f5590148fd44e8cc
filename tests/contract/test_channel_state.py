"""What notify's processes share about the channels, and the queue's question, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from services.notify.channels import Sent
from services.notify.people.persons import Persons
from services.notify.traffic.circuit import Answered, Open, Trouble, Troubled
from services.notify.traffic.circuits import Circuits
from services.notify.traffic.counts import Counts
from services.notify.views import MessagesProjection, MessageViews, Share, Windows
from shared.codec import Codec
from shared.database import Database
from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from tests.spec import START


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    dsn = request.getfixturevalue("postgres_dsn") if request.param == "postgres" else ""
    opened: Database = (
        PostgresDatabase(dsn, "notify") if dsn else SqliteDatabase(tmp_path / "notify.sqlite")
    )
    yield opened
    await opened.close()


class Clock:
    """A wall clock that the test moves."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


async def test_a_circuit_is_shared_probed_once_and_closed(database: Database) -> None:
    clock = Clock()
    one, other = Circuits(database, clock), Circuits(database, clock)
    await one.refresh()
    await one.hear("whatsapp", Troubled(Trouble.PAUSED, "190"))
    await other.refresh()
    found = other.open("whatsapp")
    assert found == Open(Trouble.PAUSED, "190", START, START + timedelta(seconds=300))
    assert not await other.claim("whatsapp")
    clock.time += timedelta(seconds=300)
    assert await other.claim("whatsapp")
    assert not await one.claim("whatsapp")
    await other.hear("whatsapp", Answered(), probe=True)
    await one.refresh()
    assert one.opened() == {}


async def test_templates_and_people_are_kept_until_they_are_free_again(database: Database) -> None:
    clock = Clock()
    circuits = Circuits(database, clock)
    await circuits.refresh()
    await circuits.note_template("whatsapp", "izin", "132000", stopped=False)
    await circuits.note_template("whatsapp", "izin", "132015", stopped=True)
    await circuits.note_template("whatsapp", "izin", "132000", stopped=False)
    fresh = Circuits(database, clock)
    await fresh.refresh()
    assert fresh.stopped("whatsapp", "izin") == "132000"
    [trouble] = await fresh.template_troubles()
    assert (trouble.stopped, trouble.since) == (True, START)
    await fresh.use_again("whatsapp", "izin")
    await circuits.refresh()
    assert circuits.stopped("whatsapp", "izin") == ""
    await circuits.leave_alone("whatsapp", "p1", "131049", START + timedelta(hours=24))
    assert await fresh.left_alone("whatsapp", "p1") == "131049"
    assert await fresh.left_alone("sms", "p1") == ""
    clock.time += timedelta(hours=24)
    assert await fresh.left_alone("whatsapp", "p1") == ""


async def test_calls_are_counted_over_processes(database: Database) -> None:
    one, other = Counts(database, Clock()), Counts(database, Clock())
    for counts in (one, other, other):
        counts.count("sms", Sent())
    assert await one.write(at_once=True)
    assert await other.write(at_once=True)
    hours = await one.last_hour(["sms", "whatsapp"])
    assert (hours["sms"].sent, hours["whatsapp"].sent) == (3, 0)


async def test_the_question_for_what_is_due_and_the_count_of_what_waits(database: Database) -> None:
    projection = MessagesProjection(Codec(), Persons("persons-TEST-0001"))
    await database.transaction(projection.create)
    views = MessageViews(database)
    shares = [Share("whatsapp", 10, ("p0", "p1")), Share("sms", 200)]
    assert await views.due(START, Windows(), shares, 6) == {}
    assert await views.waiting(["whatsapp", "sms"], 100) == {"whatsapp": 0, "sms": 0}
