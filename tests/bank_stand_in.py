"""A stand-in for a bank's own servers, which no test can call: the bank's side of our calls.

It verifies every signature with code of its own, so that a mistake in ours shows, keeps a ledger of
what it received, and has faults on demand. What banks send to us is in ``tests/bank_partner.py``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bank_partner import digits


@dataclass
class Received:
    """One call that the bank's server took: its method, path and JSON."""

    method: str
    path: str
    body: dict[str, Any]


@dataclass
class BankServer:
    """The bank's servers for our calls, all dialects on one address.

    ``accounts`` are the virtual accounts that it was told of, ``paid`` what it will answer when it
    is asked (virtual account -> fields), ``fault`` is ``""``, ``down`` (500), ``garbage``,
    ``redirect``, ``expired`` (the token is over, once) or ``lost`` (it does the work, once, and
    its answer never arrives).
    """

    our_key: RSAPublicKey
    secret: str
    address: str = ""
    fault: str = ""
    received: list[Received] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    paid: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)

    def calls(self, path: str) -> list[Received]:
        """Return the calls to one path, or to what begins with it."""
        return [one for one in self.received if one.path.startswith(path)]

    def asked_about(self, account: str) -> int:
        """Count the questions about one account; what the bank was told of it is none."""
        return sum(
            one.body.get("virtualAccountNo", "").strip() == account or one.path.endswith(account)
            for one in self.received
            if not one.path.endswith(("/create-va", "/update-va", "/delete-va"))
        )

    async def snap(self, request: Request) -> Response:
        """Answer a SNAP call."""
        raw, name = await request.body(), request.url.path.rsplit("/", 1)[1]
        if broken := self._broken():
            return broken
        if name == "b2b":
            return self._snap_token(request, raw)
        service = {"create-va": "27", "update-va": "28", "delete-va": "31", "status": "26"}
        code = service.get(name, "35")
        if not self._snap_verified(request, raw):
            self.refused.append(request.url.path)
            return JSONResponse({"responseCode": f"401{code}00"}, 401)
        if self.fault == "expired":
            self.fault = ""
            return JSONResponse({"responseCode": f"401{code}01"}, 401)
        body = json.loads(raw)
        self.received.append(Received(request.method, request.url.path, body))
        return self._snap_answer(name, code, body)

    def _snap_answer(self, name: str, code: str, body: dict[str, Any]) -> Response:
        account = body.get("virtualAccountNo", "").strip()
        good: dict[str, Any] = {"responseCode": f"200{code}00", "responseMessage": "Successful"}
        if name == "create-va":
            if account in self.accounts:
                return JSONResponse({"responseCode": f"409{code}00"}, 409)
            self.accounts[account] = body
            if self.fault == "lost":
                self.fault = ""
                return Response(status_code=504)
        elif name == "update-va":
            self.accounts[account] = body
        elif name == "delete-va":
            self.accounts.pop(account, None)
        elif name == "status":
            if account not in self.paid:
                return JSONResponse({"responseCode": f"404{code}01"}, 404)
            good["virtualAccountData"] = self._snap_paid(account)
        else:
            good["virtualAccountData"] = [self._snap_paid(one) for one in self.paid]
        return JSONResponse(good)

    def _snap_paid(self, account: str) -> dict[str, Any]:
        return {"virtualAccountNo": f"   {account}", "paymentFlagStatus": "00"} | self.paid[account]

    def _snap_token(self, request: Request, raw: bytes) -> Response:
        headers = request.headers
        text = f"{headers['x-client-key']}|{headers['x-timestamp']}"
        if not self._by_our_key(text, headers["x-signature"]):
            self.refused.append(request.url.path)
            return JSONResponse({"responseCode": "4017300"}, 401)
        token = f"bank-token-{digits()}"
        self.tokens.add(token)
        self.received.append(Received("POST", request.url.path, json.loads(raw)))
        return JSONResponse({"responseCode": "2007300", "accessToken": token, "expiresIn": "900"})

    def _snap_verified(self, request: Request, raw: bytes) -> bool:
        headers = request.headers
        token = headers.get("authorization", "").removeprefix("Bearer ")
        digest = hashlib.sha256(raw).hexdigest()
        stamp = headers["x-timestamp"]
        text = f"{request.method}:{request.url.path}:{token}:{digest}:{stamp}"
        made = hmac.new(self.secret.encode(), text.encode(), hashlib.sha512).digest()
        named = {"x-partner-id", "x-external-id", "channel-id"} <= set(headers.keys())
        signed = headers["x-signature"] == base64.b64encode(made).decode()
        return named and signed and token in self.tokens

    def _by_our_key(self, text: str, signature: str) -> bool:
        try:
            self.our_key.verify(base64.b64decode(signature), text.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    async def legacy_token(self, request: Request) -> Response:
        """Answer a token request of the legacy dialects: an HS256 JWT in the raw body."""
        if broken := self._broken():
            return broken
        head, claims, signature = (await request.body()).split(b".")
        made = hmac.new(self.secret.encode(), head + b"." + claims, hashlib.sha256).digest()
        said = json.loads(_unpadded(claims))
        right = (said["sub"], said["aud"], said["exp"] - said["iat"])
        alg = json.loads(_unpadded(head))["alg"]
        if _unpadded(signature) != made or right != ("va-online", "access-token", 3600):
            self.refused.append(request.url.path)
            return JSONResponse({"rc": "0401"}, 401)
        assert alg == "HS256"
        token = f"legacy-token-{digits()}"
        self.tokens.add(token)
        return JSONResponse({"rc": "0000", "data": token})

    async def legacy(self, request: Request) -> Response:
        """Answer ``/billing`` and ``/qris``."""
        if broken := self._broken():
            return broken
        raw, path = await request.body(), request.url.path
        token = request.headers["authorization"].removeprefix("Bearer ")
        stamp = request.headers["bjb-timestamp"]
        text = f"path={path}&method={request.method}&token={token}&timestamp={stamp}&body="
        made = hmac.new(self.secret.encode(), text.encode() + raw, hashlib.sha256).hexdigest()
        if made != request.headers["bjb-signature"] or token not in self.tokens:
            self.refused.append(path)
            return JSONResponse({"rc": "0401"}, 401)
        body = json.loads(raw) if raw else {}
        self.received.append(Received(request.method, path, body))
        if request.method == "POST":
            self.accounts[body["cin"] + body["va_number"]] = body
            return JSONResponse({"rc": "0000", "data": {}})
        account = path.removeprefix("/billing/").removeprefix("/qris/").replace("/", "")
        return JSONResponse({"rc": "0000", "data": self.paid.get(account, {"status": "1"})})

    def _broken(self) -> Response | None:
        if self.fault == "down":
            return JSONResponse({"responseMessage": "down"}, 500)
        if self.fault == "garbage":
            return Response("<html>", media_type="text/html")
        if self.fault == "redirect":
            return Response(status_code=307, headers={"location": "http://127.0.0.1:9/"})
        return None

    def application(self) -> Starlette:
        """Return the server's routes."""
        methods = ["GET", "POST", "PUT", "DELETE"]
        return Starlette(
            routes=[
                Route("/v1.0/{rest:path}", self.snap, methods=methods),
                Route("/oauth/client/token", self.legacy_token, methods=["POST"]),
                Route("/billing{rest:path}", self.legacy, methods=methods),
                Route("/qris/{rest:path}", self.legacy, methods=methods),
            ]
        )


def _unpadded(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


@asynccontextmanager
async def serving(bank: BankServer) -> AsyncIterator[BankServer]:
    """Run the bank's server on a free port until the block ends; ``bank.address`` is set."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    bank.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(bank.application(), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    # Signals belong to whoever runs the test.
    task = asyncio.create_task(server._serve([listener]))
    try:
        # The system takes connections from here on, even before the server looks at them.
        listener.listen(128)
        yield bank
    finally:
        server.should_exit = True
        await task
        listener.close()
