"""The outbox: where no provider is set up, messages go to a file and a page instead."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from services.notify.channels.protocol import Later, Outgoing, Result, Sent


class Outbox:
    """Appends one JSON line per message to ``outbox/messages.jsonl``, durably."""

    name = "outbox"

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        """Write below ``folder``; it is made when the first message goes out."""
        self._file = folder / "messages.jsonl"
        self._now = now

    async def send(self, message: Outgoing) -> Result:
        """Write the message; on a full or broken disk it is tried again later."""
        line = {
            "at": self._now().isoformat(timespec="seconds"),
            "id": message.message_id,
            "to": message.recipient,
            "language": message.language,
            "text": message.text,
        }
        try:
            await asyncio.to_thread(self._append, json.dumps(line, ensure_ascii=False))
        except OSError as error:
            return Later(type(error).__name__)
        return Sent()

    def _append(self, line: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # One write to a file opened for appending: two processes never mix their lines.
            os.write(descriptor, f"{line}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
