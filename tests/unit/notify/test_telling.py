"""From an event to a message and its reports, in a notify service that really runs."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.notify.people.recipients import Directory
from services.notify.rulebook.rules import OFFERED
from shared.actors import Role
from shared.contracts import BY_NAME
from shared.contracts.intake import Applicant, ApplicationSubmitted
from shared.contracts.payment import BillIssued
from shared.contracts.workflow import (
    PermitIssued,
    StageOverdue,
    StageStarted,
    StallEscalated,
    StallExplanationRequested,
)
from shared.events import to_micros
from shared.ids import derived_id, new_id
from tests.examples import example
from tests.running import Office, running_office, settings_in, until

HTML = {"accept": "text/html"}
APPLICATION, NUMBER = derived_id("case", "telling"), "BGR-2026-000201"
SUBMITTED = ApplicationSubmitted(
    application_id=APPLICATION,
    number=NUMBER,
    office="bogor",
    permit_type="situ",
    permit_version=1,
    channel="online",
    applicant=Applicant(
        name="Pemohon Contoh", nik="3271046504930002", phone="+6281234567890", language="id"
    ),
    answers={},
    documents=(),
    code_hash="0" * 64,
)
ISSUED = PermitIssued(application_id=APPLICATION, number=NUMBER, document_number="503/1/2026")
STALL: dict[str, Any] = {"application_id": APPLICATION, "office": "bogor", "stage": "verify"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with running_office(settings_in(tmp_path), ["notify"]) as running:
        yield running


async def permit(office: Office, *events: Any) -> None:
    await office.happened(f"permit-{APPLICATION}", *events, application=APPLICATION)


async def submit(office: Office, submitted: ApplicationSubmitted = SUBMITTED) -> None:
    stream = f"application-{submitted.application_id}"
    await office.happened(stream, submitted, application=submitted.application_id)


def outbox(office: Office) -> list[dict[str, str]]:
    file = office.running.kernel.settings.data / "outbox" / "messages.jsonl"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


async def told(office: Office, count: int) -> list[dict[str, str]]:
    async def enough() -> bool:
        return len(outbox(office)) >= count

    await until(enough, what=f"message {count}")
    await asyncio.sleep(0.1)
    return outbox(office)


async def test_an_applicant_is_told_in_words_of_their_own_language(office: Office) -> None:
    await submit(office)
    await permit(office, ISSUED)
    first, second = await told(office, 2)
    assert NUMBER in first["text"]
    assert first["to"] == "+6281234567890"
    assert "siap diambil" in second["text"]
    assert "Surat Izin Tempat Usaha" in second["text"]


async def test_a_bill_is_told_with_amount_account_and_day(office: Office) -> None:
    english = Applicant(name="A", nik="3271046504930002", phone="+6281234567890", language="en")
    await submit(office, _with(applicant=english))
    bill = BillIssued(
        application_id=APPLICATION,
        bill_id=new_id(),
        number=NUMBER,
        office="bogor",
        permit_type="situ",
        virtual_account="123450012600002011",
        amount=240_000,
        lines=(),
        tariff="situ-2026",
        due_on="2026-12-23",
    )
    await office.happened(f"bill-{bill.bill_id}", bill, application=APPLICATION)
    texts = [message["text"] for message in await told(office, 2)]
    assert "Rp240.000. Pay to virtual account 123450012600002011 by 23 December 2026" in texts[1]


async def test_an_officer_is_asked_by_name_and_the_supervisor_told(office: Office) -> None:
    await submit(office)
    asked = StallExplanationRequested(
        **STALL, stall_id="s1", asked="verifikator", answer_by="2026-11-24T04:00:00+00:00"
    )
    await permit(office, asked)
    messages = (await told(office, 3))[1:]
    assert {message["to"] for message in messages} == {"+6281100000002", "+6281200000001"}
    assert all("24 November 2026, 11.00 WIB" in message["text"] for message in messages)


async def test_without_a_name_everybody_of_the_stages_role_is_told(office: Office) -> None:
    await submit(office)
    started = StageStarted(application_id=APPLICATION, stage="verify", role="verifier")
    await permit(office, started, StageOverdue(**STALL, due_at="2026-11-23T09:00:00+00:00"))
    messages = (await told(office, 3))[1:]
    assert {message["to"] for message in messages} == {"+6281100000002", "+6281200000001"}


async def test_a_letter_that_nobody_collects_is_downloaded(office: Office) -> None:
    await submit(office)
    await permit(office, replace(ISSUED, collected=False))
    _, issued = await told(office, 2)
    assert "Unduh suratnya" in issued["text"]
    assert "siap diambil" not in issued["text"]


async def test_an_escalation_climbs_from_supervisor_to_head(office: Office) -> None:
    await submit(office)
    await told(office, 1)
    for to, number in (("supervisor", "+6281200000001"), ("head", "+6281200000002")):
        before = len(outbox(office))
        await permit(office, StallEscalated(**STALL, stall_id="s1", to=to))
        *_, last = await told(office, before + 1)
        assert last["to"] == number
        assert len(outbox(office)) == before + 1


@pytest.mark.parametrize("name", sorted(OFFERED))
async def test_every_event_can_tell_what_rules_are_offered(office: Office, name: str) -> None:
    kernel = office.running.kernel
    directory = Directory(kernel.store, kernel.codec, kernel.catalogue, kernel.accounts)
    event = example(BY_NAME[name].cls)
    for language in ("id", "en"):
        assert set(directory.parameters(event, SUBMITTED, language)) == OFFERED[name]


async def test_an_unexplained_stall_goes_to_the_head(office: Office) -> None:
    await submit(office)
    await permit(office, StallEscalated(**STALL, stall_id="s1"))
    assert (await told(office, 2))[1]["to"] == "+6281200000002"


@pytest.mark.parametrize("phone", ["", "+622112345678", "not a number"])
async def test_nobody_is_told_where_no_mobile_is_known(office: Office, phone: str) -> None:
    await submit(office, _with(applicant=Applicant(name="A", nik="3271046504930002", phone=phone)))
    await permit(office, ISSUED, StallEscalated(**STALL, stall_id="s1"))
    assert [message["to"] for message in await told(office, 1)] == ["+6281200000002"]


async def test_the_past_wakes_nobody(office: Office) -> None:
    kernel = office.running.kernel
    old = to_micros(kernel.now()) - 49 * 3600 * 1_000_000
    for stream, event in (
        (f"application-{APPLICATION}", SUBMITTED),
        (f"permit-{APPLICATION}", ISSUED),
    ):
        envelope = kernel.codec.envelope(event, new_id(), old, "import", new_id(), APPLICATION)
        await kernel.store.append(stream, [envelope])
    await permit(office, StallEscalated(**STALL, stall_id="s1"))
    assert len(await told(office, 1)) == 1


def forget(folder: Path) -> None:
    """Lose the inbox, the read model and the bus's checkpoints."""
    for file in (*folder.glob("notify.sqlite*"), *folder.glob("bus.sqlite*")):
        file.unlink()


async def test_a_restart_over_the_same_events_tells_nobody_again(tmp_path: Path) -> None:
    async with running_office(settings_in(tmp_path), ["notify"]) as office:
        await submit(office)
        await told(office, 1)
    forget(tmp_path)
    async with running_office(settings_in(tmp_path), ["notify"]) as office:
        await permit(office, ISSUED)
        texts = [message["text"] for message in await told(office, 2)]
    assert len(texts) == 2


async def test_officers_read_their_own_offices_messages_live(office: Office) -> None:
    assert (await office.http.get("/kotak-keluar", headers=HTML)).status_code == 303
    await office.sign_in("loket")
    async with office.http.stream("GET", "/kotak-keluar/langsung?lang=en") as stream:
        lines = stream.aiter_lines()
        await submit(office)
        text = ""
        while "Sent" not in text or NUMBER not in text:
            text = await anext(_frames(lines))
    assert "+6281234567890" not in text
    assert re.search(r"•+890", text)
    listed = (await office.http.get("/api/messages")).json()
    assert [message["state"] for message in listed] == ["sent"]
    office.http.cookies.clear()
    await office.sign_in(_other(office))
    other = await office.http.get("/kotak-keluar?lang=en", headers=HTML)
    assert other.status_code == 200
    assert NUMBER not in other.text


async def _frames(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    found: list[str] = []
    async for line in lines:
        if not line and found:
            yield "\n".join(found)
            found = []
        elif line.startswith("data:"):
            found.append(line)


def _other(office: Office) -> str:
    accounts = office.running.kernel.accounts.all()
    known = office.running.kernel.catalogue.offices
    readers = (a for a in accounts if a.has(Role.COUNTER, Role.SUPERVISOR))
    return next(a.username for a in readers if a.office != "bogor" and a.office in known)


def _with(**changes: Any) -> ApplicationSubmitted:
    return replace(SUBMITTED, **changes)
