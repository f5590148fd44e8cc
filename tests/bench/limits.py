"""Physical limits: what the disk, the decoder and a socket can do with nothing of ours around."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from shared.contracts import BY_NAME
from shared.events import Recorded
from tests.bench.measure import MILLIS, Reading, percentile

_BLOCK = 4096
_FILE_BLOCKS = 2048
BATCH = 100


async def fdatasync(folder: Path, seconds: float) -> list[Reading]:
    """Return how often a second, and how fast, one 4 KiB block becomes durable.

    The file has its space already: as good as a log on this disk can get.
    """
    times = await asyncio.to_thread(_fdatasync, folder / "limit.bin", seconds)
    return [
        Reading("fdatasync", len(times) / sum(times)),
        Reading("fdatasync p50", percentile(times, 0.5) * 1000, MILLIS),
        Reading("fdatasync p99", percentile(times, 0.99) * 1000, MILLIS),
    ]


def _fdatasync(path: Path, seconds: float) -> list[float]:
    block, times = os.urandom(_BLOCK), []
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(file, bytes(_BLOCK * _FILE_BLOCKS), 0)
        os.fsync(file)
        end, count = time.perf_counter() + seconds, 0
        while (began := time.perf_counter()) < end:
            os.pwrite(file, block, _BLOCK * (count % _FILE_BLOCKS))
            os.fdatasync(file)
            times.append(time.perf_counter() - began)
            count += 1
    finally:
        os.close(file)
        path.unlink()
    return times


async def sqlite_batches(folder: Path, seconds: float, rows: Sequence[Recorded]) -> list[Reading]:
    """Return how many events a second SQLite takes in WAL, FULL, with 100 rows per commit."""
    rate = await asyncio.to_thread(_sqlite, folder / "limit.sqlite", seconds, rows, BATCH)
    return [Reading("SQLite FULL, batches of 100", rate)]


async def sqlite_single(folder: Path, seconds: float, rows: Sequence[Recorded]) -> list[Reading]:
    """Return how many events a second SQLite takes in WAL, FULL, with one row per commit."""
    rate = await asyncio.to_thread(_sqlite, folder / "limit.sqlite", seconds, rows, 1)
    return [Reading("SQLite FULL, one by one", rate)]


def _sqlite(path: Path, seconds: float, rows: Sequence[Recorded], batch: int) -> float:
    """Insert the columns of ``rows`` over and over, with a growing key and no index."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE events (position INTEGER PRIMARY KEY, stream, version, event_id, type, "
            "schema_version, data, occurred_us, recorded_us, actor, cause_id, correlation_id)"
        )
        insert = f"INSERT INTO events VALUES (NULL, {', '.join('?' * 11)})"
        parts = [
            [row[1:] for row in rows[start : start + batch]]
            for start in range(0, len(rows) - batch + 1, batch)
        ]
        count, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds:
            connection.execute("BEGIN")
            connection.executemany(insert, parts[count % len(parts)])
            connection.execute("COMMIT")
            count += 1
        return count * batch / took
    finally:
        connection.close()
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


async def decode(rows: Sequence[Recorded]) -> list[Reading]:
    """Return how many events a second pydantic decodes into typed objects, and nothing else."""
    adapters: dict[str, TypeAdapter[Any]] = {
        name: TypeAdapter(kind.cls) for name, kind in BY_NAME.items()
    }
    pairs = [(adapters[row.type].validate_json, row.data) for row in rows]
    began = time.perf_counter()
    for validate, data in pairs:
        validate(data)
    return [Reading("typed JSON decode", len(pairs) / (time.perf_counter() - began))]


async def socket_round_trip(seconds: float) -> list[Reading]:
    """Return how fast a loopback connection carries 1 KiB there and back, between two tasks."""
    times = await _echo_times(seconds)
    return [
        Reading("socket p50", percentile(times, 0.5) * 1000, MILLIS),
        Reading("socket p99", percentile(times, 0.99) * 1000, MILLIS),
    ]


async def _echo_times(seconds: float) -> list[float]:
    ended = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_BLOCK):
            writer.write(data)
        writer.close()
        ended.set()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    message, times, end = b"x" * 1024, [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        writer.write(message)
        await reader.readexactly(len(message))
        times.append(time.perf_counter() - began)
    writer.close()
    await ended.wait()
    server.close()
    return times
