"""The sender's question to the read model: bounded, and answered from indexes however long a queue.

A million messages may wait; a look at them must cost what a look at a hundred costs.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notify.views import MessagesProjection, MessageViews, Share, Windows
from shared.codec import Codec
from shared.database.sqlite import SqliteDatabase
from shared.events import to_micros
from tests.spec import START
from tests.unit.notify.desk import PERSONS

COLUMNS = (
    "message_id, application_id, office, rule, channel, state, attempts, resent, due_us, "
    "queued_us, queued_position, provider_id, person, audience, template, digest, reason, "
    "changed_us"
)


@pytest.fixture
async def database(tmp_path: Path) -> Any:
    opened = SqliteDatabase(tmp_path / "notify.sqlite")
    projection = MessagesProjection(Codec(), PERSONS)
    await opened.transaction(projection.create)
    yield opened
    await opened.close()


async def fill(database: SqliteDatabase, channel: str, state: str, number: int, at: int) -> None:
    rows = [
        [
            *f"{channel}-{state}-{each} a{each} bogor bill {channel} {state}".split(),
            0,
            0,
            at + each,
            at,
            each,
            "",
            f"p{each % 50}",
            "applicant",
            "bill",
            "",
            "",
            at,
        ]
        for each in range(number)
    ]
    marks = ", ".join("?" * 18)

    def work(tx: Any) -> None:
        tx.executemany(f"INSERT INTO messages_2 ({COLUMNS}) VALUES ({marks})", rows)

    await database.transaction(work)


async def test_each_channel_has_its_own_share_and_the_longest_waiting_come_first(
    database: SqliteDatabase,
) -> None:
    at = to_micros(START) - 10_000_000
    await fill(database, "whatsapp", "queued", 3000, at)
    await fill(database, "sms", "queued", 300, at)
    await fill(database, "sms", "sent", 300, at)
    await fill(database, "sms", "sending", 5, to_micros(START - timedelta(minutes=2)))
    await fill(database, "sms", "unknown", 7, to_micros(START - timedelta(minutes=20)))
    shares = [Share("whatsapp", 10, ("p0", "p1")), Share("sms", 200), Share("8x8", 200)]
    due = await MessageViews(database).due(START, Windows(), shares, 6)
    found = [one.message_id for messages in due.values() for one in messages]
    of = {
        name: [each for each in found if each.startswith(name)]
        for name in ("whatsapp-queued", "sms-queued", "sms-sending", "sms-unknown")
    }
    assert {name: len(each) for name, each in of.items()} == {
        "whatsapp-queued": 10,
        "sms-queued": 200,
        "sms-sending": 5,
        "sms-unknown": 6,
    }
    assert sum(map(len, of.values())) == len(found)
    # Persons 0 and 1 rest, so the queue begins with the third.
    assert of["whatsapp-queued"] == [f"whatsapp-queued-{each}" for each in range(2, 12)]


async def test_a_look_reads_an_index_in_its_order_and_sorts_nothing(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []
    query = database.query

    async def spied(sql: str, params: Any = ()) -> Any:
        asked.append((sql, params))
        return await query(sql, params)

    monkeypatch.setattr(database, "query", spied)
    shares = [Share("whatsapp", 10, ("p0",)), Share("sms", 200)]
    await MessageViews(database).due(START, Windows(), shares, 200)
    [(sql, params)] = asked
    plan = [row[-1] for row in await query(f"EXPLAIN QUERY PLAN {sql}", params)]
    reads = [line for line in plan if "messages_2" in line]
    assert len(reads) == 4
    assert all(line.startswith("SEARCH messages_2 USING INDEX") for line in reads)
    assert [line for line in plan if "TEMP B-TREE" in line] == []


async def test_what_waits_is_counted_up_to_a_bound(database: SqliteDatabase) -> None:
    await fill(database, "whatsapp", "queued", 300, to_micros(START))
    await fill(database, "sms", "queued", 20, to_micros(START))
    await fill(database, "sms", "failed", 20, to_micros(START))
    waiting = await MessageViews(database).waiting(["whatsapp", "sms", "8x8"], 100)
    assert waiting == {"whatsapp": 100, "sms": 20, "8x8": 0}
    assert await MessageViews(database).waiting([], 100) == {}
