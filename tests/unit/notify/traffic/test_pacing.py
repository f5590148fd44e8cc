"""The sender at a number's pace: evenly, one person rarely, and nobody held up by another."""

from __future__ import annotations

from pathlib import Path

from services.notify.message import Queued, Sent
from services.notify.traffic.pace import Speed
from tests.unit.notify.desk import Desk, desk_in

PACE = {"whatsapp": Speed(16.0, 6.0)}


def number(of: int) -> str:
    return f"+62812345{of:05d}"


async def sent_to(desk: Desk) -> list[str]:
    return [body["to"] for body in desk.meta.ledger]


async def test_no_second_holds_more_calls_than_the_rate_and_all_go_out(tmp_path: Path) -> None:
    async with desk_in(tmp_path, speeds=PACE) as desk:
        # One application's news go in order, so they need no application of their own here.
        for each in range(40):
            await desk.queue(recipient=number(each))
        sms = await desk.queue(channel="sms", rule="payment")
        called: list[float] = []
        for _ in range(60):
            before = len(desk.meta.ledger)
            await desk.later(seconds=0.125)
            called += [desk.time.timestamp()] * (len(desk.meta.ledger) - before)
            # Whoever waits for their turn holds up no other channel.
            assert isinstance(await desk.state(sms), Sent)
        assert len(called) == 40
        for first in called:
            assert sum(first <= call < first + 1.0 for call in called) <= 16
        # Forty at sixteen a second: no slower than the rate allows.
        assert called[-1] - called[0] <= 3.0


async def test_a_long_queue_for_one_person_holds_up_nobody_and_writes_nothing(
    tmp_path: Path,
) -> None:
    async with desk_in(tmp_path, speeds=PACE) as desk:
        many = [await desk.queue(recipient=number(1)) for _ in range(250)]
        other = await desk.queue(recipient=number(2))
        for _ in range(4):
            await desk.later(seconds=0.5)
        assert isinstance(await desk.state(other), Sent)
        assert sorted(await sent_to(desk)) == [number(1)[1:], number(2)[1:]]
        # Waiting is no event.
        assert await desk.types(many[-1]) == ["MessageQueued"]
        await desk.later(seconds=4.4)
        assert (await sent_to(desk)).count(number(1)[1:]) == 1
        await desk.later(seconds=0.2)
        assert (await sent_to(desk)).count(number(1)[1:]) == 2
        states = [await desk.state(each) for each in many]
        assert sum(isinstance(state, Queued) for state in states) == 248
