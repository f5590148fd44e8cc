"""Charts are geometry that must be true; what is taken away must be harmless."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.workflow.supervision import charts
from services.workflow.supervision.download import csv_response

COUNTS = st.lists(st.integers(0, 5_000), min_size=1, max_size=5)
BARS = st.lists(st.tuples(st.just("Jan"), COUNTS, st.booleans()), min_size=1, max_size=14)


@given(BARS)
def test_heights_are_to_one_scale_and_nothing_leaves_the_drawing(
    bars: list[tuple[str, list[int], bool]],
) -> None:
    drawn = charts.stack(bars)
    assert drawn.ticks[0] == (drawn.base, 0)
    top = drawn.ticks[-1]
    assert all(sum(values) <= max(top.value, 1) for _, values, _ in bars)
    per_one = (drawn.base - top.y) / top.value
    for column, (_, values, marked) in zip(drawn.columns, bars, strict=True):
        assert column.marked == marked
        shown = {part.series: part.height for part in column.parts}
        for series, value in enumerate(values):
            assert shown.get(series, 0) == pytest.approx(value * per_one, abs=0.02)
        for part in column.parts:
            assert drawn.left <= part.x
            assert part.x + part.width <= drawn.width
            assert top.y - 0.05 <= part.y <= drawn.base


def test_a_quarter_less_is_a_quarter_lower() -> None:
    usual, ramadan = charts.stack([("Jan", [40], False), ("Feb", [30], True)]).columns
    assert ramadan.parts[0].height == pytest.approx(0.75 * usual.parts[0].height)


def test_nothing_at_all_can_be_drawn() -> None:
    assert charts.stack([("Jan", [0], False)]).columns[0].parts == []
    assert charts.stack([]).columns == []
    assert charts.rows([(0, 0)]).rows == [(0, 0, 0)]


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=9))
def test_rows_share_one_scale(bars: list[tuple[int, int]]) -> None:
    drawn = charts.rows(bars)
    most = max(bad + good for bad, good in bars) or 1
    for row, (bad, good) in zip(drawn.rows, bars, strict=True):
        assert row.bad + row.good == pytest.approx(drawn.width * (bad + good) / most, abs=0.02)


def test_a_cell_that_a_spreadsheet_would_run_is_disarmed() -> None:
    answer = csv_response("x.csv", ("a", "b"), [("=1+1", -3), ('say "hi", twice', 4)])
    rows = list(csv.reader(bytes(answer.body).decode().splitlines()))
    assert rows == [["a", "b"], ["'=1+1", "-3"], ['say "hi", twice', "4"]]
    assert answer.headers["content-disposition"] == 'attachment; filename="x.csv"'
