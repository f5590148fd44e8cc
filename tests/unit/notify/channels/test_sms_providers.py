"""Twilio and 8x8, against stand-ins that follow their published contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from services.notify.channels import Effect, Failed, Later, Outgoing, Sent, Unknown
from services.notify.channels.eightx8 import EightX8, receipt
from services.notify.channels.http import client
from services.notify.channels.routes import route
from services.notify.channels.sms import ReportSigner
from services.notify.channels.twilio import Twilio, refusal, signed
from shared.ids import new_id
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.samples import MESSAGE
from tests.unit.notify.standins import (
    ACCOUNT,
    HANG,
    SERVER_ERROR,
    TOKEN,
    StandIn,
    closed_address,
    eightx8_app,
    serving,
    twilio_app,
)
from tests.unit.notify.test_telling import submit
from tests.unit.notify.test_webhooks import state_of

ADDRESS = "http://jejak.example"
SIGNER = ReportSigner("secret-TEST-0001")
OUTGOING = Outgoing(
    message_id=MESSAGE,
    recipient="+6281234567890",
    language="id",
    text="“Siap” diambil",
    template="izin_siap_diambil",
    parameters={},
)


@pytest.fixture
async def twilio() -> AsyncIterator[StandIn]:
    async with serving(twilio_app) as stand_in:
        yield stand_in


@pytest.fixture
async def eightx8() -> AsyncIterator[StandIn]:
    async with serving(eightx8_app) as stand_in:
        yield stand_in


def impatient(address: str) -> httpx.AsyncClient:
    http = client(address)
    http.timeout = httpx.Timeout(0.4)
    return http


def by_twilio(address: str, token: str = TOKEN, sender: str = "+15005550006") -> Twilio:
    return Twilio(impatient(address), account=ACCOUNT, token=token, sender=sender, reports=ADDRESS)


def by_8x8(address: str, key: str = TOKEN) -> EightX8:
    return EightX8(
        impatient(address),
        account="jejak_id",
        key=key,
        sender="JEJAK",
        reports=ADDRESS,
        signer=SIGNER,
    )


async def test_twilio_is_sent_a_form_with_the_address_of_our_report(twilio: StandIn) -> None:
    assert await by_twilio(twilio.address).send(OUTGOING) == Sent("SM1")
    assert twilio.ledger == [
        {
            "From": "+15005550006",
            "To": "+6281234567890",
            "Body": '"Siap" diambil',
            "StatusCallback": f"{ADDRESS}/webhooks/twilio?nid={MESSAGE}",
            "ValidityPeriod": "14400",
        }
    ]


async def test_twilio_may_send_from_a_messaging_service(twilio: StandIn) -> None:
    await by_twilio(twilio.address, sender="MG0001").send(OUTGOING)
    assert twilio.ledger[0]["MessagingServiceSid"] == "MG0001"
    assert "From" not in twilio.ledger[0]


@pytest.mark.parametrize("code", [21211, 21614, 21610, 30005, 30006])
async def test_a_number_that_can_not_be_reached_is_not_tried_elsewhere(
    twilio: StandIn, code: int
) -> None:
    twilio.answers.append(code)
    effect = Effect.OPT_OUT if code == 21610 else Effect.BAD_NUMBER
    expected = Failed(str(code), fallback=False, effect=effect)
    assert await by_twilio(twilio.address).send(OUTGOING) == expected


@pytest.mark.parametrize(("code", "result"), [(20429, Later), (30003, Later), (30007, Failed)])
def test_other_codes_of_twilios(code: int, result: type) -> None:
    assert isinstance(refusal(code), result)


async def test_calls_to_twilio_that_break(twilio: StandIn) -> None:
    twilio.answers.extend([HANG, SERVER_ERROR, 20429])
    channel = by_twilio(twilio.address)
    assert isinstance(await channel.send(OUTGOING), Unknown)
    assert isinstance(await channel.send(OUTGOING), Unknown)
    assert isinstance(await channel.send(OUTGOING), Later)
    assert isinstance(await by_twilio(closed_address()).send(OUTGOING), Later)
    assert isinstance(await by_twilio(twilio.address, "wrong").send(OUTGOING), Later)


def test_twilios_published_vector() -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+6281234567890"}
    address = "https://izin.example/cb?nid=n-1"
    assert signed("12345", address, form, "io3EGpUGqFbSxX0pcCu+aXoi/ec=")
    assert not signed("12345", address, form | {"MessageStatus": "failed"}, "io3EGpUGqFbSxX0")
    assert not signed("12345", address, form, "ü")


_TEXT = st.text(max_size=20)


@for_all(st.dictionaries(st.text("abcDEF123", min_size=1, max_size=8), _TEXT, max_size=6), _TEXT)
def test_twilios_own_validator_signs_the_same(form: dict[str, str], token: str) -> None:
    address = "https://izin.example/webhooks/twilio?nid=n-1"
    made = RequestValidator(token or "x").compute_signature(address, form)
    assert signed(token or "x", address, form, made)


async def test_8x8_is_sent_our_id_and_a_signed_address(eightx8: StandIn) -> None:
    sent = await by_8x8(eightx8.address).send(OUTGOING)
    assert sent == Sent("bda3d56c-1424-e711-813c-000000000001")
    assert eightx8.ledger == [
        {
            "destination": "+6281234567890",
            "text": '"Siap" diambil',
            "source": "JEJAK",
            "clientMessageId": MESSAGE,
            "encoding": "GSM7",
            "dlrCallbackUrl": f"{ADDRESS}/webhooks/8x8/{MESSAGE}?s={SIGNER.sign(MESSAGE)}",
        }
    ]


async def test_8x8_takes_other_alphabets_as_such(eightx8: StandIn) -> None:
    await by_8x8(eightx8.address).send(replace(OUTGOING, text="ꦗꦼꦗꦏ꧀"))
    assert eightx8.ledger[0]["encoding"] == "UCS2"


async def test_calls_to_8x8_that_break(eightx8: StandIn) -> None:
    eightx8.answers.extend([HANG, SERVER_ERROR, 1002, {"state": "rejected", "errorCode": 14}])
    channel = by_8x8(eightx8.address)
    assert isinstance(await channel.send(OUTGOING), Unknown)
    assert isinstance(await channel.send(OUTGOING), Unknown)
    assert await channel.send(OUTGOING) == Failed("8x8-1002")
    assert await channel.send(OUTGOING) == Failed("8x8-14")
    assert isinstance(await by_8x8(closed_address()).send(OUTGOING), Later)
    assert isinstance(await by_8x8(eightx8.address, "wrong").send(OUTGOING), Later)


@pytest.mark.parametrize("sent", [None, [], {}, {"eventType": "inbound_message_received"}])
def test_what_is_no_receipt_tells_nothing(sent: object) -> None:
    assert receipt(sent) is None


def test_a_receipt_with_wrong_types_is_no_crash() -> None:
    found = receipt({"eventType": "outbound_message_status_changed", "payload": {"status": 1}})
    assert found is not None
    assert (found.state, found.code, found.rejected) == ("", 0, False)


def test_a_rule_names_ways_and_the_installation_the_providers() -> None:
    assert route(("whatsapp", "sms"), frozenset({"8x8", "twilio"})) == ("twilio", "8x8")
    assert route(("whatsapp", "sms"), frozenset({"sms", "whatsapp"})) == ("whatsapp", "sms")
    assert route(("sms",), frozenset()) == ("outbox",)


@pytest.fixture
async def connected(
    tmp_path: Path, twilio: StandIn, eightx8: StandIn
) -> AsyncIterator[tuple[Office, StandIn, StandIn]]:
    given: dict[str, Any] = {
        "notify_url": ADDRESS,
        "twilio_url": twilio.address,
        "twilio_account": ACCOUNT,
        "twilio_token": TOKEN,
        "twilio_sender": "+15005550006",
        "eightx8_url": eightx8.address,
        "eightx8_account": "jejak_id",
        "eightx8_key": TOKEN,
    }
    async with running_office(settings_in(tmp_path, **given), ["notify"]) as office:
        yield office, twilio, eightx8


async def told(office: Office, address: str, status: str, code: str = "") -> int:
    """Report to us as Twilio does, with its own validator's signature."""
    form = {"MessageSid": "SM1", "MessageStatus": status, "To": "+6281234567890"}
    form |= {"ErrorCode": code} if code else {}
    signature = RequestValidator(TOKEN).compute_signature(address, form)
    answer = await office.http.post(
        address.removeprefix(ADDRESS), data=form, headers={"X-Twilio-Signature": signature}
    )
    return answer.status_code


async def wait_for(office: Office, state: str) -> None:
    async def reached() -> bool:
        return await state_of(office) == state

    await until(reached, what=state)


async def test_a_message_by_twilio_and_its_signed_statuses(
    connected: tuple[Office, StandIn, StandIn],
) -> None:
    office, twilio, _ = connected
    await submit(office)
    await wait_for(office, "sent:twilio")
    address = twilio.ledger[0]["StatusCallback"]
    assert await told(office, address.replace("nid=", "nid=0"), "delivered") == 200
    forged = await office.http.post(address.removeprefix(ADDRESS), data={"MessageSid": "SM1"})
    assert forged.status_code == 403
    assert await state_of(office) == "sent:twilio"
    for status in ("queued", "sent", "delivered", "sent"):
        assert await told(office, address, status) == 200
    await wait_for(office, "delivered:twilio")


async def test_what_twilio_can_not_deliver_goes_out_by_8x8(
    connected: tuple[Office, StandIn, StandIn],
) -> None:
    office, twilio, eightx8 = connected
    await submit(office)
    await wait_for(office, "sent:twilio")
    address = twilio.ledger[0]["StatusCallback"]
    assert await told(office, address, "undelivered", "30008") == 200
    await wait_for(office, "sent:8x8")
    where = urlsplit(eightx8.ledger[0]["dlrCallbackUrl"])
    body = {
        "namespace": "SMS",
        "eventType": "outbound_message_status_changed",
        "payload": {
            "umid": "bda3d56c-1424-e711-813c-000000000001",
            "status": {"state": "delivered", "timestamp": "2026-01-06T03:00:01.00Z"},
        },
    }
    forged = where.query.replace("s=", "s=0")
    assert (await office.http.post(f"{where.path}?{forged}", json=body)).status_code == 404
    assert (await office.http.post(f"{where.path}?{where.query}", json=body)).status_code == 200
    await wait_for(office, "delivered:8x8")


async def test_a_handset_out_of_reach_is_tried_again_later(
    connected: tuple[Office, StandIn, StandIn],
) -> None:
    office, twilio, _ = connected
    await submit(office)
    await wait_for(office, "sent:twilio")
    assert await told(office, twilio.ledger[0]["StatusCallback"], "undelivered", "30003") == 200
    await wait_for(office, "queued:twilio")
    assert len(twilio.ledger) == 1


async def test_a_status_about_no_message_of_ours_is_passed_over(
    connected: tuple[Office, StandIn, StandIn],
) -> None:
    office, _, _ = connected
    for nid in (new_id(), "x", ""):
        assert await told(office, f"{ADDRESS}/webhooks/twilio?nid={nid}", "delivered") == 200
