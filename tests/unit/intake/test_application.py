"""Every command: decided, refused, repeated, in conflict."""

from __future__ import annotations

from typing import Any

import pytest

from services.intake.application import DECIDER
from services.intake.refusals import (
    AlreadyDecided,
    AlreadyRegistered,
    AlreadyWithdrawn,
    ChannelClosed,
    CounterOnly,
    DocumentsMissing,
    NothingSubmitted,
    NothingToCorrect,
    NotRegistered,
    OtherOffice,
    StillTheSame,
    WaitingForApplicant,
)
from services.intake.states import Registered, Returned, Submitted
from shared.actors import APPLICANT
from shared.errors import JejakError, KeyReused
from tests.spec import given
from tests.unit.intake.samples import (
    ANSWERS,
    CORRECT,
    CORRECT_PHONE,
    CORRECTED,
    COUNTER,
    ELSEWHERE,
    KTP,
    NEW_KTP,
    PHONE_CORRECTED,
    PROOF,
    REGISTER,
    REGISTERED,
    REOPEN,
    REOPENED,
    RETURN,
    RETURNED,
    SUBMIT,
    SUBMITTED,
    VERIFIER,
    WITHDRAW,
    WITHDRAWN,
    but,
)

COUNTER_SUBMIT = but(SUBMIT, channel="counter", by=COUNTER)


@pytest.mark.parametrize(
    ("history", "command", "decided"),
    [
        ([], SUBMIT, SUBMITTED),
        ([], COUNTER_SUBMIT, but(SUBMITTED, channel="counter")),
        ([SUBMITTED], RETURN, RETURNED),
        ([SUBMITTED], REGISTER, REGISTERED),
        ([SUBMITTED], WITHDRAW, WITHDRAWN),
        ([SUBMITTED], but(WITHDRAW, by=COUNTER), WITHDRAWN),
        ([SUBMITTED, RETURNED], CORRECT, CORRECTED),
        ([SUBMITTED, RETURNED], but(CORRECT, by=COUNTER), CORRECTED),
        ([SUBMITTED, RETURNED], WITHDRAW, WITHDRAWN),
        ([SUBMITTED, RETURNED, CORRECTED], RETURN, RETURNED),
        ([SUBMITTED, RETURNED, CORRECTED], REGISTER, REGISTERED),
        ([SUBMITTED, REGISTERED], REOPEN, REOPENED),
        ([SUBMITTED], CORRECT_PHONE, PHONE_CORRECTED),
        ([SUBMITTED, RETURNED], CORRECT_PHONE, PHONE_CORRECTED),
        ([SUBMITTED, REGISTERED], CORRECT_PHONE, PHONE_CORRECTED),
        ([SUBMITTED, REGISTERED, REOPENED], CORRECT, CORRECTED),
        ([SUBMITTED, REGISTERED], WITHDRAW, WITHDRAWN),
    ],
)
def test_decided_and_then_repeated(history: list[object], command: Any, decided: object) -> None:
    given(DECIDER, *history).when(command).then(decided).again().then_nothing()


@pytest.mark.parametrize(
    ("history", "command", "refusal"),
    [
        ([], RETURN, NothingSubmitted),
        ([], CORRECT, NothingSubmitted),
        ([], REGISTER, NothingSubmitted),
        ([], REOPEN, NothingSubmitted),
        ([], WITHDRAW, NothingSubmitted),
        ([], CORRECT_PHONE, NothingSubmitted),
        ([SUBMITTED], but(CORRECT_PHONE, by=APPLICANT), CounterOnly),
        ([SUBMITTED], but(CORRECT_PHONE, by=VERIFIER), CounterOnly),
        ([SUBMITTED], but(CORRECT_PHONE, by=ELSEWHERE), OtherOffice),
        ([SUBMITTED, WITHDRAWN], CORRECT_PHONE, AlreadyWithdrawn),
        ([], but(SUBMIT, channel="email", by=COUNTER), ChannelClosed),
        ([], but(SUBMIT, channel="counter"), CounterOnly),
        ([], but(COUNTER_SUBMIT, by=ELSEWHERE), OtherOffice),
        ([SUBMITTED], but(SUBMIT, answers={"business-name": "Lain"}), KeyReused),
        ([SUBMITTED], but(SUBMIT, documents=(KTP,)), KeyReused),
        ([SUBMITTED], but(SUBMIT, permit_type="siup"), KeyReused),
        ([SUBMITTED], but(RETURN, by=VERIFIER), CounterOnly),
        ([SUBMITTED], but(RETURN, by=ELSEWHERE), OtherOffice),
        ([SUBMITTED], but(REGISTER, by=VERIFIER), CounterOnly),
        ([SUBMITTED], but(REGISTER, by=ELSEWHERE), OtherOffice),
        ([SUBMITTED], but(WITHDRAW, by=ELSEWHERE), OtherOffice),
        ([SUBMITTED], CORRECT, NothingToCorrect),
        ([SUBMITTED], REOPEN, NotRegistered),
        ([but(SUBMITTED, documents=(KTP,))], REGISTER, DocumentsMissing),
        ([SUBMITTED, RETURNED], but(RETURN, note="Satu lagi."), WaitingForApplicant),
        ([SUBMITTED, RETURNED], REGISTER, WaitingForApplicant),
        ([SUBMITTED, RETURNED], REOPEN, NotRegistered),
        ([SUBMITTED, RETURNED], but(CORRECT, by=ELSEWHERE), OtherOffice),
        ([SUBMITTED, RETURNED], but(CORRECT, documents=(NEW_KTP,)), DocumentsMissing),
        ([SUBMITTED, RETURNED], but(CORRECT, documents=(KTP, PROOF)), StillTheSame),
        ([SUBMITTED, REGISTERED], RETURN, AlreadyRegistered),
        ([SUBMITTED, REGISTERED], CORRECT, NothingToCorrect),
        ([SUBMITTED, REGISTERED], but(WITHDRAW, office_decided=True), AlreadyDecided),
        ([SUBMITTED, WITHDRAWN], RETURN, AlreadyWithdrawn),
        ([SUBMITTED, WITHDRAWN], REGISTER, AlreadyWithdrawn),
        ([SUBMITTED, WITHDRAWN], CORRECT, AlreadyWithdrawn),
    ],
)
def test_refused(history: list[object], command: Any, refusal: type[JejakError]) -> None:
    given(DECIDER, *history).when(command).then_refused(refusal)


@pytest.mark.parametrize(
    "later",
    [[RETURNED], [RETURNED, CORRECTED], [REGISTERED], [WITHDRAWN]],
)
def test_a_retried_submission_is_recognised_whatever_happened_since(later: list[object]) -> None:
    retried = but(SUBMIT, number="BGR-2026-000777", code_hash="e" * 64, permit_version=2)
    given(DECIDER, SUBMITTED, *later).when(retried).then_nothing()


def test_the_same_number_is_no_correction_and_the_last_one_counts() -> None:
    same = but(CORRECT_PHONE, phone=SUBMITTED.applicant.phone)
    given(DECIDER, SUBMITTED).when(same).then_nothing()
    back = but(PHONE_CORRECTED, phone=SUBMITTED.applicant.phone)
    given(DECIDER, SUBMITTED, PHONE_CORRECTED).when(same).then(back)


def test_a_corrected_number_changes_nothing_else() -> None:
    state = given(DECIDER, SUBMITTED, RETURNED, PHONE_CORRECTED).state
    assert isinstance(state, Returned)
    assert state.file.phone == "+6281298765432"
    assert state.file.submission == SUBMITTED
    given(DECIDER, SUBMITTED, PHONE_CORRECTED).when(SUBMIT).then_nothing()


def test_a_withdrawn_application_is_not_reopened() -> None:
    given(DECIDER, SUBMITTED, REGISTERED, WITHDRAWN).when(REOPEN).then_nothing()


def test_registering_again_during_a_later_correction_decides_nothing() -> None:
    given(DECIDER, SUBMITTED, REGISTERED, REOPENED).when(REGISTER).then_nothing()


def test_a_note_alone_can_be_answered_without_a_new_document() -> None:
    unchanged = but(CORRECT, documents=(KTP, PROOF))
    given(DECIDER, SUBMITTED, REGISTERED, REOPENED).when(unchanged).then(
        but(CORRECTED, documents=(KTP, PROOF))
    )


def test_a_refusal_says_what_may_be_done_instead() -> None:
    refused = given(DECIDER, SUBMITTED, RETURNED).when(REGISTER).then_refused(WaitingForApplicant)
    assert refused.allowed == ("CorrectApplication", "WithdrawApplication")
    refused = (
        given(DECIDER, but(SUBMITTED, documents=())).when(REGISTER).then_refused(DocumentsMissing)
    )
    assert refused.allowed == ("ReturnApplication",)
    assert refused.params == {"requirements": "ktp, bukti-tempat"}


def test_replaced_documents_are_remembered() -> None:
    state = given(DECIDER, SUBMITTED, RETURNED, CORRECTED).state
    assert isinstance(state, Submitted)
    assert state.file.documents == (NEW_KTP, PROOF)
    assert state.file.earlier == (KTP,)
    assert state.file.corrections == 1


def test_a_correction_after_registration_leads_back_to_registered() -> None:
    reopened = given(DECIDER, SUBMITTED, REGISTERED, REOPENED).state
    assert isinstance(reopened, Returned)
    assert reopened.registered
    assert isinstance(given(DECIDER, SUBMITTED, REGISTERED, REOPENED, CORRECTED).state, Registered)


@pytest.mark.parametrize("event", [RETURNED, CORRECTED, REGISTERED, WITHDRAWN, object()])
def test_evolve_accepts_every_fact_in_any_state(event: object) -> None:
    given(DECIDER, event).when(SUBMIT).then(SUBMITTED)
    assert given(DECIDER, SUBMITTED, WITHDRAWN, event).state is not None


def test_the_answers_of_a_conflicting_key_are_compared_not_the_number() -> None:
    other = but(SUBMIT, answers={**ANSWERS, "area": "12"}, number=SUBMITTED.number)
    given(DECIDER, SUBMITTED).when(other).then_refused(KeyReused)
