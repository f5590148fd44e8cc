"""Amounts from measures, line by line."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.payment.tariff import (
    CannotCalculate,
    MeasureOutOfRange,
    MissingMeasure,
    NothingOwed,
    PaymentSection,
    Tariff,
    UnknownMeasure,
    calculate,
)
from tests.unit.payment.samples import TARIFF

DAY = date(2026, 3, 1)
LABEL = {"id": "Retribusi", "en": "Fee"}


def tariff(*lines: dict[str, Any]) -> Tariff:
    given = [{"label": LABEL, **line} for line in lines]
    return Tariff.model_validate({"id": "sample", "due_days": 30, "lines": given})


def tiers(*tiers: tuple[int | None, int]) -> dict[str, Any]:
    listed = [{"up_to": end, "rupiah": rupiah} for end, rupiah in tiers]
    return {"kind": "tiers", "measure": "area_m2", "unit": "m²", "tiers": listed}


def test_per_unit_shows_its_own_calculation() -> None:
    lines, total = calculate(TARIFF, {"area_m2": 1234}, DAY)
    assert (lines[0].calculation, lines[0].amount, total) == (
        "1.234 m² × Rp2.000",
        2_468_000,
        2_468_000,
    )


def test_tiers_charge_each_part_at_its_own_rate() -> None:
    lines, total = calculate(tariff(tiers((100, 5000), (None, 3000))), {"area_m2": 150}, DAY)
    assert lines[0].calculation == "100 m² × Rp5.000 + 50 m² × Rp3.000"
    assert total == 650_000


@pytest.mark.parametrize(("area", "total"), [(1, 5000), (100, 500_000), (101, 503_000)])
def test_a_tier_ends_with_its_last_unit(area: int, total: int) -> None:
    rates = tariff(tiers((100, 5000), (None, 3000)))
    assert calculate(rates, {"area_m2": area}, DAY).total == total


def test_a_measure_beyond_the_last_tier_is_out_of_range() -> None:
    with pytest.raises(MeasureOutOfRange):
        calculate(tariff(tiers((100, 5000))), {"area_m2": 101}, DAY)


def test_fixed_and_measured_lines_add_up() -> None:
    per_unit = {"kind": "per_unit", "measure": "signs", "rupiah": 25_000}
    rates = tariff({"kind": "fixed", "rupiah": 50_000}, per_unit)
    lines, total = calculate(rates, {"signs": 3}, DAY)
    assert ([line.amount for line in lines], total) == ([50_000, 75_000], 125_000)


def test_a_line_counts_from_its_first_to_its_last_day() -> None:
    old = {"kind": "fixed", "rupiah": 10_000, "until": "2026-03-31"}
    new = {"kind": "fixed", "rupiah": 12_000, "since": "2026-04-01"}
    rates = tariff(old, new)
    totals = [calculate(rates, {}, day).total for day in (date(2026, 3, 31), date(2026, 4, 1))]
    assert totals == [10_000, 12_000]


@pytest.mark.parametrize(
    ("measures", "error"),
    [
        ({}, MissingMeasure),
        ({"area_m2": 10, "height_m": 2}, UnknownMeasure),
        ({"area_m2": -1}, MeasureOutOfRange),
        ({"area_m2": 10**9 + 1}, MeasureOutOfRange),
        ({"area_m2": 0}, NothingOwed),
    ],
)
def test_measures_that_do_not_fit_are_refused(
    measures: dict[str, int], error: type[CannotCalculate]
) -> None:
    with pytest.raises(error):
        calculate(TARIFF, measures, DAY)


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"free": True, "tariff": TARIFF.model_dump(mode="json")},
        {"tariff": {"id": "x-1", "due_days": 30, "lines": []}},
        {"tariff": {"id": "x-1", "due_days": 0, "lines": [{"kind": "fixed", "rupiah": 1}]}},
    ],
)
def test_a_section_is_free_or_has_one_whole_tariff(section: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PaymentSection.model_validate(section)


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "fixed", "rupiah": 0.5},
        {"kind": "fixed", "rupiah": "1000"},
        {"kind": "fixed", "rupiah": -1},
        {"kind": "per_unit", "rupiah": 1},
        {"kind": "percent", "rupiah": 1},
        {"kind": "fixed", "rupiah": 1, "colour": "red"},
        tiers((None, 5), (100, 3)),
        tiers((100, 5), (100, 3)),
    ],
)
def test_a_wrong_line_is_refused_when_it_is_read(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        tariff(line)


@settings(max_examples=200)
@given(area=st.integers(1, 10_000), ends=st.lists(st.integers(1, 9_999), unique=True, max_size=5))
def test_tiers_of_one_rate_cost_the_same_as_no_tiers(area: int, ends: list[int]) -> None:
    split = tariff(tiers(*[(end, 700) for end in sorted(ends)], (None, 700)))
    assert calculate(split, {"area_m2": area}, DAY).total == area * 700
