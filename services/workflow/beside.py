"""A storm is decided beside: in a process of its own, on another processor.

Deciding and encoding a permit from its row takes a third of what a storm costs, and needs nothing
but the row and its procedure. Here it is done while the office's process stores what was decided
before and serves its people. The two exchange pickles over pipes; when the office's process ends,
however it does, the pipe does too, and this one with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import struct
import sys
import time
from collections.abc import Sequence
from typing import BinaryIO, Final

from services.workflow.commands import NudgePermit
from services.workflow.nudges import Due, Nudges, Procedure, decide
from shared.codec import Codec
from shared.memory import settle
from shared.store import Batch
from shared.telemetry import log

_LENGTH: Final = struct.Struct("!I")
_COMMAND: Final = (sys.executable, "-m", "services.workflow.beside")
# Where it seldom gets a processor, deciding here is faster: an answer is waited for as long as ten
# groups usually take.
_PATIENCE_SECONDS: Final = 0.04
_BUFFER: Final = 1 << 20
# A storm is over when so long nothing was to be decided.
_IDLE_SECONDS: Final = 60.0
_END_SECONDS: Final = 2.0


class Beside:
    """Decides groups of due rows in a process that is begun for a storm and ends after it."""

    def __init__(self, *, many: int | None = 4096, processors: int | None = None) -> None:
        """Begin nothing yet.

        A process is worth its start from ``many`` due permits on (None: never), and where it has a
        processor of its own: of ``processors``, as many as this process may use.
        """
        enough = (processors or len(os.sched_getaffinity(0))) > 1
        self._many = many if enough else None
        self._starting: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        # The question that is being answered; what the process was told with the ones before.
        self._question: asyncio.Task[list[Batch | None] | None] | None = None
        self._told: dict[Procedure, NudgePermit] = {}
        self._used = 0.0

    @property
    def ready(self) -> bool:
        """Whether there is a process that decides."""
        return self._process is not None

    def seen(self, due: int) -> None:
        """Begin a process if so many permits in one sweep are a storm; sweeping goes on meanwhile.

        One that ended or could not be begun is begun again in the next storm.
        """
        if self._many is not None and self._starting is None and due >= self._many:
            self._starting = asyncio.get_running_loop().create_task(self._start())

    async def decide(self, group: Sequence[Due], nudges: Nudges) -> list[Batch | None] | None:
        """Return what ``nudges.decide`` says of each; None where no process does so in time."""
        if self._question is not None:
            await asyncio.wait((self._question,), timeout=_PATIENCE_SECONDS)
        if self._process is None or self._question is not None:
            return None
        asked = self._ask(self._process, group, nudges)
        question = self._question = asyncio.get_running_loop().create_task(asked)
        # Nobody waits for an answer that is late, but it is taken, or it would be the next one's.
        done, _ = await asyncio.wait((question,), timeout=_PATIENCE_SECONDS)
        return question.result() if done else None

    async def _ask(
        self, process: asyncio.subprocess.Process, group: Sequence[Due], nudges: Nudges
    ) -> list[Batch | None] | None:
        fresh = {key: one for key, one in nudges.items() if self._told.get(key) is not one}
        self._used = time.monotonic()
        try:
            decided = await _asked(process, (fresh, group))
            self._told.update(fresh)
            return decided
        except Exception as error:  # noqa: BLE001 - whatever it is, the sweep decides itself
            self._process = None
            _kill(process)
            log.warning("deciding_beside_ended", reason=type(error).__name__)
            return None
        finally:
            self._question = None

    async def rest(self) -> None:
        """Between two sweeps: end a process that no storm has needed for a while."""
        begun = self._starting is not None and self._starting.done()
        if begun and (not self.ready or time.monotonic() - self._used > _IDLE_SECONDS):
            await self.close()

    async def close(self) -> None:
        """End the process."""
        begun = [task for task in (self._starting, self._question) if task is not None]
        self._starting = None
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        process, self._process = self._process, None
        if process is not None:
            await _end(process)

    async def _start(self) -> None:
        self._told.clear()
        pipe = asyncio.subprocess.PIPE
        process = None
        try:
            process = await asyncio.create_subprocess_exec(
                *_COMMAND, stdin=pipe, stdout=pipe, limit=_BUFFER
            )
            # The first answer comes once everything is imported.
            await _asked(process, ({}, ()))
            self._process, self._used = process, time.monotonic()
        except Exception as error:  # noqa: BLE001 - whatever it is, sweeps decide themselves
            log.warning("deciding_beside_not_begun", reason=type(error).__name__)
        finally:
            if process is not None and process is not self._process:
                _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _asked(
    process: asyncio.subprocess.Process, question: tuple[Nudges, Sequence[Due]]
) -> list[Batch | None]:
    assert process.stdin is not None
    assert process.stdout is not None
    message = pickle.dumps(question, pickle.HIGHEST_PROTOCOL)
    process.stdin.write(_LENGTH.pack(len(message)) + message)
    await process.stdin.drain()
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    answer: list[Batch | None] = pickle.loads(await process.stdout.readexactly(length))
    return answer


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()


def main() -> None:
    """Answer every question on the standard input until it ends."""
    # Ctrl-C reaches this process too; the office's own ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It takes a processor only while nothing that serves people wants it. With a low priority alone
    # the office's own threads were put behind each other instead of in its place.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever prints must not come between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    codec, nudges = Codec(), dict[Procedure, NudgePermit]()
    settle()
    while message := _message(sys.stdin.buffer):
        fresh, group = pickle.loads(message)
        nudges.update(fresh)
        answer = pickle.dumps([decide(due, nudges, codec) for due in group], 5)
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _message(source: BinaryIO) -> bytes:
    """Return the next message, nothing at the end."""
    head = source.read(_LENGTH.size)
    return source.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""


if __name__ == "__main__":
    main()
