"""Row 6, the bank: signed callbacks a second, 20 % of them sent twice, against a no-op POST.

Both are sent to the same server, by the same client, as the same bytes but for the address. Every
signature is checked, and a payment is durable before it is answered.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

from services.payment.bill import bill_stream
from shared.settings import kept_secret
from shared.store.sqlite import SqliteStore
from tests.bank_partner import Partner, digits, new_key, tight
from tests.bench import settlement_file
from tests.bench.bank_server import AMOUNT, NOTHING, NOTHING_SIGNED, accounts, application
from tests.bench.measure import MILLIS, Contestant, Kept, Reading, Row, Target, percentile
from tests.bench.plan import Plan
from tests.bench.processes import serving
from tests.bench.telling import Teller
from tests.bench.web_client import Client, request

_PAYMENT = "/v1.0/transfer-va/payment"
_CONNECTIONS = 32
# More than a second can bring; who runs out of bills stops early.
_BILLS_A_SECOND = 4000
_TWICE = 0.2
_CALLBACKS, _NOTHING = "signed callbacks", "no-op POST"
# Without what the framework does for pages, as a callback is taken: shown, and asked of nobody.
_BARE = "no-op POST by a callback's way"
_OURS99, _NOTHING99 = "callbacks, 99 %", "no-op POST, 99 %"

# Where an answer has its code, and what one says that was paid.
_CODE, _PAID = slice(17, 24), b'"paymentFlagStatus":"00"'
_GOOD = frozenset({b"2002500", b"4042518"})

TARGETS = [
    Target("callbacks, share of a no-op POST", _CALLBACKS, (_NOTHING,), at_least=0.5),
    Target("99 % of callbacks, against a no-op POST", _OURS99, (_NOTHING99,), at_most=3),
]


class _Sent(NamedTuple):
    """What a load came to: answers a second, milliseconds of each, and the response codes.

    ``paid`` are the bills, by their index, that were answered as paid.
    """

    rate: float
    millis: list[float]
    codes: set[bytes]
    paid: set[int]


async def run(plan: Plan, teller: Teller) -> Row:
    """Measure row 6."""
    row = Row(6, "bank: signed callbacks, durable before the answer", targets=list(TARGETS))
    await row.interleave({"callbacks and no-ops": _contestant(row, plan)}, plan.rounds, teller)
    row.notes.append(
        f"{_CONNECTIONS} connections, requests signed beforehand; {_TWICE:.0%} are sent twice, "
        "half of those as advice; the payment service alone, with its read models and reactions"
    )
    row.notes.append(
        "the no-op is an ordinary route and the last of all, so it pays for a look at each of "
        "them; a signed call pays for none of that, and neither does the second no-op"
    )
    await settlement_file.measure(row, plan, teller)
    return row


def _contestant(row: Row, plan: Plan) -> Contestant:
    async def contestant() -> Sequence[Reading]:
        folder = Path(tempfile.mkdtemp(dir=plan.data))
        try:
            bills = int(plan.seconds * _BILLS_A_SECOND)
            partner = await asyncio.to_thread(_partner, folder)
            async with serving("bank_server", str(folder), str(bills)) as port:
                await _sign_in(partner, port)
                calls = await asyncio.to_thread(_calls, partner, bills)
                nothing = await _load(port, NOTHING, calls, plan.seconds)
                bare = await _load(port, NOTHING_SIGNED, calls, plan.seconds)
                ours = await _load(port, _PAYMENT, calls, plan.seconds)
            assert not ours.codes - _GOOD, ours.codes
            row.keep(await _kept(folder, bills, ours))
            return [
                Reading(_NOTHING, nothing.rate),
                Reading(_BARE, bare.rate),
                Reading(_CALLBACKS, ours.rate),
                Reading(_NOTHING99, percentile(nothing.millis, 0.99), MILLIS),
                Reading(_OURS99, percentile(ours.millis, 0.99), MILLIS),
            ]
        finally:
            shutil.rmtree(folder)

    return contestant


def _partner(folder: Path) -> Partner:
    """Make the keys of the sample partner, before the service looks for them."""
    key = new_key(folder / "bank", "bank")
    (folder / "bank" / "bank-public.pem").rename(folder / "bank" / "public.pem")
    secret = kept_secret(folder / "secrets", "bank")
    return Partner(httpx.AsyncClient(), key, secret, "jejak-bank", "JEJAK-BANK")


async def _sign_in(partner: Partner, port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        partner.http = http
        answer = await partner.sign_in()
    assert answer["responseCode"] == "2007300", answer


class _Call(NamedTuple):
    bill: int
    body: bytes
    headers: Mapping[str, str]


def _calls(partner: Partner, bills: int) -> list[_Call]:
    """Return one signed call per bill, and a second one after some of them."""
    chance, calls = random.Random(6), []
    for index, account in enumerate(accounts(bills)):
        body = _body(account)
        raw = tight(body)
        first = _Call(index, raw, partner.headers("POST", _PAYMENT, raw))
        calls.append(first)
        if chance.random() < _TWICE / (1 - _TWICE):
            # Half of the repetitions are verbatim, half advice under an external id of their own.
            advice = tight(body | {"flagAdvise": "Y"})
            again = _Call(index, advice, partner.headers("POST", _PAYMENT, advice))
            place = max(0, len(calls) - chance.randrange(1, 4 * _CONNECTIONS))
            calls.insert(place, first if chance.random() < 0.5 else again)
    return calls


def _body(account: str) -> dict[str, object]:
    customer = account.removeprefix("12345")
    return {
        "partnerServiceId": "   12345",
        "customerNo": customer,
        "virtualAccountNo": f"   12345{customer}",
        "paymentRequestId": f"REQ-{account}",
        "paidAmount": {"value": f"{AMOUNT}.00", "currency": "IDR"},
        "referenceNo": digits(),
        "flagAdvise": "N",
    }


async def _load(port: int, path: str, calls: Sequence[_Call], seconds: float) -> _Sent:
    """Send ``calls`` over all connections, each once its last one was answered."""
    clients = [await Client.connect(port) for _ in range(_CONNECTIONS)]
    ready = [(call.bill, request(port, path, call.body, call.headers)) for call in calls]
    waiting, millis = iter(ready), list[float]()
    codes, paid = set[bytes](), set[int]()
    began = time.perf_counter()

    async def work(client: Client) -> None:
        for bill, whole in waiting:
            sent = time.perf_counter()
            _, body = await client.send(whole)
            now = time.perf_counter()
            millis.append((now - sent) * 1000)
            codes.add(body[_CODE])
            if _PAID in body:
                paid.add(bill)
            if now - began > seconds:
                return

    await asyncio.gather(*map(work, clients))
    took = time.perf_counter() - began
    for client in clients:
        client.close()
    return _Sent(len(millis) / took, millis, codes, paid)


async def _kept(folder: Path, bills: int, ours: _Sent) -> Kept:
    """Count what is in the store after the kill. Raises AssertionError for a bill paid twice."""
    store, found = SqliteStore(folder / "events.sqlite"), set[int]()
    try:
        for index in range(bills):
            events = await store.read_stream(bill_stream(application(index)))
            paid = sum(one.type == "PaymentReceived" for one in events)
            assert paid <= 1, f"bill {index} was paid {paid} times"
            if paid:
                found.add(index)
    finally:
        await store.close()
    return Kept(_CALLBACKS, len(ours.paid), len(ours.paid & found))
