"""A real ``jejak`` process to talk to, to kill, and to start again on the same data."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from deploy.parts import end, free_port, tail, wait_until

JEJAK = Path(sys.executable).parent / "jejak"
PASSWORD = "jejak-contoh"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class OfficeProcess:
    """``jejak run`` on one data folder. What it prints and logs goes to files beside the folder.

    ``port`` 0 lets the system choose. Who restarts it under clients that keep trying passes a
    port of ``free_port``: a port of the ephemeral range could be taken by such a client itself.
    """

    def __init__(self, data: Path, *, port: int = 0, lang: str = "en") -> None:
        """Describe it; nothing is started."""
        self.data = data
        self.address = ""
        self.starts = 0
        self.out = data.with_name(f"{data.name}.out")
        self.log = data.with_name(f"{data.name}.log")
        self._port = port
        self._lang = lang
        self._process: subprocess.Popen[bytes] | None = None
        self._printed_before = self._logged_before = 0

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process. Raises AssertionError before ``start``."""
        assert self._process is not None, "the office was not started"
        return self._process

    def start(self, seconds: float = 60.0) -> None:
        """Start it and return when ``/readyz`` says ready. Raises PartNotReady with its log."""
        self._printed_before, self._logged_before = _size(self.out), _size(self.log)
        command = [str(JEJAK), "--lang", self._lang, "--data", str(self.data), "run"]
        with self.out.open("ab") as out, self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
            )
        self.starts += 1
        wait_until(
            self._ready,
            part="jejak run",
            process=self._process,
            seconds=seconds,
            log=lambda: tail(self.log, self._logged_before),
        )

    def kill(self) -> None:
        """End it as a power cut would: it gets no chance to say or write anything."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """Ask it to end as Ctrl-C does, and wait until it has."""
        end(self.process, signal.SIGINT, 20)

    def restart(self) -> None:
        """Kill it and start it again on the same data and port."""
        self.kill()
        self.start()

    def printed(self) -> str:
        """Return what the last start printed."""
        return self.out.read_bytes()[self._printed_before :].decode()

    def __enter__(self) -> OfficeProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _ready(self) -> bool:
        found = _ADDRESS.search(self.printed())
        if found is None:
            return False
        self.address = found.group()
        self._port = urlsplit(self.address).port or 0
        return is_ready(self.address)


def is_ready(address: str) -> bool:
    """Say whether ``/readyz`` at ``address`` answers that everything works."""
    try:
        with urlopen(f"{address}/readyz", timeout=5) as answer:
            return int(answer.status) == 200
    except (URLError, OSError):
        return False


@contextmanager
def restartable(data: Path) -> Iterator[OfficeProcess]:
    """A running office that may be killed while clients keep calling it."""
    with OfficeProcess(data, port=free_port()) as office:
        yield office


def jejak(
    *words: str | Path, env: Mapping[str, str] | None = None, seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the ``jejak`` command to its end and return what it said and its exit code."""
    return subprocess.run(
        [str(JEJAK), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env=dict(env) if env is not None else None,
    )


def eventually(holds: Callable[[], object], seconds: float = 20.0, every: float = 0.1) -> None:
    """Wait until ``holds`` returns something true, or fail saying what it returned last."""
    deadline = time.monotonic() + seconds
    while not (last := holds()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {last!r}"
        time.sleep(every)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
