"""Alerts to one person as one message: gathered, overtaken, and through crashes at every step."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.notify.message import (
    DECIDER,
    NO_OUTCOME,
    Digested,
    Failed,
    Queued,
    Sent,
    Superseded,
    message_stream,
)
from services.notify.sending.digest import MOST_CHARACTERS, leaves, listed
from shared.contracts.workflow import StageCompleted, StageOverdue
from shared.events import Recorded, to_micros
from shared.handle import Handler
from shared.ids import derived_id, new_id
from shared.store import EventStore
from shared.web.i18n import Translator
from tests.unit.notify.desk import Desk, desk_in
from tests.unit.notify.samples import queue

OFFICER, ANOTHER = "+6281100000002", "+6281100000003"
WINDOW = timedelta(minutes=5)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as opened:
        yield opened


@dataclass
class Stalls:
    """Files that stand still with one officer; each alert is queued as the rules do it."""

    desk: Desk
    officer: str = OFFICER
    alerts: dict[str, str] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)

    async def add(self, **changes: Any) -> str:
        """Let another file stand still; return its number."""
        number = f"BGR-2026-{len(self.alerts) + 1:06}"
        application = derived_id("stall", self.officer, number)
        due = "2026-01-05T09:00:00+00:00"
        overdue = StageOverdue(
            application_id=application, office="bogor", stage="verify", due_at=due
        )
        cause = await self._happened(application, overdue)
        message_id = derived_id(cause.event_id, "overdue-officer", self.officer)
        given: dict[str, Any] = {
            "application_id": application,
            "message_id": message_id,
            "rule": "overdue-officer",
            "audience": "officer",
            "recipient": self.officer,
            "template": "overdue",
            "parameters": {"number": number, "permit": "SITU", "due": "5 Januari 2026"},
            "not_before": self.desk.time + WINDOW,
            "digest": "stalls",
            "now": self.desk.time,
        }
        await self._handler().handle(
            DECIDER,
            message_stream(message_id),
            queue(**given | changes),
            cause=cause.event_id,
            application=application,
        )
        self.alerts[number] = message_id
        return number

    async def moves_on(self, number: str) -> None:
        """Let somebody work on a file."""
        self.moved.add(number)
        application = derived_id("stall", self.officer, number)
        await self._happened(application, StageCompleted(application_id=application, stage="a"))

    async def end(self, number: str) -> object:
        """Return an alert's state, of the last message in its place if others took it over."""
        state = await self.desk.state(self.alerts[number])
        while isinstance(state, Digested):
            state = await self.desk.state(state.into)
        return state

    def _handler(self) -> Handler:
        return Handler(self.desk.kernel.store, self.desk.kernel.codec)

    async def _happened(self, application: str, event: Any) -> Recorded:
        codec, now = self.desk.kernel.codec, to_micros(self.desk.time)
        envelope = codec.envelope(event, new_id(), now, "test", new_id(), application)
        return (await self.desk.kernel.store.append(f"permit-{application}", [envelope]))[0]


def told(desk: Desk) -> list[dict[str, str]]:
    """Return what the provider was asked to send: parameters by name, in order."""
    return [
        {
            one["parameter_name"]: one["text"]
            for one in body["template"]["components"][0]["parameters"]
        }
        for body in desk.meta.ledger
    ]


async def test_a_storm_of_forty_stalls_is_one_message(desk: Desk) -> None:
    stalls = Stalls(desk)
    for _ in range(40):
        await stalls.add()
    await desk.later(minutes=4)
    assert desk.meta.ledger == []
    for _ in range(3):
        await desk.later(minutes=1)
    (said,) = told(desk)
    assert said["count"] == "40"
    assert said["lines"].startswith("BGR-2026-000001 lewat batas 5 Januari 2026; BGR-2026-000002")
    assert said["lines"].endswith("; dan 30 lainnya")
    for number in stalls.alerts:
        assert isinstance(await stalls.end(number), Sent)
        assert "MessageAttempted" not in await desk.types(stalls.alerts[number])


async def test_an_alert_that_waits_alone_goes_out_as_itself(desk: Desk) -> None:
    mine, other = Stalls(desk), Stalls(desk, ANOTHER)
    number = await mine.add()
    await other.add()
    await desk.later(minutes=5)
    assert [said["number"] for said in told(desk)] == [number, number]
    assert isinstance(await desk.state(mine.alerts[number]), Sent)


async def test_what_was_overtaken_is_left_out_and_the_last_one_left_goes_out_alone(
    desk: Desk,
) -> None:
    stalls = Stalls(desk)
    first, second, third = [await stalls.add() for _ in range(3)]
    await stalls.moves_on(first)
    await stalls.moves_on(third)
    await desk.later(minutes=5)
    assert [said["number"] for said in told(desk)] == [second]
    for number in (first, third):
        assert isinstance(await desk.state(stalls.alerts[number]), Superseded)


async def test_what_is_overtaken_after_it_was_gathered_is_not_told(desk: Desk) -> None:
    stalls = Stalls(desk)
    first, second, third = [await stalls.add() for _ in range(3)]
    await desk.later(minutes=5)
    assert desk.meta.ledger == []
    await stalls.moves_on(second)
    for _ in range(3):
        await desk.later(seconds=10)
    (said,) = told(desk)
    assert (said["count"], second in said["lines"]) == ("2", False)
    assert first in said["lines"]
    assert third in said["lines"]


async def test_a_digest_of_nothing_but_yesterdays_news_is_not_sent(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers = [await stalls.add() for _ in range(3)]
    await desk.later(minutes=5)
    for number in numbers:
        await stalls.moves_on(number)
    for _ in range(3):
        await desk.later(seconds=10)
    assert desk.meta.ledger == []
    assert isinstance(await stalls.end(numbers[0]), Superseded)


async def test_each_file_has_one_line_with_the_last_word_about_it(desk: Desk) -> None:
    stalls = Stalls(desk)
    number = await stalls.add()
    same = derived_id("stall", OFFICER, number)
    await stalls.add(
        application_id=same,
        rule="explain-officer",
        template="explain",
        parameters={"number": number, "permit": "SITU", "answer_by": "6 Januari 2026"},
    )
    await stalls.add()
    for _ in range(3):
        await desk.later(minutes=5)
    (said,) = told(desk)
    assert said["count"] == "2"
    assert said["lines"].startswith(f"{number} mohon dijelaskan paling lambat 6 Januari 2026; ")


async def test_offices_languages_and_what_waits_for_later_are_not_mixed(desk: Desk) -> None:
    stalls = Stalls(desk)
    for _ in range(2):
        await stalls.add(office="depok")
        await stalls.add(language="en")
        await stalls.add()
    later = await stalls.add(not_before=desk.time + timedelta(hours=1))
    for _ in range(8):
        await desk.later(minutes=5)
    assert [said["count"] for said in told(desk)] == ["2", "2", "2"]
    assert {body["template"]["language"]["code"] for body in desk.meta.ledger} == {"id", "en"}
    assert isinstance(await desk.state(stalls.alerts[later]), Queued)


async def test_a_provider_that_fails_makes_way_for_an_sms_with_all_of_it(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers = [await stalls.add() for _ in range(2)]
    desk.meta.answers.append(131026)
    for _ in range(4):
        await desk.later(minutes=5)
    (sms,) = desk.gateway.ledger
    assert all(number in str(sms) for number in numbers)


async def test_a_gathering_message_knows_what_it_told(desk: Desk) -> None:
    stalls = Stalls(desk)
    numbers = [await stalls.add() for _ in range(3)]
    await desk.later(minutes=5)
    await stalls.moves_on(numbers[0])
    for _ in range(3):
        await desk.later(seconds=10)
    last = await stalls.end(numbers[1])
    assert isinstance(last, Sent)
    handler = Handler(desk.kernel.store, desk.kernel.codec)
    found = {one.events[0].stream for one in await leaves(handler, last.message)}
    assert found == {message_stream(message) for message in stalls.alerts.values()}


def test_lines_are_cut_where_a_provider_would_refuse_them() -> None:
    tr = Translator("en")
    assert listed(["a", "b"], 10, tr) == {"count": "2", "lines": "a; b"}
    assert listed(["a", "b", "c"], 2, tr) == {"count": "3", "lines": "a; b; and 1 more"}
    long = listed(["x" * 400] * 3, 10, tr)
    assert long["lines"] == "x" * 400 + "; and 2 more"
    assert len(listed(["x" * 2000, "y"], 10, tr)["lines"]) <= MOST_CHARACTERS + 20


class Died(BaseException):
    """The process ended here."""


class Mortal:
    """A process's way to the store, which ends with the process after some appends."""

    def __init__(self, store: EventStore, appends: int) -> None:
        self._store = store
        self._left = appends

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, *given: Any) -> Any:
        """Append, or die before or after it, so that nobody hears of it."""
        self._left -= 1
        if self._left < 0:
            raise Died
        done = await self._store.append(*given)
        if not self._left:
            raise Died
        return done


def mortal(desk: Desk, appends: int) -> Desk:
    store: Any = Mortal(desk.kernel.store, appends)
    return replace(desk, kernel=replace(desk.kernel, store=store))


async def looked(*desks: Desk) -> None:
    """Let processes look at the queue at once; some of them die of it."""
    for ended in await asyncio.gather(
        *(one.sender.round() for one in desks), return_exceptions=True
    ):
        if isinstance(ended, BaseException):
            with suppress(BaseExceptionGroup):
                assert isinstance(ended, BaseExceptionGroup | Died)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", range(12))
async def test_each_alert_ends_once_whatever_dies_when(desk: Desk, seed: int) -> None:
    dice, stalls = random.Random(seed), Stalls(desk)
    for _ in range(25):
        match dice.choice(("add", "add", "move", "die", "race", "stale", "time")):
            case "add":
                for _ in range(dice.randint(1, 3)):
                    await stalls.add()
            case "move" if stalls.alerts:
                await stalls.moves_on(dice.choice(list(stalls.alerts)))
            case "die":
                desk.time += timedelta(minutes=dice.randint(0, 6))
                await desk.project()
                await looked(mortal(desk, dice.randint(0, 6)))
            case "race":
                await desk.project()
                await looked(desk.another(), mortal(desk, dice.randint(0, 4)), desk.another())
            case "stale":
                # The read model does not hear of what these did.
                await looked(desk.another())
            case _:
                await desk.later(minutes=dice.randint(1, 6))
    for _ in range(12):
        await desk.later(minutes=11)
    await _each_once(desk, stalls)


async def _each_once(desk: Desk, stalls: Stalls) -> None:
    """Every alert was told by one message at most, and by one unless it was overtaken."""
    said = {body["biz_opaque_callback_data"]: str(body) for body in desk.meta.ledger}
    for number, message_id in stalls.alerts.items():
        end = await stalls.end(number)
        if isinstance(end, Failed):
            # Two processes died in its calls: whether it arrived is for people to ask.
            assert end.reason == NO_OUTCOME
        else:
            assert isinstance(end, Sent | Superseded), (number, end)
        own = await desk.state(message_id)
        carriers = [one for one, text in said.items() if number in text]
        # A text lists ten, and only counts the others.
        assert len(carriers) <= 1, (number, carriers)
        if isinstance(own, Sent):
            assert carriers == [message_id]
        elif isinstance(own, Superseded):
            assert carriers == []
        elif isinstance(end, Sent) and number not in stalls.moved:
            text = said[end.message.message_id]
            assert number in text or "lainnya" in text
        types = await desk.types(message_id)
        ended = {"MessageSent", "MessageDigested", "MessageSuperseded"}
        assert sum(kind in ended for kind in types) == 1, types
