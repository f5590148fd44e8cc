"""One process after another of one service, as ``python -m services.{name}`` runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.parts import end, free_port, tail, wait_until
from tests.process import is_ready

ROOT = Path(__file__).resolve().parents[2]


class ServiceProcess:
    """A service on one data folder and port; its log is beside the folder."""

    def __init__(self, name: str, data: Path, settings: Mapping[str, str]) -> None:
        """``settings`` are its own, by the names of the environment; nothing is started."""
        self.data = data
        self.log = data.with_name(f"{data.name}.log")
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._name = name
        where = {"JEJAK_DATA": str(data), "JEJAK_PORT": str(port)}
        self._environment = {**os.environ, **where, **settings}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return once it is ready. Raises PartNotReady with its log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"services.{self._name}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self._environment,
            )
        wait_until(
            self._ready,
            part=self._name,
            process=self._process,
            seconds=90,
            log=lambda: tail(self.log),
        )

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._process is not None:
            end(self._process, signal.SIGTERM, 20)

    def logged(self) -> str:
        """Return everything that it ever logged."""
        return self.log.read_text(errors="replace")

    def _ready(self) -> bool:
        return is_ready(self.address)
