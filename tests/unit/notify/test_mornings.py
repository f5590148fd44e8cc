"""What comes to be due at night waits for the morning, unless its rule is urgent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.notify.commands import HoldMessage
from services.notify.message import DECIDER
from services.notify.states import QUIET_HOURS, Queued
from shared.contracts.notify import MessageDeferred
from tests.spec import START, at, given
from tests.unit.notify.desk import desk_in
from tests.unit.notify.samples import ATTEMPTED, BY, IDS, QUEUED

# START is eight o'clock in the morning at the office (WIB).
NIGHT, MORNING = timedelta(hours=14), datetime(2026, 1, 5, 23, 0, tzinfo=UTC)


def hold(until: datetime) -> HoldMessage:
    return HoldMessage(not_before=until, now=START, by=BY)


def test_a_waiting_message_is_held_once_and_never_shorter() -> None:
    until = at(hours=10)
    held = MessageDeferred(**IDS, reason=QUIET_HOURS, not_before=until.isoformat())
    given(DECIDER, QUEUED).when(hold(until)).then(held).again().then_nothing()
    given(DECIDER, QUEUED, held).when(hold(at(hours=9))).then_nothing()


def test_a_call_under_way_is_not_held() -> None:
    given(DECIDER, QUEUED, ATTEMPTED).when(hold(at(hours=10))).then_nothing()


def test_what_was_held_was_never_called_out() -> None:
    until = at(hours=10)
    held = MessageDeferred(**IDS, reason=QUIET_HOURS, not_before=until.isoformat())
    state = given(DECIDER, QUEUED, held).state
    assert isinstance(state, Queued)
    assert state.untouched


@pytest.mark.parametrize(("rule", "called"), [("registered", 0), ("payment", 1)])
async def test_what_a_provider_put_off_into_the_night(
    tmp_path: Path, rule: str, called: int
) -> None:
    async with desk_in(tmp_path) as desk:
        message_id = await desk.queue(rule=rule)
        desk.meta.answers.append(130429)
        await desk.later(hours=12, minutes=59)
        assert len(desk.meta.ledger) == 1
        await desk.later(hours=1, minutes=1)
        assert desk.time == START + NIGHT
        assert len(desk.meta.ledger) == 1 + called
        if not called:
            state = await desk.state(message_id)
            assert isinstance(state, Queued)
            assert state.not_before == MORNING
            await desk.later(hours=7, minutes=59)
            assert len(desk.meta.ledger) == 1
            await desk.later(minutes=1)
            assert len(desk.meta.ledger) == 2
