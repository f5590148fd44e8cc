"""Says what is running, for a benchmark takes minutes."""

from __future__ import annotations

import time

from rich.console import Console
from rich.status import Status


class Teller:
    """Shows the present step: a spinner on a terminal, a line per step anywhere else."""

    def __init__(self, console: Console) -> None:
        """Tell on ``console`` (stderr, so that stdout holds the result alone)."""
        self._console = console
        self._status: Status | None = None
        self._began = time.monotonic()

    def tell(self, step: str) -> None:
        """Say that ``step`` begins."""
        text = f"[{time.monotonic() - self._began:4.0f} s] {step}"
        if not self._console.is_terminal:
            self._console.print(text, markup=False, highlight=False)
        elif self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def stop(self) -> None:
        """End the spinner."""
        if self._status is not None:
            self._status.stop()
            self._status = None
