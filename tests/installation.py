"""What ``make up`` starts, for tests: in a folder and on ports of its own."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.parts import free_port
from deploy.up import NAMES, Installation


@contextmanager
def installation(settings: Mapping[str, str] | None = None) -> Iterator[Installation]:
    """The office over a real Kafka and PostgreSQL, one process per service and the worker.

    ``settings`` are what its processes are given besides, by name.
    """
    with tempfile.TemporaryDirectory(prefix="jejak-up-") as folder:
        office = Installation(Path(folder), first_port(), settings)
        try:
            office.start(say=lambda line: None)
            yield office
        finally:
            office.stop()


def first_port() -> int:
    """Return a port that, with as many after it as an installation needs, nobody listens on."""
    while True:
        first = free_port()
        if not any(map(listens, range(first, first + len(NAMES)))):
            return first


def listens(port: int) -> bool:
    """Say whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
