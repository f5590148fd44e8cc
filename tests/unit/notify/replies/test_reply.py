"""One reply: received once, settled once; and which stall an officer means."""

from __future__ import annotations

from typing import Any

import pytest

from services.notify.refusals import UnknownReply
from services.notify.replies import reply as r
from services.notify.replies import standing as s
from services.notify.replies.stalls import Named, OpenStall, account_of, choose
from shared.actors import Role, system
from shared.contracts import intake, notify, workflow
from shared.identity import Account
from tests.examples import example
from tests.spec import START, given

BY = system("notify")
RECEIVED = example(notify.ReplyReceived, reply_id="r1")
RECEIVE = r.ReceiveReply(
    reply_id="r1",
    channel=RECEIVED.channel,
    sender=RECEIVED.sender,
    text=RECEIVED.text,
    received_at=RECEIVED.received_at,
    in_reply_to=RECEIVED.in_reply_to,
    now=START,
    by=BY,
)
EXPLAIN = r.ExplainByReply(
    application_id="a",
    office="bogor",
    stage="verify",
    stall_id="s",
    account="verifikator",
    explanation="Sakit",
    promised="",
    now=START,
    by=BY,
)
EXPLAINED = notify.StallReplyGiven(
    application_id="a",
    office="bogor",
    stage="verify",
    stall_id="s",
    reply_id="r1",
    account="verifikator",
    explanation="Sakit",
)
OUTCOMES: list[tuple[Any, object]] = [
    (EXPLAIN, EXPLAINED),
    (
        r.AskWhich(account="verifikator", numbers=("A", "B"), now=START, by=BY),
        notify.ReplyUnclear(reply_id="r1", account="verifikator", numbers=("A", "B")),
    ),
    (
        r.AskStatus(applications=("a",), now=START, by=BY),
        notify.StatusAsked(reply_id="r1", applications=("a",)),
    ),
    (
        r.GiveUp(answered=True, now=START, by=BY),
        notify.ReplyNotUnderstood(reply_id="r1", answered=True),
    ),
]


def test_a_message_is_received_once() -> None:
    given(r.DECIDER).when(RECEIVE).then(RECEIVED).again().then_nothing()


@pytest.mark.parametrize(("command", "event"), OUTCOMES)
def test_a_reply_is_settled_once_whatever_comes_later(command: Any, event: object) -> None:
    story = given(r.DECIDER, RECEIVED).when(command).then(event)
    story.again().then_nothing()
    for other, _ in OUTCOMES:
        story.when(other).then_nothing()
    story.when(RECEIVE).then_nothing()
    given(r.DECIDER).when(command).then_refused(UnknownReply)


def stall(number: str, asked: str = "verifikator", office: str = "bogor") -> OpenStall:
    question = example(
        workflow.StallExplanationRequested, stall_id=f"s{number}", asked=asked, office=office
    )
    return OpenStall(f"BGR-2026-{number}", question)


ONE, TWO = stall("000001"), stall("000002")


@pytest.mark.parametrize(
    ("text", "answered", "open", "named"),
    [
        ("Sakit", [ONE], [ONE, TWO], Named(ONE, "Sakit", (ONE,), True)),
        ("Sakit", None, [ONE], Named(ONE, "Sakit", (ONE,), True)),
        ("Sakit", None, [ONE, TWO], Named(None, "Sakit", (ONE, TWO), False)),
        ("Sakit", [ONE, TWO], [ONE, TWO], Named(None, "Sakit", (ONE, TWO), True)),
        ("000002 Sakit", [ONE, TWO], [ONE, TWO], Named(TWO, "Sakit", (TWO,), True)),
        # What was written counts more than what was pressed.
        ("BGR-2026-000002 Sakit", [ONE], [ONE, TWO], Named(TWO, "Sakit", (TWO,), True)),
        ("BGR-2026-000002", None, [ONE, TWO], Named(None, "", (TWO,), True)),
        ("BGR-2026-000009 Sakit", [ONE], [ONE], Named(None, "Sakit", (ONE,), True)),
        # The stall that it answers is over; the other one is not meant.
        ("Sakit", [], [TWO], Named(None, "Sakit", (), True)),
        ("Sakit", None, [], Named(None, "Sakit", (), False)),
        ("", [ONE], [ONE], Named(None, "", (ONE,), True)),
    ],
)
def test_which_stall_is_meant(
    text: str, answered: list[OpenStall] | None, open: list[OpenStall], named: Named
) -> None:
    assert choose(text, answered, open) == named


def account(name: str, *roles: Role, office: str = "bogor") -> Account:
    return Account(name, name.title(), frozenset(roles), office, "+6281100000002")


def test_of_several_accounts_the_one_that_was_asked_answers() -> None:
    boss, siti = account("bos", Role.SUPERVISOR), account("siti", Role.VERIFIER)
    other = account("lain", Role.VERIFIER, office="mataram")
    people = (other, boss, siti)
    assert account_of(people, stall("000001", "siti")) == siti
    assert account_of(people, stall("000001", "verifier")) == siti
    assert account_of(people, stall("000001", "nobody")) == boss
    assert account_of([other], stall("000001", "siti")) is None


RETURNED = example(intake.ApplicationReturned)
CORRECTED = example(intake.ApplicationCorrected)
REGISTERED = example(intake.ApplicationRegistered)
TAKEN_BACK = example(intake.ApplicationWithdrawn)
NEW = example(intake.ApplicationSubmitted)
OPENED = example(workflow.PermitOpened)


@pytest.mark.parametrize(
    ("application", "permit", "words"),
    [
        ([NEW], [], s.SUBMITTED),
        ([NEW, RETURNED], [], s.RETURNED),
        ([NEW, RETURNED, CORRECTED], [], s.SUBMITTED),
        ([NEW, REGISTERED], [], s.REGISTERED),
        ([NEW, REGISTERED], [workflow.PermitOpened], s.IN_PROCESS),
        ([NEW, REGISTERED], [workflow.PermitReturned], s.CORRECTION),
        ([NEW, REGISTERED, CORRECTED], [workflow.PermitReturned], s.CORRECTION),
        ([NEW, REGISTERED], [workflow.PermitReturned, workflow.PermitResumed], s.IN_PROCESS),
        ([NEW, REGISTERED], [workflow.FeeAssessed], s.PAYMENT),
        ([NEW, REGISTERED], [workflow.FeeAssessed, workflow.FeeSettled], s.IN_PROCESS),
        (
            [NEW, REGISTERED],
            [workflow.FeeAssessed, workflow.FeeSettled, workflow.FeeUnsettled],
            s.PAYMENT,
        ),
        ([NEW, REGISTERED], [workflow.PermitIssued], s.ISSUED),
        ([NEW, REGISTERED], [workflow.PermitIssued, workflow.PermitHandedOver], s.FINISHED),
        ([NEW, REGISTERED], [workflow.PermitIssued, workflow.PermitExpired], s.FINISHED),
        ([NEW, REGISTERED], [workflow.PermitRejected], s.REJECTED),
        ([NEW, REGISTERED, TAKEN_BACK], [workflow.FeeAssessed], s.WITHDRAWN),
        ([NEW, TAKEN_BACK], [], s.WITHDRAWN),
        ([NEW, REGISTERED, TAKEN_BACK], [workflow.PermitOpened], s.WITHDRAWN),
        ([NEW, REGISTERED, TAKEN_BACK], [workflow.PermitIssued], s.ISSUED),
        ([NEW, REGISTERED], [workflow.PermitRejected, workflow.ComplaintFiled], s.REJECTED),
    ],
)
def test_where_an_application_stands(
    application: list[Any], permit: list[type[Any]], words: str
) -> None:
    events = [OPENED, *(example(kind) for kind in permit)] if permit else []
    assert s.standing(application, events) == words
