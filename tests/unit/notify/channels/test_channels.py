"""Each channel against a stand-in that follows the provider's published contract."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.notify.channels import Effect, Failed, Later, Outgoing, Sent, Unknown
from services.notify.channels.http import client
from services.notify.channels.kannel import Kannel
from services.notify.channels.outbox import Outbox
from services.notify.channels.sms import ReportSigner
from services.notify.channels.whatsapp import WhatsApp, refusal, signed, statuses
from tests.spec import START
from tests.unit.notify.samples import MESSAGE
from tests.unit.notify.standins import (
    HANG,
    PASSWORD,
    PHONE_ID,
    REDIRECT,
    SERVER_ERROR,
    TOKEN,
    USER,
    StandIn,
    closed_address,
    kannel_app,
    serving,
    whatsapp_app,
)

OUTGOING = Outgoing(
    message_id=MESSAGE,
    recipient="+6281234567890",
    language="id",
    text="Izin Anda siap diambil.",
    template="izin_siap_diambil",
    parameters={"number": "BGR-2026-000042", "office": "Kantor Contoh"},
)
SIGNER = ReportSigner("secret-TEST-0001")
QUICK = httpx.Timeout(0.4)


@pytest.fixture
async def meta() -> AsyncIterator[StandIn]:
    async with serving(whatsapp_app) as stand_in:
        yield stand_in


@pytest.fixture
async def gateway() -> AsyncIterator[StandIn]:
    async with serving(kannel_app) as stand_in:
        yield stand_in


def whatsapp(address: str, token: str = TOKEN) -> WhatsApp:
    http = client(address)
    http.timeout = QUICK
    return WhatsApp(http, PHONE_ID, token)


def kannel(address: str, password: str = PASSWORD) -> Kannel:
    http = client(address)
    http.timeout = QUICK
    return Kannel(
        http,
        user=USER,
        password=password,
        sender="JEJAK",
        reports="http://jejak.example",
        signer=SIGNER,
    )


async def test_whatsapp_sends_an_approved_template_with_our_id(meta: StandIn) -> None:
    assert await whatsapp(meta.address).send(OUTGOING) == Sent("wamid.1")
    assert meta.ledger == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "6281234567890",
            "type": "template",
            "biz_opaque_callback_data": MESSAGE,
            "template": {
                "name": "izin_siap_diambil",
                "language": {"policy": "deterministic", "code": "id"},
                "components": [
                    {
                        "type": "body",
                        "parameters": [
                            {"type": "text", "parameter_name": "number", "text": "BGR-2026-000042"},
                            {"type": "text", "parameter_name": "office", "text": "Kantor Contoh"},
                        ],
                    }
                ],
            },
        }
    ]


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ((130429, 4, 80007, 2, 131016, 131056), Later),
        ((131026, 130472, 131047, 131049, 131050), Failed),
        ((132000, 132001, 132005, 132008, 132012, 132007, 132015, 132016), Failed),
        ((0, 190, 10, 200, 299, 368, 131031, 131042, 131048), Failed),
    ],
)
def test_whatsapp_errors_are_told_apart_by_code(codes: tuple[int, ...], kind: type) -> None:
    for code in codes:
        result = refusal(code)
        assert isinstance(result, kind)
        assert not isinstance(result, Failed) or result.fallback


def test_a_parameter_of_ours_that_is_wrong_goes_to_no_other_channel() -> None:
    assert [refusal(code) for code in (100, 131008, 131009)] == [
        Failed(str(code), fallback=False, effect=Effect.OUR_BUG) for code in (100, 131008, 131009)
    ]
    assert refusal(131056) == Later("131056", 6.0, Effect.REST)


async def test_whatsapps_error_code_decides_whatever_the_http_status(meta: StandIn) -> None:
    meta.answers.append(131026)
    assert await whatsapp(meta.address).send(OUTGOING) == Failed("131026")
    assert await whatsapp(meta.address, "stolen").send(OUTGOING) == Failed(
        "190", effect=Effect.PAUSE
    )


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (HANG, Unknown("ReadTimeout")),
        (SERVER_ERROR, Unknown("http-500")),
        (REDIRECT, Failed("http-302")),
    ],
)
async def test_a_call_without_a_clear_answer(
    meta: StandIn, gateway: StandIn, answer: str, result: object
) -> None:
    meta.answers.append(answer)
    gateway.answers.append(answer)
    assert await whatsapp(meta.address).send(OUTGOING) == result
    assert await kannel(gateway.address).send(OUTGOING) == result
    assert len(meta.ledger) == len(gateway.ledger) == 1


async def test_where_nobody_listens_nothing_was_sent() -> None:
    assert await whatsapp(closed_address()).send(OUTGOING) == Later("unreachable")
    assert await kannel(closed_address()).send(OUTGOING) == Later("unreachable")


async def test_kannel_gets_the_text_and_where_to_report(gateway: StandIn) -> None:
    assert await kannel(gateway.address).send(OUTGOING) == Sent()
    (sent,) = gateway.ledger
    assert (sent["to"], sent["from"], sent["text"]) == ("+6281234567890", "JEJAK", OUTGOING.text)
    assert (sent["coding"], sent["dlr-mask"]) == ("0", "31")
    report = urlsplit(sent["dlr-url"])
    assert report.path == f"/webhooks/kannel/{MESSAGE}"
    query = parse_qs(report.query)
    assert query["type"] == ["%d"]
    assert SIGNER.verify(MESSAGE, query["s"][0])
    assert not SIGNER.verify(MESSAGE[:-1] + "7", query["s"][0])


async def test_only_letters_outside_the_sms_alphabet_cost_more(gateway: StandIn) -> None:
    plain = replace(OUTGOING, text="“Siap” – diambil…")
    await kannel(gateway.address).send(plain)
    await kannel(gateway.address).send(replace(OUTGOING, text="Siap ✓"))
    assert [sent["coding"] for sent in gateway.ledger] == ["0", "2"]
    assert gateway.ledger[0]["text"] == '"Siap" - diambil...'


@pytest.mark.parametrize(
    ("status", "kind"), [(202, Sent), (400, Failed), (503, Later), (500, Unknown)]
)
async def test_kannels_answers(gateway: StandIn, status: int, kind: type) -> None:
    gateway.answers.append(status)
    assert isinstance(await kannel(gateway.address).send(OUTGOING), kind)


async def test_a_wrong_account_at_the_gateway_is_not_the_messages_fault(gateway: StandIn) -> None:
    assert isinstance(await kannel(gateway.address, "wrong").send(OUTGOING), Later)
    assert gateway.ledger == []


async def test_the_outbox_is_a_file_with_a_line_per_message(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", lambda: START)
    assert await outbox.send(OUTGOING) == Sent()
    await outbox.send(replace(OUTGOING, text="baris\nkedua"))
    file = tmp_path / "outbox" / "messages.jsonl"
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["Izin Anda siap diambil.", "baris\nkedua"]
    assert lines[0]["to"] == "+6281234567890"
    assert file.stat().st_mode & 0o077 == 0


async def test_an_outbox_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("a file where a folder should be")
    assert isinstance(await Outbox(tmp_path / "outbox", lambda: START).send(OUTGOING), Later)


def test_metas_signature_covers_the_raw_bytes() -> None:
    raw = b'{"object":"whatsapp_business_account","entry":[]}'
    header = "sha256=d3e4f9da0ce6c71ab3dba55929b8eeeee2455349e534924ead19f98d143e904f"
    assert len(raw) == 49
    assert signed("app-secret", raw, header)
    assert not signed("app-secret", raw + b" ", header)
    assert not signed("other", raw, header)
    assert not signed("app-secret", raw, "sha256=ü")
    assert not signed("app-secret", raw, "")


@pytest.mark.parametrize(
    "webhook",
    [None, [], {"entry": {}}, {"entry": [{"changes": [{"value": None}]}]}, {"entry": ["x", 1]}],
)
def test_a_webhook_without_statuses_tells_nothing(webhook: object) -> None:
    assert statuses(webhook) == []
