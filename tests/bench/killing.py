"""Runs a writer, measures what it acknowledges, kills it with SIGKILL and counts what is left."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from shared.events import Recorded
from shared.store.sqlite import SqliteStore
from tests.bench.measure import Kept
from tests.bench.processes import kill, spawn
from tests.bench.writer import ACK

# Room for what a writer acknowledges between two looks, so that nobody is woken by each record.
_PIPE_BYTES = 1 << 20
_LOOK_SECONDS = 0.05
# A writer that has only just started has cold caches and an empty file.
_WARM_UP = 0.2
_START_SECONDS = 60.0


class Acknowledged(NamedTuple):
    """One acknowledged event: when (monotonic nanoseconds) and its id."""

    at: int
    event_id: str


class Run(NamedTuple):
    """What a writer did before it was killed."""

    acknowledged: list[Acknowledged]
    rate: float


async def run_writer(engine: str, folder: Path, clients: int, seconds: float) -> Run:
    """Run ``engine`` for ``seconds`` after its first acknowledgement, then kill -9 it."""
    process = spawn("writer", engine, str(folder), str(clients))
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    os.set_blocking(pipe, False)
    try:
        data = await _read_for(pipe, process, seconds + _WARM_UP)
    finally:
        os.set_blocking(pipe, True)
        rest = kill(process)
    return _result(data + rest, seconds)


async def _read_for(pipe: int, process: subprocess.Popen[bytes], seconds: float) -> bytes:
    data, deadline = b"", time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            part = os.read(pipe, _PIPE_BYTES)
        except BlockingIOError:
            part = b""
        if part and not data:
            deadline = time.monotonic() + seconds
        data += part
        if process.poll() is not None:
            raise RuntimeError(f"the writer ended with code {process.returncode}")
    if not data:
        raise RuntimeError("the writer acknowledged nothing")
    return data


def _result(data: bytes, seconds: float) -> Run:
    # A record that the kill cut short was never written whole, so it was not told.
    whole = len(data) - len(data) % ACK.size
    acknowledged = [
        Acknowledged(at, str(UUID(bytes=event_id)))
        for at, event_id in ACK.iter_unpack(data[:whole])
    ]
    begin = acknowledged[0].at + int(_WARM_UP * 1e9)
    counted = [one.at for one in acknowledged if begin <= one.at < begin + int(seconds * 1e9)]
    span = (max(counted) - min(counted)) / 1e9 if len(counted) > 1 else seconds
    return Run(acknowledged, (len(counted) - 1) / span)


async def count_kept(what: str, file: Path, ids: set[str]) -> Kept:
    """Open the store again, as after a crash, and count which of the events ``ids`` are there."""
    found = sum([recorded.event_id in ids for recorded in await _read(file)])
    return Kept(what, len(ids), found)


async def count_positions(what: str, file: Path, positions: set[int]) -> Kept:
    """Do the same for events of which only the position was told."""
    found = sum([recorded.position in positions for recorded in await _read(file)])
    return Kept(what, len(positions), found)


async def _read(file: Path) -> list[Recorded]:
    store, rows = SqliteStore(file), list[Recorded]()
    try:
        while batch := await store.read_all(rows[-1].position if rows else 0, 5000):
            rows += batch
    finally:
        await store.close()
    return rows
