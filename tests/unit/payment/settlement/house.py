"""A payment service's money parts without its web: the real store, tables, deciders and folds.

``House`` issues bills, hears callbacks as a bank's door would record them, takes settlement files
in, and ``settle()`` lets everything follow from it until nothing more does. Its clock stands until
it is moved.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.payment import bill, suspense
from services.payment.bill.commands import Command
from services.payment.bill.states import Bill
from services.payment.settlement.by_hand import Match, Matcher
from services.payment.settlement.effects import Effects
from services.payment.settlement.keeping import Files, Slip
from services.payment.settlement.layout import SettlementLayout
from services.payment.settlement.partners import Partner, Partners
from services.payment.settlement.projection import SettlementProjection
from services.payment.settlement.proving import Prover
from services.payment.settlement.reconciler import Reconciler
from services.payment.settlement.taking_in import Intake, Taken
from services.payment.settlement.views import SettlementViews
from services.payment.treasury.reactions import SuspenseReactions
from shared.actors import Actor, Role, bank, system
from shared.bus import Delivery
from shared.codec import Codec
from shared.database import Database
from shared.database.sqlite import SqliteDatabase
from shared.errors import Refused
from shared.events import Recorded
from shared.handle import Handler
from shared.ids import derived_id
from shared.projection import Projector
from shared.store.sqlite import SqliteStore
from tests.unit.payment.samples import TARIFF
from tests.unit.payment.settlement.bank_file import DAY, Row, csv_file, layout

# Made once: it prepares every event's form, which takes longer than most of these tests.
CODEC = Codec()
BANK = "bank-contoh"
ZONE = ZoneInfo("Asia/Jakarta")
TREASURER = Actor("officer", "bendahara", "bogor", frozenset({Role.TREASURER}))


def application(number: int) -> str:
    """Return the id of the test's ``number``-th application."""
    return derived_id("application", number)


def account(number: int) -> str:
    """Return its virtual account."""
    return f"1234500126{number:07d}"


@dataclass
class House:
    """See the module."""

    folder: Path
    store: SqliteStore
    handler: Handler
    database: Database
    files: Files
    intake: Intake
    views: SettlementViews
    matcher: Matcher
    reconciler: Reconciler
    prover: Prover
    projector: Projector
    reactions: SuspenseReactions
    clock: list[datetime]
    read: int = 0

    async def rebuilt(self, database: Database) -> House:
        """Return a house over the same store whose tables are empty."""
        again = await _house(self.folder, self.store, self.handler.codec, database, {})
        again.clock[0] = self.clock[0]
        return again

    def now(self) -> datetime:
        """The time that the test set."""
        return self.clock[0]

    def on(self, day: date, hour: int = 12) -> None:
        """Move the clock to an hour of a day in the bank's zone."""
        self.clock[0] = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)

    async def bill(self, number: int, amount: int = 240_000, today: date = date(2026, 1, 5)) -> str:
        """Issue a bill of ``amount`` (a multiple of 2000); return its application."""
        who = application(number)
        command = bill.IssueBill(
            application_id=who,
            number=f"BGR-2026-{number:06d}",
            office="bogor",
            permit_type="situ",
            tariff=TARIFF,
            measures={"area_m2": amount // 2000},
            virtual_account=account(number),
            today=today,
            now=self.now(),
            by=system("payment"),
        )
        await self._bill(who, command, f"bill {number}")
        return who

    async def callback(
        self,
        number: int,
        reference: str,
        amount: int = 240_000,
        on: date = DAY,
        hour: int = 10,
        landed: bool = True,
    ) -> None:
        """Record what a callback tells, as the bank's door would; the bank hears of refusals."""
        at = datetime(on.year, on.month, on.day, hour, tzinfo=ZONE)
        command = bill.RecordPayment(
            amount=amount,
            partner=BANK,
            request_id=f"REQ-{reference}",
            reference=reference,
            paid_at=at.isoformat(),
            paid_on=on,
            now=self.now(),
            by=bank(BANK),
            landed=landed,
        )
        with suppress(Refused):
            await self._bill(application(number), command, f"callback {reference} {amount}")

    async def reversal(self, number: int, reference: str, amount: int = 240_000) -> None:
        """Record that the bank told of a reversal."""
        command = bill.ReversePayment(
            amount=amount,
            partner=BANK,
            request_id=f"REQ-{reference}",
            reference=reference,
            reversed_at=self.now().isoformat(),
            reason="bank",
            now=self.now(),
            by=bank(BANK),
        )
        with suppress(Refused):
            await self._bill(application(number), command, f"reversal {reference}")

    async def settlement(self, rows: Sequence[Row], name: str = "1", opening: int = 0) -> Taken:
        """Take in a file of ``rows``."""
        return await self.bring(csv_file(rows, opening, name), name)

    async def bring(self, content: bytes, name: str = "file.csv") -> Taken:
        """Take in a file as it is."""
        slip = await self.kept(content, name)
        return await self.intake.take_in(slip)

    async def kept(self, content: bytes, name: str = "file.csv") -> Slip:
        """Keep a file without taking it in."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        return Slip(BANK, await self.files.keep(chunks()), name, "bendahara", "bogor")

    async def match(self, settlement: str, line: int, number: int, reference: str = "") -> None:
        """Let the treasurer say which payment a line belongs to."""
        said = Match(
            settlement_id=settlement,
            line=line,
            application_id=application(number),
            reference=reference,
            reason="the slip says so",
        )
        await self.matcher.match(said, TREASURER, f"match {settlement} {line} {reference}")

    async def settle(self) -> None:
        """Fold, reconcile and prove until nothing new is recorded."""
        while True:
            before = await self.store.head()
            await self.fold()
            await self.reconciler.work()
            await self.fold()
            await self.prover.work()
            if await self.store.head() == before and self.read == before:
                return

    async def fold(self) -> None:
        """Fold what is new, and let suspense cases follow from the bills' events."""
        while batch := await self.store.read_all(self.read, 1000):
            await self.projector.project([Delivery("store", batch)])
            for recorded in batch:
                await self._react(recorded)
            self.read = batch[-1].position

    async def _react(self, recorded: Recorded) -> None:
        event = self.handler.codec.decode(recorded)
        reaction = self.reactions.table().get(type(event))
        if reaction is not None:
            await reaction(event, recorded)

    async def _bill(self, who: str, command: Command, cause: str) -> None:
        await self.handler.handle(
            bill.DECIDER,
            bill.bill_stream(who),
            command,
            cause=derived_id("test", cause),
            application=who,
        )

    # What became of it

    async def classes(self, day: date = DAY) -> dict[str, tuple[int, int]]:
        """Return class -> (count, sum) of a day, lines and unsettled payments."""
        totals = await self.views.totals(BANK, day.isoformat())
        return {one.name: (one.count, one.amount) for one in totals}

    async def state(self, number: int) -> Bill:
        """Return what a bill is now."""
        return (await self.handler.load(bill.DECIDER, bill.bill_stream(application(number)))).state

    async def events(self, *types: str) -> list[Any]:
        """Return all events of these types, in order."""
        rows = await self.store.read_all(0, 1_000_000)
        return [self.handler.codec.decode(row) for row in rows if row.type in types]

    async def cases(self) -> dict[str, suspense.Suspense]:
        """Return every suspense case by its stream."""
        rows = await self.store.read_all(0, 1_000_000)
        streams = sorted({row.stream for row in rows if row.stream.startswith("suspense-")})
        return {
            stream: (await self.handler.load(suspense.DECIDER, stream)).state for stream in streams
        }


def partners(settling: SettlementLayout) -> Partners:
    """Return the one partner of these tests; its days are Jakarta's, every day is a working day."""
    one = Partner(BANK, settling, ZONE, lambda at: at.astimezone(ZONE).date(), lambda day: True)
    return Partners({BANK: one})


@asynccontextmanager
async def open_house(folder: Path, **changes: Any) -> AsyncIterator[House]:
    """Open a house in ``folder``; ``changes`` are to how the bank settles."""
    store = SqliteStore(folder / "events.sqlite")
    database = SqliteDatabase(folder / "payment.sqlite")
    try:
        yield await _house(folder, store, CODEC, database, changes)
    finally:
        await database.close()
        await store.close()


async def _house(
    folder: Path,
    store: SqliteStore,
    codec: Codec,
    database: Database,
    changes: Mapping[str, Any],
) -> House:
    handler, known = Handler(store, codec), partners(layout(**changes))
    clock = [datetime(2026, 1, 7, 5, tzinfo=UTC)]

    def now() -> datetime:
        return clock[0]

    files = Files(folder / "settlements")
    views = SettlementViews(database, known)
    prover = Prover(database, handler, known, now)
    projector = Projector(SettlementProjection(codec, known), database)
    await projector.prepare()
    return House(
        folder=folder,
        store=store,
        handler=handler,
        database=database,
        files=files,
        intake=Intake(handler, files, known, now),
        views=views,
        matcher=Matcher(handler, views, now),
        reconciler=Reconciler(
            database, Effects(handler, known, now), known, now, prover.work, 10.0
        ),
        prover=prover,
        projector=projector,
        reactions=SuspenseReactions(handler, now),
        clock=clock,
    )


def later(days: int, since: date = DAY) -> date:
    """Return the date so many days after the tests' day."""
    return since + timedelta(days=days)
