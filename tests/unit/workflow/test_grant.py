"""What was granted and whether it holds; the code on a letter."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.workflow.grant import Grant, grant_of
from services.workflow.permit import DECIDER
from services.workflow.seal import Seal
from services.workflow.status import Bill, CaseFile, Dossier, Report
from services.workflow.statuses import Status
from services.workflow.verification import initials
from shared.events import Fact
from tests.unit.workflow.journey import (
    ANNOUNCED,
    EXPIRED,
    HANDED,
    LIFTED,
    RENEWED,
    REVOKED,
    UNSETTLED,
    at,
    done,
    opd,
)
from tests.unit.workflow.kit import APP, CALENDAR, NOW, NUMBER, OPD_SOP, local

SEAL = Seal("rahasia")
LATER = local(12, 9)
LAST_DAY_OVER = datetime.fromisoformat("2031-01-06T00:00:00+07:00")


def report(events: Sequence[object], when: datetime = LATER) -> Report:
    """Return how a permit stands at ``when`` after facts that happened when the office opened."""
    facts = [Fact(event, NOW, "officer:kepala") for event in events]
    case = CaseFile(APP, Dossier(), DECIDER.fold(facts), Bill(), len(facts), (), facts)
    return Report(case, OPD_SOP, CALENDAR, when, Status.ISSUED, None, None, "", None)


def granted(events: Sequence[object], when: datetime = LATER) -> Grant:
    grant = grant_of(report(events, when))
    assert grant is not None
    return grant


@pytest.mark.parametrize("place", ["verify", "survey", "assess", "pay", "sign"])
def test_nothing_is_granted_before_the_signature(place: str) -> None:
    assert grant_of(report(at(place))) is None


def test_what_is_granted_says_who_signed_it_in_which_role() -> None:
    grant = granted(opd("hand"))
    assert (grant.number, grant.document_number) == (NUMBER, "503/1")
    assert (grant.signed_by, grant.signed_as) == ("officer:kepala", "signer")
    assert (grant.issued_at, grant.valid_until) == (NOW, "2031-01-05")


@pytest.mark.parametrize(
    ("ends", "standing"),
    [([], "in-force"), ([REVOKED], "revoked"), ([EXPIRED], "expired"), ([RENEWED], "renewed")],
)
def test_a_permit_stands_as_its_last_word_says(ends: list[object], standing: str) -> None:
    grant = granted([*opd("closed"), *ends])
    assert grant.standing == standing
    assert (grant.ended_at is None) == (not ends)


def test_a_permit_ends_with_its_last_day_even_before_the_timer_says_so() -> None:
    assert granted(opd("closed"), local(5, 9)).standing == "in-force"
    last_evening = datetime.fromisoformat("2031-01-05T23:59:00+07:00")
    assert granted(opd("closed"), last_evening).standing == "in-force"
    assert granted(opd("closed"), LAST_DAY_OVER).standing == "expired"


def test_a_permit_from_before_there_were_last_days_holds_without_an_end() -> None:
    grant = granted(at("closed"), LAST_DAY_OVER)
    assert (grant.valid_until, grant.standing) == ("", "in-force")


def test_the_applicant_waits_for_the_letter_until_the_counter_is_done() -> None:
    assert not granted(opd("match")).ready
    assert not granted(opd("hand")).ready
    assert granted([*opd("hand"), done("hand"), HANDED]).ready


def test_nothing_is_handed_out_while_the_payment_is_missing() -> None:
    assert not granted([*at("closed"), UNSETTLED]).ready


def test_an_announced_revocation_is_known_until_it_is_lifted() -> None:
    assert granted([*opd("closed"), ANNOUNCED]).revocation_on == "2026-02-02"
    assert granted([*opd("closed"), ANNOUNCED, LIFTED]).revocation_on == ""


def test_the_fingerprint_is_of_the_decision_alone() -> None:
    grant = granted(opd("closed"))
    assert len(grant.fingerprint.replace(" ", "")) == 32
    assert granted([*opd("closed"), REVOKED]).fingerprint == grant.fingerprint
    # A person who was erased leaves it as it is.
    assert replace(grant, holder="", answers={}).fingerprint == grant.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"number": "CTH-2026-000002"},
        {"document_number": "503/2"},
        {"office": "lain"},
        {"permit_type": "lain"},
        {"permit_version": 2},
        {"valid_until": "2032-01-05"},
        {"issued_at": LATER},
        {"signed_by": "officer:lain"},
    ],
)
def test_whatever_the_decision_says_is_in_its_fingerprint(change: dict[str, object]) -> None:
    grant = granted(opd("closed"))
    assert replace(grant, **change).fingerprint != grant.fingerprint  # type: ignore[arg-type]


@given(st.uuids())
def test_a_code_leads_to_its_own_application_alone(identity: UUID) -> None:
    token = SEAL.token(str(identity))
    assert SEAL.opened(token) == str(identity)
    assert Seal("lain").opened(token) is None


@given(st.uuids(), st.integers(0, 255))
def test_a_code_with_any_bit_changed_is_none_of_ours(identity: UUID, bit: int) -> None:
    held = bytearray(base64.urlsafe_b64decode(SEAL.token(str(identity)) + "="))
    held[bit // 8] ^= 1 << (bit % 8)
    changed = base64.urlsafe_b64encode(bytes(held)).rstrip(b"=").decode()
    assert SEAL.opened(changed) is None


def test_a_code_has_one_spelling() -> None:
    token = SEAL.token(APP)
    # The last letter carries two bits that mean nothing.
    other = token[:-1] + chr(ord(token[-1]) + 1)
    assert SEAL.opened(other) is None
    assert SEAL.opened(token + "=") is None


@given(st.text(max_size=80))
def test_what_somebody_makes_up_is_none_of_ours(typed: str) -> None:
    assert SEAL.opened(typed) is None


@given(st.text())
def test_initials_tell_neither_the_name_nor_its_length(name: str) -> None:
    masked = initials(name).split()
    assert [len(word) for word in masked] == [4] * len(name.split())


def test_initials_are_recognised_by_who_knows_the_name() -> None:
    assert initials("Pemohon Contoh") == "P••• C•••"
    assert initials("") == ""
