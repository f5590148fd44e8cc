"""The bank's own servers: what the office calls, in the dialects that let it call.

SNAP's token (73), create (27), update (28), delete (31), status (26) and report (35); the legacy
dialects' token, billing and QRIS inquiry. Nothing is answered before the signature holds.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from deploy.bank import signing
from deploy.bank.channels import UNPAID, told_of
from deploy.bank.ledger import Account, Payment
from deploy.bank.sheets import LEGACY, QRIS, SNAP, Sheet
from deploy.bank.visit import Desk

PATHS = ("/v1.0/", "/oauth/client/token", "/billing", "/qris/")
_SERVICES = {
    "create-va": "27",
    "update-va": "28",
    "delete-va": "31",
    "status": "26",
    "report": "35",
}
_TOKEN_LIFE = timedelta(seconds=900)
_SKEW = timedelta(seconds=300)
_HEADERS = ("x-partner-id", "x-external-id", "channel-id", "x-timestamp", "x-signature")
_MOST_TOKENS = 1000


class Host:
    """Answers the office's calls from the ledger."""

    def __init__(self, bank: Desk, data: Path) -> None:
        """``data`` is where the office leaves its public keys (``public_key`` of a sheet)."""
        self._bank = bank
        self._data = data
        # Tokens are forgotten when the bank starts again; the office then asks for new ones.
        self._tokens: dict[str, tuple[str, datetime]] = {}

    # SNAP

    def snap_token(self, headers: Mapping[str, str]) -> Response:
        """Give the office a token against its key's signature (service 73)."""
        client, stamp = headers.get("x-client-key", ""), headers.get("x-timestamp", "")
        sheet = self._caller(SNAP, "client_id", client)
        key = self._office_key(sheet) if sheet is not None and self._fresh(stamp) else None
        signature = headers.get("x-signature", "")
        if sheet is None or key is None:
            return _snap(401, "73", "00", "Unauthorized. [Unknown client]")
        if not signing.snap_key_signed(key, f"{client}|{stamp}", signature):
            return _snap(401, "73", "00", "Unauthorized. [Signature]")
        token = self._new_token(sheet)
        seconds = str(int(_TOKEN_LIFE.total_seconds()))
        given = {"accessToken": token, "tokenType": "Bearer", "expiresIn": seconds}
        return _snap(200, "73", "00", "Successful", given)

    def snap(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Response:
        """Answer one transaction call."""
        name = target.split("?")[0].rsplit("/", 1)[-1]
        service = _SERVICES.get(name)
        if service is None:
            return _snap(404, "00", "01", "Transaction Not Found")
        if missing := [one for one in _HEADERS if not headers.get(one)]:
            return _snap(400, service, "02", f"Invalid Mandatory Field {missing[0].upper()}")
        token = headers.get("authorization", "").removeprefix("Bearer ")
        sheet = self._holder(token, SNAP)
        if sheet is None:
            return _snap(401, service, "01", "Invalid Token (B2B)")
        secret = self._bank.secret(sheet.calls["secret"])
        stamp = headers["x-timestamp"]
        made = signing.snap_signature(secret, method, target, token, raw, stamp)
        known = headers["x-partner-id"] == sheet.calls["partner_id"] and self._fresh(stamp)
        if not (known and signing.same(made, headers["x-signature"])):
            return _snap(401, service, "00", "Unauthorized. [Signature]")
        body = _object(raw)
        if body is None:
            return _snap(400, service, "00", "Bad Request")
        return self._snap_answer(sheet, name, service, body)

    def _snap_answer(
        self, sheet: Sheet, name: str, service: str, body: Mapping[str, Any]
    ) -> Response:
        account = str(body.get("virtualAccountNo", "")).strip()
        known = self._bank.ledger.account(account)
        if name == "report":
            return self._report(sheet, service, body)
        if name == "status":
            paid = self._paid(account)
            if not paid:
                return _snap(404, service, "01", "Transaction Not Found")
            return _snap(200, service, "00", "Successful", _data(_snap_paid(paid[-1])))
        if name == "create-va":
            if known is not None and known.open:
                return _snap(409, service, "00", "Conflict")
        elif known is None:
            return _snap(404, service, "12", "Invalid Bill/Virtual Account")
        amount = _rupiah(body.get("totalAmount")) if name != "delete-va" else 0
        if amount is None:
            return _snap(400, service, "01", "Invalid Field Format totalAmount")
        called = str(body.get("virtualAccountName", known.name if known else ""))
        closed = name == "delete-va"
        self._bank.ledger.open_account(Account(account, sheet.id, amount, called, not closed))
        return _snap(200, service, "00", "Successful")

    def _report(self, sheet: Sheet, service: str, body: Mapping[str, Any]) -> Response:
        try:
            begin = date.fromisoformat(str(body.get("startDate")))
            end = date.fromisoformat(str(body.get("endDate")))
        except ValueError:
            return _snap(400, service, "01", "Invalid Field Format startDate")
        days = (begin + timedelta(days=n) for n in range(min((end - begin).days, 31) + 1))
        paid = [
            one
            for day in days
            for one in self._bank.ledger.posted(sheet.id, day)
            if one.state == "paid"
        ]
        if not paid:
            return _snap(404, service, "01", "Transaction Not Found")
        return _snap(200, service, "00", "Successful", _data([_snap_paid(one) for one in paid]))

    # The legacy dialects

    def legacy_token(self, raw: bytes) -> Response:
        """Give the office a token against its JWT."""
        now = self._bank.now().timestamp()
        for sheet in self._bank.sheets.all:
            if sheet.dialect not in (LEGACY, QRIS):
                continue
            secret = self._bank.secret(sheet.calls["secret"])
            if signing.token_asked(raw, secret, sheet.calls["client_id"], now):
                return JSONResponse({"rc": "0000", "data": self._new_token(sheet)})
        return JSONResponse({"rc": "0401"}, 401)

    def legacy(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Response:
        """Answer a signed call: an account made or changed (POST), a payment asked for (GET)."""
        token = headers.get("authorization", "").removeprefix("Bearer ")
        sheet = self._holder(token, LEGACY) or self._holder(token, QRIS)
        stamp = headers.get("bjb-timestamp", "")
        if sheet is None or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return JSONResponse({"rc": "0401"}, 401)
        secret = self._bank.secret(sheet.calls["secret"])
        made = signing.legacy_signature(secret, path, method, token, stamp, raw)
        late = abs(int(stamp) - self._bank.now().timestamp()) > _SKEW.total_seconds()
        if late or not signing.same(made, headers.get("bjb-signature", "")):
            return JSONResponse({"rc": "0401"}, 401)
        if method == "POST":
            return self._billing(sheet, raw)
        account = path.removeprefix("/billing").removeprefix("/qris").replace("/", "")
        paid = [one for one in self._paid(account) if one.partner == sheet.id]
        if not paid:
            return JSONResponse({"rc": "0000", "data": {"status": UNPAID}})
        told = told_of(sheet.dialect, paid[-1]) | {"status": "2", "ntb": paid[-1].reference}
        return JSONResponse({"rc": "0000", "data": told})

    def _billing(self, sheet: Sheet, raw: bytes) -> Response:
        body = _object(raw) or {}
        account = f"{body.get('cin', '')}{body.get('va_number', '')}"
        amount = str(body.get("amount", ""))
        if not account.isdigit() or not amount.isdigit():
            return JSONResponse({"rc": "0400"}, 400)
        name = str(body.get("customer_name", ""))[:100]
        self._bank.ledger.open_account(Account(account, sheet.id, int(amount), name))
        return JSONResponse({"rc": "0000", "data": {"va_number": account}})

    # Both

    def _paid(self, account: str) -> list[Payment]:
        return [one for one in self._bank.ledger.of_account(account) if one.state == "paid"]

    def _caller(self, dialect: str, field: str, value: str) -> Sheet | None:
        for sheet in self._bank.sheets.all:
            if sheet.dialect == dialect and value and sheet.calls.get(field) == value:
                return sheet
        return None

    def _office_key(self, sheet: Sheet) -> RSAPublicKey | None:
        """Return the public half of the key that the sheet names as the office's."""
        private = self._data / str(sheet.calls["private_key"])
        try:
            found = load_pem_public_key(
                private.with_name(f"{private.stem}-public.pem").read_bytes()
            )
        except (OSError, ValueError):
            return None
        return found if isinstance(found, RSAPublicKey) else None

    def _new_token(self, sheet: Sheet) -> str:
        now = self._bank.now()
        live = {token: given for token, given in self._tokens.items() if given[1] > now}
        self._tokens = dict(list(live.items())[-_MOST_TOKENS:])
        token = secrets.token_urlsafe(24)
        # A legacy token lives for an hour; one length serves both, and the office asks again.
        self._tokens[token] = (
            sheet.id,
            now + (_TOKEN_LIFE if sheet.dialect == SNAP else 4 * _TOKEN_LIFE),
        )
        return token

    def _holder(self, token: str, dialect: str) -> Sheet | None:
        partner, ends = self._tokens.get(token, ("", None))
        if ends is None or ends <= self._bank.now():
            return None
        sheet = self._bank.sheets.of(partner)
        return sheet if sheet.dialect == dialect else None

    def _fresh(self, stamp: str) -> bool:
        try:
            at = datetime.fromisoformat(stamp)
        except ValueError:
            return False
        return at.tzinfo is not None and abs(self._bank.now() - at) <= _SKEW


def host_router(host: Host) -> APIRouter:
    """Return the addresses that the office calls."""
    router = APIRouter(include_in_schema=False)

    @router.post("/v1.0/access-token/b2b")
    async def snap_token(request: Request) -> Response:
        return host.snap_token(request.headers)

    @router.api_route("/v1.0/transfer-va/{name}", methods=["POST", "PUT", "DELETE"])
    async def snap(request: Request, name: str) -> Response:
        return host.snap(request.method, _target(request), request.headers, await request.body())

    @router.post("/oauth/client/token")
    async def legacy_token(request: Request) -> Response:
        return host.legacy_token(await request.body())

    @router.post("/billing")
    @router.api_route("/billing/{cin}/{va}", methods=["GET", "POST"])
    @router.get("/qris/{va}")
    async def legacy(request: Request) -> Response:
        path = _target(request)
        return host.legacy(request.method, path, request.headers, await request.body())

    return router


def _target(request: Request) -> str:
    """Return the path as it came over the wire: that is what was signed."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope["query_string"]
    return (path.split(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def _snap(
    status: int, service: str, case: str, message: str, more: Mapping[str, Any] | None = None
) -> Response:
    code = {"responseCode": f"{status}{service}{case}", "responseMessage": message}
    return JSONResponse({**code, **(more or {})}, status)


def _data(found: object) -> dict[str, Any]:
    return {"virtualAccountData": found}


def _snap_paid(payment: Payment) -> dict[str, Any]:
    return {
        "virtualAccountNo": f"   {payment.account}",
        "paymentRequestId": payment.request_id,
        "paidAmount": {"value": f"{payment.amount}.00", "currency": "IDR"},
        "trxDateTime": payment.paid_at,
        "referenceNo": payment.reference,
        "paymentFlagStatus": "00",
    }


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _rupiah(value: object) -> int | None:
    text = str(value.get("value", "")) if isinstance(value, dict) else ""
    whole, _, rest = text.partition(".")
    return int(whole) if whole.isdigit() and rest == "00" else None
