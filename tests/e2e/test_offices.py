"""The five offices of the mission, each walked from application to its end in one process.

``tests/journeys`` tells the journeys; ``tests/integration/test_offices_kafka.py`` walks them once
more over a real Kafka and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journeys import blitar, bogor, bontang, jakarta, mataram
from tests.journeys.place import Place, one_process


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """All services in this process, over SQLite."""
    async with one_process(tmp_path) as running:
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
