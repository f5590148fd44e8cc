"""Providers' webhooks and reports, to a notify service that really runs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.notify.channels.sms import ReportSigner
from shared.ids import new_id
from tests.running import Office, running_office, settings_in, until
from tests.unit.notify.standins import (
    PASSWORD,
    PHONE_ID,
    TOKEN,
    USER,
    StandIn,
    kannel_app,
    serving,
    whatsapp_app,
)
from tests.unit.notify.test_telling import submit

SECRETS = {
    "whatsapp_phone_id": PHONE_ID,
    "whatsapp_token": TOKEN,
    "whatsapp_app_secret": "app-secret",
    "whatsapp_verify_token": "verify-TEST-0001",
    "kannel_user": USER,
    "kannel_password": PASSWORD,
}


@pytest.fixture
async def providers() -> AsyncIterator[tuple[StandIn, StandIn]]:
    async with serving(whatsapp_app) as meta, serving(kannel_app) as gateway:
        yield meta, gateway


@pytest.fixture
async def connected(
    tmp_path: Path, providers: tuple[StandIn, StandIn]
) -> AsyncIterator[tuple[Office, StandIn, StandIn]]:
    meta, gateway = providers
    settings = settings_in(
        tmp_path, whatsapp_url=meta.address, kannel_url=gateway.address, **SECRETS
    )
    async with running_office(settings, ["notify"]) as office:
        yield office, meta, gateway


def status_webhook(message_id: str, status: str, code: int = 0) -> bytes:
    errors = [{"code": code, "title": "refused"}] if code else []
    return json.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [
                {
                    "id": "1",
                    "changes": [
                        {
                            "field": "messages",
                            "value": {
                                "metadata": {"phone_number_id": PHONE_ID},
                                "statuses": [
                                    {
                                        "id": "wamid.1",
                                        "status": status,
                                        "timestamp": "1767600000",
                                        "recipient_id": "6281234567890",
                                        "biz_opaque_callback_data": message_id,
                                        "errors": errors,
                                    }
                                ],
                            },
                        }
                    ],
                }
            ],
        }
    ).encode()


async def report(office: Office, raw: bytes, secret: str = "app-secret") -> int:
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    answer = await office.http.post(
        "/webhooks/whatsapp",
        content=raw,
        headers={"x-hub-signature-256": f"sha256={signature}", "content-type": "application/json"},
    )
    return answer.status_code


async def state_of(office: Office) -> str:
    await asyncio.sleep(0.05)
    rows = await office.running.databases["notify"].query("SELECT state, channel FROM messages_2")
    return " ".join(f"{state}:{channel}" for state, channel in rows)


async def test_a_whatsapp_message_and_its_signed_reports(
    connected: tuple[Office, StandIn, StandIn],
) -> None:
    office, meta, _ = connected
    await submit(office)

    async def sent() -> bool:
        return await state_of(office) == "sent:whatsapp"

    await until(sent, what="sending")
    message_id = meta.ledger[0]["biz_opaque_callback_data"]
    assert await report(office, status_webhook(message_id, "delivered"), secret="wrong") == 403
    assert await state_of(office) == "sent:whatsapp"
    for status in ("delivered", "sent", "read", "delivered"):
        assert await report(office, status_webhook(message_id, status)) == 200
    assert await state_of(office) == "read:whatsapp"
    assert await report(office, b"[[[[") == 422
    assert await report(office, b'{"object":"whatsapp_business_account","entry":[]}') == 200


async def test_a_refused_whatsapp_message_arrives_as_sms(
    connected: tuple[Office, StandIn, StandIn],
) -> None:
    office, meta, gateway = connected
    meta.answers.append(131026)
    await submit(office)

    async def by_sms() -> bool:
        return await state_of(office) == "sent:sms"

    await until(by_sms, what="the SMS")
    address = urlsplit(gateway.ledger[0]["dlr-url"].replace("%d", "1"))
    forged = address.query.replace("s=", "s=0")
    assert (await office.http.get(f"{address.path}?{forged}")).status_code == 404
    assert await state_of(office) == "sent:sms"
    assert (await office.http.get(f"{address.path}?{address.query}")).status_code == 200
    assert await state_of(office) == "delivered:sms"


async def test_meta_verifies_our_address(connected: tuple[Office, StandIn, StandIn]) -> None:
    office, _, _ = connected
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    right = {**asked, "hub.verify_token": "verify-TEST-0001"}
    answer = await office.http.get("/webhooks/whatsapp", params=right)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    for wrong in ({**asked, "hub.verify_token": "x"}, asked, {**right, "hub.mode": "other"}):
        assert (await office.http.get("/webhooks/whatsapp", params=wrong)).status_code == 403


async def test_without_secrets_no_webhook_is_believed(tmp_path: Path) -> None:
    async with running_office(settings_in(tmp_path), ["notify"]) as office:
        await _believed_nothing(office)


async def _believed_nothing(office: Office) -> None:
    assert await report(office, status_webhook(new_id(), "delivered"), secret="") == 403
    empty = {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": ""}
    assert (await office.http.get("/webhooks/whatsapp", params=empty)).status_code == 403


def test_a_report_address_is_signed_for_one_message() -> None:
    signer = ReportSigner("a")
    assert not signer.verify(new_id(), signer.sign(new_id()))
