"""Interest on what is paid late: the vectors, and what holds for every rule."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.payment.interest import InterestRule, InterestRules, months_after, months_begun
from tests.unit.payment.samples import RULE

DEPLOY = Path(__file__).parents[3] / "deploy"
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def rule(**changes: Any) -> InterestRule:
    return InterestRule.model_validate(RULE.model_dump(mode="json") | changes)


@pytest.mark.parametrize(
    ("due", "paid", "interest"),
    [
        ("2025-03-31", "2025-03-31", 0),
        ("2025-03-31", "2025-04-01", 25_000),
        ("2025-03-31", "2025-04-30", 25_000),
        ("2025-03-31", "2025-05-01", 50_000),
        ("2022-01-10", "2025-01-10", 600_000),
    ],
)
def test_one_percent_a_month_of_2_500_000(due: str, paid: str, interest: int) -> None:
    rules = InterestRules.load(DEPLOY / "interest.yaml").of("bogor", date.fromisoformat(due))
    assert rules is not None
    owed = rules.owed(2_500_000, date.fromisoformat(due), date.fromisoformat(paid))
    assert owed is not None
    assert owed.amount == interest


def test_the_calculation_is_shown() -> None:
    owed = rule(percent="0.6").owed(2_500_000, date(2025, 3, 31), date(2025, 5, 1))
    assert owed is not None
    assert (owed.calculation, owed.amount) == ("2 × 0,6 % × Rp2.500.000", 30_000)
    assert owed.until == date(2025, 5, 31)


@pytest.mark.parametrize(("rounding", "amount"), [("up", 2), ("down", 1), ("half_up", 2)])
def test_whole_rupiah_by_the_rules_rounding(rounding: str, amount: int) -> None:
    owed = rule(rounding=rounding).owed(150, date(2025, 3, 31), date(2025, 4, 1))
    assert owed is not None
    assert owed.amount == amount


def test_a_month_that_only_began_may_be_free() -> None:
    free = rule(part_month="free")
    amounts = [
        owed.amount
        for day in (date(2025, 4, 30), date(2025, 5, 1), date(2025, 5, 31), date(2025, 6, 1))
        if (owed := free.owed(2_500_000, date(2025, 3, 31), day))
    ]
    assert amounts == [0, 25_000, 25_000, 50_000]


def test_from_the_cap_on_one_bill_lasts_until_the_claim_lapses() -> None:
    due = date(2022, 1, 10)
    owed = rule().owed(2_500_000, due, months_after(due, 24))
    assert owed is not None
    assert (owed.months, owed.until) == (24, date(2025, 1, 10))
    assert rule().owed(2_500_000, due, date(2025, 1, 11)) is None


def test_the_rule_in_force_on_the_due_date_rules() -> None:
    old, new = rule(percent="2"), rule(since="2024-01-05")
    own = rule(percent="3")
    rules = InterestRules(rules=(old, new), offices={"mataram": (own,)})
    assert rules.of("bogor", date(2024, 1, 4)) == old
    assert rules.of("bogor", date(2024, 1, 5)) == new
    assert rules.of("mataram", date(2024, 1, 5)) == own
    assert rules.of("bogor", date(2019, 12, 31)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"percent": 0.6},
        {"percent": "-1"},
        {"percent": "101"},
        {"cap_months": 48},
        {"rounding": "somehow"},
        {"since": None},
    ],
)
def test_a_rule_that_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**changes)


def test_rules_follow_each_other() -> None:
    with pytest.raises(ValidationError):
        InterestRules(rules=(rule(since="2024-01-05"), rule()))


@given(due=DAYS, days=st.integers(0, 2_000))
def test_months_begin_the_day_after_the_last_one_ended(due: date, days: int) -> None:
    day = due + timedelta(days=days)
    months = months_begun(due, day)
    assert day <= months_after(due, months)
    assert months == 0 or day > months_after(due, months - 1)


@given(due=DAYS, days=st.integers(1, 1_000), principal=st.integers(1, 10**13))
def test_interest_never_falls_and_holds_until_it_says(due: date, days: int, principal: int) -> None:
    today = RULE.owed(principal, due, due + timedelta(days=days))
    tomorrow = RULE.owed(principal, due, due + timedelta(days=days + 1))
    assert today is not None
    assert tomorrow is not None
    last = RULE.owed(principal, due, today.until)
    assert today.amount <= tomorrow.amount <= principal
    assert last == today
