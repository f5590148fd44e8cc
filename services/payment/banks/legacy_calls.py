"""Our signed calls to a legacy bank: token, create, update and the inquiry that confirms a hint."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from services.payment.banks import legacy
from services.payment.banks.calling import BankSaysNo, BankUnreachable, Line, Reported
from services.payment.banks.dialects import LegacyVaProfile, QrisProfile
from services.payment.banks.keys import Keys
from services.payment.banks.recording import Money
from shared.contracts.payment import BillIssued
from shared.telemetry import log

_OK: Final = "0000"
# The token request says an hour; we ask anew a little earlier.
_TOKEN_LIFE: Final = timedelta(minutes=50)


class _Session:
    """Signed calls with a token that is kept until it ends."""

    def __init__(
        self,
        profile: LegacyVaProfile | QrisProfile,
        line: Line,
        keys: Keys,
        now: Callable[[], datetime],
    ) -> None:
        self._calls = profile.calls
        self._line = line
        self._keys = keys
        self._now = now
        self._token: tuple[str, datetime] | None = None

    async def call(self, method: str, path: str, sent: Mapping[str, Any] | None = None) -> Any:
        """Return the ``data`` of an answer. Raises BankUnreachable, BankSaysNo."""
        body = "" if sent is None else json.dumps(sent, separators=(",", ":"))
        token, stamp = await self._access_token(), int(self._now().timestamp())
        secret = self._keys.secret(self._calls.secret)
        answer = await self._line.send(
            method,
            path,
            body.encode(),
            {
                "Authorization": f"Bearer {token}",
                "BJB-Timestamp": str(stamp),
                "BJB-Signature": legacy.signature(secret, path, method, token, stamp, body),
            },
        )
        if answer.status == 401:
            self._token = None
            raise BankUnreachable
        return _data(answer.body)

    async def _access_token(self) -> str:
        now = self._now()
        if self._token is None or now >= self._token[1]:
            secret = self._keys.secret(self._calls.secret)
            request = legacy.token_request(self._calls.client_id, secret, now)
            headers = {"Content-Type": "text/plain"}
            path = "/oauth/client/token"
            answer = await self._line.send("POST", path, request.encode(), headers)
            token = _data(answer.body)
            if not isinstance(token, str):
                raise BankUnreachable
            self._token = (token, now + _TOKEN_LIFE)
        return self._token[0]


class LegacyVaBank:
    """A ``Bank`` that speaks dialect A."""

    def __init__(
        self, profile: LegacyVaProfile, line: Line, keys: Keys, now: Callable[[], datetime]
    ) -> None:
        self._profile = profile
        self._session = _Session(profile, line, keys, now)
        self._now = now

    async def open_account(self, bill: BillIssued, *, known: bool) -> None:
        """See ``Bank``: ``POST /billing``, or ``POST /billing/{cin}/{va}`` for a known account."""
        await self._bill(bill, known=known, until=time(23, 59, 59))

    async def close_account(self, bill: BillIssued) -> None:
        """See ``Bank``: the dialect can't take an account away, but it can let it end at once."""
        await self._bill(bill, known=True, until=None)

    async def payments(self, virtual_account: str, request_id: str) -> Sequence[Money]:
        """See ``Bank``: ``GET /billing/{cin}/{va}``."""
        data = await self._session.call("GET", self._path(virtual_account))
        if not isinstance(data, dict):
            raise BankUnreachable
        if str(data.get("status", "")) != legacy.PAID:
            return []
        amount = legacy.rupiah(data.get("transaction_amount"))
        at = legacy.local_time(data.get("transaction_time"), self._profile.zone)
        name = str(data.get("client_refnum") or request_id)
        return _confirmed(self._profile.id, amount, name, str(data.get("ntb") or ""), at)

    async def report(self, day: date) -> Sequence[Reported]:
        """See ``Bank``: the dialect has no report; settlement files tell."""
        return []

    async def _bill(self, bill: BillIssued, *, known: bool, until: time | None) -> None:
        zone = self._profile.zone
        ends = (
            self._now().astimezone(zone)
            if until is None
            else datetime.combine(date.fromisoformat(bill.due_on), until, zone)
        )
        body = {
            "cin": self._profile.prefix,
            "va_number": bill.virtual_account.removeprefix(self._profile.prefix),
            "client_refnum": bill.bill_id,
            "amount": str(bill.amount),
            "currency": "360",
            "customer_name": bill.number,
            "expired_date": ends.strftime("%Y-%m-%d %H:%M:%S"),
        }
        path = self._path(bill.virtual_account) if known else "/billing"
        await self._session.call("POST", path, body)

    def _path(self, virtual_account: str) -> str:
        prefix = self._profile.prefix
        return f"/billing/{prefix}/{virtual_account.removeprefix(prefix)}"


class QrisBank:
    """A ``Bank`` that speaks dialect B: it can only be asked."""

    def __init__(
        self, profile: QrisProfile, line: Line, keys: Keys, now: Callable[[], datetime]
    ) -> None:
        self._profile = profile
        self._session = _Session(profile, line, keys, now)

    async def open_account(self, bill: BillIssued, *, known: bool) -> None:
        """See ``Bank``: a QR code is made when it is shown, so nothing is told before."""

    async def close_account(self, bill: BillIssued) -> None:
        """See ``Bank``: nothing was told."""

    async def payments(self, virtual_account: str, request_id: str) -> Sequence[Money]:
        """See ``Bank``: ``GET`` the profile's ``inquiry_path``."""
        path = self._profile.inquiry_path.replace("{invoice}", virtual_account)
        data = await self._session.call("GET", path)
        if not isinstance(data, dict):
            raise BankUnreachable
        if str(data.get("status", "")) != legacy.PAID:
            return []
        amount = legacy.rupiah(data.get("transactionAmount"))
        at = legacy.local_time(data.get("transactionDate"), self._profile.zone)
        name = str(data.get("rrn") or request_id)
        return _confirmed(self._profile.id, amount, name, name, at)

    async def report(self, day: date) -> Sequence[Reported]:
        """See ``Bank``: the dialect has no report; settlement files tell."""
        return []


def _confirmed(
    partner: str, amount: int | None, name: str, reference: str, at: datetime | None
) -> Sequence[Money]:
    """Return the money of a confirmed payment. Raises BankUnreachable when it can't be read."""
    if not amount or not (name or reference) or at is None:
        log.error("bank_answer_unreadable", partner=partner)
        raise BankUnreachable
    return [
        Money(
            amount=amount,
            request_id=name,
            reference=reference,
            paid_at=at,
            source="inquiry",
            landed=True,
        )
    ]


def _data(answer: Mapping[str, Any]) -> Any:
    code = str(answer.get("rc", ""))
    if code == _OK:
        return answer.get("data")
    if code:
        raise BankSaysNo(code[:16])
    raise BankUnreachable
