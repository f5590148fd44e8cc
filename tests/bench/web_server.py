"""The servers that row 2 loads over HTTP: ``python -m tests.bench.web_server KIND FOLDER``.

``bare`` is FastAPI with a route that does nothing: the limit. ``jejak`` is our application with all
its surroundings, one route that does nothing and one that carries a command to the store.
Prints its port; runs until killed.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from tests.bench.processes import die_with_parent

NOTHING, TRANSITION = "/api/bench/nothing", "/api/bench/transition"


class Transition(BaseModel):
    """The body of a command: which application, which of its five steps."""

    application_id: str
    step: int


class Answer(BaseModel):
    """What became durable."""

    event_id: str
    version: int


def _nothing_router() -> APIRouter:
    router = APIRouter()

    @router.post(NOTHING)
    async def nothing() -> dict[str, Any]:
        return {}

    return router


def bare() -> FastAPI:
    """Return an application with nothing in it."""
    app = FastAPI()
    app.include_router(_nothing_router())
    return app


def jejak(folder: Path) -> FastAPI:
    """Return our application with a route to the handler."""
    from deploy.wiring import build_pages, secret
    from services.intake.application import DECIDER
    from shared.codec import Codec
    from shared.handle import Handler
    from shared.identity import Accounts
    from shared.ids import new_id
    from shared.settings import Settings
    from shared.store.sqlite import SqliteStore
    from shared.web.app import build_app
    from tests.bench.permits import command

    settings = Settings(data=folder)
    handler = Handler(SqliteStore(folder / "events.sqlite"), Codec())
    router = _nothing_router()

    @router.post(TRANSITION)
    async def transition(body: Transition) -> Answer:
        outcome = await handler.handle(
            DECIDER,
            f"application-{body.application_id}",
            command(body.step, body.application_id, "BGR-2026-000001"),
            cause=new_id(),
            application=body.application_id,
        )
        return Answer(event_id=outcome.events[0].event_id, version=outcome.version)

    return build_app(
        "Jejak",
        [router],
        pages=build_pages(settings),
        accounts=Accounts.load(settings.config / "accounts"),
        secret=secret(settings, "session"),
    )


def main(kind: str, folder: str) -> None:
    """Serve on a free port until killed, as ``deploy.serve`` does."""
    app = bare() if kind == "bare" else jejak(Path(folder))
    # The protocol is named because asyncio turns Nagle's algorithm off only where it sees TCP;
    # without it every answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    die_with_parent()
    main(*sys.argv[1:])
