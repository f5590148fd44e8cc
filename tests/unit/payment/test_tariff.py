"""Amounts from measures, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.payment.exact import Rounding, number_text, rounded
from services.payment.formula import Value, evaluate, written
from services.payment.measures import (
    CannotCalculate,
    MeasureOutOfRange,
    MissingMeasure,
    NoTariffYet,
    NothingOwed,
    OtherCode,
    UnknownMeasure,
)
from services.payment.tariff import PaymentSection, Tariff, calculate
from shared.offices import Catalogue, PermitType, section
from tests.unit.payment.samples import TARIFF

DEPLOY = Path(__file__).parents[3] / "deploy"
LABEL = {"id": "Retribusi", "en": "Fee"}
FIXED = {"kind": "fixed", "rupiah": 1_000, "label": LABEL}


def tariff(*lines: dict[str, Any], total: int, **measures: int) -> Tariff:
    given = [{"label": LABEL, **line} for line in lines]
    return Tariff.model_validate(
        {
            "id": "sample",
            "effective": "2026-01-01",
            "due_days": 30,
            "lines": given,
            "example": {"measures": measures, "total": total},
        }
    )


def tiers(*tiers: tuple[int | None, int]) -> dict[str, Any]:
    listed = [{"up_to": end, "rupiah": rupiah} for end, rupiah in tiers]
    return {"kind": "tiers", "measure": "area_m2", "unit": "m²", "tiers": listed}


def by_formula(
    formula: str, rounding: dict[str, Any] | None = None, **terms: Any
) -> dict[str, Any]:
    return {
        "kind": "formula",
        "terms": terms,
        "formula": formula,
        "rounding": rounding or {"mode": "down"},
    }


AREA = {"kind": "measure", "measure": "area_m2", "unit": "m²"}
RATE = {"kind": "percent", "value": "0.5", "label": LABEL}


def kinds() -> Iterator[tuple[PermitType, PaymentSection]]:
    for kind in Catalogue.load(DEPLOY).types.values():
        yield kind, section(kind, "payment", PaymentSection)


def tariff_of(permit_type: str) -> Tariff:
    return next(found.tariffs[-1] for kind, found in kinds() if kind.id == permit_type)


def test_per_unit_shows_its_own_calculation() -> None:
    lines, total = calculate(TARIFF, {"area_m2": 1234})
    assert (lines[0].calculation, lines[0].amount, total) == (
        "1.234 m² × Rp2.000",
        2_468_000,
        2_468_000,
    )


def test_tiers_charge_each_part_at_its_own_rate() -> None:
    rates = tariff(tiers((100, 5000), (None, 3000)), area_m2=150, total=650_000)
    lines, total = calculate(rates, {"area_m2": 150})
    assert lines[0].calculation == "100 m² × Rp5.000 + 50 m² × Rp3.000"
    assert total == 650_000


@pytest.mark.parametrize(("area", "total"), [(1, 5000), (100, 500_000), (101, 503_000)])
def test_a_tier_ends_with_its_last_unit(area: int, total: int) -> None:
    rates = tariff(tiers((100, 5000), (None, 3000)), area_m2=1, total=5000)
    assert calculate(rates, {"area_m2": area}).total == total


def test_a_measure_beyond_the_last_tier_is_out_of_range() -> None:
    with pytest.raises(MeasureOutOfRange):
        calculate(tariff(tiers((100, 5000)), area_m2=1, total=5000), {"area_m2": 101})


def test_fixed_and_measured_lines_add_up_and_none_of_something_is_no_line() -> None:
    signs = {"kind": "per_unit", "measure": "signs", "rupiah": 25_000}
    posts = {"kind": "per_unit", "measure": "posts", "rupiah": 9}
    rates = tariff(
        {"kind": "fixed", "rupiah": 50_000}, signs, posts, signs=1, posts=0, total=75_000
    )
    lines, total = calculate(rates, {"signs": 3, "posts": 0})
    assert ([line.amount for line in lines], total) == ([50_000, 75_000], 125_000)


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
        calculate(TARIFF, measures)


# The catalogue's tariffs


def test_the_advertisement_tax_of_the_published_example() -> None:
    lines, total = calculate(tariff_of("reklame"), {"area_m2": 15, "days": 30, "location_class": 1})
    assert total == 14_062_500
    assert lines[-1].calculation == "15 m² × 30 hari × 125.000 × 25 %"


def test_a_building_approval_is_worked_out_step_by_step() -> None:
    measures = {
        "area_m2": 120,
        "function_code": 2,
        "complexity_code": 1,
        "permanency_code": 2,
        "floors": 2,
        "ownership_code": 1,
        "work_code": 1,
    }
    lines, total = calculate(tariff_of("imb"), measures)
    assert total == 634_950
    shown = {line.label: line.calculation for line in lines}
    assert shown["Fungsi: hunian lainnya"] == "0,17"
    assert shown["Indeks terintegrasi (It)"] == "0,17 × (0,3 + 0,4 + 0,545) × 1 = 0,21165"
    assert shown["Retribusi PBG"] == "120 m² × (0,5 % × Rp5.000.000 × 0,21165 × 1)"
    assert [line.amount for line in lines[:-1]] == [0] * 9
    with pytest.raises(OtherCode):
        calculate(tariff_of("imb"), measures | {"floors": 9})


@pytest.mark.parametrize(
    ("area", "total"),
    [(100, 200_000), (101, 201_500), (500, 800_000), (1_000, 1_300_000), (1_001, 1_300_500)],
)
def test_nuisance_fees_fall_with_size(area: int, total: int) -> None:
    assert calculate(tariff_of("ho"), {"area_m2": area}).total == total


def test_vehicles_cost_by_their_seats_and_each_card_is_added() -> None:
    measures = {"vehicles_8": 2, "vehicles_16": 1, "vehicles_28": 1, "vehicles_more": 1, "cards": 5}
    assert calculate(tariff_of("trayek"), measures).total == 8_375_000


def test_every_measure_of_a_tariff_is_asked_for_and_no_other() -> None:
    paid = [(kind, found) for kind, found in kinds() if not found.free]
    assert {kind.id for kind, _ in paid} >= {"situ", "trayek", "imb", "ho", "reklame"}
    for kind, found in paid:
        asked = {
            measure["id"]: measure
            for stage in kind.workflow["stages"]
            for measure in stage.get("measures", ())
        }
        for one in found.tariffs:
            assert set(asked) == set[str]().union(*(line.measures for line in one.lines)), kind.id
            assert set(one.example.measures) == set(asked), kind.id


def test_every_code_that_a_form_allows_has_a_place_in_the_table() -> None:
    for kind, found in kinds():
        asked = [one for stage in kind.workflow["stages"] for one in stage.get("measures", ())]
        for one in found.tariffs:
            for measure in asked:
                low, high = measure.get("min", 0), measure["max"]
                for code in {low, high, *range(low, min(high, low + 20))}:
                    # A table may say that somebody owes nothing; then a person must look.
                    with suppress(NothingOwed):
                        calculate(one, one.example.measures | {measure["id"]: code})


# What a file may not say


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({}, "Give either"),
        ({"free": True, "tariffs": [TARIFF.model_dump(mode="json")]}, "Give either"),
        ({"tariffs": [TARIFF.model_dump(mode="json", exclude={"effective"})]}, "from which day"),
        ({"tariffs": [TARIFF.model_dump(mode="json") | {"effective": None}]}, "from which day"),
        ({"tariffs": [TARIFF.model_dump(mode="json")] * 2}, "Tariffs follow each other"),
        ({"tariffs": [TARIFF.model_dump(mode="json") | {"due_days": 0}]}, "greater than"),
        ({"tariffs": [TARIFF.model_dump(mode="json") | {"lines": []}]}, "at least 1"),
        ({"tariffs": [TARIFF.model_dump(mode="json", exclude={"example"})]}, "required"),
        (
            {
                "tariffs": [
                    TARIFF.model_dump(mode="json"),
                    TARIFF.model_dump(mode="json") | {"effective": "2027-01-01"},
                ]
            },
            "same id",
        ),
    ],
)
def test_a_section_is_free_or_has_whole_dated_tariffs(
    section: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PaymentSection.model_validate(section)


def test_the_tariff_of_the_day_counts() -> None:
    old = TARIFF.model_dump(mode="json")
    new = old | {"id": "situ-2027", "effective": "2027-01-01"}
    found = PaymentSection.model_validate({"tariffs": [old, new]})
    days = (date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [found.in_force(day).id for day in days] == ["situ-2026", "situ-2026", "situ-2027"]
    with pytest.raises(NoTariffYet):
        found.in_force(date(2025, 12, 31))


def test_a_worked_example_that_does_not_hold_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"comes to Rp1\.000, not to Rp1\.001"):
        tariff(FIXED, total=1_001)
    with pytest.raises(ValidationError, match="can't be worked out"):
        tariff(tiers((100, 5)), total=5)


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "fixed", "rupiah": 0.5},
        {"kind": "fixed", "rupiah": "1000"},
        {"kind": "fixed", "rupiah": -1},
        {"kind": "per_unit", "rupiah": 1},
        {"kind": "percent", "rupiah": 1},
        {"kind": "fixed", "rupiah": 1, "colour": "red"},
        {"kind": "fixed", "rupiah": 1, "since": "2026-01-01"},
        tiers((None, 5), (100, 3)),
        tiers((100, 5), (100, 3)),
        tiers((0, 5), (100, 3)),
    ],
)
def test_a_wrong_line_is_refused_when_it_is_read(line: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        tariff(line, area_m2=1, total=1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (by_formula("area * rate", area=AREA), "no term above it"),
        (by_formula("area", area=AREA, rate=RATE), "No formula uses the term rate"),
        (
            by_formula(
                "one",
                area=AREA,
                one={"kind": "formula", "formula": "two", "label": LABEL},
                two={"kind": "formula", "formula": "area", "label": LABEL},
            ),
            "no term above it",
        ),
        (by_formula("area ** 9", area=AREA), "not a formula"),
        (by_formula("area / 3", area=AREA), "not a formula"),
        (by_formula("area * 0.5", area=AREA), "not a formula"),
        (by_formula("area.real", area=AREA), "not a formula"),
        (by_formula("open('x')", area=AREA), "not a formula"),
        (by_formula("area if area else 1", area=AREA), "not a formula"),
        (by_formula("area *", area=AREA), "not a formula"),
        (by_formula("area * rate", area=AREA, rate=RATE | {"value": 0.5}), "in quotes"),
        (
            by_formula("rate * area", area=AREA, rate=RATE | {"kind": "rupiah", "value": "1.5"}),
            "whole rupiah",
        ),
        (
            by_formula(
                "code",
                code={
                    "kind": "choice",
                    "measure": "area_m2",
                    "label": LABEL,
                    "choices": [{"code": 1, "value": 1, "label": LABEL}] * 2,
                },
            ),
            "there twice",
        ),
    ],
)
def test_a_wrong_formula_is_refused_with_a_sentence(line: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        tariff(line, area_m2=1, total=1)


@pytest.mark.parametrize(
    ("rounding", "total"),
    [
        ({"mode": "down"}, 1_234),
        ({"mode": "up"}, 1_235),
        ({"mode": "half_up"}, 1_235),
        ({"mode": "down", "to": 100}, 1_200),
        ({"mode": "half_up", "to": 100}, 1_200),
        ({"mode": "up", "to": 100}, 1_300),
    ],
)
def test_whole_rupiah_by_the_tariffs_rounding(rounding: dict[str, Any], total: int) -> None:
    line = by_formula("area * rate", rounding, area=AREA, rate=RATE)
    assert (
        calculate(tariff(line, area_m2=246_900, total=total), {"area_m2": 246_900}).total == total
    )


# Laws


@settings(max_examples=200)
@given(area=st.integers(1, 10_000), ends=st.lists(st.integers(1, 9_999), unique=True, max_size=5))
def test_tiers_of_one_rate_cost_the_same_as_no_tiers(area: int, ends: list[int]) -> None:
    split = tariff(tiers(*[(end, 700) for end in sorted(ends)], (None, 700)), area_m2=1, total=700)
    assert calculate(split, {"area_m2": area}).total == area * 700


@given(st.fractions(max_denominator=1000), st.integers(1, 1_000))
def test_rounding_stays_within_one_step(amount: Fraction, to: int) -> None:
    low = Rounding(to=to, mode="down").rupiah(amount)
    high = Rounding(to=to, mode="up").rupiah(amount)
    half = Rounding(to=to, mode="half_up").rupiah(amount)
    assert low % to == high % to == 0
    assert abs(low) <= abs(amount) <= abs(high)
    assert abs(high - low) in (0, to)
    assert half in (low, high)
    assert abs(half - amount) * 2 <= to


@given(st.decimals(-(10**9), 10**9, places=6))
def test_a_number_is_written_exactly(number: Any) -> None:
    text = number_text(number)
    assert Fraction(text.replace(".", "").replace(",", ".")) == Fraction(number)


@given(st.lists(st.integers(0, 999), min_size=3, max_size=3))
def test_a_formula_comes_to_what_it_says(numbers: list[int]) -> None:
    one, two, three = numbers
    values = {
        name: Value(Fraction(number), str(number))
        for name, number in zip(("one", "two", "three"), numbers, strict=True)
    }
    formula = "one * (two + three) - 7 * two"
    assert evaluate(formula, values) == one * (two + three) - 7 * two
    assert written(formula, values) == f"{one} × ({two} + {three}) - 7 × {two}"


def test_a_number_without_an_end_is_not_written() -> None:
    with pytest.raises(ValueError, match="do not end"):
        number_text(Fraction(1, 3))


def test_half_a_rupiah_goes_up_when_half_up() -> None:
    assert [rounded(Fraction(n, 2), "half_up") for n in (1, 3, -1)] == [1, 2, -1]
