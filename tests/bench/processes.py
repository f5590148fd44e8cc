"""Child processes of the benchmark: modules of this package, in the same interpreter."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def die_with_parent() -> None:
    """Have the kernel kill this process when the benchmark that started it ends, however it ends.

    Called first thing by every child; Linux only (``prctl``, PR_SET_PDEATHSIG).
    """
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() == 1:
        sys.exit("the benchmark is gone")


def spawn(module: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start ``python -m tests.bench.MODULE`` with its stdout in a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.bench.{module}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def kill(process: subprocess.Popen[bytes]) -> bytes:
    """Kill -9 ``process`` and return what it still had to say."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    rest = process.stdout.read()
    process.stdout.close()
    return rest


@asynccontextmanager
async def serving(module: str, *arguments: str) -> AsyncIterator[int]:
    """Run a server that prints its port, and give that; kill -9 it at the end."""
    process = spawn(module, *arguments)
    try:
        assert process.stdout is not None
        yield int(await asyncio.to_thread(process.stdout.readline))
    finally:
        kill(process)
