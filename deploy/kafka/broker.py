"""One real Kafka broker as a child process, for tests, ``make up`` and a first look."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.kafka.jars import default_cache, program, resolve
from deploy.parts import PartNotReady, end, free_port, tail, wait_until

TEMPLATE = Path(__file__).parent / "server.properties"
JVM_ARGUMENTS = Path(__file__).parent / "jvm.args"
# The broker says this once, after its request handlers run and its controller knows it.
READY = "Kafka Server started"


class KafkaBroker:
    """A one-node Apache Kafka in ``folder``, listening on 127.0.0.1 only.

    ``port`` 0 picks a free one, kept for the life of this object. What was acknowledged is in
    ``folder`` and is there after ``stop`` or ``kill`` and another ``start``.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        cache: Path | None = None,
        start_seconds: float = 90,
        stop_seconds: float = 30,
    ) -> None:
        """``cache`` holds the jars (default: ``jars.default_cache()``)."""
        self.port = port or free_port()
        self._controller_port = free_port()
        self._folder = folder.absolute()
        self._cache = cache or default_cache()
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """``127.0.0.1:port``, what every client wants to know."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self._folder / "broker.log"

    @property
    def running(self) -> bool:
        """Whether the process lives (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    def prepare(self) -> list[str]:
        """Resolve the jars, write the settings, format the storage once; return the command.

        Raises:
            PartMissing: Java, or Maven when it is needed, is not installed.
            PartNotReady: Maven or the formatting failed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        java = [program("java", "openjdk-17-jre-headless"), f"@{JVM_ARGUMENTS}"]
        java += ["-cp", f"{resolve(self._cache)}/*"]
        settings = self._write_settings()
        if not (self._data / "meta.properties").exists():
            self._format([*java, "kafka.tools.StorageTool", "format", "--config", str(settings)])
        return [*java, "kafka.Kafka", str(settings)]

    def start(self) -> None:
        """Start the broker and return when it answers; a running one is left alone.

        Raises:
            PartMissing: Java, or Maven when it is needed, is not installed.
            PartNotReady: it did not come up in ``start_seconds``; shows the end of its log.
        """
        if self.running:
            return
        command = self.prepare()
        begin = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self._process = process
        try:
            wait_until(
                lambda: READY.encode() in self._log_since(begin),
                part="Kafka",
                process=process,
                seconds=self._start_seconds,
                log=lambda: self._why(begin),
            )
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the broker in order (SIGTERM), or by force if it takes too long."""
        if self._process is not None:
            self.resume()
            end(self._process, signal.SIGTERM, self._stop_seconds)

    def kill(self) -> None:
        """End the broker at once (SIGKILL), as a crash would."""
        if self._process is not None and self.running:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """Freeze the broker (SIGSTOP): it holds its connections and answers nothing."""
        self._signal(signal.SIGSTOP)
        if self._process is not None and self.running:
            # The signal is only on its way: wait until every thread has stopped (or it ended).
            stopped = os.WSTOPPED | os.WEXITED | os.WNOWAIT
            os.waitid(os.P_PID, self._process.pid, stopped)

    def resume(self) -> None:
        """Let a paused broker go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def _log_since(self, begin: int) -> bytes:
        with self.log.open("rb") as file:
            file.seek(begin)
            return file.read()

    def _why(self, begin: int) -> str:
        """What went wrong since byte ``begin``: the errors if it named any, or the log's end."""
        lines = self._log_since(begin).decode(errors="replace").splitlines()
        errors = [line for line in lines if " ERROR " in line or line.startswith("Caused by")]
        return "\n".join(errors[-10:]) or tail(self.log, begin)

    def _write_settings(self) -> Path:
        text = TEMPLATE.read_text()
        for word, value in (
            ("@LISTEN@", self.bootstrap),
            ("@ADVERTISED@", self.bootstrap),
            ("@CONTROLLER_PORT@", str(self._controller_port)),
            ("@DATA@", str(self._data)),
        ):
            text = text.replace(word, value)
        settings = self._folder / "server.properties"
        settings.write_text(text)
        return settings

    def _format(self, command: list[str]) -> None:
        done = subprocess.run(
            [*command, f"--cluster-id={cluster_id()}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PartNotReady(part="Kafka", reason="formatting failed", log=done.stdout[-4000:])


def cluster_id() -> str:
    """Return a new cluster id: a random UUID in 22 characters of URL-safe base64."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def become(broker: KafkaBroker) -> None:
    """Replace this process by the broker, so that signals sent here reach it; never returns.

    Raises:
        PartMissing, PartNotReady: as ``KafkaBroker.prepare``.
    """
    command = broker.prepare()
    os.execv(command[0], command)
