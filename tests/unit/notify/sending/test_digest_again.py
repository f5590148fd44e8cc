"""A message that gathered alerts and failed, sent anew by hand: it tells the same alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.notify.log.resend import Resending
from services.notify.message import Digested, Failed, Sent, Superseded, message_stream
from services.notify.people.recipients import Directory
from services.notify.refusals import AlertOvertaken
from services.notify.sending.digest import leaves
from shared.actors import Role
from shared.handle import Handler
from shared.identity import Account
from tests.unit.notify.desk import RULES, Desk, desk_in
from tests.unit.notify.sending.test_digest import Stalls, told

COUNTER = Account("loket", "Loket", frozenset({Role.COUNTER}), "bogor")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    # One channel: what it refuses for good has failed.
    async with desk_in(tmp_path, ("whatsapp",)) as opened:
        yield opened


async def failed(desk: Desk, stalls: Stalls) -> tuple[list[str], str]:
    """Let three alerts go out as one message that fails; return the files and its id."""
    numbers = [await stalls.add() for _ in range(3)]
    desk.meta.answers.append(131026)
    for _ in range(3):
        await desk.later(minutes=5)
    state = await stalls.end(numbers[0])
    assert isinstance(state, Failed)
    return numbers, state.message.message_id


async def again(desk: Desk, message_id: str, key: str = "1") -> str:
    handler = Handler(desk.kernel.store, desk.kernel.codec)
    available = frozenset({"whatsapp"})
    kernel = desk.kernel
    directory = Directory(kernel.store, kernel.codec, kernel.catalogue, kernel.accounts)
    resending = Resending(
        handler, RULES, desk.contacts, available, lambda: desk.time, directory.submitted
    )
    return await resending.again(message_id, COUNTER, key)


async def alerts_of(desk: Desk, message_id: str) -> set[str]:
    """Return the streams of the alerts that a message told."""
    state = await desk.state(message_id)
    assert isinstance(state, Sent)
    handler = Handler(desk.kernel.store, desk.kernel.codec)
    return {one.events[0].stream for one in await leaves(handler, state.message)}


async def test_it_says_the_same_and_knows_its_alerts(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers, first = await failed(desk, stalls)
    second = await again(desk, first)
    await desk.later()
    assert told(desk)[0] == told(desk)[1]
    assert all(number in told(desk)[1]["lines"] for number in numbers)
    every = {message_stream(alert) for alert in stalls.alerts.values()}
    assert await alerts_of(desk, second) == every


async def test_once_more_after_it_failed_again(desk: Desk) -> None:
    stalls = Stalls(desk)
    _, first = await failed(desk, stalls)
    desk.meta.answers.append(131026)
    second = await again(desk, first)
    await desk.later()
    third = await again(desk, second, "2")
    await desk.later()
    assert len(await alerts_of(desk, third)) == 3


async def test_what_moved_on_meanwhile_is_left_out_also_at_night(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers, first = await failed(desk, stalls)
    await stalls.moves_on(numbers[1])
    await desk.later(hours=13)
    second = await again(desk, first)
    for _ in range(2):
        await desk.later(seconds=10)
    assert len(told(desk)) == 2
    assert told(desk)[1]["count"] == "2"
    assert numbers[1] not in told(desk)[1]["lines"]
    instead = await desk.state(second)
    assert isinstance(instead, Digested)
    assert len(await alerts_of(desk, instead.into)) == 3


async def test_nothing_but_yesterdays_news_is_refused(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers, first = await failed(desk, stalls)
    for number in numbers:
        await stalls.moves_on(number)
    with pytest.raises(AlertOvertaken):
        await again(desk, first)


async def test_what_moved_on_after_it_was_ordered_is_not_sent(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers, first = await failed(desk, stalls)
    second = await again(desk, first)
    for number in numbers:
        await stalls.moves_on(number)
    await desk.later()
    assert isinstance(await desk.state(second), Superseded)
    assert len(told(desk)) == 1
