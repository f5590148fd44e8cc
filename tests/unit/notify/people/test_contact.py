"""What a person wants of our messages, and that it is honoured when queueing and when sending."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.notify.message import Failed, Sent
from services.notify.people import contact as c
from services.notify.people.contacts import ContactsProjection, ContactViews
from services.notify.people.persons import Persons
from services.notify.refusals import UnknownChannel, UnknownLanguage
from shared.actors import system
from shared.bus import Delivery
from shared.contracts.notify import ConsentGiven, ConsentWithdrawn, ContactPreferenceStated
from shared.ids import new_id
from shared.projection import Projector
from tests.running import running_office, settings_in, until
from tests.spec import START, at, given
from tests.unit.notify.desk import PERSONS, Desk, desk_in
from tests.unit.notify.test_telling import submit

BY = system("notify")
NUMBER = "+6281234567890"
PERSON = PERSONS.of(NUMBER)
STOPPED = ConsentWithdrawn(person=PERSON, channel="whatsapp", reason="stop")
STARTED = ConsentGiven(person=PERSON, channel="whatsapp")
PREFERS = ContactPreferenceStated(person=PERSON, channel="sms", language="en")


def stop(channel: str = "whatsapp", reason: str = "stop", **when: float) -> c.WithdrawConsent:
    return c.WithdrawConsent(person=PERSON, channel=channel, reason=reason, now=at(**when), by=BY)


def start(channel: str = "whatsapp") -> c.GiveConsent:
    return c.GiveConsent(person=PERSON, channel=channel, now=START, by=BY)


def prefer(**wishes: str) -> c.StatePreference:
    return c.StatePreference(person=PERSON, now=START, by=BY, **wishes)


def test_stop_is_decided_once_and_start_takes_it_back() -> None:
    story = given(c.DECIDER).when(stop()).then(STOPPED)
    story.again().then_nothing()
    story.when(stop(reason="131050", days=1)).then_nothing()
    story.when(start()).then(STARTED).again().then_nothing()
    story.when(start()).then(STARTED).when(stop()).then(STOPPED)


def test_consent_in_so_many_words_is_recorded_before_any_stop() -> None:
    given(c.DECIDER).when(start()).then(STARTED).again().then_nothing()


def test_a_preference_is_decided_once_and_changes_only_what_is_named() -> None:
    story = given(c.DECIDER).when(prefer(channel="sms", language="en")).then(PREFERS)
    story.again().then_nothing()
    story.when(prefer(language="en")).then_nothing()
    other = ContactPreferenceStated(person=PERSON, channel="", language="id")
    state = story.when(prefer(language="id")).then(other).after.state
    assert state == c.Stated(channel="sms", language="id")
    given(c.DECIDER).when(prefer()).then_nothing()


def test_what_we_do_not_have_is_refused() -> None:
    given(c.DECIDER).when(stop(channel="pigeon")).then_refused(UnknownChannel)
    given(c.DECIDER).when(start(channel="twilio")).then_refused(UnknownChannel)
    given(c.DECIDER).when(prefer(channel="fax")).then_refused(UnknownChannel)
    given(c.DECIDER).when(prefer(language="fr")).then_refused(UnknownLanguage)


def test_channels_come_in_the_order_that_the_person_wants() -> None:
    both = ("whatsapp", "sms")
    assert c.ordered(c.Silent(), both) == both
    assert c.ordered(c.Stated(channel="sms"), both) == ("sms", "whatsapp")
    assert c.ordered(c.Stated(frozenset({"whatsapp"}), channel="whatsapp"), both) == ("sms",)
    assert c.ordered(c.Stated(frozenset(both)), both) == ()
    carriers = ("whatsapp", "sms", "twilio", "8x8")
    assert c.ordered(c.Stated(frozenset({"sms"})), carriers) == ("whatsapp",)
    assert not c.allows(c.Stated(frozenset({"sms"})), "8x8")
    assert c.language_of(c.Silent(), "id") == "id"
    assert c.language_of(c.Stated(language="en"), "id") == "en"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk_in(tmp_path) as opened:
        yield opened


async def says_stop(desk: Desk, channel: str) -> None:
    await desk.contacts.withdraw(NUMBER, channel, "stop", by=BY, cause=new_id())


async def test_stop_between_queue_and_call_leads_to_the_next_channel(desk: Desk) -> None:
    message = await desk.queue()
    await says_stop(desk, "whatsapp")
    await desk.later(seconds=1)
    await desk.later(seconds=1)
    assert desk.meta.ledger == []
    assert len(desk.gateway.ledger) == 1
    assert isinstance(await desk.state(message), Sent)
    assert "MessageFellBack" in await desk.types(message)


async def test_who_wants_nothing_at_all_is_not_called_and_that_is_on_record(desk: Desk) -> None:
    await says_stop(desk, "whatsapp")
    await says_stop(desk, "sms")
    message = await desk.queue()
    await desk.later(seconds=1)
    await desk.later(seconds=1)
    state = await desk.state(message)
    assert isinstance(state, Failed)
    assert state.reason == "opted-out"
    assert (desk.meta.ledger, desk.gateway.ledger) == ([], [])
    assert await desk.types(message) == ["MessageQueued", "MessageFailed"]


async def test_a_failing_preferred_channel_makes_way_for_the_other_one(desk: Desk) -> None:
    await desk.contacts.prefer(NUMBER, channel="sms", by=BY, cause=new_id())
    desk.gateway.answers.append(500)
    message = await desk.queue(channel="sms")
    queued = (await desk.state(message)).message  # type: ignore[union-attr]
    assert await desk.ways.after(queued, "sms") == "whatsapp"
    assert await desk.ways.after(queued, "whatsapp") == ""


async def test_wishes_are_listed_without_numbers(desk: Desk) -> None:
    await says_stop(desk, "whatsapp")
    await says_stop(desk, "sms")
    await desk.contacts.agree(NUMBER, "sms", by=BY, cause=new_id())
    await desk.contacts.prefer(NUMBER, language="en", by=BY, cause=new_id())
    projector = Projector(ContactsProjection(desk.kernel.codec), desk.database)
    await projector.prepare()
    events = await desk.kernel.store.read_all(0)
    await projector.project([Delivery("again", [e for e in events if "consent-" in e.stream])])
    views = ContactViews(desk.database)
    row = await views.find(PERSON)
    assert row is not None
    assert row[:4] == (PERSON, ("whatsapp",), "", "en")
    assert await views.refusals() == {"whatsapp": 1, "sms": 0, "email": 0}
    assert await views.find("nobody") is None
    rows: list[Any] = await desk.database.query("SELECT * FROM contacts_1")
    assert "81234567890" not in str(rows)


async def test_messages_are_queued_in_the_words_and_on_the_channel_preferred(
    tmp_path: Path,
) -> None:
    async with running_office(settings_in(tmp_path), ["notify"]) as office:
        kernel = office.running.kernel
        person = Persons(kernel.secret("persons")).of(NUMBER)
        stated = ContactPreferenceStated(person=person, channel="", language="en")
        await office.happened(c.consent_stream(person), stated, application=person)
        await submit(office)

        async def queued() -> list[Any]:
            events = await kernel.store.read_all(0)
            return [e for e in events if e.type == "MessageQueued"]

        first = (await until(queued))[0]
        assert kernel.codec.decode(first).language == "en"
