"""Stand-in servers on loopback that follow the providers' published contracts.

They are not mocks: real HTTP goes to them, and each keeps a ledger of what it received.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

PHONE_ID, TOKEN = "106540352242922", "token-TEST-0001"
ACCOUNT = "ACtest0001"
USER, PASSWORD = "jejak", "password-TEST-0001"


@dataclass
class StandIn:
    """A provider: ``ledger`` has what it received, ``answers`` what it says next (else yes)."""

    address: str = ""
    ledger: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    before_answer: Callable[[], Awaitable[None]] | None = None
    # How often it was called at an address that only a redirect names.
    strays: int = 0

    async def next_answer(self) -> Any:
        """Return what to say instead of yes, or None."""
        if self.before_answer is not None:
            await self.before_answer()
        return self.answers.pop(0) if self.answers else None


# Faults on demand. All but the redirect come after the message was taken: it is in the ledger.
HANG, HANG_UP, REDIRECT = "hang", "hang up", "redirect"
SERVER_ERROR, GARBAGE = "server error", "garbage"


async def _broken(answer: str) -> Response:
    if answer == HANG:
        await asyncio.sleep(5)
    if answer == HANG_UP:
        return _HangingUp()
    if answer == REDIRECT:
        return RedirectResponse("/elsewhere", 302)
    if answer == GARBAGE:
        return Response(b"\xff\x00<html>", 200, media_type="application/json")
    return PlainTextResponse("down", 500)


class _HangingUp(Response):
    """Promises bytes and closes the connection instead."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{", "more_body": False})


def _provider(stand_in: StandIn, route: Route) -> Starlette:
    async def elsewhere(request: Request) -> Response:
        stand_in.strays += 1
        return PlainTextResponse("")

    return Starlette(routes=[route, Route("/elsewhere", elsewhere, methods=["GET", "POST"])])


def whatsapp_app(stand_in: StandIn) -> Starlette:
    """The Cloud API's ``messages`` call. A number in ``answers`` is an error's code."""

    async def messages(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": {"message": "bad token", "code": 190}}, 401)
        stand_in.ledger.append(await request.json())
        answer = await stand_in.next_answer()
        if isinstance(answer, int):
            error = {"message": "(#) refused", "type": "OAuthException", "code": answer}
            return JSONResponse({"error": error}, 400)
        if answer is not None:
            return await _broken(answer)
        to = stand_in.ledger[-1]["to"]
        return JSONResponse(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": f"wamid.{len(stand_in.ledger)}", "message_status": "accepted"}],
            }
        )

    path = "/{version}/{phone_id}/messages"
    return _provider(stand_in, Route(path, messages, methods=["POST"]))


@dataclass
class Reporter:
    """The Cloud API's side of statuses: late, more than once, in any order, signed or not so.

    ``post`` calls our webhook with a body and headers, and returns the HTTP status.
    """

    post: Callable[[bytes, dict[str, str]], Awaitable[int]]
    secret: str

    async def tell(
        self, message_id: str, *told: str, code: int = 0, secret: str = "", wamid: str = "wamid.1"
    ) -> int:
        """Report statuses of one message in one webhook, in the order given."""
        errors = [{"code": code, "title": "refused"}] if code else []
        statuses = [
            {
                "id": wamid,
                "status": status,
                "timestamp": "1767600000",
                "recipient_id": "6281234567890",
                "biz_opaque_callback_data": message_id,
                "errors": errors,
            }
            for status in told
        ]
        value = {"metadata": {"phone_number_id": PHONE_ID}, "statuses": statuses}
        change = {"field": "messages", "value": value}
        entry = {"id": "1", "changes": [change]}
        raw = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        made = hmac.new((secret or self.secret).encode(), raw, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={made}", "content-type": "application/json"}
        return await self.post(raw, headers)


def kannel_app(stand_in: StandIn) -> Starlette:
    """Kannel's ``sendsms``. A number in ``answers`` is the HTTP status it answers with."""

    async def sendsms(request: Request) -> Response:
        query = dict(request.query_params)
        if (query.get("username"), query.get("password")) != (USER, PASSWORD):
            return PlainTextResponse("Authorization failed for sendsms", 403)
        stand_in.ledger.append(query)
        answer = await stand_in.next_answer()
        if isinstance(answer, int):
            return PlainTextResponse(
                "3: Queued for later delivery" if answer == 202 else "", answer
            )
        if answer is not None:
            return await _broken(answer)
        return PlainTextResponse("0: Accepted for delivery", 202)

    return _provider(stand_in, Route("/cgi-bin/sendsms", sendsms))


def twilio_app(stand_in: StandIn) -> Starlette:
    """Twilio's Messages resource. A number in ``answers`` is an error's code."""

    async def messages(request: Request) -> Response:
        expected = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"code": 20003, "message": "Authenticate", "status": 401}, 401)
        stand_in.ledger.append(dict(parse_qsl((await request.body()).decode())))
        answer = await stand_in.next_answer()
        if isinstance(answer, int):
            status = 429 if answer == 20429 else 400
            return JSONResponse({"code": answer, "message": "refused", "status": status}, status)
        if answer is not None:
            return await _broken(answer)
        made = {"sid": f"SM{len(stand_in.ledger)}", "status": "queued", "num_segments": "1"}
        return JSONResponse(made, 201)

    path = "/2010-04-01/Accounts/{account}/Messages.json"
    return _provider(stand_in, Route(path, messages, methods=["POST"]))


def eightx8_app(stand_in: StandIn) -> Starlette:
    """8x8's send call. A dictionary in ``answers`` is a status object to answer with."""

    async def messages(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"code": 1200, "message": "Request was not authenticated"}, 401)
        stand_in.ledger.append(await request.json())
        answer = await stand_in.next_answer()
        if isinstance(answer, int):
            http_status = 429 if answer == 429 else 400
            return JSONResponse({"code": answer, "message": "refused"}, http_status)
        if isinstance(answer, str):
            return await _broken(answer)
        status = answer or {"state": "queued", "timestamp": "2026-01-06T03:00:00.00Z"}
        number = len(stand_in.ledger)
        umid = f"bda3d56c-1424-e711-813c-{number:012d}"
        return JSONResponse({"umid": umid, "encoding": "GSM7", "status": status})

    path = "/api/v1/subaccounts/{account}/messages"
    return _provider(stand_in, Route(path, messages, methods=["POST"]))


@asynccontextmanager
async def serving(make: Callable[[StandIn], Starlette]) -> AsyncIterator[StandIn]:
    """Run a stand-in until the block ends."""
    stand_in = StandIn()
    listening = socket.create_server(("127.0.0.1", 0))
    stand_in.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(make(stand_in), log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield stand_in
    finally:
        server.should_exit = True
        await task
        listening.close()


def closed_address() -> str:
    """Return an address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
