"""A bank and a treasurer at work while the office is killed: they send until they are answered.

The bank tells payments, some of them twice, and the treasurer brings its files. Both remember what
they were answered; nobody else's word counts afterwards.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from deploy.bank.keys import open_keys
from shared.actors import system
from shared.codec import Codec
from shared.contracts.workflow import FeeAssessed
from shared.events import to_micros
from shared.ids import derived_id
from shared.settings import kept_secret
from shared.store import EventStore
from tests.bank_partner import JAKARTA, VA_PATH, Partner, tight
from tests.chaos.load import Client, Line
from tests.unit.payment.settlement.bank_file import Row, csv_file

PAYMENT = f"{VA_PATH}/payment"
FILES = "/api/settlement/bank-contoh/files"
# Old enough for money that names no bill to be put aside at once.
LONG_AGO = timedelta(days=14)
_TOGETHER = 256
_TWICE = 0.2


class Owed(NamedTuple):
    """A bill that somebody will pay: its application, virtual account and amount in rupiah."""

    application: str
    account: str
    amount: int

    @property
    def request_id(self) -> str:
        """What the bank calls the payment."""
        return f"REQ-{self.account}"

    @property
    def reference(self) -> str:
        """The bank's receipt number."""
        return f"N{self.account}"


@dataclass
class Told:
    """What was answered with success: payments and files, and how often something was repeated."""

    paid: dict[str, Owed] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    again: int = 0


async def assess_fees(store: EventStore, count: int, chance: random.Random) -> None:
    """Have ``count`` fees assessed, as the workflow service would record them."""
    codec = Codec()
    for start in range(0, count, _TOGETHER):
        numbers = range(start, min(count, start + _TOGETHER))
        await asyncio.gather(*(_assess(store, codec, n, chance.randint(10, 500)) for n in numbers))


async def _assess(store: EventStore, codec: Codec, number: int, area: int) -> None:
    application = derived_id("chaos-bill", number)
    fee = FeeAssessed(
        application_id=application,
        number=f"BGR-2026-{number:06d}",
        office="bogor",
        permit_type="situ",
        permit_version=1,
        measures={"area_m2": area},
    )
    cause = derived_id("chaos-fee", number)
    now = to_micros(datetime.now(JAKARTA))
    new = codec.envelope(fee, derived_id(cause, 0), now, str(system("test")), cause, application)
    await store.append(f"permit-{application}", [new])


class Bank:
    """The sample partner, on the other end of a line that may be cut."""

    def __init__(self, line: Line, data: Path, told: Told) -> None:
        """``data`` is the office's folder, where the sample keys lie."""
        keys = open_keys(data, kept_secret(data / "secrets", "bank"))
        self._line = line
        self._told = told
        http = httpx.AsyncClient(base_url=line.address, timeout=30)
        self._partner = Partner(http, keys.private, keys.secret, keys.client_id, keys.partner_id)

    async def close(self) -> None:
        """Hang up."""
        await self._partner.http.aclose()

    async def tell(self, owed: Owed, chance: random.Random) -> None:
        """Tell a payment until the office says that it is recorded; sometimes tell it again."""
        body = payment(owed)
        await self._until_known(body, chance)
        self._told.paid[owed.request_id] = owed
        if chance.random() < _TWICE:
            self._told.again += 1
            await self._until_known(body, chance)

    async def _until_known(self, body: dict[str, Any], chance: random.Random) -> None:
        call = await self._signed(body)
        while True:
            answer = await self._post(*call)
            code = answer.get("responseCode", "")
            data = answer.get("virtualAccountData") or {}
            if data.get("paymentFlagStatus") == "00":
                assert code in {"2002500", "4042518"}, answer
                return
            # Nothing was answered, or that the office is not up: the bill is there, so no refusal
            # would be right.
            assert code in {"", "4012501"} or code.startswith("5"), answer
            if code == "4012501":
                self._partner.token = ""
            if code or chance.random() < 0.5:
                # An advice: the same payment under an external id of its own.
                call = await self._signed(body | {"flagAdvise": "Y"})

    async def _signed(self, body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
        while not self._partner.token:
            await self._line.up.wait()
            try:
                await self._partner.sign_in()
            except (httpx.TransportError, json.JSONDecodeError):
                await asyncio.sleep(0.01)
        raw = tight(body)
        return raw, self._partner.headers("POST", PAYMENT, raw)

    async def _post(self, raw: bytes, headers: dict[str, str]) -> dict[str, Any]:
        await self._line.up.wait()
        try:
            answer = await self._partner.http.post(PAYMENT, content=raw, headers=headers)
        except httpx.TransportError:
            self._line.ledger.unanswered += 1
            await asyncio.sleep(0.01)
            return {}
        found = answer.json()
        return dict(found) if "responseCode" in found else {"responseCode": "503"}


def payment(owed: Owed) -> dict[str, Any]:
    """Return a payment of a bill as the standard has it."""
    customer = owed.account.removeprefix("12345")
    return {
        "partnerServiceId": "   12345",
        "customerNo": customer,
        "virtualAccountNo": f"   12345{customer}",
        "paymentRequestId": owed.request_id,
        "paidAmount": {"value": f"{owed.amount}.00", "currency": "IDR"},
        "trxDateTime": datetime.now(JAKARTA).isoformat(timespec="seconds"),
        "referenceNo": owed.reference,
        "flagAdvise": "N",
    }


@dataclass
class Statements:
    """The files that the bank writes, and the class in which each of their lines must end.

    ``expected`` is receipt number -> (class, rupiah).
    """

    expected: dict[str, tuple[str, int]] = field(default_factory=dict)
    count: int = 0

    def of(self, told: Sequence[Owed], crossing: Sequence[Owed], untold: Sequence[Owed]) -> bytes:
        """Return a file: payments that were told, are told meanwhile, or never; and strange ones.

        One told payment in ten was made twice, and one line in twenty names no bill.
        """
        self.count += 1
        rows = [self._row(owed, "MATCHED") for owed in (*told, *crossing)]
        rows += [self._row(owed, "SETTLED_NO_CALLBACK") for owed in untold]
        for owed in told[::10]:
            self.expected[f"D{owed.account}"] = ("DUPLICATE", owed.amount)
            rows.append(Row(owed.amount, f"D{owed.account}", owed.account, today()))
        for number in range(1 + len(rows) // 20):
            reference, amount = f"X{self.count}-{number}", 10_000 + number
            self.expected[reference] = ("ORPHAN_CREDIT", amount)
            rows.append(Row(amount, reference, on=today() - LONG_AGO))
        return csv_file(rows, 0, str(self.count))

    def totals(self) -> dict[str, tuple[int, int]]:
        """Return class -> (lines, rupiah) that all files together must come to."""
        counts, sums = Counter[str](), Counter[str]()
        for name, amount in self.expected.values():
            counts[name] += 1
            sums[name] += amount
        return {name: (counts[name], sums[name]) for name in counts}

    def _row(self, owed: Owed, name: str) -> Row:
        self.expected[owed.reference] = (name, owed.amount)
        return Row(owed.amount, owed.reference, owed.account, today())


def today() -> date:
    """Return the bank's day."""
    return datetime.now(JAKARTA).date()


@dataclass
class Market:
    """Bills on their way: to be told, told since the last file, and never told."""

    to_tell: deque[Owed]
    untold: deque[Owed]
    told: list[Owed] = field(default_factory=list)
    crossing: set[str] = field(default_factory=set)


async def bank_at_work(line: Line, data: Path, market: Market, told: Told, seed: str) -> None:
    """Tell one payment after the other until it is over and no file waits for another."""
    bank, chance = Bank(line, data, told), random.Random(seed)
    while not line.over.is_set() or market.crossing:
        if not market.to_tell:
            await asyncio.sleep(0.02)
            continue
        owed = market.to_tell.popleft()
        await bank.tell(owed, chance)
        if owed.account in market.crossing:
            market.crossing.discard(owed.account)
        else:
            market.told.append(owed)
        await asyncio.sleep(0.02)
    await bank.close()


async def treasurer_at_work(line: Line, statements: Statements, market: Market, told: Told) -> None:
    """Bring one file after the other until it is over."""
    client = Client(line)
    await client.sign_in("bendahara")
    while not line.over.is_set():
        some, market.told = market.told, []
        crossing = [market.untold.popleft() for _ in range(min(10, len(market.untold)))]
        # Every fifth file is long enough to be recorded in several parts.
        many = 1200 if statements.count % 5 == 4 else 10
        others = [market.untold.popleft() for _ in range(min(many, len(market.untold)))]
        content = statements.of(some, crossing, others)
        market.crossing.update(owed.account for owed in crossing)
        market.to_tell.extendleft(crossing)
        answer = await client.send("POST", FILES, content=content)
        assert answer.status_code == 202, answer.text
        told.files.add(answer.json()["settlement_id"])
        await asyncio.sleep(0.2)
    await client.close()
