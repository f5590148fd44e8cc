"""A process that settles looks for garbage seldom, and never again in what it started with."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from shared.memory import settle


@pytest.fixture
def collector() -> Iterator[None]:
    before, switch = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    sys.setswitchinterval(switch)


class Node:
    """Something that can hold itself."""

    def __init__(self) -> None:
        """Hold itself."""
        self.itself = self


@pytest.mark.usefixtures("collector")
def test_what_was_there_at_the_start_is_never_looked_through_again() -> None:
    before = [Node() for _ in range(100)]
    settle()
    assert not any(isinstance(found, Node) for found in gc.get_objects())
    assert gc.get_freeze_count() > len(before)


@pytest.mark.usefixtures("collector")
def test_cycles_that_come_later_are_still_found() -> None:
    settle()
    for _ in range(50):
        Node()
    assert gc.collect() >= 50
    assert not any(isinstance(found, Node) for found in gc.get_objects())
