"""The log of an application, what did not arrive, and sending it again, over HTTP."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.notify.log.reasons import REASONS, reason_of
from services.notify.log.resend import check, resend_id
from services.notify.log.rights import RIGHTS, Right, of
from services.notify.message import Failed, NotQueued, Sent, Unknown, message_stream
from services.notify.refusals import (
    AlreadyResent,
    NotFailed,
    NumberUnusable,
    RecipientOptedOut,
    StillResolving,
)
from shared.actors import Role
from shared.contracts.intake import Applicant
from shared.contracts.notify import MessageFailed, MessageQueued, ReplyReceived
from shared.contracts.workflow import StageCompleted, StageOverdue, StageStarted
from shared.identity import Account
from tests.examples import example
from tests.running import Office, running_office, settings_in, until
from tests.spec import START
from tests.unit.notify.samples import QUEUED
from tests.unit.notify.test_telling import APPLICATION, NUMBER, STALL, _with, permit, submit

HTML = {"accept": "text/html"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["notify"]) as running:
        yield running


async def shown(office: Office, path: str, status: int = 200) -> str:
    """Return a page in English."""
    joined = f"{path}{'&' if '?' in path else '?'}lang=en"
    answer = await office.http.get(joined, headers=HTML)
    assert answer.status_code == status, answer.text
    return answer.text


async def listed(office: Office, count: int, **filters: str) -> list[dict[str, Any]]:
    """Return the messages once so many are listed."""

    async def enough() -> Any:
        found = (await office.http.get("/api/messages", params=filters)).json()
        return found if len(found) >= count else None

    found: list[dict[str, Any]] = await until(enough, what=f"{count} messages")
    assert len(found) == count
    return found


async def failed(office: Office, reason: str = "131026") -> str:
    """Let the message about the submission fail for good; return its id."""
    await submit(office)
    (message,) = await listed(office, 1, state="sent")
    failure = MessageFailed(
        application_id=APPLICATION, message_id=message["message_id"], reason=reason
    )
    await office.happened(message_stream(message["message_id"]), failure, application=APPLICATION)
    await listed(office, 1, state="failed")
    return str(message["message_id"])


async def press(office: Office, path: str, **changes: str) -> httpx.Response:
    """Fill in and send the form of a page; hidden fields go along."""
    text = await shown(office, path)
    form = re.findall(r'<form method="post" action="(/pesan/[^"]+)">(.*?)</form>', text, re.S)
    action, fields = form[-1]
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', fields))
    return await office.http.post(action, data={**hidden, **changes}, headers=HTML)


async def test_the_log_tells_everything_about_one_application(office: Office) -> None:
    await office.sign_in("loket")
    message_id = await failed(office)
    reply = ReplyReceived(
        reply_id="r1",
        channel="whatsapp",
        sender="+6281234567890",
        text="Nomor saya ganti",
        received_at="2026-01-05T01:00:00+00:00",
        in_reply_to=message_id,
    )
    await office.happened("reply-r1", reply, application=APPLICATION)

    async def answered() -> bool:
        return "Nomor saya ganti" in await shown(office, f"/pesan/berkas/{NUMBER}")

    await until(answered, what="the reply on the page")
    text = await shown(office, f"/pesan/berkas/{NUMBER.lower()}")
    assert "The number can&#39;t be reached this way." in text
    assert "Call the person" in text
    assert "Handed to Outbox only, try 1" in text
    assert "+6281234567890" not in text
    assert re.search(r"Applicant •+890", text)
    await shown(office, "/pesan/berkas/BGR-2026-999999", 404)


async def test_what_did_not_arrive_is_listed_by_reason_and_channel(office: Office) -> None:
    await office.sign_in("loket")
    assert "Everything arrived" in await shown(office, "/pesan/gagal")
    await failed(office)
    assert NUMBER in await shown(office, "/pesan/gagal?reason=131026&channel=outbox")
    assert "Everything arrived" in await shown(office, "/pesan/gagal?reason=unknown")
    assert "Everything arrived" in await shown(office, "/pesan/gagal?channel=sms")


async def test_a_button_pressed_twice_sends_one_new_message(office: Office) -> None:
    await office.sign_in("loket")
    message_id = await failed(office)
    path = f"/pesan/{message_id}/kirim-ulang?back=/pesan/berkas/{NUMBER}"
    text = await shown(office, path)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', text)[-1]
    form = {"csrf_token": token, "key": "k1", "back": f"/pesan/berkas/{NUMBER}"}
    for _ in range(2):
        answer = await office.http.post(f"/pesan/{message_id}/kirim-ulang", data=form, headers=HTML)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/pesan/berkas/{NUMBER}"
    assert "It is sent again." in await shown(office, f"/pesan/berkas/{NUMBER}")
    found = await listed(office, 2)
    assert [one["state"] for one in found][1] == "failed"
    assert found[1]["resent_as"] == found[0]["message_id"] == resend_id(message_id)
    assert "Everything arrived" in await shown(office, "/pesan/gagal")
    new = await office.running.kernel.store.read_stream(message_stream(resend_id(message_id)))
    queued = office.running.kernel.codec.decode(new[0])
    assert isinstance(queued, MessageQueued)
    assert (queued.resend_of, new[0].actor) == (message_id, "officer:loket")
    another = await office.http.post(
        f"/pesan/{message_id}/kirim-ulang", data={**form, "key": "k2"}, headers=HTML
    )
    assert another.status_code == 303
    assert "already sent again" in await shown(office, f"/pesan/berkas/{NUMBER}")
    assert len(await listed(office, 2)) == 2


async def test_a_form_leads_to_no_foreign_page(office: Office) -> None:
    await office.sign_in("loket")
    message_id = await failed(office)
    answer = await press(office, f"/pesan/{message_id}/kirim-ulang?back=https://elsewhere.example/")
    assert answer.headers["location"] == "/pesan/gagal"


async def test_all_of_one_reason_are_sent_again_after_a_question(office: Office) -> None:
    await office.sign_in("kepala")
    await failed(office)
    path = "/pesan/gagal/kirim-ulang?reason=131026"
    assert "Send 1 message again?" in await shown(office, path)
    assert (await press(office, path)).status_code == 303
    assert "Sent again: 1. Not sent again: 0." in await shown(office, "/pesan/gagal")
    assert "Send 0 messages again?" in await shown(office, path)


async def test_programs_send_again_and_hear_why_not(office: Office) -> None:
    await office.sign_in("loket")
    message_id = await failed(office)
    address = f"/api/messages/{message_id}"
    assert (await office.http.get(address)).json()["reason"] == "131026"
    assert (await office.http.get("/api/messages/nobody")).status_code == 404
    first, again = [
        await office.http.post(f"{address}/resend", headers={"idempotency-key": "k1"})
        for _ in range(2)
    ]
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json() == {"message_id": resend_id(message_id)}
    refused = await office.http.post(f"{address}/resend", headers={"idempotency-key": "k2"})
    assert (refused.status_code, refused.json()["code"]) == (409, "message-already-resent")
    assert [one["message_id"] for one in await listed(office, 1, state="failed")] == [message_id]
    narrowed = {"state": "sent", "channel": "outbox", "application_id": APPLICATION}
    await listed(office, 1, **narrowed)
    bad = await office.http.get("/api/messages", params={"state": "lost"})
    assert bad.status_code == 422


async def test_an_alert_of_a_file_that_moved_on_is_not_sent_again(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office)
    started = StageStarted(application_id=APPLICATION, stage="verify", role="verifier")
    await permit(office, started, StageOverdue(**STALL, due_at="2026-11-23T09:00:00+00:00"))
    alerts = [one for one in await listed(office, 3) if one["rule"] == "overdue-officer"]
    message_id = alerts[0]["message_id"]
    failure = MessageFailed(application_id=APPLICATION, message_id=message_id, reason="131026")
    await office.happened(message_stream(message_id), failure, application=APPLICATION)
    done = example(StageCompleted)
    await permit(office, done)
    answer = await office.http.post(f"/api/messages/{message_id}/resend")
    assert (answer.status_code, answer.json()["code"]) == (409, "alert-overtaken")


async def test_a_bad_number_is_seen_and_not_sent_again(office: Office) -> None:
    await office.sign_in("loket")
    spoiled = Applicant(name="P", nik="3271046504930002", phone="0812/0813", language="id")
    await submit(office, _with(applicant=spoiled))
    (message,) = await listed(office, 1, state="failed")
    text = await shown(office, f"/pesan/berkas/{NUMBER}")
    assert "not a whole mobile number" in text
    assert "Ask the applicant" in text
    assert "Send again" not in text
    answer = await office.http.post(f"/api/messages/{message['message_id']}/resend")
    assert answer.json()["code"] == "number-unusable"


# Role x page: what each role is answered, signed in at the office of the message.
PAGES = ("/kotak-keluar", f"/pesan/berkas/{NUMBER}", "/pesan/gagal", "/api/messages")
ACCOUNTS = {
    "loket": (Right(words=True, resend=True), True),
    "verifikator": (Right(words=True), True),
    "kepala": (Right(words=True, resend=True), True),
    "auditor": (Right(), True),
    "bendahara": (Right(), False),
}


@pytest.mark.parametrize("name", sorted(ACCOUNTS))
async def test_each_role_sees_what_it_has_a_right_to(office: Office, name: str) -> None:
    right, enters = ACCOUNTS[name]
    await office.sign_in("loket")
    message_id = await failed(office)
    office.http.cookies.clear()
    await office.sign_in(name)
    for page in PAGES:
        answer = await office.http.get(page, headers=HTML, params={"lang": "en"})
        assert answer.status_code == (200 if enters else 403), page
        assert "+6281234567890" not in answer.text
        if enters and page != "/api/messages":
            assert ("kami terima" in answer.text) is right.words, page
            assert ("Send again" in answer.text) is right.resend, page
    answer = await office.http.post(f"/api/messages/{message_id}/resend")
    assert answer.status_code == (201 if right.resend else 403)


async def test_nobody_enters_without_an_account_or_from_another_office(office: Office) -> None:
    await office.sign_in("loket")
    message_id = await failed(office)
    office.http.cookies.clear()
    for page in PAGES[:3]:
        answer = await office.http.get(page, headers=HTML)
        assert answer.status_code == 303
        assert "/login" in answer.headers["location"]
    accounts = office.running.kernel.accounts.all()
    other = next(a for a in accounts if a.office != "bogor" and a.has(Role.COUNTER))
    await office.sign_in(other.username)
    await shown(office, f"/pesan/berkas/{NUMBER}", 404)
    await shown(office, f"/pesan/{message_id}/kirim-ulang", 404)
    assert (await office.http.post(f"/api/messages/{message_id}/resend")).status_code == 404
    assert NUMBER not in await shown(office, "/pesan/gagal")


@pytest.mark.parametrize("role", list(Role))
def test_the_table_of_rights(role: Role) -> None:
    account = Account("x", "X", frozenset({role}), "bogor")
    words = {"counter", "verifier", "surveyor", "assessor", "signer", "supervisor"}
    resend = role in {"counter", "supervisor", "admin"}
    assert of(account) == Right(role in words, resend, role == "counter")
    assert (role in RIGHTS) is (role not in {"treasurer", "agency"})


def test_what_may_be_sent_again() -> None:
    dead = Failed(QUEUED, "whatsapp", "131026")
    lost = Unknown(QUEUED, "whatsapp", 2, START, resent=True)
    assert check(dead, NotQueued()) is QUEUED
    assert check(lost, NotQueued()) is QUEUED
    for state, resend, refusal in (
        (Sent(QUEUED, "whatsapp", 1, "w"), NotQueued(), NotFailed),
        (Unknown(QUEUED, "whatsapp", 1, START), NotQueued(), StillResolving),
        (dead, dead, AlreadyResent),
        (Failed(QUEUED, "whatsapp", "bad-number"), NotQueued(), NumberUnusable),
        (Failed(QUEUED, "whatsapp", "opted-out"), NotQueued(), RecipientOptedOut),
    ):
        with pytest.raises(refusal):
            check(state, resend)


def test_every_code_of_the_failure_table_has_a_sentence_of_its_own() -> None:
    assert reason_of("190") is reason_of("250") is not reason_of("8x8-3")
    for code in ("131026", "131050", "132000", "21211", "30003", "bad-number", "no-outcome"):
        assert code in REASONS
        assert reason_of(code) is not reason_of("something else")
