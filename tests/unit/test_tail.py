"""What a SQLite log holds in memory: events leave it a few at a time, and none is missed."""

from __future__ import annotations

from shared.events import Recorded
from shared.store.tail import Tail


def events(first: int, last: int) -> list[Recorded]:
    """Return events at positions ``first`` to ``last``, of two streams by turns."""
    return [
        Recorded(n, f"s{n % 2}", (n + 1) // 2, f"id-{n}", "Any", 1, b"12", 0, n, "system", "c", "a")
        for n in range(first, last + 1)
    ]


def positions(rows: object) -> list[int]:
    return [row.position for row in rows]  # type: ignore[attr-defined]


def test_nothing_leaves_before_the_index_holds_it() -> None:
    tail = Tail(0)
    tail.extend(events(1, 10))
    assert not tail.shed(4)
    tail.indexed(6)
    assert tail.shed(4)
    assert (tail.base, tail.head, len(tail), tail.size) == (4, 10, 6, 12)
    assert positions(tail.after(4, 100)) == [5, 6, 7, 8, 9, 10]
    assert positions(tail.stream("s1")) == [5, 7, 9]
    assert set(tail.ids) == {f"id-{n}" for n in range(5, 11)}
    assert not tail.shed(4)
    assert (tail.base, len(tail)) == (6, 4)
    tail.extend(events(11, 12))
    assert positions(tail.after(6, 100)) == [7, 8, 9, 10, 11, 12]
    assert tail.recorded_us == 12


def test_a_stream_that_has_left_is_empty_and_may_come_again() -> None:
    tail = Tail(0)
    tail.extend(events(1, 2))
    tail.indexed(2)
    assert not tail.shed(100)
    assert (list(tail.stream("s1")), len(tail), tail.size) == ([], 0, 0)
    tail.extend(events(3, 3))
    assert positions(tail.stream("s1")) == [3]


def test_who_reads_a_stream_in_slices_keeps_what_leaves_meanwhile() -> None:
    tail = Tail(0)
    tail.extend(events(1, 8))
    held = tail.stream("s1")
    tail.indexed(7)
    tail.shed(100)
    assert positions(held) == [1, 3, 5, 7]


def test_an_older_word_of_the_index_takes_nothing_back() -> None:
    tail = Tail(0)
    tail.extend(events(1, 4))
    tail.indexed(3)
    tail.indexed(2)
    assert not tail.shed(100)
    assert tail.base == 3
