"""A settlement file's commands, and the proof of a day: decided, refused, ignored, conflict."""

from __future__ import annotations

from typing import Any

import pytest

from services.payment.settlement.closing import DECIDER as CLOSING
from services.payment.settlement.closing import ProveDay, SumsDisagree
from services.payment.settlement.commands import (
    AcceptFile,
    ExplainLine,
    MatchLine,
    OpenFile,
    RecordLines,
    RejectFile,
    WriteToSuspense,
)
from services.payment.settlement.file import (
    DECIDER,
    LINES,
)
from services.payment.settlement.refusals import (
    FileNotAccepted,
    LineMatchedOtherwise,
    LineNotWaiting,
    LinesDiffer,
    LinesMissing,
    NoSuchLine,
    OriginalNeeded,
    ReasonNeeded,
)
from shared.actors import Actor, Role, system
from shared.contracts.payment import (
    ClassTotal,
    LineExplained,
    LineMatchedByHand,
    LineWrittenToSuspense,
    SettlementDayProved,
    SettlementFileAccepted,
    SettlementFileOpened,
    SettlementFileRejected,
    SettlementLine,
    SettlementLinesRecorded,
)
from shared.errors import JejakError, NotAllowed
from tests.spec import START, given
from tests.unit.payment.settlement.house import (
    TREASURER,
)

ABOUT: dict[str, Any] = {
    "settlement_id": "S",
    "partner": "bank-contoh",
    "sha256": "ab" * 32,
    "name": "file.csv",
}
STATED: dict[str, Any] = {
    "first_day": "2026-01-06",
    "last_day": "2026-01-06",
    "opening": 100,
    "closing": 350,
    "lines": 2,
}
OPENED = SettlementFileOpened(**ABOUT, **STATED)
ACCEPTED = SettlementFileAccepted(
    settlement_id="S", partner="bank-contoh", lines=2, credits=300, debits=50
)
REJECTED = SettlementFileRejected(**ABOUT, reason="unbalanced", line=0)
MATCHED = LineMatchedByHand(
    settlement_id="S",
    line=2,
    application_id="A",
    bill_id="B",
    reason="the slip says so",
    reference="NTB1",
)
EXPLAINED = LineExplained(settlement_id="S", line=2, reason="the bank's charge of March")
ASIDE = LineWrittenToSuspense(settlement_id="S", line=2, reason="nobody knows whose it is")
GIVEN: dict[str, Any] = {"now": START, "by": system("test")}


def open_file() -> OpenFile:
    return OpenFile(**ABOUT, **STATED, **GIVEN)


def reject(reason: str = "unbalanced") -> RejectFile:
    return RejectFile(**ABOUT, reason=reason, line=0, **GIVEN)


def accept(**changes: Any) -> AcceptFile:
    return AcceptFile(**{"lines": 2, "credits": 300, "debits": 50, **GIVEN, **changes})


def match(**changes: Any) -> MatchLine:
    said = {
        "line": 2,
        "application_id": "A",
        "bill_id": "B",
        "reference": "NTB1",
        "reason": "the slip says so",
        "waits": True,
        "now": START,
        "by": TREASURER,
    }
    return MatchLine(**{**said, **changes})


def aside(**changes: Any) -> WriteToSuspense:
    said = {"line": 2, "reason": ASIDE.reason, "waits": True, "now": START, "by": TREASURER}
    return WriteToSuspense(**{**said, **changes})


def explain(**changes: Any) -> ExplainLine:
    said = {"line": 2, "reason": EXPLAINED.reason, "waits": True, "now": START, "by": TREASURER}
    return ExplainLine(**{**said, **changes})


def test_a_file_is_opened_once() -> None:
    given(DECIDER).when(open_file()).then(OPENED).again().then_nothing()
    given(DECIDER, OPENED, ACCEPTED).when(open_file()).then_nothing()


def test_a_refused_file_may_be_opened_when_the_profile_was_put_right() -> None:
    given(DECIDER, REJECTED).when(open_file()).then(OPENED)


def test_a_file_is_refused_once_for_the_same_reason() -> None:
    given(DECIDER).when(reject()).then(REJECTED).again().then_nothing()
    other = SettlementFileRejected(**ABOUT, reason="truncated", line=0)
    given(DECIDER, REJECTED).when(reject("truncated")).then(other)
    given(DECIDER, OPENED).when(reject("truncated")).then(other)


def test_what_counts_is_not_refused_afterwards() -> None:
    given(DECIDER, OPENED, ACCEPTED).when(reject()).then_nothing()


def test_a_file_counts_once_all_its_lines_are_recorded() -> None:
    given(DECIDER, OPENED).when(accept()).then(ACCEPTED).again().then_nothing()


@pytest.mark.parametrize("changes", [{"lines": 1}, {"credits": 299}, {"debits": 49}])
def test_a_file_that_lacks_something_does_not_count(changes: dict[str, int]) -> None:
    given(DECIDER, OPENED).when(accept(**changes)).then_refused(LinesMissing)


def test_only_an_opened_file_can_count() -> None:
    given(DECIDER).when(accept()).then_refused(FileNotAccepted)
    given(DECIDER, REJECTED).when(accept()).then_refused(FileNotAccepted)


def test_a_line_is_matched_once() -> None:
    given(DECIDER, OPENED, ACCEPTED).when(match()).then(MATCHED).again().then_nothing()


def test_a_line_is_matched_with_one_payment_only() -> None:
    matched = given(DECIDER, OPENED, ACCEPTED, MATCHED)
    matched.when(match(reference="NTB2")).then_refused(LineMatchedOtherwise)
    matched.when(match(application_id="C")).then_refused(LineMatchedOtherwise)


def test_only_a_line_that_waits_is_matched() -> None:
    given(DECIDER, OPENED, ACCEPTED).when(match(waits=False)).then_refused(LineNotWaiting)


@pytest.mark.parametrize("line", [0, 3])
def test_only_a_line_of_the_file_is_matched(line: int) -> None:
    given(DECIDER, OPENED, ACCEPTED).when(match(line=line)).then_refused(NoSuchLine)


def test_only_a_line_of_an_accepted_file_is_matched() -> None:
    given(DECIDER, OPENED).when(match()).then_refused(FileNotAccepted)


def test_a_match_says_why() -> None:
    given(DECIDER, OPENED, ACCEPTED).when(match(reason=" ")).then_refused(ReasonNeeded)


def test_only_a_treasurer_matches() -> None:
    auditor = Actor("officer", "auditor", "bogor", frozenset({Role.AUDITOR}))
    given(DECIDER, OPENED, ACCEPTED).when(match(by=auditor)).then_refused(NotAllowed)


def test_a_line_is_written_to_suspense_once() -> None:
    accepted = given(DECIDER, OPENED, ACCEPTED)
    accepted.when(aside()).then(ASIDE).again().then_nothing()
    given(DECIDER, OPENED, ACCEPTED, ASIDE).when(aside(reason="as before")).then_nothing()


def test_what_was_decided_of_a_line_is_not_decided_otherwise() -> None:
    given(DECIDER, OPENED, ACCEPTED, MATCHED).when(aside()).then_refused(LineMatchedOtherwise)
    given(DECIDER, OPENED, ACCEPTED, ASIDE).when(match()).then_refused(LineMatchedOtherwise)


# What no treasurer may say of a line, and nobody else at all.
NOT_SAID: list[tuple[dict[str, Any], type[JejakError]]] = [
    ({"waits": False}, LineNotWaiting),
    ({"line": 3}, NoSuchLine),
    ({"reason": " "}, ReasonNeeded),
    ({"by": Actor("officer", "penyelia", "bogor", frozenset({Role.SUPERVISOR}))}, NotAllowed),
]


@pytest.mark.parametrize(("changes", "refusal"), NOT_SAID)
def test_a_line_is_written_to_suspense_by_a_treasurer_with_a_reason(
    changes: dict[str, Any], refusal: type[JejakError]
) -> None:
    given(DECIDER, OPENED, ACCEPTED).when(aside(**changes)).then_refused(refusal)


def test_a_debit_is_explained_once() -> None:
    accepted = given(DECIDER, OPENED, ACCEPTED)
    accepted.when(explain()).then(EXPLAINED).again().then_nothing()
    given(DECIDER, OPENED, ACCEPTED, EXPLAINED).when(explain(reason="as before")).then_nothing()


def test_what_was_explained_is_not_decided_otherwise() -> None:
    for other in (match(), aside()):
        given(DECIDER, OPENED, ACCEPTED, EXPLAINED).when(other).then_refused(LineMatchedOtherwise)
    for said in (MATCHED, ASIDE):
        given(DECIDER, OPENED, ACCEPTED, said).when(explain()).then_refused(LineMatchedOtherwise)


@pytest.mark.parametrize(("changes", "refusal"), NOT_SAID)
def test_a_debit_is_explained_by_a_treasurer_with_a_reason(
    changes: dict[str, Any], refusal: type[JejakError]
) -> None:
    given(DECIDER, OPENED, ACCEPTED).when(explain(**changes)).then_refused(refusal)


def test_only_a_line_of_an_accepted_file_is_explained() -> None:
    given(DECIDER, OPENED).when(explain()).then_refused(FileNotAccepted)


def test_a_debit_is_matched_with_what_it_takes_back() -> None:
    accepted = given(DECIDER, OPENED, ACCEPTED)
    accepted.when(match(debit=True, reference="")).then_refused(OriginalNeeded)
    accepted.when(match(debit=True)).then(MATCHED)


def test_only_a_line_of_an_accepted_file_is_written_to_suspense() -> None:
    given(DECIDER, OPENED).when(aside()).then_refused(FileNotAccepted)


LINE = SettlementLine(line=1, amount=300, value_on="2026-01-06")


def record(*lines: SettlementLine) -> RecordLines:
    return RecordLines(settlement_id="S", partner="bank-contoh", lines=lines, **GIVEN)


def test_a_part_of_a_file_is_recorded_once() -> None:
    recorded = SettlementLinesRecorded(settlement_id="S", partner="bank-contoh", lines=(LINE,))
    given(LINES).when(record(LINE)).then(recorded).again().then_nothing()


def test_a_part_that_reads_differently_now_is_refused() -> None:
    recorded = SettlementLinesRecorded(settlement_id="S", partner="bank-contoh", lines=(LINE,))
    other = SettlementLine(line=1, amount=301, value_on="2026-01-06")
    given(LINES, recorded).when(record(other)).then_refused(LinesDiffer)


CLASSES = (
    ClassTotal(name="AWAITING_SETTLEMENT", count=7, amount=900),
    ClassTotal(name="MATCHED", count=1, amount=300),
    ClassTotal(name="PENDING", count=1, amount=-50),
)


def prove(**changes: Any) -> ProveDay:
    said = {
        "partner": "bank-contoh",
        "day": "2026-01-06",
        "settled": 250,
        "lines": 2,
        "classes": CLASSES,
        "digest": "d1",
        **GIVEN,
    }
    return ProveDay(**{**said, **changes})


def proof(**changes: Any) -> SettlementDayProved:
    said = {
        "partner": "bank-contoh",
        "day": "2026-01-06",
        "settled": 250,
        "classes": CLASSES,
        "lines": 2,
        "digest": "d1",
    }
    return SettlementDayProved(**{**said, **changes})


def test_a_day_is_proved_once_for_each_picture() -> None:
    given(CLOSING).when(prove()).then(proof()).again().then_nothing()
    given(CLOSING, proof()).when(prove(digest="d2")).then(proof(digest="d2"))


@pytest.mark.parametrize("changes", [{"settled": 251}, {"lines": 3}, {"classes": CLASSES[:2]}])
def test_a_day_whose_sums_disagree_is_not_proved(changes: dict[str, Any]) -> None:
    given(CLOSING).when(prove(**changes)).then_refused(SumsDisagree)
