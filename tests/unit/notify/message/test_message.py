"""A message's rules: decided, refused, repeated; conflicts are in test_sender."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from services.notify.message import (
    DECIDER,
    NO_OUTCOME,
    Delivered,
    Failed,
    Queued,
    Read,
    Superseded,
    Unknown,
)
from services.notify.message.commands import Command
from services.notify.refusals import NotWaiting, UnknownMessage
from shared.contracts.notify import (
    MessageAttempted,
    MessageDeferred,
    MessageDelivered,
    MessageDigested,
    MessageFailed,
    MessageFellBack,
    MessageOutcomeUnknown,
    MessageRead,
    MessageSent,
    MessageSuperseded,
)
from shared.errors import Refused
from tests.spec import at, facts, given
from tests.unit.notify.samples import (
    ATTEMPTED,
    IDS,
    QUEUED,
    attempt,
    defer,
    delivered,
    digest,
    failure,
    queue,
    read,
    sent,
    supersede,
    unknown,
)

SENT = MessageSent(**IDS, channel="whatsapp", provider_id="wamid.1")
ARRIVED = MessageDelivered(**IDS)
FAILED = MessageFailed(**IDS, reason="131026")
FELL_BACK = MessageFellBack(**IDS, channel="sms", reason="131026")
UNKNOWN = MessageOutcomeUnknown(**IDS, attempt=1)
DEFERRED = MessageDeferred(**IDS, reason="130429", not_before=at(minutes=9).isoformat())
OVERTAKEN = MessageSuperseded(**IDS)


def test_a_message_is_queued_once() -> None:
    given(DECIDER).when(queue()).then(QUEUED).again().then_nothing()


def test_a_call_is_announced_before_it_is_made_and_never_twice() -> None:
    given(DECIDER, QUEUED).when(attempt(1)).then(ATTEMPTED).again().then_refused(NotWaiting)
    given(DECIDER, QUEUED).when(attempt(2)).then_refused(NotWaiting)
    given(DECIDER).when(attempt(1)).then_refused(UnknownMessage)


def test_sent_then_delivered() -> None:
    given(DECIDER, QUEUED, ATTEMPTED).when(sent()).then(SENT).again().then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED, SENT).when(delivered()).then(ARRIVED).again().then_nothing()


def test_read_may_be_reported_before_delivered_and_is_the_end() -> None:
    opened = MessageRead(**IDS)
    given(DECIDER, QUEUED, ATTEMPTED, SENT, ARRIVED).when(read()).then(opened)
    early = given(DECIDER, QUEUED, ATTEMPTED, SENT).when(read()).then(opened).again().then_nothing()
    early.when(delivered()).then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED, FAILED).when(read()).then_nothing()


def test_what_came_back_undelivered_may_be_tried_again() -> None:
    given(DECIDER, QUEUED, ATTEMPTED, SENT).when(defer(at(minutes=9))).then(DEFERRED)
    given(DECIDER, QUEUED, ATTEMPTED, SENT, ARRIVED).when(defer(at(minutes=9))).then_nothing()


def test_delivered_may_be_reported_before_sent() -> None:
    after = given(DECIDER, QUEUED, ATTEMPTED).when(delivered()).then(ARRIVED)
    after.when(sent()).then_nothing()


def test_a_broken_call_is_unknown_until_a_report_or_one_resend() -> None:
    given(DECIDER, QUEUED, ATTEMPTED).when(unknown()).then(UNKNOWN).again().then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED, UNKNOWN).when(sent()).then(SENT)
    resent = MessageAttempted(**IDS, channel="whatsapp", attempt=2)
    again = given(DECIDER, QUEUED, ATTEMPTED, UNKNOWN).when(attempt(2)).then(resent)
    lost = again.when(unknown(2)).then(MessageOutcomeUnknown(**IDS, attempt=2))
    lost.when(attempt(3)).then_refused(NotWaiting)
    state = lost.after.state
    assert isinstance(state, Unknown)
    assert state.resent


def test_a_failure_for_want_of_an_outcome_still_hears_that_it_arrived() -> None:
    twice = (QUEUED, ATTEMPTED, UNKNOWN, MessageAttempted(**IDS, channel="whatsapp", attempt=2))
    given_up = MessageFailed(**IDS, reason=NO_OUTCOME)
    missed = given(DECIDER, *twice, MessageOutcomeUnknown(**IDS, attempt=2), given_up)
    missed.when(delivered()).then(ARRIVED).when(read()).then(MessageRead(**IDS))
    missed.when(read()).then(MessageRead(**IDS)).when(delivered()).then_nothing()
    missed.when(sent()).then_nothing()
    missed.when(failure("sms")).then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED, FAILED).when(delivered()).then_nothing()


def test_a_late_word_about_an_earlier_call_changes_nothing() -> None:
    second = MessageAttempted(**IDS, channel="whatsapp", attempt=2)
    given(DECIDER, QUEUED, ATTEMPTED, UNKNOWN, second).when(unknown(1)).then_nothing()


def test_what_the_provider_surely_refused_is_tried_again_later() -> None:
    given(DECIDER, QUEUED, ATTEMPTED).when(defer(at(minutes=9))).then(
        DEFERRED
    ).again().then_nothing()
    second = MessageAttempted(**IDS, channel="whatsapp", attempt=2)
    given(DECIDER, QUEUED, ATTEMPTED, DEFERRED).when(attempt(2)).then(second)


def test_a_resend_that_is_deferred_is_still_the_only_one() -> None:
    second = MessageAttempted(**IDS, channel="whatsapp", attempt=2)
    third = MessageAttempted(**IDS, channel="whatsapp", attempt=3)
    lost = MessageOutcomeUnknown(**IDS, attempt=3)
    history = (QUEUED, ATTEMPTED, UNKNOWN, second, DEFERRED, third, lost)
    given(DECIDER, *history).when(attempt(4)).then_refused(NotWaiting)


def test_a_failed_channel_falls_back_to_the_next_or_fails() -> None:
    back = given(DECIDER, QUEUED, ATTEMPTED).when(failure("sms")).then(FELL_BACK)
    back.again().then_nothing()
    back.when(attempt(1)).then(MessageAttempted(**IDS, channel="sms", attempt=1))
    given(DECIDER, QUEUED, ATTEMPTED).when(failure()).then(FAILED).again().then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED, SENT).when(failure("sms")).then(FELL_BACK)


def test_the_channel_that_was_given_up_may_still_deliver() -> None:
    given(DECIDER, QUEUED, ATTEMPTED, FELL_BACK).when(delivered()).then(ARRIVED)
    given(DECIDER, QUEUED, ATTEMPTED, FELL_BACK).when(sent()).then_nothing()


def test_a_waiting_message_may_go_out_with_others() -> None:
    joined = MessageDigested(**IDS, into="another")
    given(DECIDER, QUEUED).when(digest("another")).then(joined).again().then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED).when(digest("another")).then_nothing()
    given(DECIDER, QUEUED, joined).when(attempt(1)).then_refused(NotWaiting)


def test_a_message_that_a_provider_was_asked_for_is_not_gathered_any_more() -> None:
    later = MessageDeferred(**IDS, reason="130429", not_before=at(hours=1).isoformat())
    given(DECIDER, QUEUED, ATTEMPTED, later).when(digest("another")).then_nothing()
    given(DECIDER, QUEUED, FELL_BACK).when(digest("another")).then_nothing()


def test_a_message_may_be_queued_for_later() -> None:
    later = replace(QUEUED, not_before=at(hours=9).isoformat(), digest="stalls")
    asked = queue(not_before=at(hours=9), digest="stalls")
    given(DECIDER).when(asked).then(later).again().then_nothing()
    state = DECIDER.fold(facts(later))
    assert isinstance(state, Queued)
    assert state.not_before == at(hours=9)


def test_only_a_waiting_message_is_superseded() -> None:
    given(DECIDER, QUEUED).when(supersede()).then(OVERTAKEN).again().then_nothing()
    given(DECIDER, QUEUED, ATTEMPTED).when(supersede()).then_nothing()


@pytest.mark.parametrize("report", [sent(), delivered(), read(), unknown(), failure(), supersede()])
def test_a_report_about_no_message_is_refused(report: Command) -> None:
    given(DECIDER).when(report).then_refused(UnknownMessage)


COMMANDS: list[Command] = [
    queue(),
    *(attempt(number) for number in (1, 2, 3)),
    sent(),
    sent("sms", ""),
    delivered(),
    read(),
    unknown(1),
    unknown(2),
    defer(at(minutes=9)),
    failure(),
    failure("sms"),
    supersede(),
]


@settings(max_examples=300)
@for_all(st.lists(st.sampled_from(COMMANDS), max_size=25))
def test_final_states_never_regress_whatever_arrives(commands: list[Command]) -> None:
    state = DECIDER.initial
    final: object = None
    for command in commands:
        try:
            decided = DECIDER.decide(command, state)
        except Refused:
            continue
        state = DECIDER.fold(facts(*decided), state)
        if final is not None:
            assert state == final or (isinstance(final, Delivered) and isinstance(state, Read))
        if isinstance(state, Delivered | Read | Failed | Superseded):
            final = state


def test_deciding_twice_from_the_same_state_adds_nothing() -> None:
    story = [QUEUED, ATTEMPTED, SENT, ARRIVED]
    histories = [story[:length] for length in range(5)]
    for history, command in itertools.product(histories, COMMANDS):
        state = DECIDER.fold(facts(*history))
        try:
            after = DECIDER.fold(facts(*DECIDER.decide(command, state)), state)
            assert not DECIDER.decide(command, after)
        except Refused:
            continue
