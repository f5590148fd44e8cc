"""Registration numbers: never given twice, whoever asks, from however many processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given as given_values
from hypothesis import settings
from hypothesis import strategies as st

from services.intake.numbering import (
    OFFICE_NUMBERS,
    Numbers,
    ReserveNumbers,
    format_number,
)
from shared.actors import system
from shared.codec import Codec
from shared.contracts.intake import RegistrationNumbersReserved
from shared.errors import StoreFull
from shared.events import NewEvent, Recorded
from shared.offices import Office, load_yaml
from shared.settings import Settings
from shared.store.protocol import ANY
from shared.store.sqlite import SqliteStore
from tests.spec import at, given

BOGOR = load_yaml(Settings().config / "offices" / "bogor.yaml", Office)
NOON = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)
CODEC = Codec()


class FullOnce(SqliteStore):
    """A real store whose disk is full at the first reservation, and has room again after."""

    refusals = 1

    async def append(
        self, stream: str, events: Sequence[NewEvent], expected: int = ANY
    ) -> list[Recorded]:
        if self.refusals:
            self.refusals -= 1
            raise StoreFull
        return await super().append(stream, events, expected)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "events.sqlite")
    yield opened
    await opened.close()


def reserved(first: int, count: int, year: int = 2026) -> RegistrationNumbersReserved:
    return RegistrationNumbersReserved(office="bogor", year=year, first=first, count=count)


def reserve(**counts: int) -> ReserveNumbers:
    years = {int(year.lstrip("y")): count for year, count in counts.items()}
    return ReserveNumbers(now=at(), by=system("intake"), office="bogor", counts=years)


def test_numbers_follow_one_another_and_start_again_each_year() -> None:
    given(OFFICE_NUMBERS).when(reserve(y2026=3)).then(reserved(1, 3))
    given(OFFICE_NUMBERS, reserved(1, 3)).when(reserve(y2026=2, y2027=1)).then(
        reserved(4, 2), reserved(1, 1, 2027)
    )


def test_a_number_reads_as_office_year_and_six_digits() -> None:
    assert format_number("BGR", 2026, 123) == "BGR-2026-000123"
    assert format_number("BGR", 2026, 1_234_567) == "BGR-2026-1234567"


async def test_the_year_is_that_of_the_office(store: SqliteStore) -> None:
    numbers = Numbers(store, CODEC)
    evening_in_london = datetime(2026, 12, 31, 17, 30, tzinfo=UTC)
    assert await numbers.next(BOGOR, evening_in_london) == "BGR-2027-000001"


async def test_those_who_wait_together_share_appends(store: SqliteStore) -> None:
    numbers = Numbers(store, CODEC)
    given_out = await asyncio.gather(*(numbers.next(BOGOR, NOON) for _ in range(200)))
    assert sorted(given_out) == [format_number("BGR", 2026, n) for n in range(1, 201)]
    assert len(await store.read_stream("office-bogor")) < 10


async def test_a_request_that_is_cut_off_costs_nobody_else_a_number(store: SqliteStore) -> None:
    numbers = Numbers(store, CODEC)
    asking = [asyncio.create_task(numbers.next(BOGOR, NOON)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in asking[::2]:
        task.cancel()
    got = await asyncio.gather(*asking, return_exceptions=True)
    kept = [number for number in got if isinstance(number, str)]
    assert len(set(kept)) == len(kept) == 10
    assert await numbers.next(BOGOR, NOON) not in kept


async def test_a_full_store_is_said_to_all_who_wait_and_numbers_go_on_after(
    tmp_path: Path,
) -> None:
    full = FullOnce(tmp_path / "full.sqlite")
    numbers = Numbers(full, CODEC)
    got = await asyncio.gather(
        *(numbers.next(BOGOR, NOON) for _ in range(3)), return_exceptions=True
    )
    assert any(isinstance(number, StoreFull) for number in got)
    assert (await numbers.next(BOGOR, NOON)).startswith("BGR-2026-00000")
    await full.close()


@settings(max_examples=15, deadline=None)
@given_values(
    plan=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 12)), min_size=1, max_size=8)
)
async def test_two_allocators_on_one_store_never_give_a_number_twice(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[int, int]]
) -> None:
    """Two processes, each with its own memory of the stream, ask in every interleaving."""
    path = tmp_path_factory.mktemp("numbers") / "events.sqlite"
    stores = [SqliteStore(path), SqliteStore(path)]
    allocators = [Numbers(store, CODEC) for store in stores]
    asking = [allocators[which].next(BOGOR, NOON) for which, count in plan for _ in range(count)]
    given_out = await asyncio.gather(*asking)
    wanted = [format_number("BGR", 2026, n) for n in range(1, len(asking) + 1)]
    assert sorted(given_out) == wanted
    for store in stores:
        await store.close()
