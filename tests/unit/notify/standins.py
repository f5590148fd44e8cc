"""Stand-in servers on loopback that follow the providers' published contracts.

They are not mocks: real HTTP goes to them, and each keeps a ledger of what it received.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

PHONE_ID, TOKEN = "106540352242922", "token-TEST-0001"
USER, PASSWORD = "jejak", "password-TEST-0001"


@dataclass
class StandIn:
    """A provider: ``ledger`` has what it received, ``answers`` what it says next (else yes)."""

    address: str = ""
    ledger: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    before_answer: Callable[[], Awaitable[None]] | None = None

    async def next_answer(self) -> Any:
        """Return what to say instead of yes, or None."""
        if self.before_answer is not None:
            await self.before_answer()
        return self.answers.pop(0) if self.answers else None


HANG, REDIRECT, SERVER_ERROR = "hang", "redirect", "server error"


async def _broken(answer: str) -> Response:
    if answer == HANG:
        await asyncio.sleep(5)
    if answer == REDIRECT:
        return RedirectResponse("/elsewhere", 302)
    return PlainTextResponse("down", 500)


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

    return Starlette(routes=[Route("/{version}/{phone_id}/messages", messages, methods=["POST"])])


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

    return Starlette(routes=[Route("/cgi-bin/sendsms", sendsms)])


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
