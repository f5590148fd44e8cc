"""A number that was put right: what did not arrive is sent to the new one, over both services."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.notify.log.resend import resend_id
from services.notify.message import message_stream
from services.notify.people.persons import Persons
from services.notify.replies.correspondents import Correspondents
from shared.contracts.intake import Applicant
from shared.contracts.notify import MessageFailed, MessageQueued
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.log.test_log import listed, shown
from tests.unit.notify.test_telling import APPLICATION, ISSUED, NUMBER, _with, permit, submit

HTML = {"accept": "text/html"}
OLD, NEW = "+6281234567890", "+6281298765432"
FORM = f"/pendaftaran/{NUMBER}/nomor"
SPOILED = Applicant(name="P", nik="3271046504930002", phone="0812/0813", language="id")


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["intake", "notify"]) as running:
        yield running


async def failed(office: Office, reason: str) -> str:
    """Let the only message fail for good; return its id."""
    found = await listed(office, 1, state="sent")
    message_id = str(found[0]["message_id"])
    failure = MessageFailed(application_id=APPLICATION, message_id=message_id, reason=reason)
    await office.happened(message_stream(message_id), failure, application=APPLICATION)
    await listed(office, 1, state="failed")
    return message_id


async def corrected(office: Office, phone: str = NEW) -> None:
    """Let the counter put the number right on the page."""
    page = await shown(office, FORM)
    token = re.findall(r'name="csrf_token" value="([^"]+)"', page)[-1]
    fields = {"csrf_token": token, "phone": phone, "reason": "Pemohon datang ke loket."}
    answer = await office.http.post(FORM, data=fields, headers=HTML)
    assert answer.status_code == 303, answer.text


async def queued(office: Office, message_id: str) -> MessageQueued:
    """Return a message once it was queued."""
    kernel = office.running.kernel

    async def there() -> MessageQueued | None:
        recorded = await kernel.store.read_stream(message_stream(message_id))
        return kernel.codec.decode(recorded[0]) if recorded else None

    found: MessageQueued = await until(there, what="the message")
    return found


async def test_a_message_to_a_bad_number_goes_to_the_right_one(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office, _with(applicant=SPOILED))
    (message,) = await listed(office, 1, state="failed")
    assert FORM in await shown(office, "/pesan/gagal")
    assert FORM in await shown(office, f"/pesan/berkas/{NUMBER}")
    await corrected(office)
    again = await queued(office, resend_id(message["message_id"]))
    assert (again.recipient, again.resend_of) == (NEW, message["message_id"])
    await listed(office, 1, state="sent")
    assert "Everything arrived" in await shown(office, "/pesan/gagal")
    # What happens later is told at the new number, too.
    await permit(office, ISSUED)
    newest, _ = await listed(office, 2, state="sent")
    assert newest["rule"] == "permit-ready"
    stored = await office.running.kernel.store.read_all(0)
    events = [office.running.kernel.codec.decode(one) for one in stored]
    told = [one for one in events if isinstance(one, MessageQueued)]
    assert [one.recipient for one in told] == [SPOILED.phone, NEW, NEW]


async def test_a_number_that_could_not_be_reached_is_corrected_as_well(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office)
    message_id = await failed(office, "131026")
    await corrected(office)
    assert (await queued(office, resend_id(message_id))).recipient == NEW
    await listed(office, 2)
    # The chain goes on from the newer one: another correction sends nothing a third time.
    await corrected(office, "+6281200000077")
    await permit(office, ISSUED)
    assert len(await listed(office, 3)) == 3


async def test_what_failed_for_another_reason_is_left_to_people(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office)
    message_id = await failed(office, "132001")
    assert FORM not in await shown(office, "/pesan/gagal")
    await corrected(office)
    await permit(office, ISSUED)
    await listed(office, 1, state="sent")
    stored = office.running.kernel.store
    assert await stored.read_stream(message_stream(resend_id(message_id))) == []
    # By hand it goes to the number that is right by now.
    await office.http.post(f"/api/messages/{message_id}/resend")
    assert (await queued(office, resend_id(message_id))).recipient == NEW


async def test_only_the_counter_is_led_to_the_correction(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office, _with(applicant=SPOILED))
    await listed(office, 1, state="failed")
    office.http.cookies.clear()
    await office.sign_in("kepala")
    assert FORM not in await shown(office, "/pesan/gagal")


async def test_who_writes_from_the_new_number_is_known(office: Office) -> None:
    await office.sign_in("loket")
    await submit(office)
    await listed(office, 1, state="sent")
    await corrected(office)
    persons = Persons(office.running.kernel.secret("persons"))
    rows = Correspondents(office.running.databases["notify"])

    async def known() -> bool:
        return await rows.applications(persons.of(NEW), 3) == [APPLICATION]

    await until(known, what="the new number")
    assert await rows.applications(persons.of(OLD), 3) == []
