"""One bill in a payment service that really runs, and a bank that calls about it."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deploy.bank.client import JAKARTA, Teller
from deploy.bank.keys import BankKeys, open_keys
from services.payment.bill import bill_stream
from shared.contracts.workflow import FeeAssessed
from shared.ids import derived_id
from tests.running import Office, until

INQUIRY, PAYMENT = "/v1.0/transfer-va/inquiry", "/v1.0/transfer-va/payment"
_COUNT = itertools.count(1)


@dataclass(frozen=True)
class Case:
    """One bill of Rp240.000 in a running office, and a bank that may pay it."""

    office: Office
    keys: BankKeys
    application: str
    number: str
    account: str

    def body(self, **changes: Any) -> dict[str, Any]:
        """Return a payment as the standard has it."""
        customer = self.account.removeprefix("12345")
        given: dict[str, Any] = {
            "partnerServiceId": "   12345",
            "customerNo": customer,
            "virtualAccountNo": f"   12345{customer}",
            "paymentRequestId": f"REQ-{self.number}",
            "paidAmount": {"value": "240000.00", "currency": "IDR"},
            "trxDateTime": datetime.now(JAKARTA).isoformat(timespec="seconds"),
            "referenceNo": f"{next(_COUNT):011d}",
            "flagAdvise": "N",
        }
        return {name: value for name, value in (given | changes).items() if value is not None}

    async def teller(self, fault: str = "", keys: BankKeys | None = None) -> Teller:
        """Return a signed-in bank."""
        teller = Teller(self.office.http, keys or self.keys)
        await teller.sign_in()
        teller.fault = fault
        return teller

    async def send(
        self, path: str = PAYMENT, external_id: str = "", fault: str = "", **changes: Any
    ) -> dict[str, Any]:
        """Make one call and return its JSON; the HTTP status is checked against the code."""
        teller = await self.teller(fault)
        body = self.body(**changes)
        if path == INQUIRY:
            body["inquiryRequestId"] = body.pop("paymentRequestId")
        answer = await teller.call(path, body, external_id or new_external_id())
        assert str(teller.exchanges[-1].status) == answer["responseCode"][:3]
        return answer

    async def payments(self) -> int:
        """Count the recorded payments of this bill."""
        recorded = await self.office.running.kernel.store.read_stream(bill_stream(self.application))
        return sum(one.type == "PaymentReceived" for one in recorded)


def new_external_id() -> str:
    return f"EXT-{next(_COUNT):010d}"


async def assessed(office: Office, *, await_bill: bool = True) -> Case:
    kernel = office.running.kernel
    number = f"BGR-2026-{next(_COUNT):06d}"
    application = derived_id("case", number)
    if await_bill:
        fee = FeeAssessed(
            application_id=application,
            number=number,
            office="bogor",
            permit_type="situ",
            permit_version=1,
            measures={"area_m2": 120},
        )
        await office.happened(f"permit-{application}", fee, application=application)

        async def issued() -> str:
            found = await office.http.get(f"/api/bills/{number}")
            return str(found.json()["virtual_account"]) if found.status_code == 200 else ""

        account = await until(issued, what="the bill")
    else:
        account = f"12345001260{next(_COUNT):06d}0"
    data = kernel.settings.data
    keys = await asyncio.to_thread(open_keys, data, kernel.secret("bank"))
    return Case(office, keys, application, number, account)
