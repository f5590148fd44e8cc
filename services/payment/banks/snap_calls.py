"""Our calls to a SNAP bank: services 73, 27, 28, 31, 26 and 35, signed as the standard says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from services.payment.banks import snap
from services.payment.banks.calling import (
    BankSaysNo,
    BankUnreachable,
    Line,
    Reported,
    new_reference,
)
from services.payment.banks.dialects import SnapProfile
from services.payment.banks.keys import Keys
from services.payment.banks.recording import Money
from shared.contracts.payment import BillIssued
from shared.money import InvalidAmount, decimal_text, sen_of
from shared.telemetry import log

TOKEN, CREATE, UPDATE, DELETE, STATUS, REPORT = "73", "27", "28", "31", "26", "35"
_VA = "/v1.0/transfer-va"
# A token is given back a little early, so that none ends on the way.
_MARGIN: Final = timedelta(seconds=60)
_ALREADY_THERE: Final = frozenset({"00", "14", "18"})
_NOT_THERE: Final = frozenset({"01", "12", "19"})


class SnapBank:
    """A ``Bank`` that speaks dialect D."""

    def __init__(
        self, profile: SnapProfile, line: Line, keys: Keys, now: Callable[[], datetime]
    ) -> None:
        """``profile`` must say how to call the bank."""
        assert profile.calls is not None
        self._profile = profile
        self._calls = profile.calls
        self._line = line
        self._keys = keys
        self._now = now
        self._token: tuple[str, datetime] | None = None

    async def open_account(self, bill: BillIssued, *, known: bool) -> None:
        """See ``Bank``: create-va (27), or update-va (28) for an account that is there."""
        body = {
            **self._account(bill.virtual_account),
            "virtualAccountName": bill.number,
            "trxId": bill.bill_id,
            "totalAmount": {"value": decimal_text(bill.amount), "currency": "IDR"},
            "virtualAccountTrxType": "C" if self._profile.amount == "closed" else "O",
            "expiredDate": self._last_moment(bill.due_on),
        }
        if not known:
            try:
                await self._call("POST", f"{_VA}/create-va", body, CREATE)
            except BankSaysNo as no:
                if not (no.answer[:3] in ("404", "409") and no.answer[5:] in _ALREADY_THERE):
                    raise
                # We were told no answer the last time: it is there, perhaps with an older amount.
                log.info("bank_account_was_there", partner=self._profile.id)
            else:
                return
        await self._call("PUT", f"{_VA}/update-va", body, UPDATE)

    async def close_account(self, bill: BillIssued) -> None:
        """See ``Bank``: delete-va (31); an account that is gone already is what we want."""
        body = {**self._account(bill.virtual_account), "trxId": bill.bill_id}
        try:
            await self._call("DELETE", f"{_VA}/delete-va", body, DELETE)
        except BankSaysNo as no:
            if not (no.answer[:3] == "404" and no.answer[5:] in _NOT_THERE):
                raise

    async def payments(self, virtual_account: str, request_id: str) -> Sequence[Money]:
        """See ``Bank``: inquiry status (26)."""
        asked = request_id or new_reference()
        body = {**self._account(virtual_account), "inquiryRequestId": asked}
        try:
            answer = await self._call("POST", f"{_VA}/status", body, STATUS)
        except BankSaysNo as no:
            if no.answer[:3] == "404":
                return []
            raise
        found = [found for found in self._reported([answer]) if _is(found, virtual_account)]
        return [reported.money for reported in found]

    async def report(self, day: date) -> Sequence[Reported]:
        """See ``Bank``: the report (35) of the calendar days that the business day touches."""
        found: list[Reported] = []
        for local in (day - timedelta(days=1), day):
            begin, end = (datetime.combine(local, at, self._profile.zone) for at in _WHOLE_DAY)
            body = {
                "partnerServiceId": self._profile.prefix.rjust(8),
                "startDate": begin.date().isoformat(),
                "startTime": begin.isoformat(timespec="seconds")[11:],
                "endDate": end.date().isoformat(),
                "endTime": end.isoformat(timespec="seconds")[11:],
            }
            try:
                answer = await self._call("POST", f"{_VA}/report", body, REPORT)
            except BankSaysNo as no:
                if no.answer[:3] == "404":
                    continue
                raise
            listed = answer.get("virtualAccountData")
            items = listed if isinstance(listed, list) else [answer]
            found += self._reported([{"virtualAccountData": item} for item in items])
        return found

    async def _call(
        self, method: str, path: str, body: Mapping[str, Any], service: str
    ) -> Mapping[str, Any]:
        raw = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        for attempt in (1, 2):
            token = "" if self._by_key else await self._access_token()
            headers = self._headers(method, path, raw, token)
            answer = (await self._line.send(method, path, raw, headers)).body
            code = str(answer.get("responseCode", ""))
            if code == f"401{service}01" and attempt == 1:
                # It ended earlier than it said.
                self._token = None
                continue
            if code.startswith((f"200{service}", f"202{service}")):
                return answer
            if len(code) == 7 and code[3:5] == service and code[0] == "4":
                raise BankSaysNo(code)
            raise BankUnreachable
        raise BankUnreachable

    @property
    def _by_key(self) -> bool:
        return self._profile.proof == "asymmetric"

    def _headers(self, method: str, path: str, raw: bytes, token: str) -> dict[str, str]:
        profile, calls = self._profile, self._calls
        stamp = self._stamp()
        digest = snap.body_hash(raw, raw=profile.body == "raw")
        headers = {
            "X-TIMESTAMP": stamp,
            "X-PARTNER-ID": calls.partner_id,
            "X-EXTERNAL-ID": new_reference(),
            "CHANNEL-ID": profile.channel_id,
        }
        if self._by_key:
            text = snap.asymmetric_text(method, path, digest, stamp)
            key = self._keys.private(calls.private_key)
            return headers | {"X-SIGNATURE": snap.sign_rsa(key, text, profile.signature)}
        text = snap.symmetric_text(method, path, token, digest, stamp)
        secret = self._keys.secret(calls.secret)
        signature = snap.symmetric_signature(secret, text, profile.signature)
        return headers | {"Authorization": f"Bearer {token}", "X-SIGNATURE": signature}

    async def _access_token(self) -> str:
        now = self._now()
        if self._token is not None and now < self._token[1]:
            return self._token[0]
        stamp = self._stamp()
        key = self._keys.private(self._calls.private_key)
        text = snap.token_text(self._calls.client_id, stamp)
        headers = {
            "X-TIMESTAMP": stamp,
            "X-CLIENT-KEY": self._calls.client_id,
            "X-SIGNATURE": snap.sign_rsa(key, text, self._profile.signature),
        }
        raw = b'{"grantType":"client_credentials"}'
        answer = await self._line.send("POST", "/v1.0/access-token/b2b", raw, headers)
        token, seconds = answer.body.get("accessToken"), str(answer.body.get("expiresIn", ""))
        code = str(answer.body.get("responseCode", ""))
        if not code.startswith(f"200{TOKEN}") or not isinstance(token, str):
            raise BankSaysNo(code) if code[:1] == "4" else BankUnreachable
        life = timedelta(seconds=int(seconds)) if seconds.isdecimal() else _MARGIN
        self._token = (token, now + max(life - _MARGIN, timedelta()))
        return token

    def _reported(self, answers: Sequence[Mapping[str, Any]]) -> Iterator[Reported]:
        """Yield the paid ones; one that we can't read is for the settlement file to tell."""
        for answer in answers:
            data = answer.get("virtualAccountData")
            if not isinstance(data, dict) or data.get("paymentFlagStatus") != "00":
                continue
            paid, at = data.get("paidAmount"), str(data.get("trxDateTime") or "")
            stamp = snap.parse_timestamp(at or str(data.get("transactionDate") or ""))
            request, reference = data.get("paymentRequestId"), data.get("referenceNo")
            try:
                if not isinstance(paid, dict) or paid.get("currency") != "IDR":
                    raise InvalidAmount
                sen = sen_of(str(paid.get("value", "")))
                if sen % 100 or not sen:
                    raise InvalidAmount
            except InvalidAmount:
                log.error("bank_report_unreadable", partner=self._profile.id)
                continue
            money = Money(
                amount=sen // 100,
                request_id=str(request or ""),
                reference=str(reference or ""),
                paid_at=stamp or self._now(),
                source="inquiry",
                landed=True,
            )
            yield Reported(str(data.get("virtualAccountNo", "")).replace(" ", ""), money)

    def _account(self, virtual_account: str) -> dict[str, str]:
        padded = self._profile.prefix.rjust(8)
        customer = virtual_account.removeprefix(self._profile.prefix)
        return {
            "partnerServiceId": padded,
            "customerNo": customer,
            "virtualAccountNo": padded + customer,
        }

    def _last_moment(self, due_on: str) -> str:
        day = date.fromisoformat(due_on)
        return datetime.combine(day, time(23, 59, 59), self._profile.zone).isoformat()

    def _stamp(self) -> str:
        return self._now().astimezone(self._profile.zone).isoformat(timespec="seconds")


_WHOLE_DAY: Final = (time(0), time(23, 59, 59))


def _is(reported: Reported, virtual_account: str) -> bool:
    return reported.virtual_account == virtual_account
