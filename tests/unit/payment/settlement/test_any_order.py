"""Whatever comes, and in whatever order: the same end, the sums agree, and a rerun says nothing.

Money has a few stories (paid, lost on the way, paid twice, taken back, ..). Each story is a handful
of things that arrive. They are shuffled together, some come twice, and in between everything may be
reconciled any number of times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.payment import bill
from services.payment.settlement.closing import UNSETTLED
from services.payment.settlement.facts import Class
from services.payment.suspense import Closed, Held
from tests.unit.payment.settlement.bank_file import (
    DAY,
    Row,
)
from tests.unit.payment.settlement.house import (
    BANK,
    House,
    account,
    application,
    later,
    open_house,
)

AMOUNT = 240_000
STORIES = (
    "paid",
    "callback lost",
    "line lost",
    "told thrice",
    "too little",
    "reported otherwise",
    "taken back",
    "taken back, bank tells",
    "orphan",
    "bill never paid",
)


class Arrival(NamedTuple):
    """One thing that arrives: a bill, a callback, a reversal notice, or a settlement file."""

    what: str
    number: int
    reference: str = ""
    amount: int = AMOUNT
    rows: tuple[Row, ...] = ()


def story(kind: str, number: int) -> list[Arrival]:
    """Return what arrives in a story of one application."""
    ntb, va = f"NTB{number}", account(number)
    billed = Arrival("bill", number)
    told = Arrival("callback", number, ntb)
    line = Arrival("file", number, ntb, rows=(Row(AMOUNT, ntb, va),))
    back = Arrival("file", number, f"{ntb}R", rows=(Row(-AMOUNT, f"R{number}", va, DAY, ntb),))
    little = Arrival("file", number, ntb, rows=(Row(AMOUNT - 40_000, ntb, va),))
    return {
        "paid": [billed, told, line],
        "callback lost": [billed, line],
        "line lost": [billed, told],
        "told thrice": [billed, told, told, told, line],
        "too little": [billed, little],
        # A bank that contradicts itself is held to what it said first, so that has to be first.
        "reported otherwise": [billed, Arrival("contradiction", number, ntb), line],
        "taken back": [billed, told, line, back],
        "taken back, bank tells": [billed, told, Arrival("reversal", number, ntb), line, back],
        "orphan": [Arrival("file", number, ntb, rows=(Row(AMOUNT, ntb, f"9{va[1:]}"),))],
        "bill never paid": [billed],
    }[kind]


SETTLE = Arrival("settle", 0)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Arrival], list[Arrival]]:
    """Return some stories in order, and the same things in any order with looks in between."""
    kinds = draw(st.lists(st.sampled_from(STORIES), min_size=1, max_size=5))
    ordered = [one for number, kind in enumerate(kinds, 1) for one in story(kind, number)]
    repeated = draw(st.lists(st.sampled_from(ordered), max_size=3))
    looks = [SETTLE] * draw(st.integers(0, 3))
    return ordered, draw(st.permutations([*ordered, *repeated, *looks]))


async def arrive(house: House, what: Sequence[Arrival]) -> None:
    """Let things arrive. What a bank reports before its bill exists is parked, as its door does."""
    parked: list[Arrival] = []
    for one in what:
        if one.what in ("callback", "contradiction", "reversal") and isinstance(
            await house.state(one.number), bill.NotIssued
        ):
            parked.append(one)
            continue
        await _deal(house, one)
    for one in parked:
        await _deal(house, one)


async def _deal(house: House, one: Arrival) -> None:
    async def contradict() -> None:
        await house.callback(one.number, one.reference)
        await house.callback(one.number, one.reference, one.amount + 10_000)

    deal: dict[str, Callable[[], Awaitable[Any]]] = {
        "bill": lambda: house.bill(one.number),
        "callback": lambda: house.callback(one.number, one.reference, one.amount),
        "contradiction": contradict,
        "reversal": lambda: house.reversal(one.number, one.reference),
        "file": lambda: house.settlement(one.rows, one.reference, opening=10_000_000),
        "settle": house.settle,
    }
    await deal[one.what]()


async def end_of(house: House, numbers: int) -> dict[str, Any]:
    """Return everything that must not depend on the order."""
    lines = await house.views.lines(partner=BANK, limit=1000)
    day = await house.views.day(BANK, DAY.isoformat())
    assert day is not None
    return {
        "bills": [type(await house.state(number)).__name__ for number in range(1, numbers + 1)],
        "lines": sorted((row.reference, row.amount, row.name) for row in lines),
        "classes": await house.classes(),
        "proof": (day.digest, day.settled, day.lines, day.classes),
        "suspense": sorted(
            (stream, type(case).__name__) for stream, case in (await house.cases()).items()
        ),
    }


async def ended(what: Sequence[Arrival], numbers: int) -> dict[str, Any]:
    """Return the end after everything came, days later, and check what holds at any end."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(Path(folder)) as house:
            await arrive(house, what)
            await house.settle()
            house.on(later(5))
            await house.settle()
            await sums_agree(house)
            head = await house.store.head()
            await arrive(house, [one for one in what if one.what == "file"])
            await house.settle()
            assert await house.store.head() == head, "a rerun recorded something"
            return await end_of(house, numbers)


async def sums_agree(house: House) -> None:
    """Check the books to the rupiah: lines, classes, bills and suspense tell the same."""
    lines = await house.views.lines(partner=BANK, limit=1000)
    day = await house.views.day(BANK, DAY.isoformat())
    assert day is not None
    assert not day.changed
    assert day.failed == ""
    arrived = [one for one in day.classes if one.name not in UNSETTLED]
    assert sum(one.amount for one in arrived) == sum(row.amount for row in lines) == day.settled
    assert sum(one.count for one in arrived) == len(lines) == day.lines
    settled = [row for row in lines if row.name in (Class.MATCHED, Class.SETTLED_NO_CALLBACK)]
    paid = await house.events("PaymentReceived")
    assert len({(one.application_id, one.reference) for one in paid}) == len(paid)
    assert {row.application_id for row in settled} <= {one.application_id for one in paid}
    held = sum(
        case.case.opened.amount
        for case in (await house.cases()).values()
        if isinstance(case, Held | Closed)
    )
    aside = (Class.ORPHAN_CREDIT, Class.AMOUNT_DIFF, Class.LATE, Class.DUPLICATE)
    assert held == sum(row.amount for row in lines if row.name in aside)


def running(what: Sequence[Arrival]) -> int:
    """Return how many applications there are."""
    return max(one.number for one in what)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Explaining a failure traces every line of the office: the example itself says enough.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(arrivals())
async def test_any_order_of_arrival_gives_the_same_end_and_the_same_proof(
    what: tuple[list[Arrival], list[Arrival]],
) -> None:
    ordered, shuffled = what
    numbers = running(ordered)
    files = [one for one in ordered if one.what == "file"]
    if not files:
        ordered, shuffled = ([*some, _some_line(numbers)] for some in (ordered, shuffled))
    assert await ended(shuffled, numbers) == await ended(ordered, numbers)


def _some_line(numbers: int) -> Arrival:
    """Return an orphan, so that there is a day to prove."""
    return story("orphan", numbers + 1)[0]


async def test_which_of_two_equal_payments_is_the_second_is_who_came_first(tmp_path: Path) -> None:
    """One of two things that the order decides; the sums are the same either way."""
    ends = []
    for turn, order in enumerate((("A", "B"), ("B", "A"))):
        folder = tmp_path / str(turn)
        folder.mkdir()
        async with open_house(folder) as house:
            await house.bill(1)
            for name in order:
                await house.callback(1, f"NTB{name}")
            await house.settlement([Row(AMOUNT, f"NTB{n}", account(1)) for n in "AB"])
            await house.settle()
            (paid,) = await house.events("PaymentReceived")
            assert (paid.application_id, paid.reference) == (application(1), f"NTB{order[0]}")
            ends.append(await house.classes())
    assert ends[0] == ends[1] == {"MATCHED": (1, AMOUNT), "DUPLICATE": (1, AMOUNT)}


async def test_of_two_files_with_the_same_line_the_first_one_counts(tmp_path: Path) -> None:
    """The other thing: a payment is settled with the line that came first, and stays so."""
    ends = []
    for turn, order in enumerate((("A", "B"), ("B", "A"))):
        folder = tmp_path / str(turn)
        folder.mkdir()
        async with open_house(folder) as house:
            await house.bill(1)
            await house.callback(1, "NTB1")
            taken = []
            for name in order:
                taken.append(await house.settlement([Row(AMOUNT, "NTB1", account(1))], name))
                await house.settle()
            (settled,) = await house.events("PaymentSettled")
            assert settled.settlement_id == taken[0].settlement_id
            ends.append(await house.classes())
    assert ends[0] == ends[1] == {"MATCHED": (1, AMOUNT), "PENDING": (1, AMOUNT)}
