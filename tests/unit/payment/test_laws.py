"""What holds for an application's bills whatever happens, in any order, from several sides."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from services.payment.bill import (
    DECIDER,
    BillAlreadyPaid,
    Cancelled,
    Expired,
    NotIssued,
    Open,
    Paid,
    bill_stream,
)
from shared.codec import Codec
from shared.contracts.payment import (
    BillCancelled,
    BillExpired,
    BillIssued,
    BillReplaced,
    PaymentReceived,
    PaymentReversed,
)
from shared.errors import JejakError, Refused
from shared.handle import Handler
from shared.store.sqlite import SqliteStore
from tests.spec import facts
from tests.unit.payment.samples import (
    APPLICATION,
    cancel,
    contradict,
    dispute,
    expire,
    issue,
    issue_late,
    pay,
    reject,
    settle,
    take_back,
)

FIRST = date(2026, 1, 5)


@st.composite
def _moves(draw: st.DrawFn) -> Any:
    """Draw a command; ``None`` as a bill's id stands for the bill that is there by then."""
    day = FIRST + timedelta(days=draw(st.integers(0, 1_200)))
    number = draw(st.integers(1, 3))
    money = {"request_id": f"REQ-{number}", "reference": f"R{number}"}
    amount = draw(st.sampled_from([None, 240_000, 1]))
    return draw(
        st.sampled_from(
            [
                issue(today=day),
                issue(today=day, measures={"area_m2": draw(st.integers(1, 3))}),
                reject(),
                expire(today=day, bill_id=None),
                issue_late(today=day, bill_id=None),
                pay(**money, paid_on=day, amount=amount, landed=True),
                pay(**money, paid_on=day, amount=amount),
                take_back(**money, amount=amount),
                settle(**money, amount=amount),
                dispute(**money),
                contradict(request_id=f"REQ-{number}"),
                *([cancel()] if draw(st.integers(0, 5)) == 0 else []),
            ]
        )
    )


def _meant(command: Any, state: Any) -> Any:
    """Return the command with what is owed just now in the places left open."""
    bill = None if isinstance(state, NotIssued) else state.bill
    if getattr(command, "bill_id", "") is None:
        command = replace(command, bill_id=bill.bill_id if bill else "none")
    if getattr(command, "amount", 0) is None:
        command = replace(command, amount=bill.amount if bill else 5)
    return command


def _story(moves: Sequence[Any]) -> list[Any]:
    events: list[Any] = []
    for move in moves:
        state = DECIDER.fold(facts(*events))
        command = _meant(move, state)
        with suppress(Refused):
            decided = DECIDER.decide(command, state)
            events += decided
            again = DECIDER.fold(facts(*events))
            _decides_nothing_more(command, again)
    return events


def _decides_nothing_more(command: Any, state: Any) -> None:
    with suppress(Refused):
        assert list(DECIDER.decide(command, state)) == []


@settings(max_examples=400, deadline=None)
@given(st.lists(_moves(), max_size=25))
def test_at_most_one_bill_is_open_and_each_event_has_its_place(moves: list[Any]) -> None:
    status: dict[str, str] = {}
    for event in _story(moves):
        match event:
            case BillIssued():
                assert event.bill_id not in status
                assert sum(line.amount for line in event.lines) == event.amount
                status[event.bill_id] = "open"
            case BillExpired():
                assert status[event.bill_id] == "open"
                status[event.bill_id] = "expired"
            case BillReplaced():
                assert status[event.bill_id] in ("open", "expired")
                status[event.bill_id] = "replaced"
            case BillCancelled():
                assert status[event.bill_id] in ("open", "expired")
                status[event.bill_id] = "cancelled"
            case PaymentReceived():
                assert status[event.bill_id] in ("open", "expired", "replaced")
                status[event.bill_id] = "paid"
            case PaymentReversed(suspense_id=""):
                assert status[event.bill_id] == "paid"
                status[event.bill_id] = "open"
            case _:
                pass
        counts = Counter(status.values())
        assert counts.total() - counts["replaced"] <= 1


@settings(max_examples=300, deadline=None)
@given(st.lists(_moves(), max_size=25))
def test_a_payment_is_the_amount_of_its_bill_and_the_state_follows(moves: list[Any]) -> None:
    events = _story(moves)
    bills = {event.bill_id: event for event in events if isinstance(event, BillIssued)}
    paid = [event for event in events if isinstance(event, PaymentReceived)]
    assert all(bills[event.bill_id].amount == event.amount for event in paid)
    undone = sum(isinstance(e, PaymentReversed) and not e.suspense_id for e in events)
    state = DECIDER.fold(facts(*events))
    assert isinstance(state, Paid) == (len(paid) - undone == 1)
    assert isinstance(state, NotIssued | Open | Expired | Paid | Cancelled)


# Conflicts: several processes and one stream


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    made = SqliteStore(tmp_path / "events.sqlite")
    yield made
    await made.close()


async def _give(handler: Handler, command: Any, cause: str) -> Any:
    try:
        return await handler.handle(
            DECIDER, bill_stream(APPLICATION), command, cause=cause, application=APPLICATION
        )
    except JejakError as refusal:
        return type(refusal)


async def _race(store: SqliteStore, *commands: Any) -> tuple[list[Any], Counter[str]]:
    """Let a process of its own give each command, all at once, to a bill that is open."""
    await _give(Handler(store, Codec()), issue(), "issue")
    outcomes = await asyncio.gather(
        *(
            _give(Handler(store, Codec()), command, f"cause-{place}")
            for place, command in enumerate(commands)
        )
    )
    recorded = await store.read_stream(bill_stream(APPLICATION))
    return list(outcomes), Counter(one.type for one in recorded)


async def test_copies_of_one_payment_at_one_instant_are_one_event(store: SqliteStore) -> None:
    sources = ("callback", "inquiry", "teller", "settlement")
    copies = [pay(source=source, landed=True) for source in sources]
    _, types = await _race(store, *copies)
    assert types == {"BillIssued": 1, "PaymentReceived": 1}


async def test_two_payments_at_one_instant_are_one_and_a_duplicate(store: SqliteStore) -> None:
    moneys = [pay(request_id=f"REQ-{n}", reference=f"R{n}", landed=True) for n in range(4)]
    _, types = await _race(store, *moneys)
    assert types == {"BillIssued": 1, "PaymentReceived": 1, "DuplicatePaymentFound": 3}


async def test_the_second_of_two_that_may_be_refused_hears_that_it_is_paid(
    store: SqliteStore,
) -> None:
    moneys = [pay(request_id=f"REQ-{n}", reference=f"R{n}") for n in range(2)]
    outcomes, types = await _race(store, *moneys)
    assert types == {"BillIssued": 1, "PaymentReceived": 1}
    assert outcomes.count(BillAlreadyPaid) == 1


async def test_an_expiry_and_a_payment_in_time_agree_whoever_is_first(store: SqliteStore) -> None:
    _, types = await _race(store, expire(), pay(landed=True), expire(), pay(landed=True))
    assert types["PaymentReceived"] == 1
    state = (await Handler(store, Codec()).load(DECIDER, bill_stream(APPLICATION))).state
    assert isinstance(state, Paid)


async def test_a_cancellation_and_a_payment_lose_no_money(store: SqliteStore) -> None:
    _, types = await _race(store, cancel(), pay(landed=True))
    assert types["PaymentReceived"] + types["PaymentSetAside"] == 1


async def test_two_sweeps_at_one_instant_issue_one_late_bill(store: SqliteStore) -> None:
    await _give(Handler(store, Codec()), issue(), "issue")
    await _give(Handler(store, Codec()), expire(), "expire")
    _, types = await _race(store, *[issue_late()] * 4)
    assert types == {"BillIssued": 2, "BillExpired": 1, "BillReplaced": 1}


async def test_two_assessments_at_one_instant_leave_one_open_bill(store: SqliteStore) -> None:
    _, types = await _race(store, *[issue(measures={"area_m2": n}) for n in (1, 2, 3)])
    assert types["BillIssued"] - types["BillReplaced"] == 1


async def test_copies_of_a_reversal_or_a_settlement_are_one_event(store: SqliteStore) -> None:
    await _give(Handler(store, Codec()), issue(), "issue")
    await _give(Handler(store, Codec()), pay(), "pay")
    _, types = await _race(store, *[take_back()] * 3, *[settle()] * 3, *[contradict()] * 3)
    assert (types["PaymentReversed"], types["PaymentSettled"]) == (1, 1)
    assert types["PaymentContradicted"] == 1
