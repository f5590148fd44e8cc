"""What anybody may send: no crash, no 500, no accepted nonsense, and nothing private in a log.

Signed calls are generated from our own OpenAPI by schemathesis, with a signer that is right; bytes
and texts by hypothesis.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from structlog.testing import capture_logs

from services.payment.banks import legacy, requests, snap
from services.payment.banks.legacy import BadHint
from services.payment.banks.snap import SnapRefused, minify
from services.payment.banks.tokens import AccessTokens
from tests.bank_partner import TOKEN_PATH, Partner
from tests.unit.payment.banks.kit import AMOUNT, SECRET, Account, Desk, open_desk
from tests.unit.payment.banks.legacy_kit import teller_headers

T = TypeVar("T")

MANY = settings(
    max_examples=50, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
SERVICES = ["inquiry", "payment", "status", "reversal"]
CODE = re.compile(r"(200|400|401|403|404|409)(24|25|26|29)[0-9]{2}")


class Fuzzed:
    """A running office in a thread of its own, a partner that signs rightly, and our OpenAPI."""

    def __init__(self, loop: asyncio.AbstractEventLoop, desk: Desk) -> None:
        self._loop = loop
        self.desk = desk
        self.partner: Partner = self.wait(desk.partner())
        self.account: Account = self.wait(desk.bill())
        found = self.wait(desk.office.http.get("/openapi.json")).json()
        self.schema = schemathesis.openapi.from_dict(found)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` where the office runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def call(self, service: str, raw: bytes) -> httpx.Response:
        """Make one signed call with any bytes; the signer minifies as the standard says."""
        return self.wait(self._call(service, raw))

    async def _call(self, service: str, raw: bytes) -> httpx.Response:
        path = f"/v1.0/transfer-va/{service}"
        headers = self.partner.headers("POST", path, minify(raw))
        return await self.desk.office.http.post(path, content=raw, headers=headers)

    def payments(self) -> int:
        """Count the recorded payments of the office."""
        return self.wait(self._payments())

    async def _payments(self) -> int:
        events = await self.desk.office.running.kernel.store.read_all(0, 10_000)
        return sum(one.type.startswith("Payment") for one in events)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    """An office in a thread, because what schemathesis generates is driven from outside."""
    ready: list[tuple[asyncio.AbstractEventLoop, Desk, asyncio.Event]] = []
    opened = threading.Event()

    async def run() -> None:
        async with open_desk(tmp_path_factory.mktemp("fuzz")) as desk:
            end = asyncio.Event()
            ready.append((asyncio.get_running_loop(), desk, end))
            opened.set()
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert opened.wait(60)
    loop, desk, end = ready[0]
    try:
        yield Fuzzed(loop, desk)
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()


def as_bytes(body: object) -> bytes:
    """Return a generated body as it goes over the wire; schemathesis also generates raw bytes."""
    if isinstance(body, bytes):
        return body
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("service", SERVICES)
def test_no_signed_body_brings_a_crash_or_money(
    fuzzed: Fuzzed, service: str, mode: GenerationMode
) -> None:
    operation = fuzzed.schema[f"/v1.0/transfer-va/{service}"]["POST"]
    before = fuzzed.payments()
    with capture_logs() as logs:

        @MANY
        @given(operation.as_strategy(generation_mode=mode))
        def send(case: Any) -> None:
            answer = fuzzed.call(service, as_bytes(case.body))
            assert answer.status_code < 500
            assert CODE.fullmatch(answer.json()["responseCode"])

        send()
    # No generated account is one of ours.
    assert fuzzed.payments() == before
    assert_nothing_private(fuzzed, logs)


def test_no_signed_token_request_brings_a_crash_or_a_token_for_nothing(fuzzed: Fuzzed) -> None:
    operation = fuzzed.schema[TOKEN_PATH]["POST"]
    with capture_logs() as logs:

        @MANY
        @given(
            operation.as_strategy(generation_mode=GenerationMode.NEGATIVE).map(lambda c: c.body)
            | operation.as_strategy().map(lambda case: case.body)
            | JSON
            | st.binary()
        )
        def send(body: Any) -> None:
            raw = as_bytes(body)
            answer = fuzzed.wait(fuzzed.partner.ask_for_token(raw))
            assert answer.status_code in (200, 400)
            assert re.fullmatch(r"(200|400)73[0-9]{2}", answer.json()["responseCode"])
            if answer.status_code == 200:
                assert json.loads(raw)["grantType"] == "client_credentials"

        send()
    assert_nothing_private(fuzzed, logs)


@pytest.mark.parametrize(
    "field",
    ["paidAmount", "virtualAccountNo", "customerNo", "trxDateTime", "referenceNo", "flagAdvise"],
)
def test_one_wrong_field_of_a_real_payment_pays_nothing_else(fuzzed: Fuzzed, field: str) -> None:
    account = fuzzed.wait(fuzzed.desk.bill())
    sent = account.body(fuzzed.partner, paymentRequestId=f"FUZZ-{field}")
    with capture_logs() as logs:

        @MANY
        @given(JSON)
        def send(value: object) -> None:
            answer = fuzzed.call("payment", as_bytes(sent | {field: value}))
            assert answer.status_code < 500
            assert CODE.fullmatch(answer.json()["responseCode"])

        send()
    state = fuzzed.wait(account.state())
    assert [money.amount for money in state.books.moneys] in ([], [AMOUNT])
    assert_nothing_private(fuzzed, logs)


@pytest.mark.parametrize("dialect", ["va", "qris"])
def test_no_unsigned_callback_brings_a_crash_or_money(fuzzed: Fuzzed, dialect: str) -> None:
    before = fuzzed.payments()
    path = f"/webhooks/bank/bank-{dialect}/{dialect}"
    http = fuzzed.desk.office.http
    with capture_logs() as logs:

        @MANY
        @given(st.binary() | JSON.map(as_bytes))
        def send(raw: bytes) -> None:
            assert fuzzed.wait(http.post(path, content=raw)).status_code in (200, 422)

        send()
    assert fuzzed.payments() == before
    assert_nothing_private(fuzzed, logs)


def test_no_teller_report_brings_a_crash_or_money(fuzzed: Fuzzed) -> None:
    account = fuzzed.wait(fuzzed.desk.bill())
    path = f"/webhooks/bank/bank-teller/invoice/update/{account.number}"
    http = fuzzed.desk.office.http
    fields = ["ntb", "status_bayar", "total_bayar_bjb", "tgl_bayar"]

    @MANY
    @given(
        st.binary()
        | JSON.map(as_bytes)
        | st.fixed_dictionaries(dict.fromkeys(fields, JSON)).map(as_bytes)
    )
    def send(raw: bytes) -> None:
        answer = fuzzed.wait(http.put(path, content=raw, headers=teller_headers()))
        assert answer.status_code == 422

    send()
    assert fuzzed.wait(account.types()) == ["BillIssued"]


@pytest.mark.parametrize(
    "header",
    ["Authorization", "X-TIMESTAMP", "X-SIGNATURE", "X-PARTNER-ID", "X-EXTERNAL-ID", "CHANNEL-ID"],
)
def test_no_header_brings_a_crash_or_lets_anybody_in(fuzzed: Fuzzed, header: str) -> None:
    path = "/v1.0/transfer-va/inquiry"
    http = fuzzed.desk.office.http
    before = fuzzed.payments()
    printable = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
    with capture_logs() as logs:

        @MANY
        @given(printable.map(str.strip))
        def send(value: str) -> None:
            headers = fuzzed.partner.headers("POST", path, b"{}") | {header: value}
            raw = [(name.encode(), one.encode("latin-1")) for name, one in headers.items()]
            answer = fuzzed.wait(http.post(path, content=b"{}", headers=raw))
            assert answer.status_code in (400, 401)

        send()
    assert fuzzed.payments() == before
    assert_nothing_private(fuzzed, logs)


def assert_nothing_private(fuzzed: Fuzzed, logs: object) -> None:
    """No secret, token, account or registration number may stand in a log."""
    said = repr(logs)
    for private in (SECRET, fuzzed.partner.token, fuzzed.account.number):
        assert private not in said
    assert "BOG-2026" not in said


def reference_minify(body: bytes) -> bytes:
    """Drop white space outside strings, one byte at a time: slow, and plainly right."""
    kept, inside, escaped = bytearray(), False, False
    for byte in body:
        if inside:
            kept.append(byte)
            if escaped:
                escaped = False
            elif byte == ord("\\"):
                escaped = True
            elif byte == ord('"'):
                inside = False
        elif byte not in b" \t\r\n":
            kept.append(byte)
            inside = byte == ord('"')
    return bytes(kept)


@given(JSON, st.sampled_from([None, 0, 1, 4]), st.booleans())
def test_the_minifier_is_the_reference_on_json(value: object, indent: int, ascii_: bool) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")
    assert minify(body) == reference_minify(body)
    assert minify(minify(body)) == minify(body)


@given(st.binary() | st.text('"\\ \t\n{}:,a').map(str.encode))
def test_the_minifier_is_the_reference_on_any_bytes(body: bytes) -> None:
    assert minify(body) == reference_minify(body)


READERS: list[Callable[[bytes], object]] = [
    requests.read_payment,
    requests.read_inquiry,
    requests.read_status,
    legacy.read_va_hint,
    legacy.read_qris_hint,
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(body=st.binary() | JSON.map(as_bytes))
def test_any_body_is_read_or_refused(read: Callable[[bytes], object], body: bytes) -> None:
    with suppress(SnapRefused, BadHint):
        read(body)


@given(st.text())
def test_any_token_is_no_token(text: str) -> None:
    assert AccessTokens("s" * 40).client_of(text, datetime(2026, 1, 5, tzinfo=UTC)) is None


@given(st.text())
def test_any_text_is_a_time_stamp_or_none(text: str) -> None:
    stamp = snap.parse_timestamp(text)
    assert stamp is None or stamp.tzinfo is not None


@given(JSON)
def test_a_legacy_amount_is_whole_rupiah_or_none(value: object) -> None:
    found = legacy.rupiah(value)
    assert found is None or (found >= 0 and str(found) == str(value).removesuffix(".00"))
