"""How this bank pays a bill: token, inquiry, payment, as SNAP BI has them (services 73, 24, 25)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from deploy.bank.faults import Fault
from deploy.bank.keys import BankKeys

JAKARTA = timezone(timedelta(hours=7))
PAYMENT_PATH = "/v1.0/transfer-va/payment"
_SECONDS = 15.0
_REMEMBERED = 50


@dataclass(frozen=True)
class Exchange:
    """One call: what was sent and what came back, as text."""

    path: str
    sent: str
    status: int
    answer: str


@dataclass(frozen=True)
class Receipt:
    """What the bank tells its customer. ``code`` is the last response code, ``paid`` its verdict.

    ``amount`` is decimal text as the bill says (``"240000.00"``).
    """

    request_id: str
    virtual_account: str
    paid: bool
    code: str
    message: str
    name: str = ""
    amount: str = ""
    reference: str = ""
    paid_at: str = ""
    exchanges: tuple[Exchange, ...] = ()
    fault: str = ""


@dataclass
class Teller:
    """One visit to the office's payment service.

    ``fault`` is what goes wrong with its calls (``signature``, ``clock``, ``tampered``); the last
    exchanges are remembered.
    """

    http: httpx.AsyncClient
    keys: BankKeys
    fault: str = ""
    exchanges: deque[Exchange] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    token: str = ""

    async def sign_in(self) -> dict[str, Any]:
        """Get an access token with the bank's own key (service 73)."""
        stamp = self._stamp()
        text = f"{self.keys.client_id}|{stamp}".encode()
        signature = self.keys.private.sign(text, PKCS1v15(), SHA256())
        answer = await self._post(
            "/v1.0/access-token/b2b",
            _compact({"grantType": "client_credentials"}),
            {
                "X-TIMESTAMP": stamp,
                "X-CLIENT-KEY": self.keys.client_id,
                "X-SIGNATURE": base64.b64encode(signature).decode(),
            },
        )
        self.token = str(answer.get("accessToken", ""))
        return answer

    async def call(self, path: str, body: Mapping[str, Any], external_id: str) -> dict[str, Any]:
        """Make one signed transaction call."""
        stamp, raw = self._stamp(), _compact(body)
        text = f"POST:{path}:{self.token}:{hashlib.sha256(raw).hexdigest()}:{stamp}"
        key = self.keys.secret + ("-wrong" if self.fault == Fault.SIGNATURE else "")
        signature = hmac.new(key.encode(), text.encode(), hashlib.sha512).digest()
        if self.fault == Fault.TAMPERED:
            # Changed after it was signed, on the way to the office.
            raw = raw.replace(b'.00","currency"', b'1.00","currency"')
        return await self._post(
            path,
            raw,
            {
                "Authorization": f"Bearer {self.token}",
                "X-TIMESTAMP": stamp,
                "X-SIGNATURE": base64.b64encode(signature).decode(),
                "X-PARTNER-ID": self.keys.partner_id,
                "X-EXTERNAL-ID": external_id,
                "CHANNEL-ID": self.keys.channel,
            },
        )

    async def ask(self, virtual_account: str, request_id: str) -> dict[str, Any]:
        """Ask what is owed (service 24)."""
        asked = {**account_fields(virtual_account, self.keys), "inquiryRequestId": request_id}
        return await self.call("/v1.0/transfer-va/inquiry", asked, new_external_id())

    async def report(self, order: Mapping[str, Any], external_id: str = "") -> dict[str, Any]:
        """Report a payment (service 25)."""
        return await self.call(PAYMENT_PATH, order, external_id or new_external_id())

    def _stamp(self) -> str:
        late = timedelta(minutes=10 if self.fault == Fault.CLOCK and self.token else 0)
        return (datetime.now(JAKARTA) - late).isoformat(timespec="seconds")

    async def _post(self, path: str, raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        answer = await self.http.post(
            path, content=raw, headers={"Content-Type": "application/json", **headers}
        )
        self.exchanges.append(Exchange(path, raw.decode(), answer.status_code, answer.text))
        try:
            found = answer.json()
        except ValueError:
            found = None
        return found if isinstance(found, dict) else {"responseMessage": answer.reason_phrase}


async def pay(
    base_url: str,
    virtual_account: str,
    *,
    keys: BankKeys,
    request_id: str = "",
    amount: str = "",
    fault: str = "",
    advice: bool = False,
) -> Receipt:
    """Pay what is owed under ``virtual_account``, and return the receipt or the refusal.

    Giving a ``request_id`` and its ``amount`` (decimal text) again repeats that payment, and
    ``advice`` marks it as a retry. Raises httpx.HTTPError when the service can't be reached.
    """
    request_id = request_id or secrets.token_hex(14)
    async with httpx.AsyncClient(base_url=base_url, timeout=_SECONDS) as http:
        teller = Teller(http, keys, fault)
        answer = await teller.sign_in()
        bill: dict[str, Any] = {}
        if teller.token:
            answer = await teller.ask(virtual_account, request_id)
            bill = answer.get("virtualAccountData") or {}
            # A repeat knows its amount: the first payment is why the inquiry says "paid".
            if value := amount or owed(bill, fault):
                order = payment_order(virtual_account, keys, value, request_id, advice=advice)
                answer = await teller.report(order)
        return receipt_of(request_id, virtual_account, answer, bill, teller)


def account_fields(virtual_account: str, keys: BankKeys) -> dict[str, str]:
    """Return the three fields of a virtual account as the standard writes them."""
    digits = virtual_account.strip().replace(" ", "")
    customer = digits.removeprefix(keys.prefix)
    padded = keys.prefix.rjust(8)
    return {
        "partnerServiceId": padded,
        "customerNo": customer,
        "virtualAccountNo": padded + customer,
    }


def owed(bill: Mapping[str, Any], fault: str) -> str:
    """Return what a bill asks for, as decimal text; one rupiah more where that is the fault."""
    value = str((bill.get("totalAmount") or {}).get("value", ""))
    if value and fault == Fault.AMOUNT:
        return f"{int(value.split('.')[0]) + 1}.00"
    return value


def payment_order(
    virtual_account: str,
    keys: BankKeys,
    value: str,
    request_id: str,
    *,
    advice: bool = False,
    reference: str = "",
    paid_at: str = "",
) -> dict[str, Any]:
    """Return a payment as the standard has it (service 25); ``value`` is decimal text."""
    return {
        **account_fields(virtual_account, keys),
        "paymentRequestId": request_id,
        "paidAmount": {"value": value, "currency": "IDR"},
        "trxDateTime": paid_at or datetime.now(JAKARTA).isoformat(timespec="seconds"),
        "referenceNo": reference or receipt_number(request_id),
        "flagAdvise": "Y" if advice else "N",
    }


def receipt_number(request_id: str) -> str:
    """Return the number on the customer's receipt: the same for the same payment."""
    return f"{int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:5]):013d}"


def receipt_of(
    request_id: str,
    virtual_account: str,
    answer: Mapping[str, Any],
    bill: Mapping[str, Any],
    teller: Teller,
) -> Receipt:
    """Return what the customer is told after the office's last answer."""
    data = answer.get("virtualAccountData") or {}
    return Receipt(
        request_id=request_id,
        virtual_account=virtual_account,
        paid=data.get("paymentFlagStatus") == "00",
        code=str(answer.get("responseCode", "")),
        message=str(answer.get("responseMessage", "")),
        name=str(bill.get("virtualAccountName") or data.get("virtualAccountName", "")),
        amount=str((data.get("paidAmount") or {}).get("value", "")),
        reference=str(data.get("referenceNo", "")),
        paid_at=str(data.get("trxDateTime", "")),
        exchanges=tuple(teller.exchanges),
    )


def new_external_id() -> str:
    """Return an id that no other call has."""
    return secrets.token_hex(16)


def _compact(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
