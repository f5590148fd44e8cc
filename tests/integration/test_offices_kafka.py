"""The five offices once more, with a process per service over a real Kafka and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.up import Installation
from tests.journeys import blitar, bogor, bontang, jakarta, mataram
from tests.journeys.phones import Phones
from tests.journeys.place import Place, among, many_processes

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def parts() -> Iterator[tuple[Installation, Phones]]:
    """One installation for all journeys: offices share it in life, too."""
    with many_processes() as running:
        yield running


@pytest.fixture
async def place(parts: tuple[Installation, Phones]) -> AsyncIterator[Place]:
    """Where the journey is walked."""
    async with among(*parts) as running:
        yield running


async def test_mataram_is_visited_once_to_collect_and_sees_its_seasons(place: Place) -> None:
    await mataram.walk(place)


async def test_bontang_enters_once_and_speaks_for_an_agency_that_is_not_ready(
    place: Place,
) -> None:
    await bontang.walk(place)


async def test_bogor_bills_through_the_bank_and_has_its_stalls_explained(place: Place) -> None:
    await bogor.walk(place)


async def test_blitar_sends_a_free_letter_that_a_bank_believes(place: Place) -> None:
    await blitar.walk(place)


async def test_jakarta_hands_over_between_levels_and_matches_originals(place: Place) -> None:
    await jakarta.walk(place)
