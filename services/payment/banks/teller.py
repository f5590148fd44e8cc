"""Dialect C: the host of a bank's tellers and ATMs asks what is owed and reports what was paid.

The public description names no proof of who calls, so the profile names one (assumed): a shared
secret in a header, or HTTP basic. The fields are those of the description.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from services.payment.banks.dialects import TellerProfile
from services.payment.banks.door import REFUSED
from services.payment.banks.keys import Keys
from services.payment.banks.legacy import local_time, rupiah
from services.payment.banks.profile import Banks
from services.payment.banks.recording import Money, Payee, Recorder
from services.payment.bill import Cancelled, Expired, NotIssued, Open, Paid
from shared.errors import InvalidInput, NotAllowed, NotFound, Unavailable
from shared.telemetry import log

_NAME = re.compile(r"[!-~]{1,64}", re.ASCII)
_PAID = frozenset({"1", "paid", "lunas"})


class UnprovenTeller(NotAllowed):
    """The caller did not prove to be the partner."""

    code = "unproven-teller"
    text = "The caller did not prove who it is."


class BadReport(InvalidInput):
    """A report that is not what the dialect says."""

    code = "bad-teller-report"
    text = "This report of a payment is not complete: {field}."


class CutOff(Unavailable):
    """The partner's cut-off is in progress."""

    code = "cut-off"
    text = "The bank's day is being closed. Nothing was recorded; please try again shortly."


class Tellers:
    """Answers the partners of dialect C."""

    def __init__(
        self, banks: Banks, keys: Keys, recorder: Recorder, now: Callable[[], datetime]
    ) -> None:
        """``keys`` holds the secrets by which callers prove themselves."""
        self._banks = banks
        self._keys = keys
        self._recorder = recorder
        self._now = now

    async def invoice(
        self, partner: str, headers: Mapping[str, str], account: str
    ) -> dict[str, object]:
        """Return what is owed under an account. Raises NotFound, UnprovenTeller, CutOff."""
        profile = self._caller(partner, headers)
        payee = await self._payee(profile, account)
        state = await self._recorder.bill(payee)
        if isinstance(state, NotIssued):
            raise NotFound
        bill = state.bill
        return {
            "id": account,
            "kode_bayar": account,
            "nomor": bill.number,
            "jumlah": bill.amount,
            # What is added to the principal because it is late.
            "denda": bill.amount - bill.principal if bill.kind == "strd" else 0,
            "jatuh_tempo": bill.due_on,
            "status_bayar": _status(state, self._today(payee)),
        }

    async def report(
        self, partner: str, headers: Mapping[str, str], account: str, body: bytes
    ) -> dict[str, object]:
        """Record a payment that was taken at the counter; return its receipt.

        The money has changed hands, so it is never refused: what does not fit is set aside.
        Raises NotFound, UnprovenTeller, BadReport, CutOff.
        """
        profile = self._caller(partner, headers)
        payee = await self._payee(profile, account)
        money = _money(body, profile)
        outcome = await self._recorder.record(profile, payee, money)
        state = outcome.state
        fits = isinstance(state, Paid) and state.payment.reference == money.reference
        return {
            "id": account,
            "ntb": money.reference,
            "total_bayar": money.amount,
            "status_bayar": "lunas" if fits else "dicatat",
        }

    def _caller(self, partner: str, headers: Mapping[str, str]) -> TellerProfile:
        profile = self._banks.by_id.get(partner)
        if not isinstance(profile, TellerProfile):
            raise NotFound
        given = _given(profile, headers)
        live = self._keys.secrets(profile.secrets)
        if not any(hmac.compare_digest(one.encode(), given) for one in live):
            REFUSED.labels("teller").inc()
            log.warning("bank_call_refused", reason="teller", partner=profile.id)
            raise UnprovenTeller
        if profile.closed(self._now()):
            raise CutOff
        return profile

    async def _payee(self, profile: TellerProfile, account: str) -> Payee:
        payee = await self._recorder.payee(profile, account)
        if payee is None:
            raise NotFound
        return payee

    def _today(self, payee: Payee) -> date:
        return self._now().astimezone(self._recorder.zone(payee.office)).date()


def _given(profile: TellerProfile, headers: Mapping[str, str]) -> bytes:
    """Return the secret that a caller sent, whatever it is."""
    if profile.proof == "header":
        return headers.get(profile.header, "").encode()
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        username, _, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (BadBase64, ValueError):
        return b""
    known = hmac.compare_digest(username, profile.username.encode())
    return password if known else b""


def _status(state: Open | Expired | Paid | Cancelled, today: date) -> str:
    match state:
        case Paid():
            return "lunas"
        case Cancelled():
            return "batal"
        case Expired(bill=bill):
            return "kedaluwarsa"
        case Open(bill=bill):
            return "kedaluwarsa" if today > date.fromisoformat(bill.due_on) else "belum"


def _money(body: bytes, profile: TellerProfile) -> Money:
    """Return what a report says. Raises BadReport naming the field."""
    sent = _object(body)
    if str(sent.get("status_bayar", "")).lower() not in _PAID:
        raise BadReport(field="status_bayar")
    ntb = sent.get("ntb")
    if not isinstance(ntb, str | int) or _NAME.fullmatch(str(ntb)) is None:
        raise BadReport(field="ntb")
    amount = rupiah(sent.get("total_bayar_bjb"))
    if not amount:
        raise BadReport(field="total_bayar_bjb")
    at = local_time(sent.get("tgl_bayar"), profile.zone)
    if at is None:
        raise BadReport(field="tgl_bayar")
    return Money(
        amount=amount,
        request_id="",
        reference=str(ntb),
        paid_at=at,
        source="teller",
        landed=True,
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadReport(field="JSON") from None
    if not isinstance(found, dict):
        raise BadReport(field="JSON")
    return found
