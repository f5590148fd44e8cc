"""What the real parts that ``deploy`` starts have in common: errors, a free port, a deadline.

::

    Unavailable
    ├── PartMissing   a program or package is not installed; names what to install
    └── PartNotReady  a part was started and did not come up; shows the end of its log
"""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from shared.errors import Unavailable

# Below Linux's ephemeral range (32768 and up): a client that keeps trying a dead port of that range
# may be given the very port as its own and connect to itself, and the part can't come back to it.
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000
TAIL_BYTES = 4_000


class PartMissing(Unavailable):
    """A program that a part needs is not installed."""

    code = "part-missing"
    text = "{part} needs {what}. {remedy}"


class PartNotReady(Unavailable):
    """A part did not become ready in time, or ended while starting."""

    code = "part-not-ready"
    text = "{part} is not ready: {reason}. The end of its log:\n{log}"


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on now.

    Raises:
        PartMissing: if a hundred tries found none.
    """
    for _ in range(100):
        port = random.randint(LOWEST_PORT, HIGHEST_PORT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise PartMissing(part="A server", what="a free port", remedy="Stop some other servers.")


def tail(log: Path, start: int = 0) -> str:
    """Return the last few kilobytes of ``log`` written at or after byte ``start``."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - TAIL_BYTES))
        return file.read().decode(errors="replace")


def wait_until(
    ready: Callable[[], bool],
    *,
    part: str,
    process: subprocess.Popen[bytes],
    seconds: float,
    log: Callable[[], str],
) -> None:
    """Poll ``ready`` until it holds while ``process`` lives, for at most ``seconds``.

    Raises:
        PartNotReady: the process ended or the time passed; ``log`` says how its log ends.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if (code := process.poll()) is not None:
            raise PartNotReady(part=part, reason=f"it ended with code {code}", log=log())
        if time.monotonic() > deadline:
            raise PartNotReady(part=part, reason=f"{seconds:g} seconds passed", log=log())
        time.sleep(0.05)


def end(process: subprocess.Popen[bytes], signal_number: int, seconds: float) -> None:
    """Ask ``process`` to end with ``signal_number``; kill it if it lives after ``seconds``."""
    if process.poll() is not None:
        return
    process.send_signal(signal_number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
