"""Bills that nobody paid in time, in the service's real parts, with a clock that is moved on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from services.payment.bill import DECIDER, Command, bill_stream
from services.payment.interest import InterestRules
from services.payment.late import LateBills, Swept
from services.payment.views import BillRow, BillsProjection, BillViews
from shared.bus import Delivery
from shared.codec import Codec
from shared.database import Database
from shared.database.postgres import PostgresDatabase
from shared.database.sqlite import SqliteDatabase
from shared.handle import Handler
from shared.ids import derived_id
from shared.offices import Catalogue
from shared.projection import Projector
from shared.store.sqlite import SqliteStore
from tests.spec import START
from tests.unit.payment.samples import RULE, cancel, issue, pay, take_back

DEPLOY = Path(__file__).parents[3] / "deploy"
# The sample bill is due on this day; START is 30 days earlier, 08:00 in Jakarta.
DUE = date(2026, 2, 4)
RULES = InterestRules(rules=(RULE,))


class Desk:
    """A store, the read model over it, and the sweep; ``now`` is moved on by hand."""

    def __init__(self, folder: Path, database: Database, catalogue: Catalogue) -> None:
        self.now = START
        self.store = SqliteStore(folder / "events.sqlite")
        self.database = database
        self.views = BillViews(self.database)
        codec = Codec()
        self._handler = Handler(self.store, codec)
        self._projector = Projector(BillsProjection(codec), self.database)
        self._late = LateBills(self._handler, self.views, catalogue, RULES, lambda: self.now)

    async def open(self) -> None:
        await self._projector.prepare()

    async def give(self, command: Command, application: str = "A") -> None:
        await self._handler.handle(
            DECIDER,
            bill_stream(application),
            command,
            cause=derived_id("test", application, repr(command)),
            application=application,
        )
        await self.fold()

    async def issue(self, application: str = "A", office: str = "bogor") -> None:
        number = f"BGR-2026-{ord(application):06d}"
        await self.give(
            issue(application_id=application, number=number, office=office), application
        )

    async def fold(self) -> None:
        await self._projector.project([Delivery("log", await self.store.read_all())])

    async def sweep(self, day: date, hour: int = 8, zone: str = "Asia/Jakarta") -> Swept:
        self.now = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone))
        swept = await self._late.sweep()
        await self.fold()
        return swept

    async def types(self, application: str = "A") -> Sequence[str]:
        return [one.type for one in await self.store.read_stream(bill_stream(application))]

    async def row(self, application: str = "A") -> BillRow:
        row = await self.views.by_number(f"BGR-2026-{ord(application):06d}")
        assert row is not None
        return row

    async def close(self) -> None:
        await self.store.close()
        await self.database.close()


@pytest_asyncio.fixture(params=["sqlite", "postgres"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Desk]:
    database: Database = SqliteDatabase(tmp_path / "payment.sqlite")
    if request.param == "postgres":
        database = PostgresDatabase(request.getfixturevalue("postgres_dsn"), "payment")
    made = Desk(tmp_path, database, Catalogue.load(DEPLOY))
    await made.open()
    yield made
    await made.close()


async def test_a_bill_past_its_due_date_is_followed_by_one_with_interest(desk: Desk) -> None:
    await desk.issue()
    assert await desk.sweep(DUE) == Swept()
    assert await desk.sweep(DUE + timedelta(days=1), hour=0) == Swept(issued=1)
    assert await desk.types() == ["BillIssued", "BillExpired", "BillReplaced", "BillIssued"]
    row = await desk.row()
    assert (row.kind, row.amount, row.due_on, row.state) == ("strd", 242_400, "2026-03-04", "open")
    assert (row.first_due_on, row.ordinal) == ("2026-02-04", 2)


async def test_a_sweep_again_or_with_a_stale_read_model_decides_nothing(desk: Desk) -> None:
    await desk.issue()
    late = DUE + timedelta(days=1)
    await desk.sweep(late)
    before = await desk.types()
    assert await desk.sweep(late) == Swept()
    await desk.database.transaction(
        lambda tx: tx.execute("UPDATE bills_2 SET state = 'open' WHERE kind = 'skrd'")
    )
    await desk.sweep(late)
    assert await desk.types() == before


async def test_the_offices_own_midnight_ends_the_due_date(desk: Desk) -> None:
    await desk.issue("W", office="mataram")
    await desk.issue("J", office="bogor")
    # 23:30 in Jakarta is 00:30 of the next day in Mataram.
    assert await desk.sweep(DUE, hour=23) == Swept(issued=1)
    assert (await desk.row("W")).kind == "strd"
    assert (await desk.row("J")).kind == "skrd"


async def test_interest_follows_month_by_month_and_then_stands_still(desk: Desk) -> None:
    await desk.issue()
    amounts = []
    for day in (date(2026, 2, 5), date(2026, 3, 5), date(2026, 4, 5), date(2028, 2, 5)):
        await desk.sweep(day)
        amounts.append((await desk.row()).amount)
    assert amounts == [242_400, 244_800, 247_200, 297_600]
    assert (await desk.row()).due_on == "2029-02-04"
    assert await desk.sweep(date(2028, 12, 1)) == Swept()


async def test_a_lapsed_claim_expires_and_is_left_alone(desk: Desk) -> None:
    await desk.issue()
    assert await desk.sweep(date(2029, 2, 5)) == Swept(expired=1)
    assert (await desk.row()).state == "expired"
    assert await desk.sweep(date(2029, 2, 6)) == Swept()


async def test_what_is_paid_or_cancelled_is_not_late(desk: Desk) -> None:
    await desk.issue("P")
    await desk.give(pay(), "P")
    await desk.issue("C")
    await desk.give(cancel(), "C")
    assert await desk.sweep(DUE + timedelta(days=1)) == Swept()


async def test_a_payment_taken_back_makes_the_bill_late_once_more(desk: Desk) -> None:
    await desk.issue()
    late = DUE + timedelta(days=1)
    await desk.sweep(late)
    # The bank's word came late, its payment did not.
    await desk.give(pay(paid_on=DUE))
    assert (await desk.row()).state == "paid"
    await desk.give(take_back())
    assert (await desk.row()).state == "open"
    assert await desk.sweep(late) == Swept(issued=1)
    row = await desk.row()
    assert (row.kind, row.amount, row.ordinal) == ("strd", 242_400, 2)


async def test_an_office_that_is_wrong_stops_no_other(tmp_path: Path) -> None:
    catalogue = Catalogue.load(DEPLOY)
    broken = catalogue.offices["bogor"].model_copy(update={"zone": "Nowhere/Land"})
    offices = [broken, catalogue.offices["mataram"]]
    database = SqliteDatabase(tmp_path / "payment.sqlite")
    desk = Desk(tmp_path, database, Catalogue(offices, catalogue.types.values()))
    await desk.open()
    await desk.issue("J", office="bogor")
    await desk.issue("W", office="mataram")
    assert await desk.sweep(DUE + timedelta(days=2)) == Swept(issued=1, failed=1)
    await desk.close()


async def test_many_bills_are_dealt_with_in_chunks(desk: Desk) -> None:
    for number in range(200):
        await desk.issue(chr(0x1000 + number))
    assert await desk.sweep(DUE + timedelta(days=1)) == Swept(issued=200)


async def test_the_row_tells_what_was_set_aside(desk: Desk) -> None:
    await desk.issue()
    await desk.give(pay(amount=200_000, landed=True))
    assert (await desk.row()).set_aside == 200_000
    await desk.give(take_back(amount=200_000))
    assert ((await desk.row()).set_aside, (await desk.row()).state) == (0, "open")


async def test_a_new_assessment_replaces_the_row(desk: Desk) -> None:
    await desk.issue()
    await desk.give(issue(application_id="A", number="BGR-2026-000065", measures={"area_m2": 10}))
    row = await desk.row()
    assert (row.amount, row.ordinal, row.state) == (20_000, 2, "open")
    rows = await desk.views.of_office("bogor", "replaced", 10, 0)
    assert [one.amount for one in rows] == [240_000]
