"""A hundred thousand open files: what a page costs must not grow with them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.workflow.rows import COLUMNS, FAR, Row, row_values
from services.workflow.supervision.figures import Figures
from services.workflow.supervision.history import HistoryProjection
from services.workflow.supervision.open_files import Filter, OpenFiles, Standing
from services.workflow.views import Views
from shared.database import Params, Transaction
from shared.database import Row as DatabaseRow
from shared.database.sqlite import SqliteDatabase
from shared.events import to_micros
from tests.unit.workflow.kit import NOW
from tests.unit.workflow.office import SmallOffice, small_office

FILES, TURNS, OFFICERS = 100_000, 100_000, 20
STAGES = ("verify", "survey", "assess", "pay", "sign")
DAY_US = 86_400_000_000


class Weighed(SqliteDatabase):
    """The real database, which also counts the rows that come out of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows = 0

    async def query(self, sql: str, params: Params = ()) -> list[DatabaseRow]:
        found = await super().query(sql, params)
        self.rows += len(found)
        return found


class Crowd:
    """An office with very many open files and turns."""

    def __init__(self, office: SmallOffice, database: Weighed) -> None:
        self.office = office
        self.database = database
        views = Views(self.database, office.sops, office.calendars, lambda: NOW)
        self.files = OpenFiles(self.database, views, office.sops, lambda: NOW)
        self.figures = Figures(self.database)

    async def fill(self) -> None:
        """Write the rows that as many files and turns would have left."""
        office, seed = self.office, random.Random(7)
        history = HistoryProjection(office.codec, office.catalogue, office.sops, office.calendars)
        columns, marks = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))

        def work(tx: Transaction) -> None:
            history.create(tx)
            tx.executemany(f"INSERT INTO permits ({columns}) VALUES ({marks})", open_rows(seed))
            tx.executemany(
                "INSERT INTO history_turns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", turns(seed)
            )

        await self.database.transaction(work)


def open_rows(seed: random.Random) -> Iterator[Any]:
    now = to_micros(NOW)
    for index in range(FILES):
        stage = STAGES[index % len(STAGES)]
        waits = stage == "pay"
        due = FAR if waits else now + seed.randint(-DAY_US, 9 * DAY_US)
        yield row_values(
            Row(
                f"app-{index:06d}",
                number=f"CTH-2026-{index:06d}",
                office="contoh",
                procedure_office="contoh",
                procedure_type="izin",
                procedure_version=1,
                stage=stage,
                role="" if waits else "verifier",
                assignee="" if waits else f"petugas{seed.randint(1, OFFICERS)}",
                stage_us=now - seed.randint(0, 30 * DAY_US),
                due_us=due,
                warn_us=due if waits else due - DAY_US,
                awaits_payment=int(waits),
                working=1,
            )
        )


def turns(seed: random.Random) -> Iterator[tuple[Any, ...]]:
    for index in range(TURNS):
        officer = f"officer:petugas{seed.randint(1, OFFICERS)}"
        where = (f"app-{index:06d}", 0, "contoh", "izin", 1, STAGES[index % len(STAGES)])
        yield (*where, officer, "2026-01", index, seed.randint(1, DAY_US), DAY_US)


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    async with small_office(tmp_path) as office:
        database = Weighed(tmp_path / "workflow.sqlite")
        made = Crowd(office, database)
        await made.fill()
        yield made
        await database.close()


async def test_a_page_takes_groups_and_one_page_of_rows_out_of_the_database(crowd: Crowd) -> None:
    groups = await crowd.files.groups(["contoh"])
    assert sum(group.files for group in groups) == FILES
    # Four stages with twenty officers each, and one that nobody works on.
    assert crowd.database.rows == 4 * OFFICERS + 1
    crowd.database.rows = 0
    for wanted in (Filter(), Filter(stage="sign", standing=Standing.NEAR), Filter(assignee="-")):
        taken = [group for group in groups if wanted.takes(group)]
        assert len(await crowd.files.page(taken, wanted, 25, 0)) == 25
    assert crowd.database.rows == 75
    crowd.database.rows = 0
    assert len(await crowd.figures.pace(("stage",), ["contoh"], first="2026-01")) == len(STAGES)
    assert len(await crowd.figures.pace(("officer",), ["contoh"])) == OFFICERS
    assert crowd.database.rows == len(STAGES) + OFFICERS
    await index_alone(crowd)


async def index_alone(crowd: Crowd) -> None:
    """The board's counts walk one index in its order: no row is touched, nothing is sorted."""
    plan = await crowd.database.query(
        "EXPLAIN QUERY PLAN SELECT procedure_type, procedure_version, stage, role, assignee, "
        "returned, awaits_payment, COUNT(*), MIN(stage_us) FROM permits "
        "WHERE procedure_office IN ('contoh') AND working = 1 GROUP BY procedure_office, "
        "procedure_type, procedure_version, stage, role, assignee, returned, awaits_payment"
    )
    assert "permits_board" in str(plan)
    assert "TEMP B-TREE" not in str(plan)


async def test_a_list_and_its_groups_say_the_same(crowd: Crowd) -> None:
    groups = await crowd.files.groups(["contoh"])
    for standing in Standing:
        wanted = Filter(stage="survey", assignee="petugas3", standing=standing)
        taken = [group for group in groups if wanted.takes(group)]
        listed = await crowd.files.page(taken, wanted, FILES, 0)
        assert len(listed) == sum(group.files for group in taken)
        assert all(opened.row.assignee == "petugas3" for opened in listed)
