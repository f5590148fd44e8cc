"""A treasurer's office with bills and money in every state, as payment's own commands make them."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from services.payment import suspense as s
from services.payment.bill import DECIDER as BILL
from services.payment.bill import (
    CancelBill,
    DisputePayment,
    NoteContradiction,
    RecordPayment,
    ReversePayment,
    SettlePayment,
    bill_stream,
)
from shared.actors import bank, system
from shared.contracts.workflow import FeeAssessed
from shared.ids import derived_id, new_id
from tests.running import Office, until

HTML = {"accept": "text/html"}
PARTNER = "bank-contoh"
REFUND = {
    "bank": "Bank Lain",
    "account_number": "0012345678",
    "account_holder": "Pemohon Contoh",
    "reason": "Dibayar dua kali.",
}
_COUNT = itertools.count(1)


@dataclass(frozen=True)
class Billed:
    """One issued bill of ``amount`` rupiah."""

    application: str
    number: str
    amount: int


class Till:
    """Makes things happen to bills, in the service that runs."""

    def __init__(self, office: Office, home: str = "bogor", code: str = "BGR") -> None:
        self.office = office
        self.home = home
        self._code = code
        self.handler = office.running.kernel.handler
        self.now = office.running.kernel.now
        self.zone = ZoneInfo(office.running.kernel.catalogue.offices[home].zone)

    @property
    def today(self) -> date:
        """The day at the office: near midnight another one than elsewhere."""
        return self.now().astimezone(self.zone).date()

    def number(self) -> str:
        """Return a registration number that nobody had yet."""
        return f"{self._code}-2026-{next(_COUNT) + 500:06d}"

    async def fee_without_bill(self) -> str:
        """Assess a fee that the tariff can't compute; return the registration number."""
        number = self.number()
        application = derived_id("till", number)
        fee = FeeAssessed(
            application_id=application,
            number=number,
            office=self.home,
            permit_type="situ",
            permit_version=1,
            measures={"height_m": 3},
        )
        await self.office.happened(f"permit-{application}", fee, application=application)
        return number

    async def bill(self, area: int = 120, **changes: Any) -> Billed:
        number = changes.get("number") or self.number()
        application = derived_id("till", number)
        given: dict[str, Any] = {
            "application_id": application,
            "number": number,
            "office": self.home,
            "permit_type": "situ",
            "permit_version": 1,
            "measures": {"area_m2": area},
        }
        fee = FeeAssessed(**given | changes)
        await self.office.happened(f"permit-{application}", fee, application=application)

        async def issued() -> Any:
            state = (await self.handler.load(BILL, bill_stream(application))).state
            return getattr(state, "bill", None)

        bill = await until(issued, what="the bill")
        return Billed(application, number, bill.amount)

    async def pay(self, bill: Billed, amount: int = 0, **changes: Any) -> str:
        """Record a payment and return its reference."""
        reference = f"NTB{next(_COUNT):09d}"
        now = self.now()
        given: dict[str, Any] = {
            "amount": amount or bill.amount,
            "partner": PARTNER,
            "request_id": f"REQ-{reference}",
            "reference": reference,
            "paid_at": now.isoformat(),
            "paid_on": now.date(),
            "landed": True,
            "now": now,
            "by": bank(PARTNER),
        }
        await self.tell(bill, RecordPayment(**given | changes))
        return str((given | changes)["reference"])

    async def settle(self, bill: Billed, reference: str, day: date) -> None:
        await self.tell(
            bill,
            SettlePayment(
                amount=bill.amount,
                partner=PARTNER,
                request_id="",
                reference=reference,
                settlement_id=derived_id("settlement", day.isoformat()),
                line=1,
                value_on=day.isoformat(),
                now=self.now(),
                by=system("payment"),
            ),
        )

    async def dispute(self, bill: Billed, reference: str) -> None:
        by = system("payment")
        names = {"partner": PARTNER, "request_id": "", "reference": reference}
        await self.tell(bill, DisputePayment(**names, now=self.now(), by=by))

    async def contradict(self, bill: Billed, reference: str) -> None:
        await self.tell(
            bill,
            NoteContradiction(
                partner=PARTNER,
                request_id=f"REQ-{reference}",
                amount=1,
                virtual_account="1",
                now=self.now(),
                by=bank(PARTNER),
            ),
        )

    async def reverse(self, bill: Billed, reference: str, amount: int = 0) -> None:
        await self.tell(
            bill,
            ReversePayment(
                amount=amount or bill.amount,
                partner=PARTNER,
                request_id="",
                reference=reference,
                reversed_at=self.now().isoformat(),
                reason="",
                now=self.now(),
                by=bank(PARTNER),
            ),
        )

    async def cancel(self, bill: Billed) -> None:
        await self.tell(bill, CancelBill(reason="withdrawn", now=self.now(), by=system("payment")))

    async def tell(self, bill: Billed, command: Any) -> None:
        await self.handler.handle(
            BILL,
            bill_stream(bill.application),
            command,
            cause=new_id(),
            application=bill.application,
        )

    async def suspended(self, amount: int = 100_000, reference: str = "") -> str:
        """Open a case of money that names no bill; return its id when the list shows it."""
        name = reference or f"ORPHAN{next(_COUNT):06d}"
        case = s.suspense_id(PARTNER, name)
        command = s.OpenSuspense(
            suspense_id=case,
            office=self.home,
            partner=PARTNER,
            amount=amount,
            reason="late",
            source="callback",
            reference=name,
            paid_at=self.now().isoformat(),
            now=self.now(),
            by=system("payment"),
        )
        stream = s.suspense_stream(case)
        await self.handler.handle(s.DECIDER, stream, command, cause=new_id(), application=case)
        await self.shown("suspense", lambda row: row["suspense_id"] == case)
        return case

    async def shown(self, name: str, wanted: Callable[[Any], bool], **query: str) -> Any:
        """Return the first row of a list that is as wanted, as soon as the office's list has it."""

        async def row() -> Any:
            answer = await self.office.http.get(f"/api/treasury/{name}", params=query)
            assert answer.status_code == 200, answer.text
            return next(filter(wanted, answer.json()["items"]), None)

        return await until(row, what=f"a row of {name}")


def yesterday(till: Till) -> date:
    return till.today - timedelta(days=1)


def fields(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    found = re.search(rf'<form method="post" action="[^"]*/{action}".*?</form>', page, re.DOTALL)
    assert found is not None, f"no form for {action}"
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', found[0]))


async def send(http: httpx.AsyncClient, case: str, action: str, **typed: str) -> httpx.Response:
    """Open a case's page and send one of its forms."""
    page = await http.get(f"/bendahara/titipan/{case}", headers=HTML)
    assert page.status_code == 200, page.text
    given = {**fields(page.text, action), **typed}
    return await http.post(f"/bendahara/titipan/{case}/{action}", data=given, headers=HTML)


@asynccontextmanager
async def as_person(office: Office, username: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give another person a browser of their own."""
    async with httpx.AsyncClient(base_url=office.address, timeout=20) as http:
        await Office(office.address, office.running, http).sign_in(username)
        yield http


async def first_frame(stream: httpx.Response) -> str:
    return await frame(stream.aiter_lines())


async def frame(lines: AsyncIterator[str]) -> str:
    found: list[str] = []
    async for line in lines:
        if not line and found:
            return "\n".join(found)
        if line.startswith("data:"):
            found.append(line)
    raise AssertionError("the stream ended")
