"""One real PostgreSQL as a child process, for tests, ``make up`` and a first look."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.parts import end, free_port, tail, wait_until
from deploy.postgres.wheel import identity, initialise, let_pass, server_account, wheel_programs

USER = "jejak"
# PostgreSQL's own defaults, said aloud: what was committed survives a power cut.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on")


class PostgresServer:
    """A PostgreSQL in ``folder``, listening on 127.0.0.1 only, with a password of its own.

    ``port`` 0 picks a free one, kept for the life of this object. The data stay in ``folder``
    after ``stop`` or ``kill`` and are there after another ``start``.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        start_seconds: float = 60,
        stop_seconds: float = 30,
        die_with_parent: bool = False,
    ) -> None:
        """``die_with_parent`` ends the server when the thread that called ``start`` ends."""
        self.port = port or free_port()
        self._folder = folder.absolute()
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        # setpriv is part of every Debian; INT is PostgreSQL's "fast shutdown".
        self._wrapper = ["setpriv", "--pdeathsig", "INT"] if die_with_parent else []
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """How to reach the database ``jejak``; names a password file, holds no password."""
        return self.dsn_of(USER)

    def dsn_of(self, database: str) -> str:
        """Return the DSN (libpq keywords) of ``database``, whether or not it exists yet."""
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            dbname=database,
            passfile=str(self._folder / "pgpass"),
        )

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._folder / "postgres.log"

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Make the data folder once, start the server, return when it takes connections.

        Raises:
            PartMissing: the wheel is not installed, or root may not make its account.
            PartNotReady: it did not come up in ``start_seconds``; shows the end of its log.
        """
        if self.running:
            return
        programs, account = wheel_programs(), server_account()
        self._make_folder(programs, account)
        begin = self.log.stat().st_size if self.log.exists() else 0
        command = [*self._wrapper, str(programs / "postgres"), "-D", str(self._data)]
        for setting in (*DURABLE, *self._network()):
            command += ["-c", setting]
        with self.log.open("ab") as log:
            # In a session of its own, so that Ctrl-C reaches us first and we end it in order.
            process = subprocess.Popen(
                command,
                cwd=self._data,
                **identity(account),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._process = process
        try:
            wait_until(
                lambda: answers(self.dsn_of("postgres")),
                part="PostgreSQL",
                process=process,
                seconds=self._start_seconds,
                log=lambda: tail(self.log, begin),
            )
            self.create_database(USER)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End the server in order, without waiting for its clients to leave."""
        if self._process is not None:
            end(self._process, signal.SIGINT, self._stop_seconds)

    def kill(self) -> None:
        """End the server at once (SIGKILL), as a crash would, and wait for its backends to go.

        They hold its shared memory until they notice: a start before that would be refused.
        """
        if self._process is None or not self.running:
            return
        backends = children(self._process.pid)
        self._process.kill()
        self._process.wait()
        deadline = time.monotonic() + self._stop_seconds
        while any(backend.exists() for backend in backends) and time.monotonic() < deadline:
            time.sleep(0.01)

    def wait(self) -> int:
        """Wait until the server ends; return its exit code."""
        return self._process.wait() if self._process is not None else 0

    def create_database(self, name: str) -> str:
        """Create the database ``name`` unless it exists; return its DSN."""
        create_database(self.dsn_of("postgres"), name)
        return self.dsn_of(name)

    def drop_database(self, name: str) -> None:
        """Drop the database ``name`` if it exists, whoever is connected to it."""
        drop_database(self.dsn_of("postgres"), name)

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

    def _network(self) -> tuple[str, ...]:
        return ("listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=")

    def _make_folder(self, programs: Path, account: pwd.struct_passwd) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            let_pass(self._data)
            let_pass(programs / "postgres")
        if self._data.exists():
            return
        password = secrets.token_urlsafe(24)
        passfile = self._folder / "pgpass"
        passfile.touch(mode=0o600)
        passfile.write_text(f"127.0.0.1:*:*:{USER}:{password}\n")
        initialise(programs, account, self._data, USER, password)


def children(pid: int) -> list[Path]:
    """Return the ``/proc`` folders of the children of ``pid`` (none where Linux hides them)."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return (
        [Path("/proc") / child for child in listed.read_text().split()] if listed.exists() else []
    )


def answers(dsn: str) -> bool:
    """Whether the server behind ``dsn`` takes a connection now."""
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def create_database(maintenance_dsn: str, name: str) -> None:
    """Create the database ``name`` on the server behind ``maintenance_dsn`` unless it exists."""
    with psycopg.connect(maintenance_dsn, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def drop_database(maintenance_dsn: str, name: str) -> None:
    """Drop the database ``name`` if it exists, whoever is connected to it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(maintenance_dsn, autocommit=True) as connection:
        connection.execute(statement)
