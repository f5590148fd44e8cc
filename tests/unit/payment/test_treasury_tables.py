"""The treasurer's read model on both databases, and against what the deciders say."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.payment.suspense import DECIDER, STATE_NAMES, NotOpened
from services.payment.treasury.lists import (
    BILLS,
    PAYMENTS,
    PROBLEMS,
    REFUNDS,
    SUSPENSE,
    ListQuery,
    TreasuryViews,
)
from services.payment.treasury.projection import TreasuryProjection
from shared.codec import Codec
from shared.contracts import payment as e
from shared.database import Database, Transaction
from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from shared.errors import JejakError
from shared.events import Recorded, to_micros
from shared.ids import new_id
from tests.examples import example
from tests.spec import START, fact
from tests.unit.payment.test_suspense import COMMANDS, ID, opening

ZONE = ZoneInfo("Asia/Jakarta")
TODAY = date(2026, 1, 5)
CODEC = Codec()


@pytest.fixture(params=["sqlite", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of either kind."""
    made: Database = (
        PostgresDatabase(request.getfixturevalue("postgres_dsn"), "payment")
        if request.param == "postgres"
        else SqliteDatabase(tmp_path / "payment.sqlite")
    )
    yield made
    await made.close()


def recorded(event: object, position: int, actor: str = "officer:ani") -> Recorded:
    """Return an event as the store gives it back."""
    at = to_micros(START) + position
    new = CODEC.envelope(event, f"e{position}", at, actor, f"c{position}", "app-1")
    return Recorded(position, "s", position, *new[:5], at, *new[5:])


async def fold(database: Database, events: Sequence[Recorded]) -> TreasuryViews:
    projection = TreasuryProjection(CODEC)

    def work(tx: Transaction) -> None:
        projection.create(tx)
        projection.apply(tx, events)

    await database.transaction(work)
    return TreasuryViews(database)


async def test_lists_sums_and_searches_agree_on_both_databases(database: Database) -> None:
    bill = {"application_id": "app-1", "bill_id": "bill-1", "amount": 250_000}
    money = bill | {"paid_at": "2026-01-05T10:00:00+07:00", "office": "bogor"}
    paid = {name: value for name, value in money.items() if name != "office"}
    case = {"suspense_id": "case-1", "amount": 250_000}
    story = [
        example(e.BillIssued, **bill, office="bogor", number="BGR-2026-000042"),
        example(e.PaymentReceived, **paid, reference="NTB_1"),
        example(e.PaymentSettled, **bill, reference="NTB_1", value_on="2026-01-06"),
        example(e.DuplicatePaymentFound, **money, suspense_id="case-1", reference="ntb%2"),
        example(e.SuspenseOpened, **money, suspense_id="case-1", reference="ntb%2"),
        example(e.RefundRequested, **case, refund_id="refund-1", office="bogor"),
        example(e.RefundApproved, suspense_id="case-1", refund_id="refund-1"),
        example(e.RefundPaid, **case, refund_id="refund-1"),
        example(e.SuspenseReversed, **case, office="bogor"),
    ]
    views = await fold(database, [recorded(event, n) for n, event in enumerate(story, 1)])

    async def told(listing: Any, **asked: Any) -> tuple[int, int]:
        query = ListQuery(**asked)
        total = await views.sum(listing, "bogor", ZONE, query)
        assert len(await views.rows(listing, "bogor", ZONE, query)) == total.rows
        batches = [batch async for batch in views.every(listing, "bogor", ZONE, query)]
        assert sum(map(len, batches)) == total.rows
        return total.rows, total.amount

    assert await told(BILLS, state="paid", day=TODAY, search="bgr-2026") == (1, 250_000)
    assert await told(BILLS, state="open") == (0, 0)
    assert await told(BILLS, settled_on=TODAY) == (0, 0)
    assert await told(PAYMENTS, settled_on=date(2026, 1, 6), kind="confirmed") == (1, 250_000)
    assert await told(PAYMENTS, kind="set-aside", search="NTB%") == (1, 250_000)
    assert await told(PAYMENTS, search="NTB_") == (1, 250_000)
    assert await told(PAYMENTS, kind="no-such-kind") == (0, 0)
    assert await told(SUSPENSE, state="reversed") == (1, -250_000)
    assert await told(REFUNDS, state="paid", day=TODAY) == (1, 250_000)
    assert await told(PROBLEMS, kind="lost-money", state="open") == (1, 250_000)
    assert await views.sum(BILLS, "blitar", ZONE, ListQuery()) == (0, 0)


@for_all(st.lists(COMMANDS, max_size=12))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_the_list_of_suspense_says_what_the_cases_say(
    tmp_path: Path, commands: list[Any]
) -> None:
    state: Any = NotOpened()
    story: list[Recorded] = []
    for command in (opening(), *commands):
        try:
            decided = DECIDER.decide(command, state)
        except JejakError:
            continue
        for event in decided:
            state = DECIDER.evolve(state, fact(event, at=command.now, by=command.by))
            story.append(recorded(event, len(story) + 1, str(command.by)))
    database = SqliteDatabase(tmp_path / f"{new_id()}.sqlite")
    try:
        row = await (await fold(database, story)).one(SUSPENSE, "bogor", ID)
        refunds = await TreasuryViews(database).rows(REFUNDS, "bogor", ZONE, ListQuery())
    finally:
        await database.close()
    assert row is not None
    assert (row.held, row.state) == (state.case.held, STATE_NAMES[type(state)])
    assert row.claimed_by == state.case.claimed_by
    assert {one.refund_id for one in refunds if one.state == "paid"} == {
        one.refund_id for one in state.case.paid
    }
