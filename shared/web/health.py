"""Health for machines: is the process alive, can it work, how much does it do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True)
class Check:
    """A named question to a part we need: it passes by returning and fails by raising."""

    name: str
    call: Callable[[], Awaitable[object]]
    deadline_seconds: float = 2.0


def health_router(
    checks: Sequence[Check] = (), registry: CollectorRegistry = REGISTRY
) -> APIRouter:
    """Return ``/healthz``, ``/readyz`` and ``/metrics``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        """Say that the event loop turns. Restart the process when this does not answer."""
        return JSONResponse({"status": "alive"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Ask every part at once; 503 with the names of those that fail or take too long."""
        passed = await asyncio.gather(*(_passes(check) for check in checks))
        failing = [check.name for check, ok in zip(checks, passed, strict=True) if not ok]
        status = {"status": "failing" if failing else "ready", "failing": failing}
        return JSONResponse(
            {**status, "checked": [check.name for check in checks]}, 503 if failing else 200
        )

    @router.get("/metrics")
    async def metrics() -> Response:
        """Return the Prometheus metrics of this process."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


async def _passes(check: Check) -> bool:
    try:
        async with asyncio.timeout(check.deadline_seconds):
            await check.call()
    except Exception:  # noqa: BLE001  # a check may fail in any way; only that it failed matters
        return False
    return True
