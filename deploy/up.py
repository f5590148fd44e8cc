"""``make up`` and ``make down``: the office over a real Kafka and PostgreSQL, on this machine.

Supervisor keeps one process per service, the Faust worker, the broker and the database alive;
this program only prepares the folder, waits until each part is ready, and says where to go.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.request import urlopen

import click

from deploy.kafka.jars import default_cache, resolve
from deploy.postgres.server import PostgresServer, answers
from shared.errors import JejakError, Unavailable
from shared.settings import SERVICES
from shared.topic_admin import apply

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CONFIG = ROOT / "deploy" / "supervisord.conf"
FIRST_PORT = 8601
NAMES = (*SERVICES, "worker", "bank", "postgres", "kafka")


class Installation:
    """One installation below ``folder``, on consecutive ports from ``first_port`` on."""

    def __init__(
        self,
        folder: Path,
        first_port: int = FIRST_PORT,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describe it; nothing is started. ``settings`` go to every process, by name."""
        self.folder = folder.resolve()
        self.ports = {name: first_port + index for index, name in enumerate(NAMES)}
        self.postgres = PostgresServer(self.folder / "postgres", self.ports["postgres"])
        self.kafka = f"127.0.0.1:{self.ports['kafka']}"
        self._settings = {f"JEJAK_{name.upper()}": v for name, v in (settings or {}).items()}

    def url(self, name: str) -> str:
        """Return where a service answers."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def environment(self) -> dict[str, str]:
        """Return the environment of every process of this installation."""
        ports = {f"{name.upper()}_PORT": str(port) for name, port in self.ports.items()}
        urls = {f"JEJAK_{name.upper()}_URL": self.url(name) for name in SERVICES}
        return {
            **os.environ,
            **ports,
            **urls,
            **self._settings,
            "UP": str(self.folder),
            "ROOT": str(ROOT),
            "PY": sys.executable,
            "BIN": str(BIN),
            "JEJAK_DATA": str(self.folder),
            "JEJAK_POSTGRES": self.postgres.dsn,
            "JEJAK_KAFKA": self.kafka,
            "JEJAK_BANK_PAGE": f"{self.url('bank')}/bank",
        }

    def control(self, *words: str) -> str:
        """Tell supervisor something and return its answer. Raises Unavailable when it is not up."""
        done = subprocess.run(
            [str(BIN / "supervisorctl"), "-c", str(CONFIG), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if "no such file" in done.stdout or "refused" in done.stdout:
            raise Unavailable
        return done.stdout

    def pid(self, name: str) -> int:
        """Return the process id of a running part."""
        return int(self.control("pid", name).strip())

    def start(self, say: Callable[[str], None] = click.echo) -> None:
        """Start every part in order and wait until people can come."""
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)
        say("Kafka's jars ...")
        resolve(default_cache())
        say("PostgreSQL and Kafka ...")
        subprocess.run(
            [str(BIN / "supervisord"), "-c", str(CONFIG)], env=self.environment(), check=True
        )
        _until(self._database_answers, 60)
        _until(lambda: apply(self.kafka), 60)
        say("Services and the worker ...")
        self.control("start", *SERVICES, "worker", "bank")
        for name in (*SERVICES, "worker"):
            _until(lambda name=name: _ready(self.url(name)), 90)  # type: ignore[misc]

    def _database_answers(self) -> None:
        if not answers(self.postgres.dsn):
            raise Unavailable

    def stop(self) -> None:
        """End every part; what is stored stays. Nothing happens when it does not run."""
        pidfile = self.folder / "supervisord.pid"
        if not pidfile.exists():
            return
        self.control("shutdown")
        deadline = time.monotonic() + 60
        while pidfile.exists() and time.monotonic() < deadline:
            time.sleep(0.2)


def _ready(url: str) -> None:
    with urlopen(f"{url}/readyz", timeout=5) as answer:
        answer.read()


def _until(attempt: Callable[[], object], seconds: float) -> None:
    """Repeat ``attempt`` until it works. Raises its last error after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            attempt()
            return
        except (JejakError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


_folder = click.option(
    "--data", default="data/up", type=click.Path(file_okay=False, path_type=Path), show_default=True
)
_port = click.option("--first-port", default=FIRST_PORT, show_default=True, type=int)


@click.group()
def main() -> None:
    """The whole office over a real Kafka and PostgreSQL, on this machine."""


@main.command()
@_folder
@_port
def start(data: Path, first_port: int) -> None:
    """Start everything and print where to go."""
    installation = Installation(data, first_port)
    try:
        installation.start()
    except JejakError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"\nJejak is running: {installation.url('intake')}/")
    click.echo(f"Logs: {installation.folder / 'logs'}   End it: make down")


@main.command()
@_folder
@_port
def stop(data: Path, first_port: int) -> None:
    """End everything that `start` started."""
    Installation(data, first_port).stop()
    click.echo("Stopped.")


if __name__ == "__main__":
    main()
