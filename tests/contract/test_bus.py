"""One suite for both buses: what projections, reactions and live pages rely on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Subscription
from shared.bus.local import GroupTaken
from shared.contracts.workflow import PermitClosed
from shared.events import Recorded
from tests.consuming import eventually, new_event
from tests.contract.buses import Office, opened

INTAKE, WORKFLOW = "jejak.intake", "jejak.workflow"


@pytest.fixture(params=["local", pytest.param("kafka", marks=pytest.mark.kafka)])
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    bootstrap = request.getfixturevalue("kafka_topics") if request.param == "kafka" else ""
    async with opened(tmp_path, bootstrap) as made:
        yield made


async def take(
    office: Office, subscription: Subscription, count: int, *, commit: bool = True
) -> list[Recorded]:
    """Consume until ``count`` of this test's events came; commit after each batch, or never."""
    got: list[Recorded] = []
    async with asyncio.timeout(20):
        async for deliveries in subscription.batches():
            for _, events in deliveries:
                got += office.mine(events)
            if commit:
                await subscription.commit()
            if len(got) >= count:
                return got
    return got


def letters(office: Office, events: Sequence[Recorded]) -> str:
    """Return which applications the events are of, sorted: applications have no order."""
    return "".join(sorted(one.correlation_id.removeprefix(office.mark) for one in events))


async def test_an_event_arrives_as_it_was_recorded(office: Office) -> None:
    await office.append("a")
    await office.append("b", PermitClosed)
    subscription = await office.bus.subscribe(office.group(), [INTAKE, WORKFLOW])
    got = await take(office, subscription, 2)
    assert sorted(got) == await office.store.read_all(0)


async def test_events_of_an_application_arrive_in_order(office: Office) -> None:
    await office.append("abcabcaabbcc" * 20)
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    got = await take(office, subscription, 240)
    for letter in "abc":
        positions = [r.position for r in got if r.correlation_id == office.mark + letter]
        assert len(positions) == 80
        assert positions == sorted(positions)


async def test_a_delivery_is_of_one_source_in_order(office: Office) -> None:
    await office.append("abcdefgh" * 10)
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    last: dict[str, int] = {}
    count = 0
    async with asyncio.timeout(20):
        async for deliveries in subscription.batches():
            for source, events in deliveries:
                for one in office.mine(events):
                    assert one.position > last.get(source, 0)
                    last[source] = one.position
                    count += 1
            if count == 80:
                break
    assert count == 80


async def test_what_was_not_committed_is_delivered_again(office: Office) -> None:
    await office.append("aaa")
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    assert letters(office, await take(office, subscription, 3, commit=False)) == "aaa"
    await subscription.close()
    again = await office.bus.subscribe(office.group(), [INTAKE])
    assert letters(office, await take(office, again, 3)) == "aaa"


async def test_what_was_committed_is_not_delivered_again(office: Office) -> None:
    await office.append("aaa")
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    await take(office, subscription, 3)
    await subscription.close()
    await office.append("b")
    again = await office.bus.subscribe(office.group(), [INTAKE])
    assert letters(office, await take(office, again, 1)) == "b"


async def test_a_new_process_goes_on_where_the_last_one_committed(office: Office) -> None:
    await office.append("aaa")
    await take(office, await office.bus.subscribe(office.group(), [INTAKE]), 3)
    await office.shut()
    await office.append("bb")
    await office.open()
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    assert letters(office, await take(office, subscription, 2)) == "bb"


async def test_groups_do_not_know_of_each_other(office: Office) -> None:
    await office.append("aaa")
    one = await office.bus.subscribe(office.group("one"), [INTAKE])
    await take(office, one, 3)
    other = await office.bus.subscribe(office.group("other"), [INTAKE])
    assert letters(office, await take(office, other, 3)) == "aaa"


async def test_only_the_topics_that_were_asked_for(office: Office) -> None:
    await office.append("a")
    await office.append("b", PermitClosed)
    await office.append("c")
    await office.append("d", PermitClosed)
    subscription = await office.bus.subscribe(office.group(), [WORKFLOW])
    assert letters(office, await take(office, subscription, 2)) == "bd"


async def test_rewind_starts_again_from_the_first_event(office: Office) -> None:
    await office.append("aaa")
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    await take(office, subscription, 3)
    await subscription.rewind()
    assert letters(office, await take(office, subscription, 3)) == "aaa"


async def test_rewind_before_the_first_batch_of_a_group_that_had_committed(office: Office) -> None:
    await office.append("aaa")
    first = await office.bus.subscribe(office.group(), [INTAKE])
    await take(office, first, 3)
    await first.close()
    second = await office.bus.subscribe(office.group(), [INTAKE])
    await second.rewind()
    assert letters(office, await take(office, second, 3)) == "aaa"


async def test_a_rewind_is_over_once_it_is_committed(office: Office) -> None:
    await office.append("aaa")
    first = await office.bus.subscribe(office.group(), [INTAKE])
    await take(office, first, 3)
    await first.rewind()
    await take(office, first, 3)
    await first.close()
    await office.append("b")
    second = await office.bus.subscribe(office.group(), [INTAKE])
    assert letters(office, await take(office, second, 1)) == "b"


def held(position: int) -> dict[str, int]:
    """Return what a consumer would say that holds everything up to ``position``."""
    return dict.fromkeys(["store", *(f"{INTAKE}/{number}" for number in range(12))], position)


async def test_a_consumer_that_holds_everything_gets_only_what_is_new(office: Office) -> None:
    await office.append("aaa")
    first = await office.bus.subscribe(office.group(), [INTAKE])
    await take(office, first, 3)
    await first.close()
    await office.append("ab")
    second = await office.bus.subscribe(office.group(), [INTAKE])
    # Other tests' events on a shared broker have positions of their own stores.
    await second.rewind(held(3) if office.alone else held(2**60))
    assert letters(office, await take(office, second, 2)) == "ab"


async def test_a_consumer_that_lost_its_last_rows_gets_them_again(office: Office) -> None:
    await office.append("aaa")
    first = await office.bus.subscribe(office.group(), [INTAKE])
    got = await take(office, first, 3)
    await first.close()
    second = await office.bus.subscribe(office.group(), [INTAKE])
    await second.rewind(held(1))
    assert got[1:] == (await take(office, second, 2 if office.alone else 3))[-2:]


async def test_live_yields_what_comes_from_now_on(office: Office) -> None:
    await office.append("old")
    await take(office, await office.bus.subscribe(office.group(), [INTAKE]), 3)
    got: list[Recorded] = []

    async def listen() -> None:
        async for one in office.bus.live([INTAKE]):
            got.extend(office.mine([one]))

    listeners = [asyncio.create_task(listen()) for _ in range(2)]
    await asyncio.sleep(1)
    await office.append("n", PermitClosed)
    await office.append("new")

    async def all_there() -> bool:
        return len(got) >= 6

    await eventually(all_there)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    assert letters(office, got) == "eennww"


async def test_an_append_wakes_a_waiting_subscriber(office: Office) -> None:
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    await office.append("a")
    batches = subscription.batches()
    waits: list[float] = []
    async with asyncio.timeout(30):
        await _mine(office, batches)
        for _ in range(20):
            await asyncio.sleep(0.01)
            waiting = asyncio.create_task(_mine(office, batches))
            await asyncio.sleep(0.01)
            began = time.perf_counter()
            await office.append("a")
            await waiting
            waits.append(time.perf_counter() - began)
    # Woken, not polled: a poll of half a second would show here.
    assert sorted(waits)[10] < 0.2


async def _mine(office: Office, batches: AsyncIterator[Any]) -> None:
    async for deliveries in batches:
        if any(office.mine(events) for _, events in deliveries):
            return


async def test_many_events_all_arrive(office: Office) -> None:
    streams = [f"{office.mark}m{number}" for number in range(20)]
    for start in range(0, 5000, 250):
        await asyncio.gather(
            *(
                office.store.append(
                    f"application-{streams[n % 20]}", [new_event(streams[n % 20], n)]
                )
                for n in range(start, start + 250)
            )
        )
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    got = await take(office, subscription, 5000)
    assert len({one.event_id for one in got}) == 5000


async def test_close_ends_a_waiting_subscriber(office: Office) -> None:
    subscription = await office.bus.subscribe(office.group(), [INTAKE])
    await office.append("a")
    await take(office, subscription, 1)
    waiting = asyncio.create_task(take(office, subscription, 1))
    await asyncio.sleep(0.1)
    await office.bus.close()
    async with asyncio.timeout(10):
        assert await waiting == []


async def test_an_embedded_group_has_one_member(tmp_path: Path) -> None:
    async with opened(tmp_path, "") as office:
        first = await office.bus.subscribe("one", [INTAKE])
        with pytest.raises(GroupTaken):
            await office.bus.subscribe("one", [INTAKE])
        await first.close()
        await office.bus.subscribe("one", [INTAKE])


async def test_a_slow_group_does_not_hold_up_a_fast_one_nor_memory(tmp_path: Path) -> None:
    async with opened(tmp_path, "") as office:
        slow = await office.bus.subscribe("slow", [INTAKE])
        fast = await office.bus.subscribe("fast", [INTAKE])
        # The window is 50 events: the slow group has to read the store itself.
        for _ in range(10):
            await office.append("abcde" * 8)
            assert len(await take(office, fast, 40)) == 40
        assert len(await take(office, slow, 400)) == 400
